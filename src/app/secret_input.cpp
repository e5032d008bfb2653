#include "app/secret_input.hpp"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <fstream>
#include <iostream>

namespace al::app {

namespace {

constexpr std::size_t line_max = 4096;

/// The terminal of the person, also where standard input or output is a file.
class Terminal {
 public:
  Terminal() : descriptor_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {}
  ~Terminal() {
    show_typing(true);
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }
  Terminal(Terminal const&) = delete;
  Terminal& operator=(Terminal const&) = delete;

  [[nodiscard]] bool is_there() const { return descriptor_ >= 0; }

  void show_typing(bool shown) {
    if (descriptor_ < 0 || is_shown_ == shown)
      return;
    termios mode{};
    if (::tcgetattr(descriptor_, &mode) != 0)
      return;
    mode.c_lflag = shown ? mode.c_lflag | ECHO : mode.c_lflag & ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(descriptor_, TCSAFLUSH, &mode);
    is_shown_ = shown;
  }
  void write(std::string_view text) const { std::ignore = ::write(descriptor_, text.data(), text.size()); }
  [[nodiscard]] std::string read_line() const {
    std::string out;
    for (char c = 0; out.size() < line_max && ::read(descriptor_, &c, 1) == 1 && c != '\n';)
      out += c;
    return out;
  }

 private:
  int descriptor_;
  bool is_shown_ = true;
};

Result<std::string> ask_on_terminal(std::string_view question, bool is_shown) {
  Terminal terminal;
  if (!terminal.is_there())
    return fail(Code::invalid, "there is no terminal to ask at; give it with an option, see --help");
  terminal.show_typing(is_shown);
  terminal.write(question);
  auto line = terminal.read_line();
  if (!is_shown)
    terminal.write("\n");
  return line;
}

}  // namespace

Result<std::string> ask_secretly(std::string_view question) { return ask_on_terminal(question, false); }

Result<std::string> ask(std::string_view question) { return ask_on_terminal(question, true); }

Result<std::string> read_secret_file(std::string const& name) {
  std::ifstream file;
  if (name != "-") {
    file.open(name, std::ios::binary);
    if (!file)
      return fail(Code::not_found, "cannot read the file " + name);
  }
  std::string line;
  std::getline(name == "-" ? std::cin : file, line);
  if (line.ends_with('\r'))
    line.pop_back();
  if (line.empty())
    return fail(Code::invalid, (name == "-" ? "standard input" : name) + " has an empty first line");
  return line;
}

}  // namespace al::app
