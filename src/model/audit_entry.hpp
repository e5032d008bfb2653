#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

enum class AuditOutcome { succeeded, refused };
BOOST_DESCRIBE_ENUM(AuditOutcome, succeeded, refused)

/// Who did what to whose access, or tried to. Never changed and never deleted.
struct AuditEntry {
  EventId id;
  Timestamp at{};
  std::string actor;
  std::string action;
  std::string target;
  AuditOutcome outcome = AuditOutcome::succeeded;
  std::string address;
  std::string request_id;
  Document details;
};
BOOST_DESCRIBE_STRUCT(AuditEntry, (), (id, at, actor, action, target, outcome, address, request_id, details))

constexpr auto describe(std::type_identity<AuditEntry>) {
  using namespace entity;
  using A = AuditEntry;
  return about("AuditEntry", "audit_entries", "Who did what to whose access, or tried to.",
               field<&A::id>("UUIDv7; of a change also the id of its event."),
               field<&A::at>("When, UTC, by the database's clock."),
               field<&A::actor>("Who: a user, an API key, or `system`; empty: nobody who was known."),
               field<&A::action>("What, such as user:created or login:refused."),
               field<&A::target>("To whom or what: an id, or the e-mail address of someone unknown."),
               field<&A::outcome>("Whether it was done."), field<&A::address>("Where the request came from."),
               field<&A::request_id>("The request."), field<&A::details>("The state after it, without secrets."));
}

}  // namespace al::model
