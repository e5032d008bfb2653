#pragma once
/// Expected failures are values: `Result<T>`. Faults (database gone, disk full) are exceptions, see fault.hpp.

#include <boost/describe/enum.hpp>
#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace al {

/// What went wrong, for the caller to act on. The names are the stable `code` of every error on the wire;
/// http/problem.cpp maps each to one HTTP status.
enum class Code {
  bad_request,      ///< cannot be parsed
  invalid,          ///< parsed, but one or more fields are wrong
  unauthenticated,  ///< no credential, or one that is not known
  mfa_required,     ///< the password is right; the second factor is missing
  forbidden,        ///< known, but not allowed
  not_found,
  method_not_allowed,
  conflict,              ///< exists already, or its state does not allow this
  version_mismatch,      ///< If-Match named another version
  lease_lost,            ///< the worker no longer owns the task
  idempotency_mismatch,  ///< the Idempotency-Key was used with another body
  payload_too_large,
  unsupported_media_type,
  headers_too_large,
  too_many_requests,
  timed_out,
  unavailable,  ///< overloaded or a dependency is gone; try again
  internal,
};
BOOST_DESCRIBE_ENUM(Code, bad_request, invalid, unauthenticated, mfa_required, forbidden, not_found, method_not_allowed,
                    conflict, version_mismatch, lease_lost, idempotency_mismatch, payload_too_large,
                    unsupported_media_type, headers_too_large, too_many_requests, timed_out, unavailable, internal)

/// One wrong field: where it stands (`config.model`, `items[3].id`) and what it must be.
struct FieldFault {
  std::string path;
  std::string message;
  bool operator==(FieldFault const&) const = default;
};

/// An outcome that the caller must handle. `message` is safe to show and says how to mend it.
struct Error {
  Code code = Code::internal;
  std::string message;
  std::vector<FieldFault> faults{};
  std::optional<std::chrono::seconds> retry_after{};
  /// The named statement or step that refused, for the layer above to tell causes apart; never shown.
  std::string where{};
};

template <class T>
using Result = std::expected<T, Error>;

/// `co_return fail(Code::not_found, "…")` from any function that returns a Result.
[[nodiscard]] inline std::unexpected<Error> fail(Code code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}
[[nodiscard]] inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

}  // namespace al
