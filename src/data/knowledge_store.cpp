#include "data/knowledge_store.hpp"

#include <algorithm>
#include <charconv>

#include "core/hash.hpp"
#include "data/expected_version.hpp"
#include "data/knowledge_metadata.hpp"
#include "data/page_statement.hpp"
#include "data/row_values.hpp"
#include "text/ranking.hpp"

namespace al::data {

namespace {

using storage::Scope;
using storage::Statement;

entity::Entity const& knowledge_entity = entity::entity<model::Knowledge>();

/// The aggregate id names the agent too, since an item's id is unique only under its agent.
Aggregate const knowledge_aggregate{
    .entity = knowledge_entity, .key = {{"agent_id", "text"}, {"id", "text"}}, .id = "u.agent_id || '/' || u.id"};

std::string const item_columns = entity::columns(knowledge_entity, "k.");

/// Agents that were deleted take their knowledge out of sight. A value, not a join: PostgreSQL would begin with all the
/// agents of the tenant.
std::string const is_visible =
    "k.deleted_at IS NULL"
    " AND (SELECT a.deleted_at IS NULL FROM agents a WHERE a.tenant_id = k.tenant_id AND a.id = k.agent_id)";
std::string const visible = " FROM knowledge k WHERE k.tenant_id = $1 AND " + is_visible;

std::string const filter =
    " AND (CAST($2 AS text) IS NULL OR k.agent_id = CAST($2 AS text))"
    " AND (CAST($3 AS text) IS NULL OR k.category = CAST($3 AS text))";

/// For statements that look at very many items: the agents that were deleted are found once.
std::string const deleted_agents = "(SELECT a.id FROM agents a WHERE a.tenant_id = $1 AND a.deleted_at IS NOT NULL)";

Statement const get_item{"knowledge.get", "SELECT " + item_columns + visible +
                                              " AND (CAST($2 AS text) IS NULL OR k.agent_id = CAST($2 AS text))"
                                              " AND k.id = $3 LIMIT 2"};

Statement const list_items =
    page_statement({.name = "knowledge.list",
                    .table = "knowledge",
                    .alias = "k",
                    .key = {"agent_id", "id"},
                    .columns = item_columns,
                    .where = "k.tenant_id = $1 AND " + is_visible + filter + " AND (k.agent_id, k.id) > ($4, $5)",
                    .limit = "$6",
                    .large = {"content", "metadata"}});

/// The whole tenant's items, or the agent's, are put in order for each page: an index would have to be written whenever
/// uses are counted.
Statement const list_most_used = page_statement(
    {.name = "knowledge.most_used",
     .table = "knowledge",
     .alias = "k",
     .key = {"usage_count", "agent_id", "id"},
     .direction = "DESC",
     .columns = item_columns,
     .where = "k.tenant_id = $1 AND k.deleted_at IS NULL AND k.agent_id NOT IN " + deleted_agents + filter +
              " AND (CAST($4 AS bigint) IS NULL OR (k.usage_count, k.agent_id, k.id) < (CAST($4 AS bigint), $5, $6))",
     .limit = "$7",
     .large = {"content", "metadata"}});

Statement const count_items{"knowledge.count",
                            "SELECT COUNT(*) FROM knowledge k WHERE k.tenant_id = $1"
                            " AND k.deleted_at IS NULL AND k.agent_id NOT IN " +
                                deleted_agents + filter};

/// An item, and how many there are of which it is one.
std::string const searched_columns = item_columns +
                                     ", (SELECT COUNT(*) FROM knowledge c WHERE c.tenant_id = $1"
                                     " AND (CAST($2 AS text) IS NULL OR c.agent_id = CAST($2 AS text)))";

/// The only statement that reads the text index; $4 carries the tenant's or agent's scope term. PostgreSQL ranks within
/// the index first, where deleted items have no rows, and reads the items of the best only: a common word is in
/// thousands of them.
Statement const search_items{
    .name = "knowledge.search",
    .text =
        "WITH best AS MATERIALIZED (SELECT x.agent_id, x.knowledge_id,"
        " ts_rank(x.terms, CAST($4 AS tsquery)) AS rank FROM knowledge_text x"
        " WHERE x.tenant_id = $1 AND x.terms @@ CAST($4 AS tsquery) AND x.agent_id NOT IN " +
        deleted_agents +
        " AND (CAST($3 AS text) IS NULL OR EXISTS (SELECT 1 FROM knowledge c WHERE c.tenant_id = x.tenant_id"
        " AND c.agent_id = x.agent_id AND c.id = x.knowledge_id AND c.category = CAST($3 AS text)))"
        " ORDER BY rank DESC, x.agent_id, x.knowledge_id LIMIT $5)"
        " SELECT " +
        searched_columns +
        " FROM best x JOIN knowledge k ON k.tenant_id = $1 AND k.agent_id = x.agent_id AND k.id = x.knowledge_id"
        " WHERE k.deleted_at IS NULL ORDER BY x.rank DESC, k.agent_id, k.id",
    .sqlite = "SELECT " + searched_columns + " FROM knowledge_text x JOIN knowledge k ON k.num = x.rowid" +
              " WHERE k.tenant_id = $1 AND " + is_visible +
              " AND (CAST($3 AS text) IS NULL OR k.category = CAST($3 AS text))"
              " AND knowledge_text MATCH $4 ORDER BY x.rank, k.agent_id, k.id LIMIT $5"};

Statement const get_deleted_item{"knowledge.get_deleted",
                                 "SELECT id FROM knowledge WHERE tenant_id = $1 AND agent_id = $2 AND id = $3"
                                 " AND deleted_at IS NOT NULL"};

Statement const known_hashes{"knowledge.known_imports",
                             "SELECT content_hash FROM imported_items WHERE tenant_id = $1"
                             " AND content_hash IN (SELECT json_array_elements_text(CAST($2 AS json)))",
                             "SELECT content_hash FROM imported_items WHERE tenant_id = $1"
                             " AND content_hash IN (SELECT value FROM json_each($2))"};

Companion index_terms() {
  return {.text =
              "INSERT INTO knowledge_text (tenant_id, agent_id, knowledge_id, terms)"
              " SELECT u.tenant_id, u.agent_id, u.id, array_to_tsvector(string_to_array({terms}, ' ')) FROM u"
              " ON CONFLICT (tenant_id, agent_id, knowledge_id) DO UPDATE SET terms = excluded.terms",
          .sqlite = "INSERT OR REPLACE INTO knowledge_text (rowid, terms) SELECT u.num, {terms} FROM u"};
}

Companion remember_import() {
  std::string const insert =
      "INSERT INTO imported_items (tenant_id, content_hash, agent_id, knowledge_id, imported_at)"
      " SELECT u.tenant_id, h.value, u.agent_id, u.id, al_now() FROM u, ";
  return {.text = insert + "json_array_elements_text({hashes}) AS h(value) ON CONFLICT DO NOTHING",
          .sqlite = insert + "json_each({hashes}) AS h WHERE true ON CONFLICT DO NOTHING"};
}

Change insert_item(std::string_view name, std::string on_conflict) {
  return make_insert(knowledge_aggregate, {.name = name,
                                           .channel = "knowledge:added",
                                           .params = {{"terms", "text"}, {"hashes", "json"}},
                                           .where = std::string(agent_is_there),
                                           .on_conflict = std::move(on_conflict),
                                           .also = {index_terms(), remember_import()}});
}

/// A deleted item keeps its row, so that its versions count on when its id comes back.
Change const add_item =
    insert_item("knowledge.add",
                "DO UPDATE SET category = excluded.category, content = excluded.content, source = excluded.source,"
                " metadata = excluded.metadata, usage_count = excluded.usage_count,"
                " relevance_score = excluded.relevance_score, version = t.version + 1,"
                " created_at = excluded.created_at, updated_at = excluded.updated_at, last_used_at = NULL,"
                " deleted_at = NULL WHERE t.deleted_at IS NOT NULL");

/// Leaves deleted what a user has deleted.
Change const add_item_once = insert_item("knowledge.add_once", "DO NOTHING");

Change const replace_item =
    make_update(knowledge_aggregate,
                {.name = "knowledge.update",
                 .channel = "knowledge:updated",
                 .params = {{"expected", "bigint"},
                            {"category", "text"},
                            {"content", "text"},
                            {"source", "text"},
                            {"metadata", "json"},
                            {"usage", "bigint"},
                            {"relevance", "double precision"},
                            {"created", "timestamptz"},
                            {"terms", "text"},
                            {"hashes", "json"}},
                 // Uses are counted without a new version, so what is stored may be ahead of what the caller has read.
                 .set = "category = {category}, content = {content}, source = {source}, metadata = {metadata},"
                        " usage_count = CASE WHEN {usage} > t.usage_count THEN {usage} ELSE t.usage_count END,"
                        " relevance_score = {relevance}, created_at = {created}, updated_at = al_now()",
                 .where = "t.version = {expected} AND t.deleted_at IS NULL",
                 .also = {index_terms(), remember_import()}});

Change const remove_item = make_update(
    knowledge_aggregate, {.name = "knowledge.delete",
                          .channel = "knowledge:deleted",
                          .params = {{"expected", "bigint"}},
                          .set = "deleted_at = al_now(), updated_at = al_now()",
                          .where = "t.version = {expected} AND t.deleted_at IS NULL",
                          .also = {{.text = "DELETE FROM knowledge_text x USING u WHERE x.tenant_id = u.tenant_id"
                                            " AND x.agent_id = u.agent_id AND x.knowledge_id = u.id",
                                    .sqlite = "DELETE FROM knowledge_text WHERE rowid IN (SELECT num FROM u)"}}});

/// Terms of one letter class only, so that no text condition needs escaping, and none collides with a stem.
std::string scope_term(TenantId const& tenant, std::optional<AgentId> const& agent) {
  return "zz" + sha256_hex(agent ? tenant.value + "/" + agent->value : tenant.value).substr(0, 24);
}

text::Item text_item(model::Knowledge const& item) {
  return {.id = item.id.value,
          .category = item.category,
          .source = item.source,
          .content = item.content,
          .weight = item.relevance_score};
}

std::string match_query(storage::Dialect dialect, std::string const& scope, std::vector<std::string> const& terms) {
  bool const postgres = dialect == storage::Dialect::postgres;
  char const quote = postgres ? '\'' : '"';
  std::string any;
  for (auto const& term : terms) {
    if (!any.empty())
      any += postgres ? " | " : " OR ";
    any += quote + term + quote;
  }
  return quote + scope + quote + (postgres ? " & (" : " AND (") + any + ")";
}

model::Knowledge read_item(Row const& row) {
  auto item = entity::from_row<model::Knowledge>(row);
  read_tags(item);
  return item;
}

Error no_such_item(KnowledgeId const& id) {
  return {.code = Code::not_found, .message = "there is no knowledge '" + id.value + "'"};
}

/// A list's place is agent and id; ids may hold any character but a line break.
std::pair<std::string, std::string> split_cursor(std::string const& cursor) {
  auto const end = cursor.find('/');
  return {cursor.substr(0, end), end == std::string::npos ? "" : cursor.substr(end + 1)};
}

bool is_cursor(std::string const& cursor) {
  auto const [agent, id] = split_cursor(cursor);
  return is_slug(agent) && is_text_id(id);
}

/// What a page of the most used ones goes on behind: its last item's uses, agent and id. Before the first page none.
struct UsageCursor {
  Value uses{};
  std::string agent{};
  std::string id{};
};

std::optional<UsageCursor> usage_cursor(std::string const& cursor) {
  if (cursor.empty())
    return UsageCursor{};
  std::int64_t uses = 0;
  auto const [end, fault] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), uses);
  auto const rest = cursor.substr(static_cast<std::size_t>(end - cursor.data()));
  if (fault != std::errc{} || !rest.starts_with('/') || !is_cursor(rest.substr(1)))
    return std::nullopt;
  auto [agent, id] = split_cursor(rest.substr(1));
  return UsageCursor{.uses = uses, .agent = std::move(agent), .id = std::move(id)};
}

