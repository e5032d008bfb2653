#include "security/password_rules.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "core/entity.hpp"
#include "core/utf8.hpp"
#include "embedded/common_passwords.hpp"
#include "security/secret_key.hpp"

namespace al::security {
namespace {

constexpr std::string_view service_name = "agent lightning";

/// How much more than a word a password may have and still count as that word: the eight digits of a date.
constexpr std::size_t added_bytes_max = 8;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Letters beyond ASCII are bytes from 0x80 on in UTF-8.
bool is_letter(char c) { return (lower(c) >= 'a' && lower(c) <= 'z') || static_cast<unsigned char>(c) >= 0x80; }

/// A password in a form to compare it with; wiped when it goes.
class Form {
 public:
  template <class Keeps>
  Form(std::string_view text, Keeps keeps) {
    text_.reserve(text.size());  // growing would leave parts of it behind
    for (char const c : text) {
      if (keeps(c))
        text_ += lower(c);
    }
  }
  ~Form() { wipe(text_); }
  Form(Form const&) = delete;
  Form& operator=(Form const&) = delete;

  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string text_;
};

Form lower_case(std::string_view text) {
  return {text, [](char) { return true; }};
}
Form letters_of(std::string_view text) { return {text, is_letter}; }

/// The lines after the header, as they are sorted in the file.
std::vector<std::string_view> read_common_passwords() {
  std::vector<std::string_view> out;
  for (auto rest = embedded::common_passwords().front().text; !rest.empty();) {
    auto const line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (!out.empty() || !line.starts_with('#'))
      out.push_back(line);
  }
  return out;
}

bool is_common(std::string_view password) {
  static auto const common = read_common_passwords();
  auto const form = lower_case(password);
  return std::ranges::binary_search(common, form.text());
}

/// Calls `check` for the text and for each word in it until one is true.
bool any_word(std::string_view text, std::function<bool(std::string_view)> const& check) {
  if (check(text))
    return true;
  while (!text.empty()) {
    auto const end = std::ranges::find_if_not(text, is_letter);
    auto const size = static_cast<std::size_t>(end - text.begin());
    if (size > 0 && check(text.substr(0, size)))
      return true;
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  return false;
}

bool is_personal(std::string_view password, PersonalWords personal) {
  auto const letters = letters_of(password);
  auto const whole = lower_case(password);
  auto const matches = [&](std::string_view word) {
    if (word.empty())
      return false;
    if (lower_case(word).text() == whole.text())
      return true;
    return !letters.text().empty() && letters_of(word).text() == letters.text() &&
           password.size() <= word.size() + added_bytes_max;
  };
  auto const local_part = personal.email.substr(0, personal.email.rfind('@'));
  return std::ranges::any_of(std::array{personal.email, local_part, personal.full_name, service_name},
                             [&](std::string_view text) { return any_word(text, matches); });
}

std::unexpected<Error> refused(std::string message) {
  return fail(entity::invalid({{.path = "password", .message = std::move(message)}}));
}

}  // namespace

Result<void> check_password(std::string_view password, PersonalWords personal) {
  if (password.size() > password_bytes_max)
    return refused("must have at most " + std::to_string(password_bytes_max) + " bytes");
  if (utf8::valid_prefix(password) != password.size())
    return refused("must be text in UTF-8");
  if (utf8::length(password) < password_characters_min) {
    return refused("must have at least " + std::to_string(password_characters_min) +
                   " characters; a sentence of some words is long and easy to remember");
  }
  if (is_common(password)) {
    return refused(
        "must not be one of the most common passwords, which attackers try first; take some words that nobody would "
        "put together");
  }
  if (is_personal(password, personal)) {
    return refused(
        "must be more than your name, your e-mail address or the name of this service with some digits; take words "
        "that have nothing to do with you");
  }
  return {};
}

}  // namespace al::security
