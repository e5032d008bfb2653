#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

/// Of a suspended organisation nobody gets in; what it has stays.
enum class OrganisationStatus { active, suspended };
BOOST_DESCRIBE_ENUM(OrganisationStatus, active, suspended)

/// A tenant as people know it. All of them belong to the tenant of those who run the installation.
struct Organisation {
  TenantId id;
  std::string name;
  OrganisationStatus status = OrganisationStatus::active;
  std::int64_t version = 1;
  Timestamp created_at{};
  Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(Organisation, (), (id, name, status, version, created_at, updated_at))

constexpr auto describe(std::type_identity<Organisation>) {
  using namespace entity;
  using O = Organisation;
  constexpr auto server = Access::read_only;
  return about("Organisation", "organisations", "A tenant: its people see nothing of the others.",
               field<&O::id>("Slug, chosen by the client.", {.access = Access::create_only}),
               field<&O::name>("Name shown to people.", {.min = 1, .max = 100}),
               field<&O::status>("Of a suspended organisation nobody gets in.", {.defaulted = true}),
               field<&O::version>("Counts its changes; the ETag.", {.access = server}),
               field<&O::created_at>("When it was created, UTC.", {.access = server}),
               field<&O::updated_at>("When it was last changed, UTC.", {.access = server}));
}

}  // namespace al::model