constexpr std::int64_t search_candidates_max = 100;
constexpr int update_tries_max = 5;

/// Of the member `tags` in the mask of a PATCH.
std::size_t const tags_position = static_cast<std::size_t>(
    std::ranges::find(knowledge_entity.fields, "tags", &entity::Field::name) - knowledge_entity.fields.begin());

}  // namespace

std::string knowledge_terms(TenantId const& tenant, model::Knowledge const& item) {
  return scope_term(tenant, std::nullopt) + " " + scope_term(tenant, item.agent_id) + " " +
         text::index_terms(text_item(item));
}

Task<Result<model::Knowledge>> KnowledgeStore::get(TenantId const& tenant, std::optional<AgentId> const& agent,
                                                   KnowledgeId const& id, Deadline deadline) {
  auto const rows = co_await writer_.database().read(
      Scope::of(tenant), get_item, {tenant.value, agent ? Value{agent->value} : Value{}, id.value}, deadline);
  if (rows.empty())
    co_return fail(no_such_item(id));
  if (rows.size() > 1) {
    co_return fail(Code::conflict, "several agents have knowledge '" + id.value + "'; say which with agent_id");
  }
  co_return read_item(rows[0]);
}

Task<Result<Page<model::Knowledge>>> KnowledgeStore::list(TenantId const& tenant, KnowledgeFilter filter,
                                                          PageRequest request, Deadline deadline) {
  bool const is_by_usage = filter.order == KnowledgeFilter::Order::usage;
  auto after_use = is_by_usage ? usage_cursor(request.cursor) : std::nullopt;
  bool const is_ours = is_by_usage ? after_use.has_value() : request.cursor.empty() || is_cursor(request.cursor);
  if (!is_ours)
    co_return fail(wrong_cursor());
  Values params{tenant.value, filter.agent_id ? Value{filter.agent_id->value} : Value{},
                filter.category ? Value{*filter.category} : Value{}};
  auto const count_params = params;
  auto [agent, id] = split_cursor(request.cursor);
  if (is_by_usage) {
    params.emplace_back(after_use->uses);
    agent = std::move(after_use->agent);
    id = std::move(after_use->id);
  }
  params.insert(params.end(), {Value{std::move(agent)}, Value{std::move(id)}, Value{request.limit + 1}});
  auto rows = co_await writer_.database().read(Scope::of(tenant), is_by_usage ? list_most_used : list_items,
                                               std::move(params), deadline);
  auto page = page_of(cut_large_page(rows, request.limit), read_item, [&](model::Knowledge const& item) {
    auto const uses = is_by_usage ? std::to_string(item.usage_count) + "/" : std::string();
    return uses + item.agent_id.value + "/" + item.id.value;
  });
  if (request.count_total) {
    auto const counted = co_await writer_.database().read(Scope::of(tenant), count_items, count_params, deadline);
    page.total = integer_at(counted.at(0), 0);
  }
  co_return page;
}

