#include "app/console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <iostream>
#include <numeric>
#include <optional>
#include <system_error>

#include "app/pager.hpp"
#include "core/utf8.hpp"

namespace al::app {
namespace {

constexpr std::size_t width_default = 100;
constexpr std::size_t width_min = 40;
constexpr std::size_t height_default = 24;
constexpr std::size_t gap = 2;  // between columns of a table
constexpr std::size_t column_min = 6;
constexpr std::string_view ellipsis = "…";

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
};

/// The first character of valid UTF-8.
Character first_character(std::string_view text) {
  auto const lead = static_cast<unsigned char>(text[0]);
  std::size_t const bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (bytes == 1 || bytes > text.size())
    return {lead, 1};
  char32_t code = lead & (0x7Fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i)
    code = (code << 6) | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  return {code, bytes};
}

struct Range {
  char32_t first, last;
};

/// Unicode's East Asian wide characters and emoji, in blocks: a table that is off by one column for a rare sign is
/// still readable, so the blocks are not cut finer.
constexpr std::array<Range, 11> wide{{{0x1100, 0x115F},
                                      {0x2E80, 0x303E},
                                      {0x3041, 0x4DBF},
                                      {0x4E00, 0x9FFF},
                                      {0xA000, 0xA4CF},
                                      {0xAC00, 0xD7A3},
                                      {0xF900, 0xFAFF},
                                      {0xFE30, 0xFE6F},
                                      {0xFF00, 0xFF60},
                                      {0x1F300, 0x1FAFF},
                                      {0x20000, 0x3FFFD}}};
/// Combining marks, joiners and variation selectors.
constexpr std::array<Range, 6> zero{
    {{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}}};

bool is_in(char32_t code, auto const& ranges) {
  return std::ranges::any_of(ranges, [&](Range const& range) { return code >= range.first && code <= range.last; });
}

std::size_t width_of(char32_t code) { return is_in(code, zero) ? 0 : is_in(code, wide) ? 2 : 1; }

bool is_control(char32_t code) { return code < 0x20 || (code >= 0x7F && code <= 0x9F); }

std::string_view escape_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::strong:
      return "\x1b[1m";
    case Tone::faint:
      return "\x1b[2m";
    case Tone::good:
      return "\x1b[32m";
    case Tone::caution:
      return "\x1b[33m";
    case Tone::bad:
      return "\x1b[31m";
    case Tone::accent:
      return "\x1b[36m";
  }
  return "";
}

/// A line that fits stays as it is, with its own indentation.
void append_wrapped(std::string& out, std::string_view line, std::string_view margin, std::size_t columns) {
  if (line.empty())
    return;
  if (margin.size() + columns_of(line) <= columns) {
    out.append(margin).append(line);
    return;
  }
  auto used = columns + 1;  // the first word begins a line
  for (bool is_first = true; !line.empty(); is_first = false) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    auto const word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    if (word.empty())
      break;
    auto const width = columns_of(word);
    bool const fits = used + 1 + width <= columns;
    out.append(fits ? " " : is_first ? "" : "\n").append(fits ? "" : margin).append(word);
    used = fits ? used + 1 + width : margin.size() + width;
  }
}

}  // namespace

// ---- text on a terminal ----

std::string printable(std::string_view text, bool keep_lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (utf8::valid_prefix(text.substr(0, 4)) == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
      continue;
    }
    auto const [code, bytes] = first_character(text);
    if (!is_control(code) || (code == '\n' && keep_lines)) {
      out += text.substr(0, bytes);
    } else {
      out += ' ';
    }
    text.remove_prefix(bytes);
  }
  return out;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    auto const [code, bytes] = first_character(text);
    columns += width_of(code);
    text.remove_prefix(bytes);
  }
  return columns;
}

std::string cut(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns)
    return std::string(text);
  std::size_t used = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    auto const [code, bytes] = first_character(text.substr(end));
    if (used + width_of(code) + 1 > columns)
      break;
    used += width_of(code);
    end += bytes;
  }
  return std::string(text.substr(0, end)).append(ellipsis);
}

std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string const margin(indent, ' ');
  std::string out;
  while (!text.empty()) {
    auto const line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!out.empty())
      out += '\n';
    append_wrapped(out, line, margin, columns);
  }
  return out;
}

// ---- Console ----

