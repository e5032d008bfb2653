#include "app/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <system_error>

#include "core/config.hpp"
#include "core/fault.hpp"

// The header of glibc 2.36 does not say by itself that these are functions of C.
extern "C" {
#include <sys/pidfd.h>
}

namespace al::app {
namespace {

constexpr std::chrono::hours run_max{24};
constexpr std::chrono::seconds end_max{30};
constexpr std::chrono::milliseconds stop_look_interval{100};
constexpr off_t output_shown_bytes = 16'000;
constexpr int by_signal = 128;  // as shells count

[[noreturn]] void throw_fault(std::string const& what, int error) {
  throw Fault(what + ": " + std::generic_category().message(error));
}

/// Our environment with the changes, as exec takes it.
class Environment {
 public:
  explicit Environment(std::map<std::string, std::string> const& changes) {
    auto all = Config::process_environment();
    for (auto const& [name, value] : changes)
      all[name] = value;
    for (auto const& [name, value] : all)
      texts_.push_back(name + "=" + value);
  }
  [[nodiscard]] std::vector<char*> pointers() {
    std::vector<char*> out;
    for (auto& text : texts_)
      out.push_back(text.data());
    out.push_back(nullptr);
    return out;
  }

 private:
  std::vector<std::string> texts_;
};

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (auto& word : words)
    out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

/// setpriv lets the kernel end the program with us, however we end, and changes the account.
std::vector<std::string> with_privileges(std::vector<std::string> arguments, bool as_server) {
  std::vector<std::string> out{"setpriv", "--pdeathsig", "INT"};
  if (as_server && ::geteuid() == 0)
    out.insert(out.end(), {"--reuid=postgres", "--regid=postgres", "--clear-groups"});
  out.emplace_back("--");
  std::ranges::move(arguments, std::back_inserter(out));
  return out;
}

pid_t spawn(std::vector<std::string> arguments, ProgramOptions const& options, int output) {
  Environment environment(options.environment);
  auto const words = pointers_to(arguments);
  auto const variables = environment.pointers();
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  if (options.input >= 0) {
    posix_spawn_file_actions_adddup2(&files, options.input, STDIN_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
  if (!options.working_directory.empty())
    posix_spawn_file_actions_addchdir_np(&files, options.working_directory.c_str());
  pid_t process = -1;
  int const error = ::posix_spawnp(&process, words.front(), &files, nullptr, words.data(), variables.data());
  posix_spawn_file_actions_destroy(&files);
  if (error != 0)
    throw_fault("cannot start " + arguments.front(), error);
  return process;
}

std::optional<int> wait_unless_stopped(Program& program, std::stop_token const& stop) {
  if (!stop.stop_possible())
    return program.wait(run_max);
  auto const limit = std::chrono::steady_clock::now() + run_max;
  std::optional<int> code;
  while (!code && !stop.stop_requested() && std::chrono::steady_clock::now() < limit)
    code = program.wait(stop_look_interval);
  return code;
}

}  // namespace

Program::Program(std::vector<std::string> arguments, ProgramOptions const& options)
    : name_(std::filesystem::path(arguments.front()).filename()), said_(::memfd_create("output", MFD_CLOEXEC)) {
  if (said_.number() < 0)
    throw_fault("cannot start " + name_, errno);
  process_ = spawn(with_privileges(std::move(arguments), options.as_server), options, said_.number());
}

Program::~Program() {
  if (code_)
    return;
  signal(SIGINT);
  if (!wait(end_max))
    signal(SIGKILL);
  (void)wait(end_max);
}

std::optional<int> Program::wait(std::chrono::milliseconds limit) {
  if (code_)
    return code_;
  Descriptor const handle(::pidfd_open(process_, 0));
  if (handle.number() < 0)
    throw_fault("cannot wait for " + name_, errno);
  auto const deadline = std::chrono::steady_clock::now() + limit;
  int ready = -1;
  do {
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd watched{.fd = handle.number(), .events = POLLIN, .revents = 0};
    ready = ::poll(&watched, 1, static_cast<int>(std::max(left, std::chrono::milliseconds{0}).count()));
  } while (ready < 0 && errno == EINTR);
  int status = 0;
  if (ready != 1 || ::waitpid(process_, &status, 0) != process_)
    return std::nullopt;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : by_signal + WTERMSIG(status);
  return code_;
}

void Program::signal(int number) const {
  if (!code_)
    ::kill(process_, number);
}

std::string Program::output() const {
  auto const size = ::lseek(said_.number(), 0, SEEK_CUR);  // the program's own place: the two share it
  auto const begin = std::max<off_t>(0, size - output_shown_bytes);
  std::string text(static_cast<std::size_t>(size - begin), '\0');
  auto const length = ::pread(said_.number(), text.data(), text.size(), begin);
  text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  text.erase(text.find_last_not_of(" \r\n") + 1);
  return text;
}

Result<std::string> run_program(std::vector<std::string> arguments, ProgramOptions const& options) {
  auto const name = std::filesystem::path(arguments.front()).filename().string();
  Program program(std::move(arguments), options);
  auto const code = wait_unless_stopped(program, options.stop);
  if (!code && options.stop.stop_requested())
    return fail(Code::unavailable, name + " was stopped");
  if (code == 0)
    return program.output();
  auto const why = code ? "ended with " + std::to_string(*code) : std::string("took longer than a day");
  return fail(Code::internal, name + " " + why + ": " + program.output());
}

void become_program(std::vector<std::string> arguments, std::map<std::string, std::string> const& environment) {
  Environment own(environment);
  auto const words = pointers_to(arguments);
  auto const variables = own.pointers();
  ::execvpe(words.front(), words.data(), variables.data());
  throw_fault("cannot start " + arguments.front(), errno);
}

}  // namespace al::app
