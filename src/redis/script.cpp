#include "redis/script.hpp"

#include <openssl/evp.h>

#include <array>
#include <span>
#include <utility>

#include "core/fault.hpp"

namespace al::redis {
namespace {

/// Redis names scripts by it; it protects nothing.
std::string sha1_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1)
    throw Fault("OpenSSL gives no SHA-1, by which Redis names scripts");
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (auto const byte : std::span(digest).first(size)) {
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 15]);
  }
  return out;
}

Command make_command(std::string_view name, std::string_view script, std::vector<std::string> const& keys,
                     std::vector<std::string> const& arguments, Repeat repeat) {
  auto const count = std::to_string(keys.size());
  std::vector<std::string_view> words{name, script, count};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  Command command{std::span<std::string_view const>(words)};
  return repeat == Repeat::once ? std::move(command).repeatable() : std::move(command);
}

}  // namespace

Script::Script(std::string_view source, Repeat repeat) : source_(source), digest_(sha1_hex(source)), repeat_(repeat) {}

Task<Result<Reply>> Script::run(Connection& connection, std::vector<std::string> keys,
                                std::vector<std::string> arguments, Deadline deadline) const {
  auto answer = co_await connection.run(make_command("EVALSHA", digest_, keys, arguments, repeat_), deadline);
  if (answer || !answer.error().where.starts_with("NOSCRIPT"))
    co_return answer;
  // Nothing was done yet. EVAL also makes the server remember the script.
  co_return co_await connection.run(make_command("EVAL", source_, keys, arguments, repeat_), deadline);
}

}  // namespace al::redis
