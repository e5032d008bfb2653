#include "services/operations/backups.hpp"

#include "core/log.hpp"
#include "services/common/reply.hpp"

namespace al::services::operations {

namespace {

using http::Call;
using http::Method;
using http::Response;

Task<Result<Response>> list(Backups& backups, Call&) {
  data::Page<model::Backup> page;
  page.items = co_await backups.list();
  co_return list_response("backups", page);
}

Task<Result<Response>> get(Backups& backups, Call& call) {
  auto backup = co_await backups.find(call.path("backup_id"));
  if (!backup)
    co_return fail(std::move(backup.error()));
  co_return http::json_response(200, entity::to_json(*backup));
}

Task<Result<Response>> start(Backups& backups, Call& call) {
  auto backup = co_await backups.start();
  if (!backup)
    co_return fail(std::move(backup.error()));
  log::info("a backup is being made", {{"id", std::string_view(backup->id)},
                                       {"user_id", std::string_view(call.context.principal.id)},
                                       {"tenant_id", std::string_view(call.context.principal.tenant.value)},
                                       {"request_id", std::string_view(call.context.request_id)}});
  auto response = http::json_response(202, entity::to_json(*backup));
  response.headers.set("Location", "/api/v1/backups/" + backup->id);
  co_return response;
}

template <class F>
http::Handler bind(Backups& backups, F handler) {
  return [&backups, handler](Call& call) { return handler(backups, call); };
}

}  // namespace

void add_backup_routes(http::Router& router, Backups& backups) {
  auto const* backup = &entity::entity<model::Backup>();
  router.add({.method = Method::get,
              .path = "/backups",
              .permission = "backups:read",
              .of_installation = true,
              .summary = "The backups of the installation, the newest first",
              .response = backup,
              .list = "backups",
              .handler = bind(backups, list)});
  router.add({.method = Method::post,
              .path = "/backups",
              .permission = "backups:write",
              .of_installation = true,
              .summary = "Begin a backup of the whole database; one at a time",
              .response = backup,
              .success = 202,
              .errors = {Code::conflict},
              .handler = bind(backups, start)});
  router.add({.method = Method::get,
              .path = "/backups/{backup_id}",
              .permission = "backups:read",
              .of_installation = true,
              .summary = "One backup, and what has become of it",
              .response = backup,
              .errors = {Code::not_found},
              .handler = bind(backups, get)});
}

}  // namespace al::services::operations
