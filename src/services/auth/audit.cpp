#include <limits>

#include "security/audit_chain.hpp"
#include "services/auth/identity.hpp"
#include "services/common/reply.hpp"

namespace al::services::auth {

namespace {

using http::Call;
using http::Method;
using http::Response;
using model::AuditEntry;
using model::AuditOutcome;

std::optional<std::string> text_of(Call const& call, std::string_view name) {
  auto const text = call.query(name);
  return text ? std::optional(std::string(*text)) : std::nullopt;
}

data::AuditFilter filter_of(Call const& call) {
  data::AuditFilter filter{
      .actor = text_of(call, "actor"), .action = text_of(call, "action"), .target = text_of(call, "target")};
  if (auto const outcome = call.query("outcome"))
    filter.outcome = *outcome == "refused" ? AuditOutcome::refused : AuditOutcome::succeeded;
  return filter;
}

Task<Result<Response>> list(Identity const& identity, Call& call) {
  auto const page = page_request(call);
  if (!page)
    co_return fail(page.error());
  auto entries =
      co_await identity.audit.list(call.context.principal.tenant, filter_of(call), *page, call.context.deadline);
  if (!entries)
    co_return fail(std::move(entries.error()));
  co_return list_response("entries", *entries);
}

Task<Result<Response>> get(Identity const& identity, Call& call) {
  auto const id = id_in_path<EventId>(call, "entry_id", "audit entry");
  if (!id)
    co_return fail(id.error());
  auto const entry = co_await identity.audit.get(call.context.principal.tenant, *id, call.context.deadline);
  if (!entry)
    co_return fail(entry.error());
  co_return described_response(200, *entry);
}

/// A link that somebody has written down: both members, or none.
Result<std::optional<security::KnownLink>> known_link(Call const& call) {
  auto const seq = call.query_int("seq", 0, 1, std::numeric_limits<std::int64_t>::max());
  if (!seq)
    return fail(seq.error());
  auto const hash = call.query("hash");
  if ((*seq > 0) != hash.has_value())
    return fail(entity::invalid({{"seq", "goes with `hash`: the number of a link and what it was"}}));
  if (!hash)
    return std::nullopt;
  return security::KnownLink{.seq = *seq, .hash = std::string(*hash)};
}

AuditReport report_of(security::AuditVerdict verdict) {
  return {.intact = verdict.is_intact(),
          .links = verdict.links,
          .head = std::move(verdict.head),
          .pending = verdict.pending,
          .checkpoints = verdict.checkpoints,
          .faults = std::move(verdict.faults)};
}

Task<Result<Response>> verify(Identity const& identity, Call& call) {
  auto const known = known_link(call);
  if (!known)
    co_return fail(known.error());
  auto verdict = co_await security::verify_audit(identity.audit, identity.tokens, call.context.principal.tenant, *known,
                                                 call.context.deadline);
  if (!verdict)
    co_return fail(verdict.error());
  co_return described_response(200, report_of(std::move(*verdict)));
}

}  // namespace

void add_audit_routes(http::Router& router, Identity const& identity) {
  router.add({.method = Method::get,
              .path = "/audit",
              .permission = "audit:read",
              .summary = "Who did what to whose access, newest first",
              .query = list_parameters({{.name = "actor", .doc = "Only what this user or API key did."},
                                        {.name = "action", .doc = "Only this, such as user:created."},
                                        {.name = "target", .doc = "Only what was done to this."},
                                        {.name = "outcome",
                                         .doc = "Only what was done, or only what was refused.",
                                         .choices = {"succeeded", "refused"}}}),
              .response = &entity::entity<AuditEntry>(),
              .list = "entries",
              .handler = bind(identity, list)});
  router.add({.method = Method::get,
              .path = "/audit/{entry_id}",
              .permission = "audit:read",
              .summary = "Read one entry",
              .response = &entity::entity<AuditEntry>(),
              .errors = {Code::not_found},
              .handler = bind(identity, get)});
  router.add({.method = Method::get,
              .path = "/audit/verify",
              .permission = "audit:read",
              .summary = "Read the whole trail and say where it is not what was written",
              .query = {{.name = "seq", .doc = "The number of a link that you have noted.", .type = "integer"},
                        {.name = "hash", .doc = "What it was."}},
              .response = &entity::entity<AuditReport>(),
              .time_max = std::chrono::seconds{120},
              .handler = bind(identity, verify)});
}

}  // namespace al::services::auth
