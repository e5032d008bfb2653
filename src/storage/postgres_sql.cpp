#include "storage/postgres_sql.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/hash.hpp"

namespace al::storage::postgres {
namespace {

struct Word {
  std::string text;  ///< lower case
  std::size_t at;
};

bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_word_start(c) || is_digit(c) || c == '$'; }

/// Walks over SQL and names the words that stand outside parentheses, quotes and comments.
class Scanner {
 public:
  explicit Scanner(std::string_view sql) : sql_(sql) {}

  std::vector<Word> words() {
    std::vector<Word> out;
    while (at_ < sql_.size()) {
      char const c = sql_[at_];
      if (is_word_start(c)) {
        take_word(out);
      } else if (c == '(' || c == ')') {
        depth_ += c == '(' ? 1 : -1;
        ++at_;
      } else if (!skip_literal() && !skip_comment()) {
        ++at_;
      }
    }
    return out;
  }

 private:
  void take_word(std::vector<Word>& out) {
    auto const start = at_;
    while (at_ < sql_.size() && is_word(sql_[at_]))
      ++at_;
    std::string text(sql_.substr(start, at_ - start));
    for (char& c : text)
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (text == "e" && at_ < sql_.size() && sql_[at_] == '\'') {
      skip_quoted('\'', true);
    } else if (depth_ == 0) {
      out.push_back({std::move(text), start});
    }
  }

  bool skip_literal() {
    char const c = sql_[at_];
    if (c == '\'' || c == '"') {
      skip_quoted(c, false);
      return true;
    }
    // $1 is a parameter, $tag$ opens a dollar-quoted text.
    if (c != '$' || (at_ + 1 < sql_.size() && is_digit(sql_[at_ + 1])))
      return false;
    auto const tag_end = sql_.find('$', at_ + 1);
    if (tag_end == std::string_view::npos)
      return false;
    auto const tag = sql_.substr(at_, tag_end - at_ + 1);
    auto const close = sql_.find(tag, tag_end + 1);
    at_ = close == std::string_view::npos ? sql_.size() : close + tag.size();
    return true;
  }

  // A doubled quote closes and opens again, which comes to the same.
  void skip_quoted(char quote, bool backslash_escapes) {
    ++at_;
    while (at_ < sql_.size() && sql_[at_] != quote)
      at_ += backslash_escapes && sql_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, sql_.size());
  }

