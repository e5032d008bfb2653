#include "data/knowledge_import.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <cassert>
#include <set>
#include <unordered_map>

#include "core/hash.hpp"
#include "data/knowledge_metadata.hpp"

namespace al::data {

namespace {

using model::Knowledge;

/// Writes that are under way at once; they share commits, and an error in one leaves the others alone.
constexpr std::size_t writes_at_once = 128;
/// How often an item is decided anew because someone else changed it meanwhile.
constexpr int tries_max = 4;
/// A search answers {results: [{knowledge: {metadata: {merged: [variant]}}}]}: what is put there must still be within
/// the depth that JSON may have.
constexpr std::size_t depth_around_merged = 6;

/// An item of the request that was not imported before.
struct Variant {
  std::int64_t position = 0;
  std::string hash;
  std::string raw;  ///< all its members as written: what `metadata.merged` keeps of it
  Knowledge item;   ///< as it is stored when it wins
};

using Fault = ImportReport::Fault;

// ---- canonical text and hashes ----

/// Keys in order and no blanks: equal values have equal texts, however they were written.
void append_canonical(std::string& out, json::value const& value) {
  if (auto const* object = value.if_object()) {
    std::vector<std::pair<std::string_view, json::value const*>> members;
    for (auto const& member : *object)
      members.emplace_back(std::string_view(member.key()), &member.value());
    std::ranges::sort(members, {}, [](auto const& member) { return member.first; });
    out += '{';
    for (auto const& [key, member] : members) {
      json::append_string(out, key);
      out += ':';
      append_canonical(out, *member);
      out += ',';
    }
    out += '}';
  } else if (auto const* array = value.if_array()) {
    out += '[';
    for (auto const& element : *array) {
      append_canonical(out, element);
      out += ',';
    }
    out += ']';
  } else {
    json::append(out, value);
  }
}

/// Of the whole item but its uses: the prototype counts them in the file, and an item used once more is no other item.
std::string item_hash(AgentId const& agent, json::value const& item) {
  auto lasting = item;
  lasting.as_object().erase("usage_count");
  auto text = agent.value + "\n";
  append_canonical(text, lasting);
  return sha256_hex(text);
}

/// Stands for what an import last wrote of an item; remembered beside the hashes of its variants. An item whose state
/// is not known was edited by a user, or never came from a file. Uses do not count as edits.
std::string state_hash(Knowledge const& item) {
  auto text = "state\n" + item.agent_id.value + "\n";
  for (auto const* part : {&item.id.value, &item.category, &item.content, &item.source}) {
    json::append_string(text, *part);
    text += '\n';
  }
  if (auto const metadata = json::parse(item.metadata.text))
    append_canonical(text, *metadata);
  text += '\n';
  json::append_number(text, item.relevance_score);
  return sha256_hex(text);
}

// ---- from an item of the file to an item of ours ----

std::string explain(entity::Faults const& faults) {
  std::string out;
  for (auto const& fault : faults) {
    if (!out.empty())
      out += "; ";
    out += fault.path.empty() ? fault.message : fault.path + ": " + fault.message;
  }
  return out;
}

/// The members that a client could set as well; the description of the entity reads and checks them.
constexpr std::array<std::string_view, 6> described_members = {"id",     "category", "content",
                                                               "source", "metadata", "relevance_score"};

/// The members of one item of a file, sorted by who reads them.
struct Members {
  std::string described;  ///< the text of an object, without its braces
  std::string unknown;    ///< likewise; what nobody reads goes to `metadata.imported`, so that it is not lost
  std::int64_t usage_count = 0;
  std::optional<Timestamp> timestamp;
};

Members read_members(json::Input in, entity::Faults& faults) {
  Members out;
  for (auto const& [key, value] : json::members(in)) {
    bool const is_needed = key == "id" || key == "content";
    bool const is_described = std::ranges::count(described_members, key) > 0;
    bool const is_known = is_described || key == "usage_count" || key == "timestamp";
    // Null says of an optional member that there is none.
    if (is_known && !is_needed && value.is_null())
      continue;
    if (is_described) {
      append_member(out.described, key, text_of(value));
    } else if (key == "usage_count") {
      entity::int_type().decode(value, &out.usage_count, entity::Mode::create, "usage_count", faults);
      if (out.usage_count < 0)
        faults.push_back({"usage_count", "must be at least 0"});
    } else if (key == "timestamp") {
      entity::time_type().decode(value, &out.timestamp.emplace(), entity::Mode::create, "timestamp", faults);
      // The store takes the beginning of time for none at all, so the file's word for it is kept elsewhere.
      if (out.timestamp == Timestamp{})
        append_member(out.unknown, key, text_of(value));
    } else {
      append_member(out.unknown, key, text_of(value));
    }
  }
  return out;
}

void keep_unknown(Document& metadata, std::string const& unknown, entity::Faults& faults) {
  if (unknown.empty())
    return;
  auto const source = json::Source::from(metadata.text);
  assert(source && "it was checked as part of the item");
  if (json::member(source->root(), "imported").parsed != nullptr) {
    return faults.push_back({"metadata.imported", "is where members go that are not known here; this item has one"});
  }
  metadata.text = with_member(metadata.text, "imported", "{" + unknown + "}");
  if (metadata.text.size() > metadata_bytes_max()) {
    faults.push_back({"metadata", "must have at most " + std::to_string(metadata_bytes_max()) +
                                      " bytes together with the members that are not known here, has " +
                                      std::to_string(metadata.text.size())});
  }
}

/// Errors: invalid, with all that is wrong in the message.
Result<Variant> read_variant(AgentId const& agent, json::Input in, std::int64_t position) {
  if (!in.parsed->is_object())
    return fail(Code::invalid, "must be an object");
  entity::Faults faults;
  auto members = read_members(in, faults);
  auto const source = json::Source::from("{" + members.described + "}");
  assert(source && "it is made of valid parts");
  if (json::member(source->root(), "id").parsed == nullptr)
    faults.push_back({"id", "is required"});
  auto item = entity::from_json<Knowledge>(source->root());
  if (!item) {
    faults.insert(faults.end(), item.error().faults.begin(), item.error().faults.end());
  } else {
    keep_unknown(item->metadata, members.unknown, faults);
  }
  if (!faults.empty())
    return fail(Code::invalid, explain(faults));
  item->agent_id = agent;
  item->usage_count = members.usage_count;
  if (members.timestamp)
    item->created_at = *members.timestamp;
  return Variant{position, item_hash(agent, *in.parsed), text_of(in), std::move(*item)};
}

// ---- which variant wins ----

struct Stored {
  Knowledge item;
  bool is_as_imported = false;  ///< nobody has edited it since an import wrote it
};

/// What is to be written for one id, and for which variants.
struct Decision {
  Knowledge item;
  std::vector<std::string> hashes;
  std::vector<Fault> faulty;
};

/// The list `metadata.merged`, growing within the limits of metadata.
class MergedList {
 public:
  explicit MergedList(std::string metadata) : metadata_(std::move(metadata)) {
    auto const source = json::Source::from(metadata_);
    auto const list = source ? json::member(source->root(), "merged") : json::Input{};
    is_usable_ = list.parsed == nullptr || list.parsed->is_array();
    for (auto const& element : json::elements(list))
      append(text_of(element));
    rest_bytes_ = with_member(metadata_, "merged", "[]").size();
  }

