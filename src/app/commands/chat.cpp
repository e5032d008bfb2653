#include <unistd.h>

#include <iostream>
#include <memory>

#include "app/answer.hpp"
#include "app/command.hpp"

namespace al::app {
namespace {

constexpr std::size_t line_bytes_max = 100'000;

/// What is said on the command line, and with whom.
struct Talk {
  std::string agent;
  std::string message;
  std::string session;
};

/// A conversation with one agent.
class Chat {
 public:
  Chat(Workplace& workplace, Talk const& talk)
      : console_(workplace.console), client_(workplace.config), agent_(talk.agent), session_(talk.session) {}

  /// Says `message` and prints the answer as it is written. Answers the exit code.
  int say(std::string const& message) {
    is_written_ = false;
    step_ = 0;
    failure_ = {.code = Code::unavailable, .message = "the answer was cut before its end"};
    auto const done = client_.run(client_.post_stream("/agents/" + escaped(agent_) + "/chat", body_of(message),
                                                      [this](http::SseEvent const& event) { return take(event); }));
    if (is_written_)
      console_.write("\n");
    if (!done)
      return report(console_, done.error());
    if (!failure_.message.empty())
      return report(console_, failure_);
    return exit_ok;
  }

  /// Line after line until the input ends. A Ctrl-C stops the answer, and only that.
  int converse() {
    bool const is_terminal = ::isatty(STDIN_FILENO) == 1;
    if (is_terminal && !console_.json())
      console_.note("Talking with " + printable(agent_) + ". An empty line or Ctrl-D ends it.");
    int code = exit_ok;
    std::string line;
    while (prompt(is_terminal), std::getline(std::cin, line)) {
      if (line.empty() && is_terminal)
        break;
      if (line.empty())
        continue;
      code = line.size() > line_bytes_max ? report(console_, too_long()) : say_or_stop(line);
    }
    if (is_terminal && !session_.empty() && !console_.json())
      console_.note("Go on later: agent-lightning chat " + printable(agent_) + " --session " + printable(session_));
    return code;
  }

 private:
  static Error too_long() {
    return {.code = Code::invalid,
            .message = "a message may have " + std::to_string(line_bytes_max) + " bytes at most"};
  }

  void prompt(bool is_terminal) {
    if (is_terminal && !console_.json())
      console_.write(console_.paint("> ", Tone::accent));
  }

  int say_or_stop(std::string const& message) {
    try {
      return say(message);
    } catch (Interrupted const&) {
      console_.note("stopped");
      return exit_interrupted;
    }
  }

  [[nodiscard]] std::string body_of(std::string const& message) const {
    json::object body{{"message", message}, {"stream", true}};
    if (!session_.empty())
      body["session_id"] = session_;
    return json::serialize(body);
  }

  /// Answers whether there is more to come.
  bool take(http::SseEvent const& event) {
    auto const data = json::parse(event.data);
    if (!data)
      return true;
    if (event.name == "session") {
      session_ = text_of(*data, "session_id");
    } else if (event.name == "text" && !console_.json()) {
      write_piece(*data);
    } else if (event.name == "error") {
      failure_ = read_problem(0, event.data);
      return false;
    } else if (event.name == "end") {
      finish(*data, event.data);
      return false;
    }
    return true;
  }

  void write_piece(json::value const& data) {
    auto const* step = member_of(data, "step").if_int64();
    if (step && *step != step_ && is_written_)
      console_.write("\n");
    step_ = step ? *step : step_;
    // Not text_of(): it shortens times.
    if (auto const* text = member_of(data, "text").if_string())
      console_.write(printable(*text, true));
    is_written_ = true;
  }

  void finish(json::value const& data, std::string const& text) {
    failure_ = {.code = Code::internal, .message = {}};
    if (console_.json()) {
      console_.print(text);
      return;
    }
    auto const& answer = member_of(data, "answer");
    // Without a model nothing is written piece by piece.
    if (!is_written_)
      console_.print(printable(text_of(answer, "text"), true));
  }

  Console& console_;
  ApiClient client_;
  std::string agent_;
  std::string session_;
  bool is_written_ = false;
  std::int64_t step_ = 0;
  Error failure_{.code = Code::internal, .message = {}};
};

int run_chat(Workplace& workplace, Talk const& talk) {
  Chat chat(workplace, talk);
  return talk.message.empty() ? chat.converse() : chat.say(talk.message);
}

}  // namespace

void add_chat_command(CLI::App& app, Invocation& invocation) {
  auto* chat = app.add_subcommand("chat", "Talk with an agent");
  auto talk = std::make_shared<Talk>();
  chat->add_option("AGENT", talk->agent, "Whom to talk with")->required();
  chat->add_option("TEXT", talk->message, "Say just this; without it every line of the input is said");
  chat->add_option("--session", talk->session, "Go on with this conversation")->type_name("ID");
  chat->footer(
      "Examples:\n  agent-lightning chat developer\n"
      "  agent-lightning chat security_expert \"How do I store passwords?\"");
  chat->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return run_chat(workplace, *talk); }; });
}

}  // namespace al::app
