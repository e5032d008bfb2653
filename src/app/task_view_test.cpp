#include "app/task_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "app/command.hpp"

namespace al::app {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

std::string task(std::string const& more) {
  return R"({"id":"t1","agent_id":"writer","attempt":1,"max_attempts":3,"created_at":"2026-01-01T10:00:00Z",)"
         R"("started_at":"2026-01-01T10:00:01Z",)" +
         more + "}";
}

std::string completed(std::string const& text, std::string const& sources = "[]") {
  return task(R"("status":"completed","completed_at":"2026-01-01T10:00:02Z","result":{"text":")" + text +
              R"(","sources":)" + sources + "}");
}

std::string words(int answer, std::string const& text) {
  return R"({"answer":)" + std::to_string(answer) + R"(,"step":1,"text":")" + text + R"("})";
}

struct View {
  explicit View(bool is_terminal, bool json = false) {
    Console::Options options{.is_terminal = is_terminal, .json = json};
    console.emplace(out, err, options);
    view.emplace(*console);
    view->begin_stream();
  }
  void tell(std::string const& event, std::string const& data) { EXPECT_TRUE(view->take(event, data)); }
  int end(std::string const& data) {
    EXPECT_FALSE(view->take("end", data));
    return view->show_end();
  }
  std::ostringstream out, err;
  std::optional<Console> console;
  std::optional<TaskView> view;
};

TEST(TaskView, WordsComeOnceAndTheSourcesBehindThem) {
  View seen(true);
  seen.tell("task", task(R"("status":"started")"));
  seen.tell("text", words(1, "Bind "));
  seen.tell("text", words(1, "values [1]."));
  EXPECT_EQ(seen.out.str(), "Bind values [1].");
  auto const code =
      seen.end(completed("Bind values [1].", R"([{"agent_id":"writer","knowledge_id":"k","source":"a book"}])"));
  EXPECT_EQ(code, exit_ok);
  EXPECT_EQ(seen.out.str(), "Bind values [1].\n\nSources\n[1] writer/k  a book\n");
  EXPECT_EQ(seen.err.str(),
            "2026-01-01 10:00:00  given to writer as t1\n"
            "2026-01-01 10:00:01  started, attempt 1 of 3\n"
            "2026-01-01 10:00:02  completed\n");
}

/// An attempt after one that was cut has the same steps.
TEST(TaskView, AnAnswerBeginsOnALineOfItsOwn) {
  View seen(true);
  seen.tell("text", words(1, "I will look."));
  seen.tell("text", words(2, "It is so."));
  EXPECT_EQ(seen.out.str(), "I will look.\nIt is so.");
  EXPECT_EQ(seen.end(completed("It is so.")), exit_ok);
  EXPECT_EQ(seen.out.str(), "I will look.\nIt is so.\n");
}

TEST(TaskView, WithoutATerminalOnlyTheAnswerIsPrinted) {
  View seen(false);
  seen.tell("text", words(1, "It is"));
  EXPECT_EQ(seen.out.str(), "");
  EXPECT_EQ(seen.end(completed("It is so.")), exit_ok);
  EXPECT_EQ(seen.out.str(), "It is so.\n");
}

TEST(TaskView, ProgramsGetTheTaskAsItCame) {
  View seen(true, true);
  seen.tell("text", words(1, "It is"));
  EXPECT_EQ(seen.end(completed("It is so.")), exit_ok);
  EXPECT_EQ(seen.out.str(), completed("It is so.") + "\n");
  EXPECT_EQ(seen.err.str(), "");
}

TEST(TaskView, WhatASecondStreamTellsAgainIsNotShownAgain) {
  View seen(true);
  seen.tell("text", words(1, "One two "));
  seen.view->begin_stream();
  seen.tell("text", words(1, "One "));
  seen.tell("text", words(1, "two three "));
  seen.tell("text", words(1, "four."));
  EXPECT_EQ(seen.end(completed("One two three four.")), exit_ok);
  EXPECT_EQ(seen.out.str(), "One two three four.\n");
}

TEST(TaskView, AnotherAttemptsWordsBeginOnANewLine) {
  View seen(true);
  seen.tell("text", words(1, "One two "));
  seen.view->begin_stream();
  seen.tell("text", words(1, "Three"));
  EXPECT_EQ(seen.end(completed("Three.")), exit_ok);
  EXPECT_EQ(seen.out.str(), "One two \nThree.\n");
}

