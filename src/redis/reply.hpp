#pragma once
#include <cassert>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace al::redis {

/// What Redis answers (RESP2). Simple and bulk strings are both text, and text is any bytes. A value: copy and move at
/// will.
class Reply {
 public:
  struct Refusal {
    std::string text;  ///< "WRONGTYPE Operation against …": the first word is the code
    bool operator==(Refusal const&) const = default;
  };
  using Array = std::vector<Reply>;

  Reply() = default;  ///< null: no such key, or a transaction that did not happen
  explicit Reply(std::int64_t value) : value_(value) {}
  explicit Reply(std::string text) : value_(std::move(text)) {}
  explicit Reply(Refusal refusal) : value_(std::move(refusal)) {}
  explicit Reply(Array array) : value_(std::move(array)) {}

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] bool is_integer() const { return std::holds_alternative<std::int64_t>(value_); }
  [[nodiscard]] bool is_text() const { return std::holds_alternative<std::string>(value_); }
  [[nodiscard]] bool is_error() const { return std::holds_alternative<Refusal>(value_); }
  [[nodiscard]] bool is_array() const { return std::holds_alternative<Array>(value_); }

  /// Each throws std::bad_variant_access when the reply is of another kind: then the caller's idea of the command is
  /// wrong, or the server is no Redis.
  [[nodiscard]] std::int64_t integer() const { return std::get<std::int64_t>(value_); }
  [[nodiscard]] std::string const& text() const& { return std::get<std::string>(value_); }
  [[nodiscard]] std::string text() && { return std::get<std::string>(std::move(value_)); }
  [[nodiscard]] std::string const& error() const { return std::get<Refusal>(value_).text; }
  [[nodiscard]] Array const& array() const& { return std::get<Array>(value_); }
  [[nodiscard]] Array& array() & { return std::get<Array>(value_); }
  [[nodiscard]] Array array() && { return std::get<Array>(std::move(value_)); }

  bool operator==(Reply const&) const = default;

 private:
  std::variant<std::monostate, std::int64_t, std::string, Refusal, Array> value_;
};

}  // namespace al::redis