Console Console::of_process(bool json, std::map<std::string, std::string> const& environment, bool may_page) {
  Options options{.is_terminal = ::isatty(STDOUT_FILENO) == 1, .json = json};
  auto const no_colour = environment.find("NO_COLOR");
  auto const terminal = environment.find("TERM");
  bool const may_colour = (no_colour == environment.end() || no_colour->second.empty()) &&
                          (terminal == environment.end() || terminal->second != "dumb");
  options.has_colour = options.is_terminal && may_colour && !json;
  if (may_page && options.is_terminal)
    options.pager = pager_command(environment);
  Console console(std::cout, std::cerr, std::move(options));
  if (console.options().is_terminal)
    console.measure();
  return console;
}

void Console::measure() {
  winsize size{};
  bool const is_known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  options_.width = is_known && size.ws_col > 0 ? std::max<std::size_t>(size.ws_col, width_min) : width_default;
  options_.height = is_known && size.ws_row > 0 ? size.ws_row : height_default;
}

void Console::print(std::string_view line) {
  errno = 0;
  out_ << line << '\n';
  flush();
}

void Console::write(std::string_view text) {
  errno = 0;
  out_ << text;
  flush();
}

void Console::page(std::string_view lines) {
  LongOutput out(*this);
  out.print(lines);
  out.finish();
}

void Console::flush() {
  out_.flush();
  if (out_)
    return;
  auto const error = errno;
  throw OutputLost("cannot write to standard output" +
                   (error == 0 ? std::string() : ": " + std::generic_category().message(error)));
}

void Console::note(std::string_view line) { err_ << line << '\n' << std::flush; }

void Console::error(std::string_view message) { note(paint("error:", Tone::bad) + " " + printable(message, true)); }

std::string Console::paint(std::string_view text, Tone tone) const {
  if (!options_.has_colour || tone == Tone::plain || text.empty())
    return std::string(text);
  return std::string(escape_of(tone)).append(text).append("\x1b[0m");
}

// ---- Table ----

void Table::add(std::vector<Cell> row) {
  assert(row.size() == heading_.size());
  for (auto& cell : row)
    cell.text = printable(cell.text);
  rows_.push_back(std::move(row));
}

bool Table::is_whole(std::size_t column) const {
  return column == 0 || (is_last_whole_ && column + 1 == heading_.size());
}

// Takes from the widest column until a row fits; a program that reads our output gets everything.
std::vector<std::size_t> Table::widths(Console::Options const& options) const {
  std::vector<std::size_t> widths;
  for (auto const& name : heading_)
    widths.push_back(columns_of(name));
  for (auto const& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns_of(row[i].text));
  }
  if (!options.is_terminal)
    return widths;
  auto total = std::accumulate(widths.begin(), widths.end(), gap * (widths.size() - 1));
  while (total > options.width) {
    std::size_t widest = 0;
    for (std::size_t i = 1; i < widths.size(); ++i) {
      if (!is_whole(i) && (widest == 0 || widths[i] >= widths[widest]))
        widest = i;
    }
    if (widest == 0 || widths[widest] <= column_min)
      break;
    auto const less = std::min(total - options.width, std::max<std::size_t>(1, (widths[widest] - column_min) / 4));
    widths[widest] -= less;
    total -= less;
  }
  return widths;
}

// A later row may be wider than the columns, which were measured before it came.
std::string Table::row_text(Console const& console, std::vector<std::size_t> const& columns,
                            std::vector<Cell> const& row) const {
  std::string out;
  for (std::size_t i = 0; i < row.size(); ++i) {
    bool const may_be_cut = console.options().is_terminal && !is_whole(i);
    auto const shown = may_be_cut ? cut(row[i].text, columns[i]) : row[i].text;
    out += console.paint(shown, row[i].tone);
    auto const used = columns_of(shown);
    if (i + 1 < row.size())
      out.append(gap + columns[i] - std::min(columns[i], used), ' ');
  }
  return out;
}

std::string Table::heading_text(Console const& console, std::vector<std::size_t> const& columns) const {
  std::vector<Cell> row;
  for (auto const& name : heading_)
    row.push_back({name, Tone::faint});
  return row_text(console, columns, row);
}

std::string Table::text(Console const& console) const {
  auto const columns = widths(console.options());
  auto out = heading_text(console, columns);
  for (auto const& row : rows_)
    out.append("\n").append(row_text(console, columns, row));
  return out;
}

std::string Table::next(Console const& console) {
  std::string out;
  if (columns_.empty()) {
    columns_ = widths(console.options());
    out = heading_text(console, columns_);
  }
  for (auto const& row : rows_)
    out.append(out.empty() ? "" : "\n").append(row_text(console, columns_, row));
  rows_.clear();
  return out;
}

}  // namespace al::app
