#include "data/organisation_store.hpp"

#include "data/decide.hpp"

namespace al::data {

namespace {

using model::Organisation;
using model::OrganisationStatus;
using storage::Scope;
using storage::Statement;

entity::Entity const& organisation_entity = entity::entity<Organisation>();
Aggregate const organisation_aggregate{.entity = organisation_entity, .key = {{"id", "text"}}, .id = "u.id"};

std::string const shown =
    "SELECT " + entity::columns(organisation_entity, "t.") + " FROM organisations t WHERE t.tenant_id = $1";
Statement const get_organisation{"organisation.get", shown + " AND t.id = $2"};
Statement const list_organisations{"organisation.list", shown + " AND t.id > $2 ORDER BY t.id LIMIT $3"};

Change const create_organisation =
    make_insert(organisation_aggregate,
                {.name = "organisation.create",
                 .channel = "organisation:created",
                 .also = {{"INSERT INTO tenants (id) SELECT u.id FROM u WHERE true ON CONFLICT DO NOTHING"}},
                 .is_audited = true});
Change const update_organisation =
    make_update(organisation_aggregate, {.name = "organisation.update",
                                         .channel = "organisation:updated",
                                         .params = {{"expected", "bigint"}, {"name", "text"}, {"status", "text"}},
                                         .set = "name = {name}, status = {status}, updated_at = al_now()",
                                         .where = "t.version = {expected}",
                                         .is_audited = true});

Error no_such_organisation(TenantId const& id) {
  return {.code = Code::not_found, .message = "there is no organisation '" + id.value + "'"};
}

Result<void> check_operator(Actor const& actor) {
  if (actor.tenant == default_tenant)
    return {};
  return fail(Code::forbidden, "Only those who run the installation manage organisations.");
}

}  // namespace

Task<Result<Organisation>> OrganisationStore::get(TenantId const& id, Deadline deadline) {
  auto const rows = co_await writer_.database().read(Scope::of(default_tenant), get_organisation,
                                                     {default_tenant.value, id.value}, deadline);
  if (rows.empty())
    co_return fail(no_such_organisation(id));
  co_return entity::from_row<Organisation>(rows[0]);
}

Task<Result<Page<Organisation>>> OrganisationStore::list(PageRequest request, Deadline deadline) {
  if (!request.cursor.empty() && !is_slug(request.cursor))
    co_return fail(wrong_cursor());
  Values params{default_tenant.value, std::move(request.cursor), request.limit + 1};
  auto rows =
      co_await writer_.database().read(Scope::of(default_tenant), list_organisations, std::move(params), deadline);
  co_return page_of<Organisation>(cut_page(rows, request.limit));
}

Task<Result<Organisation>> OrganisationStore::create(Actor const& actor, Organisation organisation, Deadline deadline) {
  if (auto ok = check_operator(actor); !ok)
    co_return fail(std::move(ok.error()));
  auto params = bind_first(organisation, writer_.clock().now());
  auto row = co_await writer_.write(create_organisation, actor, std::move(params), deadline);
  if (!row && row.error().code == Code::conflict)
    co_return fail(Code::conflict, "organisation '" + organisation.id.value + "' exists already");
  if (!row)
    co_return fail(std::move(row.error()));
  co_return entity::from_row<Organisation>(*row);
}

Task<Result<Organisation>> OrganisationStore::update(Actor const& actor, TenantId const& id, Edit edit,
                                                     std::optional<std::int64_t> expected, Deadline deadline) {
  if (auto ok = check_operator(actor); !ok)
    co_return fail(std::move(ok.error()));
  auto const edit_checked = [&](Organisation& organisation) -> Result<void> {
    if (auto ok = edit(organisation); !ok)
      return ok;
    if (id == default_tenant && organisation.status != OrganisationStatus::active)
      return fail(Code::conflict, "nobody could let the people in again who run the installation; it stays active");
    return {};
  };
  auto const write = [&](Organisation const& organisation) -> Task<Result<Organisation>> {
    auto const status = entity::type_of<OrganisationStatus>().bind(&organisation.status);
    Values params{id.value, organisation.version, organisation.name, status};
    auto row = co_await writer_.write(update_organisation, actor, std::move(params), deadline);
    if (!row)
      co_return fail(std::move(row.error()));
    co_return entity::from_row<Organisation>(*row);
  };
  co_return co_await decide<Organisation, Organisation>(
      {.what = "the organisation", .read = [&] { return get(id, deadline); }, .edit = edit_checked, .write = write},
      expected);
}

}  // namespace al::data
