#include "core/failpoint.hpp"

#ifdef AL_FAILPOINTS

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/config.hpp"
#include "core/fault.hpp"
#include "core/log.hpp"

namespace al::failpoint {
namespace {

constexpr std::int64_t delay_ms_max = 3'600'000;

enum class Action { crash, error, delay };
enum class When { always, nth, every_nth };

struct Point {
  std::string name;
  Action action = Action::crash;
  std::chrono::milliseconds delay{0};
  When when = When::always;
  std::int64_t n = 1;
  std::int64_t reached = 0;
};

struct Step {
  Action action;
  std::chrono::milliseconds delay;
};

/// Guards `points`. Leaked on purpose: threads may reach a failpoint while static objects are being destroyed.
std::mutex& guard() {
  static auto& instance = *new std::mutex;
  return instance;
}

std::vector<Point>& points() {
  static auto& instance = *new std::vector<Point>;
  return instance;
}

/// Says without the mutex whether there is anything to look up, which there is not in nearly every process.
std::atomic<bool> anything_armed{false};

std::string_view trim(std::string_view text) {
  auto first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

[[noreturn]] void refuse(std::string_view entry, std::string_view reason) {
  throw std::invalid_argument("failpoint \"" + std::string(entry) + "\": " + std::string(reason));
}

std::int64_t number(std::string_view text, std::int64_t min, std::int64_t max, std::string_view entry) {
  std::int64_t out = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size() || out < min || out > max) {
    refuse(entry, "\"" + std::string(text) + "\" is not a whole number from " + std::to_string(min) + " to " +
                      std::to_string(max));
  }
  return out;
}

Point parse_point(std::string_view entry) {
  auto equals = entry.find('=');
  if (equals == 0 || equals == std::string_view::npos)
    refuse(entry, "write name=action");
  Point point{.name = std::string(trim(entry.substr(0, equals)))};
  auto action = trim(entry.substr(equals + 1));
  if (auto mark = action.find_first_of("@%"); mark != std::string_view::npos) {
    point.when = action[mark] == '@' ? When::nth : When::every_nth;
    point.n = number(action.substr(mark + 1), 1, std::numeric_limits<std::int64_t>::max(), entry);
    action = action.substr(0, mark);
  }
  constexpr std::string_view delay = "delay:";
  if (action == "crash") {
    point.action = Action::crash;
  } else if (action == "error") {
    point.action = Action::error;
  } else if (action.starts_with(delay)) {
    point.action = Action::delay;
    point.delay = std::chrono::milliseconds(number(action.substr(delay.size()), 0, delay_ms_max, entry));
  } else {
    refuse(entry, "the action is crash, error or delay:MILLISECONDS");
  }
  return point;
}

bool is_due(Point const& point) {
  switch (point.when) {
    case When::always:
      return true;
    case When::nth:
      return point.reached == point.n;
    case When::every_nth:
      return point.reached % point.n == 0;
  }
  return false;
}

/// Counts the visit and says what is due. The steps themselves run without the mutex: a delay must not stop others.
std::vector<Step> visit(std::string_view name) {
  std::lock_guard lock(guard());
  std::vector<Step> due;
  for (auto& point : points()) {
    if (point.name != name)
      continue;
    ++point.reached;
    if (is_due(point))
      due.push_back({point.action, point.delay});
  }
  return due;
}

/// Blocks the thread, as a slow disk or a full pipe would.
void block(std::chrono::milliseconds duration) {
  timespec left{.tv_sec = static_cast<time_t>(duration.count() / 1000),
                .tv_nsec = static_cast<long>(duration.count() % 1000 * 1'000'000)};
  while (::clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
  }
}

/// SIGKILL runs no handler, no destructor and no atexit function, and flushes nothing.
[[noreturn]] void crash() {
  ::kill(::getpid(), SIGKILL);
  while (true)
    ::pause();
}

void replace(std::vector<Point> parsed) {
  std::lock_guard lock(guard());
  points() = std::move(parsed);
  anything_armed = !points().empty();
}

std::vector<Point> parse(std::string_view text) {
  std::vector<Point> out;
  while (!text.empty()) {
    auto end = text.find(';');
    auto entry = trim(text.substr(0, end));
    if (!entry.empty())
      out.push_back(parse_point(entry));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return out;
}

/// A misspelt failpoint would make a torture test pass without having tested anything, so it ends the process.
bool arm_from_environment() {
  auto environment = Config::process_environment();
  auto found = environment.find("AL_FAILPOINTS");
  if (found == environment.end())
    return true;
  try {
    replace(parse(found->second));
  } catch (std::invalid_argument const& fault) {
    log::error("the variable AL_FAILPOINTS cannot be read", {{"reason", fault.what()}});
    std::abort();
  }
  return true;
}

/// Before anything else, so that what a test arms is not replaced by the variable later.
void read_environment_once() { [[maybe_unused]] static bool const done = arm_from_environment(); }

}  // namespace

void arm(std::string_view text) {
  read_environment_once();
  replace(parse(text));
}

void reach(std::string_view name) {
  read_environment_once();
  if (!anything_armed.load(std::memory_order_acquire))
    return;
  for (auto const& step : visit(name)) {
    switch (step.action) {
      case Action::crash:
        crash();
      case Action::error:
        throw Unavailable("failpoint " + std::string(name));
      case Action::delay:
        block(step.delay);
        break;
    }
  }
}

bool planted(std::string_view bug) {
  static std::string const name = [] {
    auto environment = Config::process_environment();
    return environment["AL_PLANTED_BUG"];
  }();
  return name == bug;
}

}  // namespace al::failpoint

#endif
