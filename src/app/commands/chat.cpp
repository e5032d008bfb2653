#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <memory>
#include <utility>

#include "app/answer.hpp"
#include "app/command.hpp"
#include "app/descriptor.hpp"
#include "app/task_view.hpp"

namespace al::app {
namespace {

constexpr std::size_t line_bytes_max = 100'000;

/// What is said on the command line, and with whom.
struct Talk {
  std::string agent;
  std::string message;
  std::string session;
};

/// Waits for what is typed. While it lives Ctrl-C does not end the process, which has something to say at its end; read
/// calls could not tell of it, since the C library begins them again.
class TypedInput {
 public:
  TypedInput() {
    sigemptyset(&interrupt_);
    sigaddset(&interrupt_, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &interrupt_, &before_);
  }
  ~TypedInput() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  TypedInput(TypedInput const&) = delete;
  TypedInput& operator=(TypedInput const&) = delete;

  /// Until there is a line, or the input ended. False: Ctrl-C came before.
  [[nodiscard]] bool wait_for_line() const {
    Descriptor const interrupts(::signalfd(-1, &interrupt_, SFD_CLOEXEC));
    std::array<pollfd, 2> sources{{{STDIN_FILENO, POLLIN, 0}, {interrupts.number(), POLLIN, 0}}};
    while (::poll(sources.data(), sources.size(), -1) < 0 && errno == EINTR) {
    }
    signalfd_siginfo taken{};
    return sources[1].revents == 0 || ::read(interrupts.number(), &taken, sizeof taken) != sizeof taken;
  }

 private:
  sigset_t interrupt_{};
  sigset_t before_{};
};

/// A conversation with one agent.
class Chat {
 public:
  Chat(Workplace& workplace, Talk const& talk)
      : console_(workplace.console),
        client_(workplace.config),
        agent_(talk.agent),
        session_(talk.session),
        is_live_(console_.options().is_terminal && !console_.json()) {}

  /// Says `message` and prints the answer. Answers the exit code.
  int say_once(std::string const& message) {
    auto const code = say_or_stop(message);
    note_session();
    return code;
  }

  /// Line after line until the input ends, or Ctrl-C comes instead of a line. While an answer comes it stops that only.
  int converse() {
    bool const is_typed = ::isatty(STDIN_FILENO) == 1;
    if (is_typed && !console_.json())
      console_.note("Talking with " + printable(agent_) + ". An empty line or Ctrl-D ends it.");
    int code = exit_ok;
    try {
      for (std::string line; is_typed ? ask(line) : read(line);)
        code = line.size() > line_bytes_max ? report(console_, too_long()) : say_or_stop(line);
    } catch (Interrupted const&) {
      code = exit_interrupted;
    }
    note_session();
    return code;
  }

 private:
  static Error too_long() {
    return {.code = Code::invalid,
            .message = "a message may have " + std::to_string(line_bytes_max) + " bytes at most"};
  }

  /// The next line that says something; false at the end of the input.
  static bool read(std::string& line) {
    while (std::getline(std::cin, line)) {
      if (!line.empty())
        return true;
    }
    return false;
  }

  /// The same of who types, and ends it with an empty line as well. Throws Interrupted.
  bool ask(std::string& line) {
    TypedInput const input;
    if (!console_.json())
      console_.write(console_.paint("> ", Tone::accent));
    bool const has_line = input.wait_for_line();
    if (has_line && std::getline(std::cin, line))
      return !line.empty();
    if (!console_.json())
      console_.write("\n");  // the prompt's line is open still
    if (!has_line)
      throw Interrupted();
    return false;
  }

  int say_or_stop(std::string const& message) {
    try {
      return say(message);
    } catch (Interrupted const&) {
      end_line();
      if (!console_.json())
        console_.note("stopped");
      return exit_interrupted;
    }
  }

  int say(std::string const& message) {
    end_.reset();
    step_ = 0;
    is_text_shown_ = false;
    failure_ = {.code = Code::unavailable, .message = "the answer was cut before its end"};
    auto const done = client_.run(client_.post_stream("/agents/" + escaped(agent_) + "/chat", body_of(message),
                                                      [this](http::SseEvent const& event) { return take(event); }));
    end_line();
    if (!done)
      return report(console_, done.error());
    if (!end_)
      return report(console_, failure_);
    auto const root = end_->root();
    if (console_.json()) {
      console_.print(root.raw);
    } else {
      print_answer(console_, member_of(*root.parsed, "answer"), is_text_shown_);
    }
    return exit_ok;
  }

  [[nodiscard]] std::string body_of(std::string const& message) const {
    json::object body{{"message", message}, {"stream", true}};
    if (!session_.empty())
      body["session_id"] = session_;
    return json::serialize(body);
  }

  /// Answers whether there is more to come.
  bool take(http::SseEvent const& event) {
    auto source = json::Source::from(event.data);
    if (!source)
      return true;
    auto const& data = *source->root().parsed;
    if (event.name == "session") {
      session_ = text_of(data, "session_id");
      has_begun_ = true;
    } else if (event.name == "text" && is_live_) {
      write_piece(data);
    } else if (event.name == "error") {
      failure_ = read_problem(0, event.data);
    } else if (event.name == "end") {
      end_ = std::move(*source);
    }
    return event.name != "error" && event.name != "end";
  }

  void write_piece(json::value const& data) {
    auto const* step = member_of(data, "step").if_int64();
    // Not text_of(): it shortens times.
    auto const* text = member_of(data, "text").if_string();
    if (!step || !text || text->empty())
      return;
    if (*step != std::exchange(step_, *step))
      end_line();
    console_.write(printable(*text, true));
    is_line_open_ = !text->ends_with('\n');
    is_text_shown_ = true;
  }

  void end_line() {
    if (std::exchange(is_line_open_, false))
      console_.write("\n");
  }

  /// For people only: programs have it in their JSON.
  void note_session() {
    if (has_begun_ && !console_.json() && ::isatty(STDERR_FILENO) == 1)
      console_.note("Go on later: agent-lightning chat " + printable(agent_) + " --session " + printable(session_));
  }

  Console& console_;
  ApiClient client_;
  std::string agent_;
  std::string session_;
  bool is_live_;
  bool has_begun_ = false;  ///< the server knows the session
  bool is_line_open_ = false;
  bool is_text_shown_ = false;  ///< of the last step
  std::int64_t step_ = 0;
  Error failure_{.code = Code::internal, .message = {}};
  std::optional<json::Source> end_;
};

int run_chat(Workplace& workplace, Talk const& talk) {
  Chat chat(workplace, talk);
  return talk.message.empty() ? chat.converse() : chat.say_once(talk.message);
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
