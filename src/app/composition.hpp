#pragma once
/// Builds the parts of a serving process out of the configuration and joins them. Nothing is decided here.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/roles.hpp"
#include "core/config.hpp"
#include "core/time.hpp"
#include "security/first_admin.hpp"

namespace al::app {

/// A role that listens.
struct Address {
  std::string role;
  std::string url;
};

/// One serving process: database, stores, routers, servers and the worker of the roles it was given.
class Platform {
 public:
  /// Takes the data directory, migrates, opens the database and binds the ports. Throws Fault, naming the remedy, when
  /// any of it cannot be had.
  Platform(Config const&, std::set<Role> const&);
  /// Stops at once what stop() has not ended.
  ~Platform();
  Platform(Platform const&) = delete;
  Platform& operator=(Platform const&) = delete;

  /// Sees to the first token, then serves; the starter content is added meanwhile, and /ready answers 200 after it.
  /// Errors: invalid (AGENT_LIGHTNING_TOKEN is no fit token, the master key is none), forbidden (its file is not ours
  /// alone), conflict (it does not open what is sealed here). Throws Fault, Unavailable.
  [[nodiscard]] Result<void> start();

  /// Stops accepting, lets requests and tasks end until the deadline, hands the rest back. From any thread but its own.
  void stop(Deadline);

  [[nodiscard]] std::vector<Address> addresses() const;
  /// When start() made him.
  [[nodiscard]] std::optional<security::FirstAdmin> first_admin() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace al::app
