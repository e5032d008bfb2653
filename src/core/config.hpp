#pragma once
/// Settings from a YAML file, the environment (and a `.env` file) and the command line, in that order of rising
/// precedence. Every setting stands once in the table of config.cpp.
///
/// YAML: maps nest (`database: {pool_size: 5}`) or keys are dotted (`database.pool_size: 5`); null leaves a setting
/// out.
/// `.env`: `KEY=VALUE` a line, `export` in front allowed; 'single quotes' keep everything, "double quotes" know
/// \n \r \t \" \\ \$, and without quotes ` #` begins a comment. A variable of the real environment always wins, even an
/// empty one. Environment and `.env`: an empty variable counts as not set (that is what `${X:-}` of a compose file
/// hands on), and unknown ones are none of our business. In the YAML file and among options unknown names are faults.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace al {

/// What a value must look like. Integers and seconds are whole numbers.
enum class SettingKind { text, integer, boolean, seconds };

/// One setting: `name` is its path in YAML and its long option ("database.pool_size" -> --database.pool-size),
/// `variable` its environment variable (the names of the brief).
struct Setting {
  std::string_view name;
  std::string_view variable;
  SettingKind kind;
  std::string_view fallback;
  std::string_view doc;
  bool secret = false;
  std::int64_t min = 0;  ///< bounds of numbers; of text its length in bytes
  std::int64_t max = INT64_MAX;
  std::string_view choices{};      ///< "json|text": what a text may be, in any case; empty for free text
  std::string_view url_schemes{};  ///< "redis|rediss": a text that is empty or a URL of one of these
};

/// All settings there are, in the order in which `agent-lightning config` prints them.
[[nodiscard]] std::span<Setting const> settings();

/// The text of `.env.example`: every setting's doc and variable, commented out with its default.
[[nodiscard]] std::string dotenv_example();

struct EffectiveSetting {
  Setting const* setting;
  /// As plain as it gets: numbers in decimal, booleans on or off, choices in lower case.
  std::string value;
  /// "default", "file agent-lightning.yaml line 3", ".env line 4", "environment DATABASE_URL" or "option".
  std::string origin;
  [[nodiscard]] std::string shown() const;  ///< the value, masked when secret (also the password inside a URL)
};

/// The effective settings; immutable once loaded, so any thread may read.
class Config {
 public:
  struct Sources {
    std::optional<std::filesystem::path> file;    ///< must exist when given
    std::optional<std::filesystem::path> dotenv;  ///< read when it exists
    std::map<std::string, std::string> environment;
    std::map<std::string, std::string> options;  ///< by setting name
  };
  /// Errors: invalid, with every bad or unknown setting, its origin and what is allowed, also of values that a source
  /// of higher precedence would have replaced.
  [[nodiscard]] static Result<Config> load(Sources const&);
  /// The process's own environment.
  [[nodiscard]] static std::map<std::string, std::string> process_environment();

  /// A name that is not in settings() is a mistake of ours and ends the process.
  [[nodiscard]] std::string const& text(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] bool boolean(std::string_view name) const;
  [[nodiscard]] bool is_set(std::string_view name) const;  ///< not empty
  [[nodiscard]] std::span<EffectiveSetting const> all() const { return values_; }

 private:
  explicit Config(std::vector<EffectiveSetting> values) : values_(std::move(values)) {}
  [[nodiscard]] EffectiveSetting const& at(std::string_view name) const;
  std::vector<EffectiveSetting> values_;
};

/// Where the database is: `database.url`, or else a postgresql:// URL made of `database.host` and its companions,
/// percent-encoded; empty when neither is set or the data is not to be shared, which means SQLite. Holds the password.
[[nodiscard]] std::string database_url(Config const&);

/// Where Redis is: `redis.url`, or else one made of `redis.host` and its companions; empty when there is none. Holds
/// the password.
[[nodiscard]] std::string redis_url(Config const&);

}  // namespace al
