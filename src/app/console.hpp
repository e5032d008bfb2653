#pragma once
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/fault.hpp"

namespace al::app {

/// What a piece of text means; the console decides how that looks.
enum class Tone { plain, strong, faint, good, caution, bad, accent };

/// A result could not be written: the disk is full, or nobody reads the pipe any more.
class OutputLost : public Fault {
 public:
  using Fault::Fault;
};

/// Where commands write: results to `out`, everything else to `err`. Colours only on a terminal, and not when NO_COLOR
/// is set (no-color.org). Not thread-safe.
class Console {
 public:
  struct Options {
    bool is_terminal = false;  ///< of `out`: tables fit its width and progress is redrawn
    bool has_colour = false;
    std::size_t width = 80;   ///< in columns; only looked at on a terminal
    std::size_t height = 24;  ///< in lines; only looked at on a terminal
    bool json = false;        ///< results as JSON, for programs
    /// The program that shows what is longer than the terminal, and its arguments; none when empty.
    std::vector<std::string> pager{};
  };
  Console(std::ostream& out, std::ostream& err, Options options) : out_(out), err_(err), options_(std::move(options)) {}

  /// Of this process: standard output and error, asking the terminal.
  [[nodiscard]] static Console of_process(bool json, std::map<std::string, std::string> const& environment,
                                          bool may_page = true);
  /// Asks the terminal for its size again. Only of this process's console.
  void measure();

  [[nodiscard]] Options const& options() const { return options_; }
  [[nodiscard]] bool json() const { return options_.json; }

  /// A line of the result; flushed, so that a reader at the other end of a pipe sees it at once. Throws OutputLost.
  void print(std::string_view line);
  /// A part of the result, flushed as it is. Throws OutputLost.
  void write(std::string_view text);
  /// The whole result: print(), or through the pager when it is longer than the terminal.
  void page(std::string_view lines);
  /// Sends off what was written to `out` by others. Throws OutputLost.
  void flush();
  /// A line that is not the result: a hint, progress.
  void note(std::string_view line);
  /// "error: …", in red.
  void error(std::string_view message);

  /// `text` as it looks in `tone`.
  [[nodiscard]] std::string paint(std::string_view text, Tone tone) const;

 private:
  std::ostream& out_;
  std::ostream& err_;
  Options options_;
};

/// A cell; what it says may come from anywhere, so control characters are taken out when it is drawn.
struct Cell {
  std::string text;
  Tone tone = Tone::plain;
};

/// Aligned columns under a heading. On a terminal the widest columns are cut until a row fits, the last of them first;
/// never the first column, and never the last when `is_last_whole`: they hold what the next command needs.
class Table {
 public:
  explicit Table(std::vector<std::string> heading, bool is_last_whole = false)
      : heading_(std::move(heading)), is_last_whole_(is_last_whole) {}

  /// As many cells as there are headings.
  void add(std::vector<Cell> row);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] std::string text(Console const&) const;
  /// The rows that came since the last call; the first time under the heading. The columns stay as wide as they were
  /// then, so that a long list can be written while it is read.
  [[nodiscard]] std::string next(Console const&);

 private:
  [[nodiscard]] bool is_whole(std::size_t column) const;
  [[nodiscard]] std::vector<std::size_t> widths(Console::Options const&) const;
  [[nodiscard]] std::string row_text(Console const&, std::vector<std::size_t> const& columns,
                                     std::vector<Cell> const& row) const;
  [[nodiscard]] std::string heading_text(Console const&, std::vector<std::size_t> const& columns) const;

  std::vector<std::string> heading_;
  bool is_last_whole_;
  std::vector<std::vector<Cell>> rows_;
  std::vector<std::size_t> columns_;  // once next() was called
};

/// Without line feeds, escapes and other control characters, which a terminal would obey. `keep_lines` leaves \n.
[[nodiscard]] std::string printable(std::string_view text, bool keep_lines = false);

/// The columns that `text` (UTF-8) takes on a terminal: wide East Asian characters and emoji count two.
[[nodiscard]] std::size_t columns_of(std::string_view text);

/// `text` cut to `columns`, with … in place of what is left out.
[[nodiscard]] std::string cut(std::string_view text, std::size_t columns);

/// `text` broken between words into lines of at most `columns`, each after `indent` spaces. Its own lines stay.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent = 0);

}  // namespace al::app
