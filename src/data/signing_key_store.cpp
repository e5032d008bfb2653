#include "data/signing_key_store.hpp"

#include "core/entity.hpp"

namespace al::data {

namespace {

using storage::Guard;
using storage::Scope;
using storage::Statement;

Statement const list_keys{"signing_key.list",
                          "SELECT id, purpose, sealed, created_at, retired_at FROM signing_keys"
                          " WHERE retired_at IS NULL OR retired_at > al_after($1) ORDER BY created_at, id"};
Statement const retire_keys{"signing_key.retire",
                            "UPDATE signing_keys SET retired_at = al_now() WHERE purpose = $1 AND retired_at IS NULL"};
Statement const add_key{"signing_key.add",
                        "INSERT INTO signing_keys (id, purpose, sealed, created_at) VALUES ($1, $2, $3, al_now())"};
/// Two processes may both find none; then there are two keys, and both are good.
Statement const add_first{"signing_key.add_first",
                          "INSERT INTO signing_keys (id, purpose, sealed, created_at) SELECT $1, $2, $3, al_now()"
                          " WHERE NOT EXISTS (SELECT 1 FROM signing_keys WHERE purpose = $2 AND retired_at IS NULL)"};

StoredSigningKey key_of(Row const& row) {
  auto const text = [&](std::size_t i) { return std::get<std::string>(row.at(i)); };
  StoredSigningKey key{.id = text(0), .purpose = text(1), .sealed = text(2), .created_at = {}, .retired_at = {}};
  entity::time_type().read(row.at(3), &key.created_at);
  if (!is_null(row.at(4)))
    entity::time_type().read(row.at(4), &key.retired_at.emplace());
  return key;
}

}  // namespace

Task<std::vector<StoredSigningKey>> SigningKeyStore::list(std::chrono::seconds kept, Deadline deadline) {
  Values params{-std::chrono::microseconds(kept).count()};
  std::vector<StoredSigningKey> out;
  for (auto const& row : co_await database_.read(Scope::system(), list_keys, std::move(params), deadline))
    out.push_back(key_of(row));
  co_return out;
}

Task<bool> SigningKeyStore::add(std::string id, std::string purpose, std::string sealed, bool only_if_none,
                                Deadline deadline) {
  storage::Batch batch{Scope::system(), {}};
  if (!only_if_none)
    batch.steps.push_back({&retire_keys, {purpose}});
  batch.steps.push_back({only_if_none ? &add_first : &add_key,
                         {std::move(id), std::move(purpose), std::move(sealed)},
                         Guard::must_match});
  co_return (co_await database_.apply(std::move(batch), deadline)).has_value();
}

}  // namespace al::data
