#pragma once
/// The Redis protocol (RESP2) by hiredis: commands to bytes, bytes to replies. No I/O. Values of one thread.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "redis/reply.hpp"

struct redisReader;  // NOLINT(readability-identifier-naming): hiredis names it

namespace al::redis {

/// A command in the form in which it is sent; arguments are any bytes. `Command{"SET", key, value, "PX", "5000"}`.
class Command {
 public:
  /// What Redis itself takes for one argument; a command as a whole may be no longer either.
  static constexpr std::size_t bytes_max = 512 << 20;

  Command(std::initializer_list<std::string_view> arguments) : Command(std::span(arguments.begin(), arguments.end())) {}
  /// At least one argument; the first is the command's name. Over bytes_max the command is empty, and no connection
  /// takes it.
  explicit Command(std::span<std::string_view const> arguments);

  /// Says that doing it twice is as good as doing it once, for as long as nobody else writes: reads, SET to a value
  /// that does not depend on the old one, DEL. Only these are sent again when the connection breaks before the answer.
  [[nodiscard]] Command&& repeatable() && {
    is_repeatable_ = true;
    return std::move(*this);
  }

  [[nodiscard]] std::string const& bytes() const& { return bytes_; }
  [[nodiscard]] std::string bytes() && { return std::move(bytes_); }
  [[nodiscard]] bool is_repeatable() const { return is_repeatable_; }

 private:
  std::string bytes_;
  bool is_repeatable_ = false;
};

struct ReplyLimits {
  std::size_t bytes_max = 64 << 20;      ///< of one reply, nested ones with it
  std::size_t elements_max = 1'000'000;  ///< of all arrays of one reply together
  static constexpr int nesting_max = 7;  ///< arrays in arrays; hiredis 0.14 knows no more
};

/// Makes replies of what comes in, in pieces of any size.
class Parser {
 public:
  explicit Parser(ReplyLimits);
  ~Parser();
  Parser(Parser const&) = delete;
  Parser& operator=(Parser const&) = delete;

  /// Takes the next bytes. Errors: as next().
  [[nodiscard]] Result<void> feed(std::string_view bytes);

  /// The next complete reply, or nothing when more bytes are needed.
  /// Errors: unavailable, when what came is no RESP2 or over the limits. It stays so: the connection must be closed.
  [[nodiscard]] Result<std::optional<Reply>> next();

 private:
  struct Budget;
  struct Builder;
  struct Free {
    void operator()(redisReader*) const;
  };
  [[nodiscard]] std::unexpected<Error> failure() const;

  ReplyLimits limits_;
  std::unique_ptr<Budget> budget_;  ///< hiredis keeps its address
  std::unique_ptr<redisReader, Free> reader_;
};

}  // namespace al::redis
