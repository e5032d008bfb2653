#include "app/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <ostream>

namespace al::app {
namespace {

constexpr std::size_t bar_columns = 24;
/// To the start of the line, and empty it.
constexpr std::string_view redraw = "\r\x1b[2K";

}  // namespace

std::string progress_text(std::uintmax_t done, std::uintmax_t total, std::string_view label, std::size_t columns) {
  auto const share = total == 0 ? 1.0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  auto const full = static_cast<std::size_t>(share * static_cast<double>(bar_columns));
  auto const percent = std::to_string(static_cast<int>(share * 100));
  std::string out = "[";
  for (std::size_t i = 0; i < bar_columns; ++i)
    out += i < full ? "█" : "·";
  out += "] " + std::string(3 - percent.size(), ' ') + percent + "%  " + printable(label);
  return cut(out, columns);
}

Console::Options progress_options(Console const& console) {
  auto options = console.options();
  options.is_terminal = ::isatty(STDERR_FILENO) == 1;
  return options;
}

Progress::Progress(std::ostream& out, Console::Options const& options, std::uintmax_t total)
    : out_(out), options_(options), total_(total) {}

Progress::~Progress() {
  if (is_drawn_)
    out_ << redraw << std::flush;
}

void Progress::show(std::uintmax_t done, std::string_view label) {
  if (!options_.is_terminal || options_.json)
    return;
  is_drawn_ = true;
  // A full last column would make some terminals go on to the next line.
  out_ << redraw << progress_text(done, total_, label, options_.width - 1) << std::flush;
}

}  // namespace al::app
