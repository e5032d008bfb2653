#include "data/provider_store.hpp"

#include <algorithm>

#include "core/utf8.hpp"
#include "data/expected_version.hpp"
#include "data/row_values.hpp"

namespace al::data {

namespace {

using model::ProviderId;
using storage::Scope;
using storage::Statement;

entity::Entity const& provider_entity = entity::entity<model::Provider>();

Aggregate const provider_aggregate{.entity = provider_entity, .key = {{"id", "text"}}, .id = "u.id"};

std::string const shown_columns = entity::columns(provider_entity, "p.") + ", p.sealed_key";

Statement const get_provider{"provider.get", "SELECT " + shown_columns +
                                                 " FROM providers p WHERE p.tenant_id = $1 AND p.id = $2"
                                                 " AND p.deleted_at IS NULL"};

Statement const list_providers{"provider.list", "SELECT " + shown_columns +
                                                    " FROM providers p WHERE p.tenant_id = $1 AND p.id > $2"
                                                    " AND p.deleted_at IS NULL ORDER BY p.id LIMIT $3"};

Statement const count_providers{"provider.count",
                                "SELECT COUNT(*) FROM providers p WHERE p.tenant_id = $1 AND p.deleted_at IS NULL"};

Change const create_provider = make_insert(
    provider_aggregate,
    {.name = "provider.create",
     .channel = "provider:created",
     .extra = {{"sealed_key", "{sealed}"}},
     .params = {{"sealed", "text"}},
     .where = "(SELECT COUNT(*) FROM providers c WHERE c.tenant_id = {tenant_id} AND c.deleted_at IS NULL) < " +
              std::to_string(providers_max),
     .on_conflict = "DO UPDATE SET kind = excluded.kind, base_url = excluded.base_url, "
                    "default_model = excluded.default_model, models = excluded.models, "
                    "sealed_key = excluded.sealed_key, version = t.version + 1, created_at = excluded.created_at, "
                    "updated_at = excluded.updated_at, deleted_at = NULL WHERE t.deleted_at IS NOT NULL"});

Change const update_provider =
    make_update(provider_aggregate,
                {.name = "provider.update",
                 .channel = "provider:updated",
                 .params = {{"expected", "bigint"},
                            {"kind", "text"},
                            {"base_url", "text"},
                            {"default_model", "text"},
                            {"models", "json"},
                            {"keeps", "boolean"},
                            {"sealed", "text"}},
                 .set = "kind = {kind}, base_url = {base_url}, default_model = {default_model}, models = {models}, "
                        "sealed_key = CASE WHEN {keeps} THEN t.sealed_key ELSE {sealed} END, updated_at = al_now()",
                 .where = "t.version = {expected} AND t.deleted_at IS NULL"});

Change const remove_provider =
    make_update(provider_aggregate, {.name = "provider.delete",
                                     .channel = "provider:deleted",
                                     .params = {{"expected", "bigint"}},
                                     .set = "deleted_at = al_now(), updated_at = al_now(), sealed_key = NULL",
                                     .where = "t.version = {expected} AND t.deleted_at IS NULL"});

Error no_such_provider(ProviderId const& id) {
  return {.code = Code::not_found, .message = "there is no provider '" + id.value + "'"};
}

Error kept_changing(ProviderId const& id) {
  return {.code = Code::conflict, .message = "provider '" + id.value + "' kept changing; try again"};
}

StoredProvider stored_of(Row const& row) {
  StoredProvider out{.provider = entity::from_row<model::Provider>(row), .sealed_key = {}};
  if (auto const* sealed = std::get_if<std::string>(&row.back()))
    out.sealed_key = *sealed;
  out.provider.has_key = !out.sealed_key.empty();
  return out;
}

Value text_or_null(std::string text) { return text.empty() ? Value{} : Value(std::move(text)); }

/// What the description of the entity cannot say.
entity::Faults faults_of(model::Provider const& provider) {
  entity::Faults faults;
  if (std::ranges::count(reserved_provider_ids, provider.id.value) > 0) {
    faults.push_back({"id", "'" + provider.id.value + "' is the operator's, in the settings; choose another id"});
  }
  if (auto const models = model_names(provider.models); !models)
    faults.insert(faults.end(), models.error().faults.begin(), models.error().faults.end());
  return faults;
}

constexpr std::size_t model_name_bytes_max = 200;
/// Creates of the same moment do not see each other, so there can be some more than providers_max.
constexpr std::int64_t all_max = 10 * providers_max;

/// How often an update that lost a race is decided anew, when the client named no version.
constexpr int update_tries_max = 5;

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> model_names(Document const& models) {
  auto const source = json::Source::from(models.text);
  if (!source)
    return fail(source.error());
  std::vector<std::pair<std::string, std::string>> out;
  entity::Faults faults;
  for (auto const& [name, value] : json::members(source->root())) {
    auto const* model = value.parsed->if_string();
    bool const fits = model != nullptr && !model->empty() && model->size() <= model_name_bytes_max && !name.empty() &&
                      name.size() <= model_name_bytes_max;
    if (fits) {
      out.emplace_back(name, std::string(model->data(), model->size()));
    } else {
      faults.push_back({"models." + utf8::shortened(name, model_name_bytes_max),
                        "must be the provider's name of a model, as text of 1 to 200 bytes"});
    }
  }
  if (!faults.empty())
    return fail(entity::invalid(std::move(faults)));
  return out;
}

Task<Result<StoredProvider>> ProviderStore::get(TenantId const& tenant, ProviderId const& id, Deadline deadline) {
  auto const rows =
      co_await writer_.database().read(Scope::of(tenant), get_provider, {tenant.value, id.value}, deadline);
  if (rows.empty())
    co_return fail(no_such_provider(id));
  co_return stored_of(rows[0]);
}

Task<Result<Page<model::Provider>>> ProviderStore::list(TenantId const& tenant, PageRequest request,
                                                        Deadline deadline) {
  if (!request.cursor.empty() && !is_slug(request.cursor)) {
    co_return fail(wrong_cursor());
  }
  auto rows = co_await writer_.database().read(Scope::of(tenant), list_providers,
                                               {tenant.value, std::move(request.cursor), request.limit + 1}, deadline);
  auto page = page_of(cut_page(rows, request.limit), [](Row const& row) { return stored_of(row).provider; });
  if (request.count_total) {
    auto const counted = co_await writer_.database().read(Scope::of(tenant), count_providers, {tenant.value}, deadline);
    page.total = integer_at(counted.at(0), 0);
  }
  co_return page;
}

Task<std::vector<StoredProvider>> ProviderStore::all(TenantId const& tenant, Deadline deadline) {
  auto const rows = co_await writer_.database().read(Scope::of(tenant), list_providers,
                                                     {tenant.value, std::string(), all_max}, deadline);
  std::vector<StoredProvider> out;
  for (auto const& row : rows)
    out.push_back(stored_of(row));
  co_return out;
}

Task<Result<model::Provider>> ProviderStore::create(Actor const& actor, model::Provider provider,
                                                    std::string sealed_key, Deadline deadline) {
  if (auto faults = faults_of(provider); !faults.empty())
    co_return fail(entity::invalid(std::move(faults)));
  bool const has_key = !sealed_key.empty();
  auto params = bind_first(provider, writer_.clock().now());
  params.push_back(text_or_null(std::move(sealed_key)));
  auto row = co_await writer_.write(create_provider, actor, std::move(params), deadline);
  if (!row && row.error().code == Code::conflict) {
    bool const exists = (co_await get(actor.tenant, provider.id, deadline)).has_value();
    co_return fail(Code::conflict,
                   exists ? "provider '" + provider.id.value + "' exists already; update it, or choose another id"
                          : "there are " + std::to_string(providers_max) +
                                " providers, and no more are possible; delete one first");
  }
  if (!row)
    co_return fail(std::move(row.error()));
  auto created = entity::from_row<model::Provider>(*row);
  created.has_key = has_key;
  co_return created;
}

Task<Result<model::Provider>> ProviderStore::update(Actor const& actor, ProviderId const& id, Edit edit, KeyChange key,
                                                    std::optional<std::int64_t> expected, Deadline deadline) {
  for (int i = 0; i < update_tries_max; ++i) {
    auto stored = co_await get(actor.tenant, id, deadline);
    if (!stored)
      co_return fail(std::move(stored.error()));
    auto& provider = stored->provider;
    if (auto ok = check_version("the provider", provider.version, expected); !ok)
      co_return fail(std::move(ok.error()));
    if (auto ok = edit(provider); !ok)
      co_return fail(std::move(ok.error()));
    if (auto faults = faults_of(provider); !faults.empty())
      co_return fail(entity::invalid(std::move(faults)));
    auto const kind = entity::type_of<model::ProviderKind>().bind(&provider.kind);
    Values params{id.value,          provider.version,        kind,
                  provider.base_url, provider.default_model,  provider.models.text,
                  key.keeps,         text_or_null(key.sealed)};
    auto row = co_await writer_.write(update_provider, actor, std::move(params), deadline);
    if (row) {
      auto updated = entity::from_row<model::Provider>(*row);
      updated.has_key = key.keeps ? provider.has_key : !key.sealed.empty();
      co_return updated;
    }
    if (row.error().code != Code::conflict)
      co_return fail(std::move(row.error()));
  }
  co_return fail(kept_changing(id));
}

Task<Result<void>> ProviderStore::remove(Actor const& actor, ProviderId const& id, std::optional<std::int64_t> expected,
                                         Deadline deadline) {
  for (int i = 0; i < update_tries_max; ++i) {
    auto stored = co_await get(actor.tenant, id, deadline);
    if (!stored)
      co_return fail(std::move(stored.error()));
    if (auto ok = check_version("the provider", stored->provider.version, expected); !ok)
      co_return ok;
    auto row = co_await writer_.write(remove_provider, actor, {id.value, stored->provider.version}, deadline);
    if (row)
      co_return Result<void>{};
    if (row.error().code != Code::conflict)
      co_return fail(std::move(row.error()));
  }
  co_return fail(kept_changing(id));
}

}  // namespace al::data
