#include "security/totp.hpp"

#include <oath.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <span>

#include "core/fault.hpp"
#include "http/target.hpp"

namespace al::security::totp {
namespace {

constexpr std::size_t secret_bytes = 20;
constexpr std::size_t secret_bytes_min = 16;  // RFC 4226, 4, R6
constexpr std::chrono::seconds step_length{30};
constexpr std::size_t digits = 6;

void initialise() {
  static bool const ready = ::oath_init() == OATH_OK;
  if (!ready)
    throw Fault("liboath cannot be initialised");
}

/// Bytes that liboath made; wiped before they are given back.
class Bytes {
 public:
  Bytes() = default;
  ~Bytes() {
    if (data_ != nullptr)
      sodium_memzero(data_, size_);
    std::free(data_);  // NOLINT(cppcoreguidelines-no-malloc): liboath used malloc
  }
  Bytes(Bytes const&) = delete;
  Bytes& operator=(Bytes const&) = delete;

  /// Where liboath puts them.
  [[nodiscard]] char** data() { return &data_; }
  [[nodiscard]] std::size_t* size() { return &size_; }
  [[nodiscard]] std::string_view view() const { return {data_, size_}; }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

std::string without_colons(std::string_view text) {
  std::string out(text);
  std::erase(out, ':');
  return out;
}

/// `code` has six bytes. All of them are looked at, wherever the first difference is.
bool is_code_of(std::string_view key, std::int64_t step, std::string_view code) {
  std::array<char, digits + 1> expected{};
  int const failed = ::oath_hotp_generate(key.data(), key.size(), static_cast<std::uint64_t>(step), digits, false,
                                          OATH_HOTP_DYNAMIC_TRUNCATION, expected.data());
  if (failed != OATH_OK)
    throw Fault(std::string("no one-time code can be computed: ") + ::oath_strerror_name(failed));
  bool const same = sodium_memcmp(expected.data(), code.data(), digits) == 0;
  sodium_memzero(expected.data(), expected.size());
  return same;
}

}  // namespace

std::string new_secret(Random& random) {
  initialise();
  std::array<char, secret_bytes> raw{};
  random.fill(std::as_writable_bytes(std::span(raw)));
  Bytes text;
  int const failed = ::oath_base32_encode(raw.data(), raw.size(), text.data(), text.size());
  sodium_memzero(raw.data(), raw.size());
  if (failed != OATH_OK)
    throw Fault(std::string("a secret cannot be encoded: ") + ::oath_strerror_name(failed));
  return std::string(text.view());
}

std::string otpauth_uri(std::string_view secret, std::string_view account, std::string_view issuer) {
  auto const service = http::percent_encode(without_colons(issuer));
  std::string out = "otpauth://totp/" + service + ':' + http::percent_encode(without_colons(account));
  out.append("?secret=").append(secret).append("&issuer=").append(service);
  return out.append("&algorithm=SHA1&digits=6&period=30");
}

std::optional<std::int64_t> matching_step(std::string_view secret, std::string_view code, Timestamp now,
                                          std::int64_t last_used_step) {
  initialise();
  Bytes key;
  bool const is_readable = ::oath_base32_decode(secret.data(), secret.size(), key.data(), key.size()) == OATH_OK;
  if (!is_readable || key.view().size() < secret_bytes_min || code.size() != digits)
    return std::nullopt;
  auto const present = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch() / step_length;
  std::optional<std::int64_t> latest;
  for (auto step = std::max<std::int64_t>(present - 1, 0); step <= present + 1; ++step) {
    // Two steps may have the same code. Were the earlier one taken, the code would count once more for the later one.
    if (is_code_of(key.view(), step, code) && step > last_used_step)
      latest = step;
  }
  return latest;
}

}  // namespace al::security::totp
