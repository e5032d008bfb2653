#include "app/pager.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <sstream>
#include <utility>

namespace al::app {
namespace {

/// -F: what fits the screen is printed and stays; -R: colours; -X: the last page stays when the reader leaves.
constexpr std::string_view pager_default = "less -FRX";

/// While a pager runs Ctrl-C is meant for it. It would otherwise end us and leave the pager without its terminal.
class IgnoredInterrupts {
 public:
  IgnoredInterrupts() {
    struct sigaction ignored{};
    ignored.sa_handler = SIG_IGN;
    for (std::size_t i = 0; i < numbers.size(); ++i)
      ::sigaction(numbers[i], &ignored, &before_[i]);
  }
  ~IgnoredInterrupts() {
    for (std::size_t i = 0; i < numbers.size(); ++i)
      ::sigaction(numbers[i], &before_[i], nullptr);
  }
  IgnoredInterrupts(IgnoredInterrupts const&) = delete;
  IgnoredInterrupts& operator=(IgnoredInterrupts const&) = delete;

 private:
  static constexpr std::array<int, 2> numbers{SIGINT, SIGQUIT};
  std::array<struct sigaction, 2> before_{};
};

/// The program with `input` as its standard input, and signals as a shell would hand them on; -1 when it is not there.
pid_t spawn_program(std::vector<std::string> command, int input) {
  std::vector<char*> pointers;
  for (auto& word : command)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  sigset_t signals;
  sigemptyset(&signals);
  for (int const number : {SIGINT, SIGQUIT, SIGPIPE})
    sigaddset(&signals, number);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t process = -1;
  int const error = ::posix_spawnp(&process, pointers.front(), &files, &attributes, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return error == 0 ? process : -1;
}

std::vector<std::string> words_of(std::string const& text) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; in >> word;)
    words.push_back(std::move(word));
  return words;
}

}  // namespace

std::vector<std::string> pager_command(std::map<std::string, std::string> const& environment) {
  auto const terminal = environment.find("TERM");
  if (terminal != environment.end() && terminal->second == "dumb")
    return {};
  auto const chosen = environment.find("PAGER");
  return words_of(chosen == environment.end() ? std::string(pager_default) : chosen->second);
}

// ---- Pager ----

std::unique_ptr<Pager> Pager::start(std::vector<std::string> command) {
  std::array<int, 2> ends{};
  if (command.empty() || ::pipe2(ends.data(), O_CLOEXEC) != 0)
    return nullptr;
  Descriptor const reading(ends[0]);
  auto const process = spawn_program(std::move(command), reading.number());
  if (process < 0) {
    ::close(ends[1]);
    return nullptr;
  }
  return std::unique_ptr<Pager>(new Pager(process, ends[1]));  // NOLINT(modernize-make-unique): private constructor
}

Pager::~Pager() {
  IgnoredInterrupts const ignored;
  input_.reset();
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool Pager::write(std::string_view text) {
  IgnoredInterrupts const ignored;
  while (!text.empty()) {
    auto const written = ::write(input_->number(), text.data(), text.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// ---- LongOutput ----

bool LongOutput::print(std::string_view lines) {
  auto const& options = console_.options();
  if (is_direct_ || !options.is_terminal || options.json || options.pager.empty()) {
    console_.print(lines);
    return true;
  }
  held_.append(lines).append("\n");
  // The line of the prompt is needed as well.
  if (!pager_ && static_cast<std::size_t>(std::ranges::count(held_, '\n')) < options.height)
    return true;
  if (!pager_)
    pager_ = Pager::start(options.pager);
  if (!pager_) {
    is_direct_ = true;
    console_.write(std::exchange(held_, {}));
    return true;
  }
  return pager_->write(std::exchange(held_, {}));
}

void LongOutput::finish() {
  pager_.reset();
  if (!held_.empty())
    console_.write(std::exchange(held_, {}));
}

}  // namespace al::app
