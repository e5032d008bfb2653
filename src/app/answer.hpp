#pragma once
/// What commands do with an answer of the server.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/api_client.hpp"
#include "app/console.hpp"

namespace al::app {

/// Prints the answer: with --json as it came, else what `render` makes of it, page by page where it is long. Answers
/// the exit code.
int show(Console&, Result<ApiClient::Reply> const&, std::function<std::string(json::value const&)> const& render);

/// Prints the error, with --json as an object. Every fault is said once, also when the message names it as well.
/// Answers `code`.
int report(Console&, Error const&, int code);
/// The same with the exit code of a failure.
int report(Console&, Error const&);
/// The exit code of `serve` and `init` when they end with this error: what is invalid then is a setting.
[[nodiscard]] int exit_of_setup(Error const&);

/// The member `key` as people read it: strings as they are, lists with commas, times without their fraction, nothing
/// for null.
[[nodiscard]] std::string text_of(json::value const& object, std::string_view key);
/// The member `key`, or null.
[[nodiscard]] json::value const& member_of(json::value const& object, std::string_view key);
/// The elements of the member `key`; none when it is no array.
[[nodiscard]] json::array const& list_of(json::value const& object, std::string_view key);

/// Names and values under each other, as details of one thing are shown; empty values are left out.
class Details {
 public:
  explicit Details(Console const& console) : console_(console) {}
  Details& add(std::string_view name, std::string_view value, Tone = Tone::plain);
  [[nodiscard]] std::string text() const { return out_; }

 private:
  Console const& console_;
  std::string out_;
};

/// How the status of an agent or a task looks.
[[nodiscard]] Tone tone_of_status(std::string_view status);

using Parameters = std::vector<std::pair<std::string_view, std::string>>;
/// "?a=1&b=2" of the parameters that are not empty.
[[nodiscard]] std::string query_text(Parameters const& parameters);

}  // namespace al::app