Task<Result<model::Knowledge>> KnowledgeStore::add(Actor const& actor, KnowledgeWrite write, Deadline deadline) {
  auto& item = write.item;
  bool const has_seed = item.id.value.empty() && !write.id_seed.empty();
  if (item.id.value.empty()) {
    auto const unique = sha256_hex(has_seed ? write.id_seed : writer_.new_uuid());
    item.id = KnowledgeId{item.agent_id.value + "_" + unique.substr(0, 16)};
  }
  if (!item.tags.empty()) {
    if (auto ok = write_tags(item); !ok)
      co_return fail(std::move(ok.error()));
  }
  item.version = 1;
  item.updated_at = writer_.clock().now();
  if (item.created_at == Timestamp{})
    item.created_at = item.updated_at;
  Values params;
  entity::bind_row(item, params);
  params.emplace_back(knowledge_terms(actor.tenant, item));
  params.emplace_back(std::move(write.import_hashes));
  auto const& change = write.brings_back ? add_item : add_item_once;
  auto row = co_await writer_.write(change, actor, std::move(params), deadline);
  if (row)
    co_return read_item(*row);
  if (row.error().code != Code::conflict)
    co_return fail(std::move(row.error()));
  if (auto there = co_await get(actor.tenant, item.agent_id, item.id, deadline)) {
    if (has_seed)
      co_return there;
    co_return fail(Code::conflict, "agent '" + item.agent_id.value + "' has knowledge '" + item.id.value +
                                       "' already; update it, or choose another id");
  }
  if (!write.brings_back && co_await was_deleted(actor.tenant, item.agent_id, item.id, deadline)) {
    co_return fail(Code::conflict, "knowledge '" + item.id.value + "' of agent '" + item.agent_id.value +
                                       "' was deleted here; add it by itself to have it back");
  }
  co_return fail(Code::not_found, "there is no agent '" + item.agent_id.value + "' to know this");
}