  bool skip_comment() {
    auto const rest = sql_.substr(at_);
    if (rest.starts_with("--")) {
      at_ = std::min(sql_.find('\n', at_), sql_.size());
      return true;
    }
    if (!rest.starts_with("/*"))
      return false;
    int open = 0;
    do {
      if (sql_.substr(at_).starts_with("/*")) {
        ++open;
        at_ += 2;
      } else if (sql_.substr(at_).starts_with("*/")) {
        --open;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (open > 0 && at_ < sql_.size());
    return true;
  }

  std::string_view sql_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

bool begins_command(std::string const& word) {
  return word == "select" || word == "insert" || word == "update" || word == "delete" || word == "values";
}

bool contains(std::span<std::string_view const> list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

std::string hex(std::uint64_t number) {
  std::string out(16, '0');
  for (auto digit = out.rbegin(); digit != out.rend(); ++digit, number >>= 4)
    *digit = "0123456789abcdef"[number & 15];
  return out;
}

}  // namespace

std::string guarded(std::string_view text, bool& added_returning) {
  while (!text.empty() && std::string_view(" \t\r\n;").find(text.back()) != std::string_view::npos) {
    text.remove_suffix(1);
  }
  auto const words = Scanner(text).words();
  // CTE bodies stand in parentheses, so the first command word outside of them is the statement proper. It becomes the
  // last CTE, beside the others, because PostgreSQL allows data-modifying CTEs at the top level only.
  auto const command = std::ranges::find_if(words, [](Word const& word) { return begins_command(word.text); });
  auto const start = command == words.end() ? 0 : command->at;
  bool const has_ctes = !words.empty() && words.front().text == "with";
  bool const returns_rows =
      command == words.end() || command->text == "select" || command->text == "values" ||
      std::any_of(command, words.end(), [](Word const& word) { return word.text == "returning"; });
  added_returning = !returns_rows;
  std::string out(text.substr(0, start));
  out += has_ctes ? ", al_guarded AS (" : "WITH al_guarded AS (";
  out += text.substr(start);
  if (added_returning)
    out += "\nRETURNING 1";
  // The line breaks end a comment that the text may end with.
  out +=
      "\n) SELECT al_guarded.* FROM (SELECT agent_lightning.al_guard(count(*)) FROM al_guarded) AS al_checked "
      "LEFT JOIN al_guarded ON true";
  return out;
}

std::shared_ptr<Sql const> SqlCache::get(std::string_view name, std::string_view text, Guard guard) {
  std::string key(guard == Guard::must_match ? "!" : " ");
  key.append(name).append("\n").append(text);
  std::scoped_lock const lock(mutex_);
  if (auto const found = known_.find(key); found != known_.end())
    return found->second;
  auto sql = std::make_shared<Sql>();
  sql->name = name;
  sql->text = guard == Guard::must_match ? guarded(text, sql->discards_rows) : std::string(text);
  sql->prepared_name = "al_" + hex(fnv1a(sql->text));
  if (known_.size() >= statements_max)
    known_.clear();
  return known_.emplace(std::move(key), std::move(sql)).first->second;
}

std::string settings_sql(FrameSettings settings) {
  std::string sql =
      "SELECT set_config('app.tenant_id', $1, true), set_config('app.system', $2, true), "
      "set_config('statement_timeout', $3, true), set_config('search_path', 'agent_lightning', true)";
  if (settings.read_only)
    sql += ", set_config('transaction_read_only', 'on', true)";
  if (settings.by_key)
    sql += ", set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)";
  if (settings.names_options) {
    sql +=
        ", set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO', true), set_config('jit', 'off', true)";
  }
  if (settings.as_al_app)
    sql += ", set_config('role', 'al_app', true)";
  return sql;
}

FailureKind classify(std::string_view sqlstate) {
  constexpr std::array<std::string_view, 3> conflicts{"AL001", "23505", "23P01"};
  // A stale plan after a migration, a prepared statement that the connection lost, a deadlock, a serialization failure.
  constexpr std::array<std::string_view, 6> transient{"0A000", "26000", "42P05", "40001", "40P01", "40003"};
  // Read-only transaction: the server was demoted to a standby. Lock not available: a timeout of its own.
  constexpr std::array<std::string_view, 2> lacking{"25006", "55P03"};
  if (contains(conflicts, sqlstate))
    return FailureKind::conflict;
  if (sqlstate.starts_with("22") || sqlstate.starts_with("23"))
    return FailureKind::invalid;
  if (contains(transient, sqlstate))
    return FailureKind::again;
  if (contains(lacking, sqlstate))
    return FailureKind::unavailable;
  for (std::string_view const family : {"08", "53", "57", "58"}) {
    if (sqlstate.starts_with(family))
      return FailureKind::unavailable;
  }
  return FailureKind::defect;
}

Error error_of(FailureKind kind, std::string_view statement) {
  bool const conflict = kind == FailureKind::conflict;
  return {.code = conflict ? Code::conflict : Code::invalid,
          .message = conflict ? "It exists already, or it was changed meanwhile; read it again."
                              : "A value is not allowed here, or it refers to something that does not exist.",
          .where = std::string(statement)};
}

bool spoils_connection(std::string_view sqlstate) {
  constexpr std::array<std::string_view, 4> spoiling{"0A000", "26000", "42P05", "25006"};
  return contains(spoiling, sqlstate);
}

}  // namespace al::storage::postgres