  /// Errors: invalid, when there is no place for it.
  Result<void> add(std::string const& variant) {
    if (!is_usable_)
      return fail(Code::invalid, "has no place: metadata.merged of the item is no list");
    auto const nested = std::string(depth_around_merged, '[') + variant + std::string(depth_around_merged, ']');
    if (!json::parse(nested))
      return fail(Code::invalid, "is nested too deep to be kept in metadata.merged of its item");
    if (rest_bytes_ + elements_.size() + 1 + variant.size() > metadata_bytes_max()) {
      return fail(Code::invalid, "does not fit into metadata.merged of its item: metadata has at most " +
                                     std::to_string(metadata_bytes_max()) + " bytes");
    }
    append(variant);
    is_changed_ = true;
    return {};
  }

  [[nodiscard]] std::string metadata() const {
    return is_changed_ ? with_member(metadata_, "merged", "[" + elements_ + "]") : metadata_;
  }

 private:
  void append(std::string_view element) {
    if (!elements_.empty())
      elements_ += ',';
    elements_ += element;
  }

  std::string metadata_;
  std::string elements_;
  std::size_t rest_bytes_ = 0;
  bool is_usable_ = true;
  bool is_changed_ = false;
};

/// What was stored, in the form of the files, without the variants beside it.
std::string as_variant(Knowledge const& item, json::Input metadata) {
  std::string own;
  for (auto const& member : json::members(metadata)) {
    if (member.key != "merged")
      append_member(own, member.key, text_of(member.value));
  }
  std::string out;
  auto const add_text = [&](std::string_view key, std::string const& text) {
    std::string value;
    json::append_string(value, text);
    append_member(out, key, value);
  };
  add_text("id", item.id.value);
  add_text("category", item.category);
  add_text("content", item.content);
  add_text("source", item.source);
  add_text("timestamp", to_rfc3339(item.created_at));
  append_member(out, "metadata", "{" + own + "}");
  append_member(out, "usage_count", std::to_string(item.usage_count));
  std::string relevance;
  json::append_number(relevance, item.relevance_score);
  append_member(out, "relevance_score", relevance);
  return "{" + out + "}";
}

/// Moves what is stored, and the variants it has beside it, into `merged`. Errors: invalid, when they do not fit.
Result<void> keep_stored(MergedList& merged, Knowledge const& stored) {
  auto const source = json::Source::from(stored.metadata.text);
  auto const metadata = source ? source->root() : json::Input{};
  for (auto const& element : json::elements(json::member(metadata, "merged"))) {
    if (auto ok = merged.add(text_of(element)); !ok)
      return ok;
  }
  return merged.add(as_variant(stored, metadata));
}

/// Without a timestamp a variant is the oldest; of equal ones the later in the file is the newer.
std::vector<Variant>::const_iterator newest_of(std::vector<Variant> const& variants) {
  auto newest = variants.begin();
  for (auto it = variants.begin(); it != variants.end(); ++it) {
    if (it->item.created_at >= newest->item.created_at)
      newest = it;
  }
  return newest;
}

/// Everything but `newest` becomes a variant beside it, or a fault.
Decision put_beside(Knowledge base, MergedList merged, std::vector<Variant> const& variants,
                    std::optional<std::size_t> newest) {
  Decision out{.item = std::move(base), .hashes = {}, .faulty = {}};
  for (std::size_t i = 0; i < variants.size(); ++i) {
    auto const& variant = variants[i];
    if (i != newest) {
      if (auto ok = merged.add(variant.raw); !ok) {
        out.faulty.push_back({variant.position, ok.error().message});
        continue;
      }
    }
    out.hashes.push_back(variant.hash);
  }
  out.item.metadata.text = merged.metadata();
  return out;
}

/// `variants` share their id, in the order of the file. The newest becomes the item, unless a user made or edited the
/// one that is stored, which an import never overwrites.
Decision decide(std::vector<Variant> variants, Stored const* stored) {
  std::vector<Fault> faulty;
  while (!variants.empty()) {
    auto const newest = newest_of(variants);
    bool const wins = !stored || (stored->is_as_imported && newest->item.created_at >= stored->item.created_at);
    if (!wins)
      break;
    auto base = newest->item;
    MergedList merged(base.metadata.text);
    auto kept = stored ? keep_stored(merged, stored->item) : Result<void>{};
    if (!kept) {
      faulty.push_back({newest->position, "the stored item of this id " + kept.error().message});
      variants.erase(newest);
      continue;
    }
    if (stored) {
      base.version = stored->item.version;
      base.usage_count = std::max(base.usage_count, stored->item.usage_count);
    }
    auto out =
        put_beside(std::move(base), std::move(merged), variants, static_cast<std::size_t>(newest - variants.begin()));
    out.faulty.insert(out.faulty.end(), faulty.begin(), faulty.end());
    return out;
  }
  auto out =
      stored ? put_beside(stored->item, MergedList(stored->item.metadata.text), variants, std::nullopt) : Decision{};
  out.faulty.insert(out.faulty.end(), faulty.begin(), faulty.end());
  return out;
}

/// The hashes of the variants and of the new state, as the store takes them. A state that a user made is not ours.
std::string hashes_to_remember(Decision const& decision, bool is_ours) {
  auto hashes = decision.hashes;
  if (is_ours)
    hashes.push_back(state_hash(decision.item));
  std::string out;
  for (auto const& hash : hashes) {
    if (!out.empty())
      out += ',';
    json::append_string(out, hash);
  }
  return "[" + out + "]";
}

// ---- writing ----

/// What a user deleted stays deleted, whatever a file says of it.
void leave_out(ImportReport& report, std::vector<Variant> const& variants) {
  for (auto const& variant : variants) {
    report.left_out.push_back({variant.position, "was deleted here; add it by itself to have it back"});
  }
  report.skipped += std::ssize(variants);
}

void blame(ImportReport& report, std::vector<Variant> const& variants, std::string const& reason) {
  for (auto const& variant : variants)
    report.faulty.push_back({variant.position, reason});
}

/// Takes out the variants whose hash is among `known`.
void skip_known(std::vector<Variant>& variants, std::vector<std::string> const& known, ImportReport& report) {
  std::set<std::string_view> const hashes(known.begin(), known.end());
  report.skipped +=
      static_cast<std::int64_t>(std::erase_if(variants, [&](auto const& v) { return hashes.contains(v.hash); }));
}

std::vector<std::string> hashes_of(std::vector<Variant> const& variants) {
  std::vector<std::string> out;
  for (auto const& variant : variants)
    out.push_back(variant.hash);
  return out;
}

/// Counts what was written. Answers true when it was; a conflict asks to decide anew.
bool note_written(ImportReport& report, Decision& decision, Result<Knowledge> const& written, bool is_new) {
  if (!written)
    return false;
  report.imported += is_new ? 1 : 0;
  report.merged += std::ssize(decision.hashes) - (is_new ? 1 : 0);
  std::ranges::move(decision.faulty, std::back_inserter(report.faulty));
  return true;
}

/// All new variants of one id. The item is added without looking first, since most are new.
Task<ImportReport> write_item(KnowledgeStore& knowledge, Actor actor, std::vector<Variant> variants,
                              Deadline deadline) {
  ImportReport report;
  for (int i = 0; i < tries_max; ++i) {
    auto fresh = decide(variants, nullptr);
    auto const added = co_await knowledge.add(
        actor, {.item = fresh.item, .import_hashes = hashes_to_remember(fresh, true), .brings_back = false}, deadline);
    if (note_written(report, fresh, added, true))
      co_return report;
    if (added.error().code != Code::conflict) {
      blame(report, variants, added.error().message);
      co_return report;
    }
    auto const& wanted = variants.front().item;
    auto there = co_await knowledge.get(actor.tenant, wanted.agent_id, wanted.id, deadline);
    if (!there) {
      if (!co_await knowledge.was_deleted(actor.tenant, wanted.agent_id, wanted.id, deadline))
        continue;  // its agent was deleted this very moment
      leave_out(report, variants);
      co_return report;
    }
    Stored stored{.item = std::move(*there)};
    auto const state = state_hash(stored.item);
    auto asked = hashes_of(variants);
    asked.push_back(state);
    auto const known = co_await knowledge.known_imports(actor.tenant, asked, deadline);
    stored.is_as_imported = std::ranges::count(known, state) > 0;
    skip_known(variants, known, report);
    if (variants.empty())
      co_return report;
    auto decision = decide(variants, &stored);
    if (decision.hashes.empty()) {
      std::ranges::move(decision.faulty, std::back_inserter(report.faulty));
      co_return report;
    }
    auto const replaced = co_await knowledge.replace(
        actor, {.item = decision.item, .import_hashes = hashes_to_remember(decision, stored.is_as_imported)}, deadline);
    if (note_written(report, decision, replaced, false))
      co_return report;
    if (replaced.error().code != Code::conflict) {
      blame(report, variants, replaced.error().message);
      co_return report;
    }
  }
  blame(report, variants, "the item of this id kept changing; import it again");
  co_return report;
}

void add_up(ImportReport& total, ImportReport part) {
  total.imported += part.imported;
  total.merged += part.merged;
  total.skipped += part.skipped;
  std::ranges::move(part.left_out, std::back_inserter(total.left_out));
  std::ranges::move(part.faulty, std::back_inserter(total.faulty));
}

/// Every id's variants together, ids in the order in which they come first.
std::vector<std::vector<Variant>> by_id(std::vector<Variant> variants) {
  std::vector<std::vector<Variant>> out;
  std::unordered_map<KnowledgeId, std::size_t> places;
  for (auto& variant : variants) {
    auto const [place, is_new] = places.try_emplace(variant.item.id, out.size());
    if (is_new)
      out.emplace_back();
    out[place->second].push_back(std::move(variant));
  }
  return out;
}

/// The readable items, once each, with the most uses that any of its copies has; the others are in the report.
std::vector<Variant> read_all(AgentId const& agent, std::vector<json::Input> const& elements, ImportReport& report) {
  std::vector<Variant> variants;
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    auto const position = static_cast<std::int64_t>(i);
    auto variant = read_variant(agent, elements[i], position);
    if (!variant) {
      report.faulty.push_back({position, variant.error().message});
      continue;
    }
    auto const [place, is_new] = places.try_emplace(variant->hash, variants.size());
    if (is_new) {
      variants.push_back(std::move(*variant));
    } else {
      auto& uses = variants[place->second].item.usage_count;
      uses = std::max(uses, variant->item.usage_count);
      ++report.skipped;
    }
  }
  return variants;
}

/// "Mobile Developer" for mobile_developer.
std::string name_from(AgentId const& id) {
  std::string name;
  bool at_start = true;
  for (char const c : id.value) {
    if (c == '_' || c == '-') {
      at_start = true;
      continue;
    }
    if (at_start && !name.empty())
      name += ' ';
    name += at_start && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    at_start = false;
  }
  return name;
}

/// Answers whether it was created now. Errors: conflict, when it was deleted: that is not taken back by the way.
Task<Result<bool>> have_agent(AgentStore& agents, Actor const& actor, AgentId const& id, Deadline deadline) {
  auto const there = co_await agents.get(actor.tenant, id, deadline);
  if (there)
    co_return false;
  if (there.error().code != Code::not_found)
    co_return fail(there.error());
  if (co_await agents.was_deleted(actor.tenant, id, deadline)) {
    co_return fail(Code::conflict, "agent '" + id.value + "' was deleted; create it again to import its knowledge");
  }
  model::Agent agent;
  agent.id = id;
  agent.name = name_from(id);
  agent.specialization = id.value;
  agent.imported = true;
  auto const created = co_await agents.create(actor, std::move(agent), deadline);
  // A conflict says that another import was faster.
  if (!created && created.error().code != Code::conflict)
    co_return fail(created.error());
  co_return created.has_value();
}

}  // namespace

