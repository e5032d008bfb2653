#pragma once
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

#include "app/console.hpp"

namespace al::app {

/// A line on a terminal that shows how far something is, drawn anew in its place; nothing anywhere else, nor with
/// --json. Gone when it is destroyed. Not thread-safe.
class Progress {
 public:
  Progress(std::ostream& out, Console::Options const& options, std::uintmax_t total);
  ~Progress();
  Progress(Progress const&) = delete;
  Progress& operator=(Progress const&) = delete;

  /// `done` of the total; `label` says what is being done.
  void show(std::uintmax_t done, std::string_view label);

 private:
  std::ostream& out_;
  Console::Options options_;
  std::uintmax_t total_;
  bool is_drawn_ = false;
};

/// Of a progress on standard error, where it does not get into results.
[[nodiscard]] Console::Options progress_options(Console const&);

/// "[████······]  40%  label", cut to `columns`.
[[nodiscard]] std::string progress_text(std::uintmax_t done, std::uintmax_t total, std::string_view label,
                                        std::size_t columns);

}  // namespace al::app
