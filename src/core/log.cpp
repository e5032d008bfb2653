#include "core/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cmath>
#include <memory>

#include "core/json.hpp"
#include "core/time.hpp"
#include "core/utf8.hpp"

namespace al::log {
namespace {

constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warning", "error"};
constexpr std::string_view mask = "***";
/// What names a secret, without `_` and `-` (see plain_key).
constexpr std::array<std::string_view, 7> secret_words{"password", "passwd",     "secret",       "token",
                                                       "apikey",   "credential", "authorization"};

std::atomic<Level> threshold{Level::info};
std::atomic<bool> as_json{true};

/// Lives until the process ends: threads may still log while static objects are being destroyed.
spdlog::logger& logger() {
  static auto& instance = *new std::shared_ptr<spdlog::logger>([] {
    auto made = std::make_shared<spdlog::logger>("al", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::trace);  // our own threshold decides
    made->set_pattern("%v");
    return made;
  }());
  return *instance;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string plain_key(std::string_view key) {
  std::string out;
  for (char c : key) {
    if (c != '_' && c != '-' && c != '.')
      out += lower(c);
  }
  return out;
}

bool names_secret(std::string_view key) {
  auto plain = plain_key(key);
  return std::ranges::any_of(secret_words, [&](auto word) { return plain.contains(word); });
}

// ---- text that is fit for a line ----

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

/// Bytes of a control character at the front that must not stay: DEL and U+0080 to U+009F, which a terminal obeys and
/// JSON does not escape, and NUL, which PostgreSQL and other readers of JSON refuse even escaped.
std::size_t bad_control_length(std::string_view text) {
  if (text[0] == '\x7F' || text[0] == '\0')
    return 1;
  return text[0] == '\xC2' && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xA0 ? 2 : 0;
}

/// Replaces what is not UTF-8, so that every line is valid JSON, and the controls above. Line feeds and their like
/// stay: they are escaped where the text is quoted.
std::string clean(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto valid = text.substr(0, utf8::valid_prefix(text));
    for (std::size_t i = 0; i < valid.size();) {
      auto control = bad_control_length(valid.substr(i));
      control > 0 ? void(out += replacement) : out.push_back(valid[i]);
      i += std::max<std::size_t>(control, 1);
    }
    text.remove_prefix(valid.size());
    if (text.empty())
      break;
    out += replacement;
    text.remove_prefix(1);
  }
  return out;
}

// ---- secrets inside values ----

bool ends_url(char c) { return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>'; }

bool is_web(std::string_view scheme) {
  return scheme == "http" || scheme == "https" || scheme == "ws" || scheme == "wss";
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/// The part of `text` up to `end` that is made of letters, digits, `_` and `-`.
std::string_view word_before(std::string_view text, std::size_t end) {
  auto begin = end;
  while (begin > 0 && is_word(text[begin - 1]))
    --begin;
  return text.substr(begin, end - begin);
}

/// Masks `password` of `scheme://user:password@`. A database URL has no `@` behind the host, so there everything up
/// to the last one is masked: its author may have forgotten to percent-encode a `/` or `@` of the password.
std::string mask_userinfo(std::string_view text) {
  std::string out;
  for (auto at = text.find("://"); at != std::string_view::npos; at = text.find("://")) {
    auto scheme = word_before(text, at);
    out += text.substr(0, at + 3);
    text.remove_prefix(at + 3);
    auto url = text.substr(0, static_cast<std::size_t>(std::ranges::find_if(text, ends_url) - text.begin()));
    if (is_web(scheme))
      url = url.substr(0, url.find_first_of("/?#"));
    auto end = url.rfind('@');
    auto colon = url.find(':');
    if (end == std::string_view::npos || colon > end)
      continue;
    out.append(url.substr(0, colon + 1)).append(mask);
    text.remove_prefix(end);
  }
  return out.append(text);
}

/// Where the value at the front of `text` ends; libpq's connection strings may quote it.
std::size_t parameter_length(std::string_view text) {
  if (!text.starts_with('\'')) {
    return static_cast<std::size_t>(
        std::ranges::find_if(text, [](char c) { return ends_url(c) || c == '&' || c == '#' || c == ';'; }) -
        text.begin());
  }
  std::size_t i = 1;
  while (i < text.size() && text[i] != '\'')
    i += text[i] == '\\' ? 2 : 1;
  return std::min(i + 1, text.size());
}

/// Masks `x` in `password=x`, as in a query or a libpq connection string (which may have spaces around the `=`).
std::string mask_parameters(std::string_view text) {
  std::string out;
  for (auto at = text.find('='); at != std::string_view::npos; at = text.find('=')) {
    auto name_end = text.find_last_not_of(' ', at - 1) + 1;
    bool secret = at > 0 && names_secret(word_before(text, name_end));
    bool spaced = name_end < at;
    auto value = at + 1;
    while (spaced && value < text.size() && text[value] == ' ')
      ++value;
    out += text.substr(0, value);
    text.remove_prefix(value);
    if (!secret)
      continue;
    auto length = parameter_length(text);
    if (length > 0)
      out += mask;
    text.remove_prefix(length);
  }
  return out.append(text);
}

// ---- lines ----

std::string text_of(FieldValue const& value) {
  if (auto const* text = std::get_if<std::string_view>(&value))
    return clean(mask_url(*text));
  if (auto const* integer = std::get_if<std::int64_t>(&value))
    return std::to_string(*integer);
  if (auto const* flag = std::get_if<bool>(&value))
    return *flag ? "true" : "false";
  auto number = std::get<double>(value);
  if (!std::isfinite(number))
    return std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
  std::string out;
  json::append_number(out, number);
  return out;
}

/// JSON has no word for numbers that are not finite, so those become strings.
bool is_quoted(FieldValue const& value) {
  auto const* number = std::get_if<double>(&value);
  return std::holds_alternative<std::string_view>(value) || (number && !std::isfinite(*number));
}

/// A count such as `input_tokens` is no secret although its name holds the word; a text of that name might be.
bool is_masked(Field const& field) {
  bool count = !std::holds_alternative<std::string_view>(field.value) && plain_key(field.key).contains("tokens");
  return names_secret(field.key) && !count;
}

void append_json_field(std::string& out, Field const& field) {
  bool taken = field.key == "time" || field.key == "level" || field.key == "message";
  out += ',';
  json::append_string(out, clean(field.key) + (taken ? "_" : ""));
  out += ':';
  if (is_masked(field)) {
    json::append_string(out, mask);
  } else if (is_quoted(field.value)) {
    json::append_string(out, text_of(field.value));
  } else {
    out += text_of(field.value);
  }
}

std::string json_line(Level level, std::string_view message, std::initializer_list<Field> fields) {
  std::string out = R"({"time":")" + to_rfc3339(SystemClock().now()) + R"(","level":")";
  out += level_names.at(static_cast<std::size_t>(level));
  out += R"(","message":)";
  json::append_string(out, clean(mask_url(message)));
  for (auto const& field : fields)
    append_json_field(out, field);
  return out += '}';
}

bool is_control(char c) { return static_cast<unsigned char>(c) < ' '; }

/// As it is where a reader cannot mistake its end, else in JSON's quotes.
void append_readable(std::string& out, std::string const& text) {
  bool plain = !text.empty() && std::ranges::none_of(text, [](char c) {
    return is_control(c) || c == ' ' || c == '"' || c == '=' || c == '\\';
  });
  plain ? void(out += text) : json::append_string(out, text);
}

std::string text_line(Level level, std::string_view message, std::initializer_list<Field> fields) {
  std::string out = to_rfc3339(SystemClock().now()) + ' ';
  std::string name(level_names.at(static_cast<std::size_t>(level)));
  name.resize(8, ' ');
  out += name;
  auto cleaned = clean(mask_url(message));
  std::ranges::any_of(cleaned, is_control) ? json::append_string(out, cleaned) : void(out += cleaned);
  for (auto const& field : fields) {
    out += ' ';
    append_readable(out, clean(field.key));
    out += '=';
    append_readable(out, is_masked(field) ? std::string(mask) : text_of(field.value));
  }
  return out;
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

void configure(std::string_view level, std::string_view format) {
  auto const* found = std::ranges::find(level_names, level);
  assert(found != level_names.end() && "a level that the settings do not allow");
  assert((format == "json" || format == "text") && "a format that the settings do not allow");
  threshold = static_cast<Level>(found - level_names.begin());
  as_json = format == "json";
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (level < threshold.load(std::memory_order_relaxed))
    return;
  auto line =
      as_json.load(std::memory_order_relaxed) ? json_line(level, message, fields) : text_line(level, message, fields);
  logger().log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

std::string mask_url(std::string_view text) {
  // Nearly every value has neither; one pass over it is all that such a value costs.
  if (text.find_first_of("=:") == std::string_view::npos)
    return std::string(text);
  return mask_parameters(mask_userinfo(text));
}

}  // namespace al::log
