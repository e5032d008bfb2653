#pragma once
/// Structured logging: one JSON object a line on standard error (or text when `log.format=text`). Any thread.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace al::log {

enum class Level { debug, info, warning, error };

using FieldValue = std::variant<std::string_view, std::int64_t, double, bool>;
struct Field {
  std::string_view key;
  FieldValue value;
};

/// `level` is one of debug, info, warning, error; `format` json or text.
void configure(std::string_view level, std::string_view format);

/// Values whose key names a secret (password, token, secret, authorization, api_key) are masked, as is the password
/// inside anything that looks like a URL.
void write(Level, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view m, std::initializer_list<Field> f = {}) { write(Level::debug, m, f); }
inline void info(std::string_view m, std::initializer_list<Field> f = {}) { write(Level::info, m, f); }
inline void warning(std::string_view m, std::initializer_list<Field> f = {}) { write(Level::warning, m, f); }
inline void error(std::string_view m, std::initializer_list<Field> f = {}) { write(Level::error, m, f); }

[[nodiscard]] std::string mask_url(std::string_view);

}  // namespace al::log
