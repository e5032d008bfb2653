#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "app/console.hpp"
#include "core/json.hpp"

namespace al::app {

/// What people see of a task while it runs: its changes as notes, the words of its model as they come (on a terminal,
/// not with --json), and in the end its answer. Fed with the events of GET /tasks/{id}/stream. Not thread-safe.
class TaskView {
 public:
  explicit TaskView(Console& console);

  /// A stream begins, maybe after another one that broke off: it tells the words of the running answer from the first
  /// on.
  void begin_stream();
  /// False after the last event.
  [[nodiscard]] bool take(std::string_view event, std::string_view data);
  /// Begins a new line when the words on the terminal left theirs open.
  void end_line();
  /// Shows how the task ended, without the words that were shown already. Answers the exit code.
  [[nodiscard]] int show_end();

 private:
  void note(std::string_view time, std::string_view text);
  void note_changes(json::value const& task);
  void add_text(std::int64_t answer, std::string_view piece);
  void complete_words(json::value const& result);

  Console& console_;
  bool is_live_;
  bool is_line_open_ = false;
  bool is_answer_shown_ = false;
  std::int64_t answer_ = 0;
  std::string shown_;     // words of the answer on the terminal
  std::string told_;      // words of it that a later stream told again
  bool is_told_ = false;  // it tells them again still
  std::string attempt_;
  std::string state_;
  std::optional<json::Source> end_;
};

/// The answer's text, and the sources that its numbers stand for.
[[nodiscard]] std::string answer_text(Console const&, json::value const& result);

/// Prints the answer, of which `is_text_shown` says that its words stand there already, and notes when it was cut.
void print_answer(Console&, json::value const& result, bool is_text_shown);

/// Why the answer is not whole; empty when it is.
[[nodiscard]] std::string_view cut_reason(json::value const& result);

}  // namespace al::app
