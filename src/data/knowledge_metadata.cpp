#include "data/knowledge_metadata.hpp"

#include <algorithm>
#include <boost/json/string.hpp>

namespace al::data {

namespace {

constexpr std::string_view tags_key = "tags";
constexpr std::int64_t tag_size_max = 50;

}  // namespace

std::string text_of(json::Input in) { return in.raw.empty() ? json::serialize(*in.parsed) : std::string(in.raw); }

void append_member(std::string& members, std::string_view key, std::string_view value) {
  if (!members.empty())
    members += ',';
  json::append_string(members, key);
  members += ':';
  members += value;
}

std::string with_member(std::string const& metadata, std::string_view key, std::string_view value) {
  auto const source = json::Source::from(metadata);
  std::string members;
  if (source) {
    for (auto const& member : json::members(source->root())) {
      if (member.key != key)
        append_member(members, member.key, text_of(member.value));
    }
  }
  append_member(members, key, value);
  return "{" + members + "}";
}

std::size_t metadata_bytes_max() {
  static auto const bytes = [] {
    auto const& fields = entity::entity<model::Knowledge>().fields;
    return static_cast<std::size_t>(std::ranges::find(fields, "metadata", &entity::Field::name)->options.max);
  }();
  return bytes;
}

void read_tags(model::Knowledge& item) {
  item.tags.clear();
  // Most metadata has none, and parsing each item of a list would be felt.
  if (item.metadata.text.find("\"tags\"") == std::string::npos)
    return;
  auto const source = json::Source::from(item.metadata.text);
  if (!source)
    return;
  for (auto const& tag : json::elements(json::member(source->root(), tags_key))) {
    if (auto const* text = tag.parsed->if_string())
      item.tags.emplace_back(*text);
  }
}

Result<void> write_tags(model::Knowledge& item) {
  entity::Faults faults;
  std::string list;
  for (std::size_t i = 0; i < item.tags.size(); ++i) {
    auto const size = entity::string_type().size(&item.tags[i]).value_or(0);
    if (size < 1 || size > tag_size_max) {
      faults.push_back({"tags[" + std::to_string(i) + "]",
                        "must have 1 to " + std::to_string(tag_size_max) + " characters, has " + std::to_string(size)});
    }
    if (i > 0)
      list += ',';
    json::append_string(list, item.tags[i]);
  }
  auto metadata = with_member(item.metadata.text, tags_key, "[" + list + "]");
  if (metadata.size() > metadata_bytes_max()) {
    faults.push_back({"metadata", "must have at most " + std::to_string(metadata_bytes_max()) +
                                      " bytes together with the tags, has " + std::to_string(metadata.size())});
  }
  if (!faults.empty())
    return fail(entity::invalid(std::move(faults)));
  item.metadata.text = std::move(metadata);
  return {};
}

}  // namespace al::data
