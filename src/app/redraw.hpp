#pragma once
#include <CLI/App.hpp>
#include <functional>
#include <memory>
#include <string>

#include "app/answer.hpp"
#include "app/command.hpp"

namespace al::app {

/// What a GET of the API looks like to people.
struct View {
  std::string path;      ///< after /api/v1, with its query
  std::string channels;  ///< of the events that may change it, as `task:*`; empty: it is only looked at now and then
  std::function<std::string(json::value const&)> render;
};

/// --watch[=SECONDS]; the text is empty when it was not given.
using WatchWish = std::shared_ptr<std::string>;
[[nodiscard]] WatchWish add_watch_option(CLI::App& command);

/// Shows the view once, or with --watch until Ctrl-C: it is drawn anew in its place every few seconds and when an event
/// tells of a change. Answers the exit code.
int look(Workplace&, View const&, std::string const& watch);

/// What takes the terminal from a drawing of `lines_before` lines to one of `text`, whose lines may be too long for it
/// and too many: they are cut to `lines_max`. `lines` is set to how many are drawn.
[[nodiscard]] std::string redrawn(std::string_view text, std::size_t lines_before, std::size_t lines_max,
                                  std::size_t& lines);

}  // namespace al::app
