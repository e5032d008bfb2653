#include "data/chat_store.hpp"

#include <algorithm>

#include "data/row_values.hpp"

namespace al::data {
namespace {

using storage::Scope;
using storage::Statement;

entity::Entity const& session_entity = entity::entity<model::ChatSession>();
Aggregate const session{.entity = session_entity, .key = {{"id", "uuid"}}, .id = "u.id"};

RowSource const stored_session = make_source(session, "session", "session.get", " AND t.deleted_at IS NULL");
Statement const list_sessions{"session.list",
                              "SELECT " + entity::columns(session_entity, "s.") +
                                  " FROM chat_sessions s WHERE s.tenant_id = $1 AND s.created_by = $2"
                                  " AND s.deleted_at IS NULL AND s.id < $3 ORDER BY s.id DESC LIMIT $4"};
Statement const count_sessions{"session.count",
                               "SELECT COUNT(*) FROM chat_sessions s WHERE s.tenant_id = $1 AND s.created_by = $2"
                               " AND s.deleted_at IS NULL"};
Statement const list_messages{"session.history",
                              "SELECT " + entity::columns(entity::entity<model::ChatMessage>(), "m.") +
                                  " FROM chat_messages m WHERE m.tenant_id = $1 AND m.session_id = $2"
                                  " ORDER BY m.seq DESC LIMIT $3"};

std::string const guard = "t.created_by = {owner} AND t.deleted_at IS NULL";

Companion add_messages() {
  std::string const insert =
      "INSERT INTO chat_messages (tenant_id, session_id, seq, role, content, metadata, created_at)"
      " SELECT u.tenant_id, u.id, u.message_count - {count} + ";
  return {.text = insert +
                  "(m.value ->> 'seq')::bigint, m.value ->> 'role', m.value ->> 'content', m.value -> 'metadata',"
                  " al_now() FROM u, json_array_elements({messages}) AS m(value)",
          .sqlite = insert +
                    "(m.value ->> 'seq'), m.value ->> 'role', m.value ->> 'content', m.value -> 'metadata',"
                    " al_now() FROM u, json_each({messages}) AS m"};
}

Companion forget_messages() {
  return {.text = "DELETE FROM chat_messages m USING u WHERE m.tenant_id = u.tenant_id AND m.session_id = u.id",
          .sqlite = "DELETE FROM chat_messages WHERE (tenant_id, session_id) IN (SELECT tenant_id, id FROM u)"};
}

Change const create_session =
    make_insert(session, {.name = "session.create", .channel = "session:created", .cache = CacheEffect::put});
Change const append_messages =
    make_update(session, {.name = "session.append",
                          .channel = "session:message",
                          .cache = CacheEffect::put,
                          .params = {{"owner", "text"}, {"count", "bigint"}, {"messages", "json"}},
                          .set = "message_count = t.message_count + {count}, updated_at = al_now()",
                          .where = guard,
                          .also = {add_messages()}});
Change const clear_session = make_update(session, {.name = "session.clear",
                                                   .channel = "session:cleared",
                                                   .cache = CacheEffect::put,
                                                   .params = {{"owner", "text"}},
                                                   .set = "updated_at = al_now()",
                                                   .where = guard,
                                                   .also = {forget_messages()}});
Change const remove_session = make_update(session, {.name = "session.remove",
                                                    .channel = "session:deleted",
                                                    .cache = CacheEffect::remove,
                                                    .params = {{"owner", "text"}},
                                                    .set = "deleted_at = al_now(), updated_at = al_now()",
                                                    .where = guard,
                                                    .also = {forget_messages()}});

Error no_such_session(SessionId const& id) {
  return {.code = Code::not_found, .message = "there is no session '" + id.value + "'"};
}

/// A guard that refused means that there is no such session for this caller.
template <class T>
Result<T> or_not_found(Result<T> done, SessionId const& id) {
  if (!done && done.error().code == Code::conflict)
    return fail(no_such_session(id));
  return done;
}

}  // namespace

Task<Result<model::ChatSession>> ChatStore::create(Actor const& actor, SessionId id, std::optional<AgentId> agent,
                                                   Deadline deadline) {
  model::ChatSession made;
  made.id = std::move(id);
  made.agent_id = std::move(agent);
  made.created_by = actor.user_id;
  made.created_at = made.updated_at = writer_.clock().now();
  Values params;
  entity::bind_row(made, params);
  auto row = co_await writer_.write(create_session, actor, std::move(params), deadline);
  if (!row && row.error().code == Code::conflict)
    co_return co_await get(actor, made.id, deadline, Freshness::fresh);
  if (!row)
    co_return fail(std::move(row.error()));
  co_return entity::from_row<model::ChatSession>(*row);
}

Task<Result<model::ChatSession>> ChatStore::get(Actor const& actor, SessionId const& id, Deadline deadline,
                                                Freshness freshness) {
  auto const row = co_await writer_.read(stored_session, actor.tenant, id.value, freshness, deadline);
  if (!row)
    co_return fail(row.error());
  if (*row == nullptr)
    co_return fail(no_such_session(id));
  auto found = entity::from_row<model::ChatSession>(**row);
  if (found.created_by != actor.user_id)
    co_return fail(no_such_session(id));
  co_return found;
}

Task<Result<Page<model::ChatSession>>> ChatStore::list(Actor const& actor, PageRequest request, Deadline deadline) {
  if (!request.cursor.empty() && !is_uuid(request.cursor))
    co_return fail(wrong_cursor());
  Values params{actor.tenant.value, actor.user_id, request.cursor.empty() ? std::string(last_uuid) : request.cursor,
                request.limit + 1};
  auto rows = co_await writer_.database().read(Scope::of(actor.tenant), list_sessions, std::move(params), deadline);
  auto page = page_of<model::ChatSession>(cut_page(rows, request.limit));
  if (request.count_total) {
    auto const counted = co_await writer_.database().read(Scope::of(actor.tenant), count_sessions,
                                                          {actor.tenant.value, actor.user_id}, deadline);
    page.total = integer_at(counted.at(0), 0);
  }
  co_return page;
}

Task<Result<model::ChatSession>> ChatStore::append(Actor const& actor, SessionId const& id,
                                                   std::vector<model::ChatMessage> messages, Deadline deadline) {
  std::string text = "[";
  for (std::size_t i = 0; i < messages.size(); ++i) {
    messages[i].seq = static_cast<std::int64_t>(i) + 1;
    text += (i ? "," : "") + entity::to_json(messages[i]);
  }
  auto row = co_await writer_.write(append_messages, actor, {id.value, actor.user_id, std::ssize(messages), text + "]"},
                                    deadline);
  if (!row)
    co_return fail(or_not_found(std::move(row), id).error());
  co_return entity::from_row<model::ChatSession>(*row);
}

Task<Result<std::vector<model::ChatMessage>>> ChatStore::history(Actor const& actor, SessionId const& id,
                                                                 std::int64_t limit, Deadline deadline) {
  if (auto there = co_await get(actor, id, deadline); !there)
    co_return fail(std::move(there.error()));
  std::vector<model::ChatMessage> out;
  for (auto const& row : co_await writer_.database().read(Scope::of(actor.tenant), list_messages,
                                                          {actor.tenant.value, id.value, limit}, deadline))
    out.push_back(entity::from_row<model::ChatMessage>(row));
  std::ranges::reverse(out);
  co_return out;
}

Task<Result<void>> ChatStore::clear(Actor const& actor, SessionId const& id, Deadline deadline) {
  auto row = co_await writer_.write(clear_session, actor, {id.value, actor.user_id}, deadline);
  if (!row)
    co_return fail(or_not_found(std::move(row), id).error());
  co_return Result<void>{};
}

Task<Result<void>> ChatStore::remove(Actor const& actor, SessionId const& id, Deadline deadline) {
  auto row = co_await writer_.write(remove_session, actor, {id.value, actor.user_id}, deadline);
  if (!row)
    co_return fail(or_not_found(std::move(row), id).error());
  co_return Result<void>{};
}

}  // namespace al::data