Task<Result<ImportReport>> KnowledgeImport::run(Actor const& actor, AgentId const& agent, json::Input items,
                                                Deadline deadline) {
  auto const elements = json::elements(items);
  if (items.is_null() || !items.parsed->is_array() || elements.size() > items_max) {
    co_return fail(entity::invalid({{"items", "must be an array of at most " + std::to_string(items_max)}}));
  }
  if (std::ranges::count(reserved_agent_ids, agent.value) > 0) {
    co_return fail(entity::invalid({{"agent_id", "'" + agent.value + "' is a word of the API; choose another id"}}));
  }
  ImportReport report;
  auto variants = read_all(agent, elements, report);
  skip_known(variants, co_await knowledge_.known_imports(actor.tenant, hashes_of(variants), deadline), report);
  if (!variants.empty()) {
    auto const created = co_await have_agent(agents_, actor, agent, deadline);
    if (!created)
      co_return fail(created.error());
    report.agent_created = *created;
  }
  auto groups = by_id(std::move(variants));
  for (std::size_t first = 0; first < groups.size(); first += writes_at_once) {
    std::vector<Task<ImportReport>> writes;
    for (std::size_t i = first; i < std::min(groups.size(), first + writes_at_once); ++i) {
      writes.push_back(write_item(knowledge_, actor, std::move(groups[i]), deadline));
    }
    auto settled = co_await settle(std::move(writes));
    for (auto& one : settled) {
      if (one.fault)
        std::rethrow_exception(one.fault);
      add_up(report, std::move(one.value));
    }
  }
  std::ranges::sort(report.left_out, {}, &ImportReport::Fault::position);
  std::ranges::sort(report.faulty, {}, &ImportReport::Fault::position);
  co_return report;
}

}  // namespace al::data
