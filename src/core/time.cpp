#include "core/time.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace al {

namespace {

using std::chrono::microseconds;

void append_digits(std::string& out, unsigned value, int width) {
  std::array<char, 10> digits{};
  for (int i = width - 1; i >= 0; --i, value /= 10)
    digits.at(static_cast<std::size_t>(i)) = static_cast<char>('0' + value % 10);
  out.append(digits.data(), static_cast<std::size_t>(width));
}

/// Reads a time from left to right; after the first thing that does not fit every answer is empty.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::optional<int> number(std::size_t width) {
    if (rest_.size() < width)
      return std::nullopt;
    int out = 0;
    for (char const c : rest_.substr(0, width)) {
      if (c < '0' || c > '9')
        return std::nullopt;
      out = out * 10 + (c - '0');
    }
    rest_.remove_prefix(width);
    return out;
  }

  /// Takes one character out of `choices`; 0 when another one stands there.
  char one_of(std::string_view choices) {
    if (rest_.empty() || !choices.contains(rest_.front()))
      return 0;
    char const c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool at_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }

 private:
  std::string_view rest_;
};

std::optional<std::chrono::sys_days> read_date(Reader& in) {
  auto const year = in.number(4);
  if (!year || in.one_of("-") == 0)
    return std::nullopt;
  auto const month = in.number(2);
  if (!month || in.one_of("-") == 0)
    return std::nullopt;
  auto const day = in.number(2);
  if (!day)
    return std::nullopt;
  std::chrono::year_month_day const date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok())
    return std::nullopt;
  return std::chrono::sys_days(date);
}

struct TimeOfDay {
  std::chrono::seconds since_midnight;
  microseconds fraction{0};
  bool leap = false;
};

std::optional<TimeOfDay> read_time_of_day(Reader& in) {
  auto const hour = in.number(2);
  if (!hour || *hour > 23 || in.one_of(":") == 0)
    return std::nullopt;
  auto const minute = in.number(2);
  if (!minute || *minute > 59 || in.one_of(":") == 0)
    return std::nullopt;
  auto const second = in.number(2);
  if (!second || *second > 60)
    return std::nullopt;
  TimeOfDay out{
      .since_midnight = std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second),
      .leap = *second == 60};
  if (in.one_of(".") == 0)
    return out;
  int digits = 0;
  std::int64_t micros = 0;
  for (; in.at_digit() && digits < 9; ++digits) {
    auto const digit = *in.number(1);
    if (digits < 6)
      micros = micros * 10 + digit;
  }
  if (digits == 0)
    return std::nullopt;
  for (; digits < 6; ++digits)
    micros *= 10;
  out.fraction = microseconds(micros);
  return out;
}

/// How far the local time is ahead of UTC. The minutes may be missing: PostgreSQL writes `+00`.
std::optional<std::chrono::minutes> read_offset(Reader& in) {
  if (in.at_end() || in.one_of("Zz") != 0)
    return std::chrono::minutes(0);
  char const sign = in.one_of("+-");
  auto const hours = sign == 0 ? std::nullopt : in.number(2);
  if (!hours || *hours > 23)
    return std::nullopt;
  std::optional<int> minutes = 0;
  if (in.one_of(":") != 0)
    minutes = in.number(2);
  if (!minutes || *minutes > 59)
    return std::nullopt;
  auto const offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return sign == '-' ? -offset : offset;
}

std::optional<Timestamp> read_time(std::string_view text) {
  Reader in(text);
  auto const date = read_date(in);
  if (!date || in.one_of("Tt ") == 0)
    return std::nullopt;
  auto const time = read_time_of_day(in);
  if (!time)
    return std::nullopt;
  auto const offset = read_offset(in);
  if (!offset || !in.at_end())
    return std::nullopt;
  auto const seconds = *date + time->since_midnight - *offset;
  // A leap second is the last one of a UTC day; POSIX time has no place for it but the second after.
  if (time->leap && std::chrono::floor<std::chrono::days>(seconds) != seconds)
    return std::nullopt;
  return seconds + time->fraction;
}

}  // namespace

Timestamp SystemClock::now() const { return std::chrono::floor<microseconds>(std::chrono::system_clock::now()); }

SteadyTime SystemClock::steady() const { return std::chrono::steady_clock::now(); }

void append_rfc3339(std::string& out, Timestamp time) {
  // RFC 3339 has four digits for the year; what lies outside is a sentinel such as Timestamp::max().
  using namespace std::chrono_literals;
  constexpr Timestamp first = std::chrono::sys_days(0y / 1 / 1);
  constexpr Timestamp last = std::chrono::sys_days(10000y / 1 / 1) - microseconds(1);
  time = std::clamp(time, first, last);
  auto const day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day const date(day);
  auto const micros = static_cast<std::uint64_t>((time - day).count());
  auto const seconds = static_cast<unsigned>(micros / 1'000'000);
  append_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_digits(out, seconds / 3600, 2);
  out += ':';
  append_digits(out, seconds / 60 % 60, 2);
  out += ':';
  append_digits(out, seconds % 60, 2);
  if (auto const fraction = static_cast<unsigned>(micros % 1'000'000); fraction != 0) {
    out += '.';
    append_digits(out, fraction, 6);
  }
  out += 'Z';
}

std::string to_rfc3339(Timestamp time) {
  std::string out;
  out.reserve(27);
  append_rfc3339(out, time);
  return out;
}

Result<Timestamp> parse_time(std::string_view text) {
  constexpr auto remedy = "must be a time such as 2026-03-01T09:30:00Z (RFC 3339)";
  auto const time = read_time(text);
  if (!time)
    return fail(Code::invalid, remedy);
  // PostgreSQL has no year 0, RFC 3339 none after 9999; an offset can lead there.
  using namespace std::chrono_literals;
  if (*time < std::chrono::sys_days(1y / 1 / 1) || *time >= std::chrono::sys_days(10000y / 1 / 1)) {
    return fail(Code::invalid, "must be a time in the years 0001 to 9999 (UTC)");
  }
  return *time;
}

}  // namespace al