Task<bool> KnowledgeStore::was_deleted(TenantId const& tenant, AgentId const& agent, KnowledgeId const& id,
                                       Deadline deadline) {
  auto const rows = co_await writer_.database().read(Scope::of(tenant), get_deleted_item,
                                                     {tenant.value, agent.value, id.value}, deadline);
  co_return !rows.empty();
}

Task<Result<model::Knowledge>> KnowledgeStore::replace(Actor const& actor, KnowledgeWrite write, Deadline deadline) {
  auto const& item = write.item;
  Values params{item.agent_id.value,
                item.id.value,
                item.version,
                item.category,
                item.content,
                item.source,
                item.metadata.text,
                item.usage_count,
                item.relevance_score,
                item.created_at,
                knowledge_terms(actor.tenant, item),
                std::move(write.import_hashes)};
  auto row = co_await writer_.write(replace_item, actor, std::move(params), deadline);
  if (row)
    co_return read_item(*row);
  if (row.error().code != Code::conflict)
    co_return fail(std::move(row.error()));
  co_return fail(Code::conflict, "knowledge '" + item.id.value + "' has changed meanwhile; try again");
}

Task<Result<model::Knowledge>> KnowledgeStore::update(Actor const& actor, std::optional<AgentId> const& agent,
                                                      KnowledgeId const& id, json::Input patch,
                                                      std::optional<std::int64_t> expected, Deadline deadline) {
  for (int i = 1;; ++i) {
    auto item = co_await get(actor.tenant, agent, id, deadline);
    if (!item)
      co_return item;
    if (auto ok = check_version("the item", item->version, expected); !ok)
      co_return fail(std::move(ok.error()));
    auto const changed = entity::patch_json(*item, patch);
    if (!changed)
      co_return fail(changed.error());
    if (changed->at(tags_position)) {
      if (auto ok = write_tags(*item); !ok)
        co_return fail(std::move(ok.error()));
    }
    auto done = co_await replace(actor, {.item = std::move(*item)}, deadline);
    if (done || done.error().code != Code::conflict || i == update_tries_max)
      co_return done;
  }
}

