#include "app/listing.hpp"

#include "app/option_values.hpp"
#include "app/pager.hpp"
#include "data/page.hpp"

namespace al::app {
namespace {

Parameters with_page(Parameters parameters, std::string_view limit, std::string_view cursor) {
  parameters.emplace_back("limit", limit);
  parameters.emplace_back("cursor", cursor);
  return parameters;
}

std::string table_text(Console const& console, Listing const& listing, json::value const& page) {
  Table table(listing.heading);
  for (auto const& element : list_of(page, listing.key))
    table.add(listing.row(element));
  return table.empty() ? listing.none : table.text(console);
}

/// As text page by page, as JSON in one piece: half a document would be none.
int list_all(Workplace& workplace, Listing const& listing, std::string cursor) {
  auto& console = workplace.console;
  auto const page_size = std::to_string(data::page_limit_max);
  ApiClient client(workplace.config);
  LongOutput out(console);
  Table table(listing.heading);
  std::string all;
  std::size_t count = 0;
  do {
    auto const page = client.get(listing.path + query_text(with_page(listing.filters, page_size, cursor)));
    if (!page) {
      out.finish();
      return report(console, page.error());
    }
    auto const root = page->body.root();
    for (auto const& element : json::elements(json::member(root, listing.key))) {
      ++count;
      if (console.json()) {
        all.append(all.empty() ? "" : ",").append(element.raw);
      } else {
        table.add(listing.row(*element.parsed));
      }
    }
    if (!table.empty() && !out.print(table.next(console)))
      break;
    cursor = text_of(*root.parsed, "next_cursor");
  } while (!cursor.empty());
  if (console.json()) {
    console.print("{\"" + listing.key + "\":[" + all + "],\"count\":" + std::to_string(count) +
                  ",\"next_cursor\":null}");
  } else if (count == 0) {
    console.print(listing.none);
  }
  out.finish();
  return exit_ok;
}

}  // namespace

std::shared_ptr<PageOptions> add_page_options(CLI::App& command) {
  auto options = std::make_shared<PageOptions>();
  auto* limit = take_number(command.add_option("--limit", options->limit, "How many at most (1 to 500, default 50)"), 1,
                            data::page_limit_max);
  command.add_option("--cursor", options->cursor, "Where the page before ended")->type_name("CURSOR");
  options->watch = add_watch_option(command);
  command.add_flag("--all", options->is_all, "Every page, not only the first")
      ->excludes(limit)
      ->excludes(command.get_option("--watch"));
  return options;
}

int list(Workplace& workplace, Listing const& listing, PageOptions const& options) {
  if (options.is_all)
    return list_all(workplace, listing, options.cursor);
  auto& console = workplace.console;
  std::string next;
  View const view{.path = listing.path + query_text(with_page(listing.filters, options.limit, options.cursor)),
                  .channels = listing.channels,
                  .render = [&](json::value const& page) {
                    next = text_of(page, "next_cursor");
                    return table_text(console, listing, page);
                  }};
  auto const code = look(workplace, view, *options.watch);
  // Standard error: a program that reads the rows is not to take it for one.
  if (!next.empty())
    console.note(console.paint("There are more: --all, or --cursor " + printable(next), Tone::faint));
  return code;
}

}  // namespace al::app
