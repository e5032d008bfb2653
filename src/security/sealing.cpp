#include "security/sealing.hpp"

#include <array>

#include "security/bytes.hpp"

namespace al::security {
namespace {

constexpr std::string_view data_key_purpose = "data key";
constexpr std::size_t keys_max = 10'000;

Error no_master_key(std::filesystem::path const& file) {
  return {.code = Code::conflict,
          .message =
              "the secrets in this database are sealed with a master key that is not here: set "
              "AGENT_LIGHTNING_MASTER_KEY to it, or copy master.key from the data directory of the process that "
              "made it to " +
              file.string()};
}

Error other_master_key(std::string const& source) {
  return {.code = Code::conflict,
          .message = "the master key of " + source +
                     " does not open the secrets in this database: give the one that sealed them, in "
                     "AGENT_LIGHTNING_MASTER_KEY or as master.key in the data directory"};
}

/// The same at run time, for clients: what is missing is the operator's to mend, and files are none of theirs.
Error not_at_hand(Error error) {
  if (error.code == Code::invalid || error.code == Code::forbidden || error.code == Code::conflict) {
    return {.code = Code::unavailable,
            .message =
                "this server has not the master key that its secrets need; the operator must set "
                "AGENT_LIGHTNING_MASTER_KEY, and start it again"};
  }
  return error;
}

}  // namespace

Result<SecretKeyPtr> Sealing::unwrap(SecretKey const& master, TenantId const& tenant, std::string_view wrapped) const {
  std::array<std::string_view, 2> const binding{data_key_purpose, tenant.value};
  auto raw = open_with(master, binding, wrapped);
  if (!raw || raw->size() != SecretKey::size)
    return fail(other_master_key(master_.source()));
  auto key = std::make_shared<SecretKey const>(SecretKey::Bytes(bytes_of(*raw), SecretKey::size));
  wipe(*raw);
  return key;
}

Task<Result<void>> Sealing::check(Deadline deadline) {
  auto const master = master_.find();
  if (!master)
    co_return fail(master.error());
  for (auto const& [tenant, wrapped] : co_await store_.all(deadline)) {
    if (!*master)
      co_return fail(no_master_key(master_.file()));
    if (auto const key = unwrap(**master, tenant, wrapped); !key)
      co_return fail(key.error());
  }
  co_return Result<void>{};
}

// A new master key beside data keys that another one sealed would split the installation in two.
Task<Result<SecretKeyPtr>> Sealing::master_key(When when, Deadline deadline) {
  auto found = master_.find();
  if (!found || *found)
    co_return found;
  bool const is_fresh = when == When::made && (co_await store_.all(deadline)).empty();
  if (!is_fresh)
    co_return fail(no_master_key(master_.file()));
  co_return master_.find_or_make();
}

Task<Result<SecretKeyPtr>> Sealing::data_key(TenantId const& tenant, When when, Deadline deadline) {
  if (auto key = known(tenant.value))
    co_return key;
  auto wrapped = co_await store_.find(tenant, deadline);
  auto const master = co_await master_key(wrapped ? When::found : when, deadline);
  if (!master)
    co_return fail(not_at_hand(master.error()));
  if (!wrapped && when == When::found)
    co_return fail(Code::internal, "tenant '" + tenant.value + "' has no data key, so nothing of it was sealed");
  if (!wrapped) {
    // A data key of another tenant that this master key does not open says that it is the wrong one.
    if (auto const fits = co_await check(deadline); !fits)
      co_return fail(not_at_hand(fits.error()));
    SecretKey const made(random_);
    std::array<std::string_view, 2> const binding{data_key_purpose, tenant.value};
    auto const mine = seal_with(**master, binding, view_of(made.bytes()), random_);
    auto kept = co_await store_.add(tenant, mine, deadline);
    if (!kept)
      co_return fail(std::move(kept.error()));
    wrapped = std::move(*kept);
  }
  auto key = unwrap(**master, tenant, *wrapped);
  if (!key)
    co_return fail(not_at_hand(key.error()));
  remember(tenant.value, *key);
  co_return key;
}

Task<Result<std::string>> Sealing::seal(TenantId const& tenant, Place place, std::string_view plain,
                                        Deadline deadline) {
  auto const key = co_await data_key(tenant, When::made, deadline);
  if (!key)
    co_return fail(key.error());
  std::array<std::string_view, 3> const binding{tenant.value, place.purpose, place.id};
  co_return seal_with(**key, binding, plain, random_);
}

Task<Result<std::string>> Sealing::open(TenantId const& tenant, Place place, std::string_view sealed,
                                        Deadline deadline) {
  auto const key = co_await data_key(tenant, When::found, deadline);
  if (!key)
    co_return fail(key.error());
  std::array<std::string_view, 3> const binding{tenant.value, place.purpose, place.id};
  auto plain = open_with(**key, binding, sealed);
  if (!plain)
    co_return fail(Code::internal,
                   "the secret of " + place.purpose + " '" + place.id + "' does not open; set it again");
  co_return std::move(*plain);
}

SecretKeyPtr Sealing::known(std::string const& tenant) {
  std::scoped_lock const lock(mutex_);
  auto const found = keys_.find(tenant);
  return found == keys_.end() ? nullptr : found->second;
}

void Sealing::remember(std::string const& tenant, SecretKeyPtr key) {
  std::scoped_lock const lock(mutex_);
  if (keys_.size() >= keys_max)
    keys_.clear();
  keys_.insert_or_assign(tenant, std::move(key));
}

}  // namespace al::security
