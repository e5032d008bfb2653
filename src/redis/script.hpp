#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/async.hpp"
#include "redis/connection.hpp"

namespace al::redis {

/// Whether what a script does may happen twice when the connection breaks before its answer.
enum class Repeat {
  never,
  once,
};

/// A Lua script that Redis runs as one step. Its text goes over the wire only when the server does not know it: at
/// first, and after a restart or a failover. Immutable, so any thread may use it; usually a constant beside its user.
class Script {
 public:
  explicit Script(std::string_view source, Repeat repeat = Repeat::never);

  /// `keys` and `arguments` are KEYS and ARGV of the script; keys are all that it touches.
  /// Errors: as Connection::run; an error of the script itself is internal, with its text in `where`.
  [[nodiscard]] Task<Result<Reply>> run(Connection& connection, std::vector<std::string> keys,
                                        std::vector<std::string> arguments, Deadline deadline) const;

  /// SHA-1 of the source in lower-case hexadecimal, which is the script's name in Redis.
  [[nodiscard]] std::string const& digest() const { return digest_; }

 private:
  std::string source_;
  std::string digest_;
  Repeat repeat_;
};

}  // namespace al::redis