Task<Result<void>> KnowledgeStore::remove(Actor const& actor, std::optional<AgentId> const& agent,
                                          KnowledgeId const& id, std::optional<std::int64_t> expected,
                                          Deadline deadline) {
  for (int i = 0; i < update_tries_max; ++i) {
    auto item = co_await get(actor.tenant, agent, id, deadline);
    if (!item)
      co_return fail(std::move(item.error()));
    if (auto ok = check_version("the item", item->version, expected); !ok)
      co_return ok;
    auto row = co_await writer_.write(remove_item, actor, {item->agent_id.value, id.value, item->version}, deadline);
    if (row)
      co_return Result<void>{};
    if (row.error().code != Code::conflict)
      co_return fail(std::move(row.error()));
  }
  co_return fail(Code::conflict, "knowledge '" + id.value + "' kept changing; try again");
}

Task<std::vector<KnowledgeMatch>> KnowledgeStore::search(TenantId const& tenant, KnowledgeFilter filter,
                                                         std::string question, std::size_t limit, Deadline deadline) {
  auto const terms = text::query_terms(question);
  if (terms.empty())
    co_return std::vector<KnowledgeMatch>{};
  auto& database = writer_.database();
  Values params{tenant.value, filter.agent_id ? Value{filter.agent_id->value} : Value{},
                filter.category ? Value{*filter.category} : Value{},
                match_query(database.dialect(), scope_term(tenant, filter.agent_id), terms), search_candidates_max};
  auto const rows = co_await database.read(Scope::of(tenant), search_items, std::move(params), deadline);
  std::vector<model::Knowledge> items;
  for (auto const& row : rows)
    items.push_back(read_item(row));
  auto const corpus = rows.empty() ? 0 : std::get<std::int64_t>(rows[0].back());
  std::vector<text::Item> candidates;
  for (auto const& item : items)
    candidates.push_back(text_item(item));
  text::RankOptions options;
  options.hits_max = limit;
  std::vector<KnowledgeMatch> matches;
  for (auto& hit : text::rank(question, candidates, {.documents = corpus}, options)) {
    KnowledgeMatch match{std::move(items[hit.candidate]), hit.score, hit.coverage, {}};
    for (auto& passage : hit.passages)
      match.passages.push_back(std::move(passage.text));
    matches.push_back(std::move(match));
  }
  co_return matches;
}

Task<std::vector<std::string>> KnowledgeStore::known_imports(TenantId const& tenant,
                                                             std::vector<std::string> const& hashes,
                                                             Deadline deadline) {
  std::string list = "[";
  for (auto const& hash : hashes) {
    if (list.size() > 1)
      list += ',';
    json::append_string(list, hash);
  }
  auto const rows =
      co_await writer_.database().read(Scope::of(tenant), known_hashes, {tenant.value, list + "]"}, deadline);
  std::vector<std::string> known;
  for (auto const& row : rows)
    known.push_back(std::get<std::string>(row.at(0)));
  co_return known;
}

}  // namespace al::data
