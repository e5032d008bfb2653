#pragma once
#include <CLI/App.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/redraw.hpp"

namespace al::app {

/// A list of the API, as a table.
struct Listing {
  std::string path;        ///< after /api/v1
  std::string key;         ///< of the array in the answer
  Parameters filters{};    ///< those that are empty are left out
  std::string channels{};  ///< as those of a View
  std::vector<std::string> heading;
  std::function<std::vector<Cell>(json::value const&)> row;
  std::string none;  ///< what an empty list says
};

/// What every list takes.
struct PageOptions {
  std::string limit;
  std::string cursor;
  bool is_all = false;
  WatchWish watch;
};
[[nodiscard]] std::shared_ptr<PageOptions> add_page_options(CLI::App& command);

/// Prints a page, or with --all every page as it comes. Answers the exit code.
int list(Workplace&, Listing const&, PageOptions const&);

}  // namespace al::app
