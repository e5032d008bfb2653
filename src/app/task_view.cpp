#include "app/task_view.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <utility>

#include "app/answer.hpp"
#include "app/command.hpp"
#include "core/time.hpp"

namespace al::app {
namespace {

constexpr std::size_t text_columns_max = 100;

/// As it was written: text_of() makes times readable, also where a model wrote one.
std::string_view raw_text(json::value const& object, std::string_view key) {
  auto const& member = member_of(object, key);
  if (!member.is_string())
    return {};
  return {member.get_string().data(), member.get_string().size()};
}

std::string now_text() {
  auto text = to_rfc3339(SystemClock().now());
  text.resize(std::string_view("2026-01-31T12:00:00").size());
  text[10] = ' ';
  return text;
}

std::string sources_text(Console const& console, json::value const& result) {
  std::string out;
  std::size_t number = 0;
  for (auto const& source : list_of(result, "sources")) {
    if (number == 0)
      out = console.paint("Sources", Tone::strong);
    auto const where = text_of(source, "source");
    out += "\n[" + std::to_string(++number) + "] " +
           printable(text_of(source, "agent_id") + "/" + text_of(source, "knowledge_id"));
    if (!where.empty())
      out += "  " + console.paint(printable(where), Tone::faint);
  }
  return out;
}

}  // namespace

std::string answer_text(Console const& console, json::value const& result) {
  auto const width = std::min(console.options().width, text_columns_max);
  auto out = wrapped(printable(raw_text(result, "text"), true), width);
  if (auto const sources = sources_text(console, result); !sources.empty())
    out += "\n\n" + sources;
  return out;
}

std::string_view cut_reason(json::value const& result) {
  return raw_text(result, "finish") == "length" ? "the answer was cut at the limit of tokens (max_tokens)" : "";
}

void print_answer(Console& console, json::value const& result, bool is_text_shown) {
  if (!is_text_shown) {
    console.print(answer_text(console, result));
  } else if (auto const sources = sources_text(console, result); !sources.empty()) {
    console.print("\n" + sources);
  }
  if (auto const reason = cut_reason(result); !reason.empty())
    console.note(console.paint(reason, Tone::caution));
}

TaskView::TaskView(Console& console) : console_(console), is_live_(console.options().is_terminal && !console.json()) {}

void TaskView::begin_stream() {
  told_.clear();
  is_told_ = !shown_.empty();
}

bool TaskView::take(std::string_view event, std::string_view data) {
  auto source = json::Source::from(std::string(data));
  if (!source)
    return true;
  auto const& value = *source->root().parsed;
  if (event == "text") {
    auto const& answer = member_of(value, "answer");
    add_text(answer.is_int64() ? answer.get_int64() : 0, raw_text(value, "text"));
  } else if (event == "task" || event == "end") {
    complete_words(member_of(value, "result"));  // before a note begins a new line
    note_changes(value);
  }
  if (event != "end")
    return true;
  end_ = std::move(*source);
  return false;
}

void TaskView::end_line() {
  if (std::exchange(is_line_open_, false))
    console_.write("\n");
}

void TaskView::note(std::string_view time, std::string_view text) {
  end_line();
  console_.note(console_.paint(printable(std::string(time) + "  " + std::string(text)), Tone::faint));
}

// The stream tells states, not changes: several may lie between two of them.
void TaskView::note_changes(json::value const& task) {
  if (console_.json())
    return;
  auto const status = text_of(task, "status");
  auto const attempt = text_of(task, "attempt");
  auto const why = text_of(task, "error_message");
  if (state_.empty()) {
    auto const reason = text_of(task, "chosen_because");
    note(text_of(task, "created_at"), "given to " + text_of(task, "agent_id") + " as " + text_of(task, "id") +
                                          (reason.empty() ? "" : " (" + reason + ")"));
  }
  auto const started = text_of(task, "started_at");
  if (!started.empty() && attempt != attempt_) {
    // Words may come before the state does, and say enough.
    bool const is_seen = attempt_.empty() && is_line_open_;
    attempt_ = attempt;
    if (!is_seen)
      note(started, "started, attempt " + attempt + " of " + text_of(task, "max_attempts"));
  }
  auto const state = status + ' ' + attempt + ' ' + why;
  if (state == state_)
    return;
  state_ = state;
  if (status == "started" || (status == "pending" && why.empty()))
    return;
  auto const ended = text_of(task, "completed_at");
  note(ended.empty() ? now_text() : ended, status + (why.empty() ? "" : ": " + why));
}

void TaskView::add_text(std::int64_t answer, std::string_view piece) {
  if (!is_live_)
    return;
  if (answer != answer_) {
    end_line();
    answer_ = answer;
    shown_.clear();
    is_told_ = false;
  }
  if (is_told_) {
    told_ += piece;
    if (told_.size() <= shown_.size() && shown_.starts_with(told_))
      return;
    is_told_ = false;
    piece = told_;
    if (told_.starts_with(shown_)) {
      piece.remove_prefix(shown_.size());
    } else {
      end_line();  // another server speaks, which counts from 1 as well
      shown_.clear();
    }
  }
  if (piece.empty())
    return;
  shown_ += piece;
  console_.write(printable(piece, true));
  is_line_open_ = !piece.ends_with('\n');
}

// The last words may be gone from the server's memory before they were sent.
void TaskView::complete_words(json::value const& result) {
  auto const answer = raw_text(result, "text");
  auto const shown = std::string_view(shown_).substr(0, shown_.find_last_not_of(" \n") + 1);
  if (shown.empty() || !answer.starts_with(shown))
    return;
  is_answer_shown_ = true;
  is_told_ = false;
  add_text(answer_, answer.substr(std::min(shown_.size(), answer.size())));
}

int TaskView::show_end() {
  if (!end_)
    return exit_failure;
  auto const root = end_->root();
  auto const& task = *root.parsed;
  bool const is_completed = text_of(task, "status") == "completed";
  if (console_.json()) {
    console_.print(root.raw);
  } else if (is_completed) {
    end_line();
    print_answer(console_, member_of(task, "result"), is_answer_shown_);
  } else {
    end_line();
    auto const why = text_of(task, "error_message");
    console_.error("the task was not completed: " + text_of(task, "status") + (why.empty() ? "" : ", " + why));
  }
  return is_completed ? exit_ok : exit_failure;
}

}  // namespace al::app
