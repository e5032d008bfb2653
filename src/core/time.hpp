#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace al {

/// UTC, microseconds since the Unix epoch.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

/// Where the time comes from; passed in, so that tests are exact. Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Timestamp now() const = 0;
  [[nodiscard]] virtual SteadyTime steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override;
  [[nodiscard]] SteadyTime steady() const override;
};

/// RFC 3339 in UTC with `Z`; the fraction is left out when zero, else six digits. Times outside the years
/// 0000 to 9999 are written as the nearest end of them.
[[nodiscard]] std::string to_rfc3339(Timestamp);
void append_rfc3339(std::string& out, Timestamp);

/// Reads RFC 3339 with any offset; a time without a zone counts as UTC (the prototype's files have none). `t`, `z` and
/// a space for the `T` are fine, an offset may lack its minutes (PostgreSQL writes `+00`), digits after the sixth of a
/// fraction are cut, a leap second becomes the second after it.
/// Errors: invalid, when it is no such time or no such day, or not in the years 0001 to 9999.
[[nodiscard]] Result<Timestamp> parse_time(std::string_view);

/// The moment by which a call must be done; passed down as a value. Monotonic.
struct Deadline {
  SteadyTime at;
  static Deadline after(std::chrono::steady_clock::duration limit) {
    return {std::chrono::steady_clock::now() + limit};
  }
  [[nodiscard]] std::chrono::steady_clock::duration left() const { return at - std::chrono::steady_clock::now(); }
};

}  // namespace al