TEST(TaskView, WordsThatWereLostComeWithTheEnd) {
  View cut(true);
  cut.tell("text", words(1, "One two"));
  EXPECT_EQ(cut.end(completed("One two three.")), exit_ok);
  EXPECT_EQ(cut.out.str(), "One two three.\n");
  View broken(true);
  broken.tell("text", words(1, "One two"));
  broken.view->begin_stream();
  EXPECT_EQ(broken.end(completed("One two three.")), exit_ok);
  EXPECT_EQ(broken.out.str(), "One two three.\n");
  View other(true);
  other.tell("text", words(1, "One two"));
  EXPECT_EQ(other.end(completed("Nothing of that.")), exit_ok);
  EXPECT_EQ(other.out.str(), "One two\nNothing of that.\n");
}

/// A stream that is taken up again may begin with the task that has ended meanwhile.
TEST(TaskView, WordsThatWereLostComeBeforeTheNewsOfTheEnd) {
  View seen(true);
  seen.tell("task", task(R"("status":"started")"));
  seen.tell("text", words(1, "First this, "));
  seen.view->begin_stream();
  seen.tell("task", completed("First this, then that."));
  EXPECT_EQ(seen.out.str(), "First this, then that.\n");
  seen.end(completed("First this, then that."));
  EXPECT_EQ(seen.out.str(), "First this, then that.\n");
}

TEST(TaskView, NotesDoNotCutALine) {
  View seen(true);
  seen.tell("text", words(1, "One two"));
  seen.tell("task", task(R"("status":"pending","error_message":"the model is away")"));
  EXPECT_EQ(seen.out.str(), "One two\n");
  EXPECT_THAT(seen.err.str(), HasSubstr("  pending: the model is away\n"));
}

TEST(TaskView, WordsThatComeBeforeTheStartAreNotCutByIt) {
  View seen(true);
  seen.tell("task", R"({"id":"t1","agent_id":"writer","status":"pending","attempt":0})");
  seen.tell("text", words(1, "One "));
  seen.tell("task", task(R"("status":"started")"));
  seen.tell("text", words(1, "two"));
  EXPECT_EQ(seen.out.str(), "One two");
  EXPECT_THAT(seen.err.str(), Not(HasSubstr("started")));
}

TEST(TaskView, ATaskThatFailedSaysWhy) {
  View seen(true);
  seen.tell("text", words(1, "One two"));
  EXPECT_EQ(seen.end(task(R"("status":"failed","error_message":"no model","completed_at":"2026-01-01T10:00:02Z")")),
            exit_failure);
  EXPECT_EQ(seen.out.str(), "One two\n");
  EXPECT_THAT(seen.err.str(), EndsWith("error: the task was not completed: failed, no model\n"));
}

TEST(TaskView, AnAnswerThatWasCutIsNotTakenForAWholeOne) {
  std::string const finish = R"([],"finish":"length")";
  for (bool const is_terminal : {true, false}) {
    View seen(is_terminal);
    seen.tell("text", words(1, "One two"));
    EXPECT_EQ(seen.end(completed("One two", finish)), exit_ok);
    EXPECT_EQ(seen.out.str(), "One two\n");
    EXPECT_THAT(seen.err.str(), EndsWith("the answer was cut at the limit of tokens (max_tokens)\n"));
  }
  View program(false, true);
  EXPECT_EQ(program.end(completed("One two", finish)), exit_ok);
  EXPECT_EQ(program.err.str(), "") << "it is in the JSON";
  View whole(true);
  EXPECT_EQ(whole.end(completed("One two", R"([],"finish":"stop")")), exit_ok);
  EXPECT_THAT(whole.err.str(), Not(HasSubstr("cut")));
}

TEST(TaskView, NothingOfItControlsTheTerminal) {
  View seen(true);
  seen.tell("task", task(R"("status":"pending","chosen_because":"\u001b[2J")"));
  seen.tell("text", words(1, R"(a\u001b]0;x\u0007\nb)"));
  EXPECT_THAT(seen.out.str() + seen.err.str(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(seen.out.str(), HasSubstr("\nb"));
}

TEST(TaskView, WhatIsNoEventOfItsIsLeftOut) {
  View seen(true);
  seen.tell("text", "no JSON");
  seen.tell("later", "{}");
  seen.tell("text", "[]");
  EXPECT_EQ(seen.out.str() + seen.err.str(), "");
  EXPECT_EQ(seen.view->show_end(), exit_failure) << "it has no end yet";
}

}  // namespace
}  // namespace al::app
