#pragma once
#include <filesystem>
#include <string>

#include "data/access_store.hpp"
#include "data/api_key_store.hpp"

namespace al::security {

/// The first API key of an installation: whoever holds it may do everything in the tenant `default`. It is written to
/// `<data>/token`, for the command line on this machine, and stored only as a hash.
class BootstrapToken {
 public:
  BootstrapToken(data::ApiKeyStore& keys, data::AccessStore& access, Random& random,
                 std::filesystem::path data_directory)
      : keys_(keys), access_(access), random_(random), directory_(std::move(data_directory)) {}

  enum class Outcome {
    created,  ///< the database had none: it has one now, and the file holds it
    known,    ///< the database has one, and what we hold (the given token, else the file) is it
    foreign,  ///< the database has one, but what we hold is another one
    missing,  ///< the database has one, and we hold none
  };

  /// Sees to it that the tenant `default` has a token. `given` is AGENT_LIGHTNING_TOKEN or empty; at the first start it
  /// becomes the token. Logs what a person must know to sign in. Interrupted, the next start takes up the file.
  /// Errors: invalid (`given` is no fit token). Throws Fault (the file cannot be written), Unavailable.
  [[nodiscard]] Task<Result<Outcome>> ensure(std::string given, Deadline);

 private:
  [[nodiscard]] Task<Result<Outcome>> create(std::string given, Deadline);
  [[nodiscard]] Task<Outcome> compare(std::string given, Deadline);

  data::ApiKeyStore& keys_;
  data::AccessStore& access_;
  Random& random_;
  std::filesystem::path directory_;
};

}  // namespace al::security
