#include "testing/keeper.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace al {
namespace {

[[noreturn]] void fail_with_errno(char const* what) { throw std::system_error(errno, std::generic_category(), what); }

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};
Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    fail_with_errno("pipe");
  return {ends[0], ends[1]};
}

}  // namespace

std::uint16_t free_port() {
  int const probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  bool const ok = ::bind(probe, generic, size) == 0 && ::getsockname(probe, generic, &size) == 0;
  ::close(probe);
  if (!ok)
    fail_with_errno("bind");
  return ntohs(address.sin_port);
}

pid_t spawn_program(std::vector<std::string> arguments, int input, int output) {
  std::vector<char*> pointers;
  for (auto& argument : arguments)
    pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  if (input >= 0)
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  if (output >= 0)
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  // A server outlives the call that starts it; it must not hold on to the caller's locks and pipes.
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  pid_t process = -1;
  int const error = ::posix_spawnp(&process, pointers.front(), &files, &attributes, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0)
    throw std::system_error(error, std::generic_category(), arguments.front());
  return process;
}

Keeper::Keeper(std::string server, std::vector<std::string> arguments) : server_(std::move(server)) {
  auto const input = make_pipe();
  auto const output = make_pipe();
  process_ = spawn_program(std::move(arguments), input.read_end, output.write_end);
  ::close(input.read_end);
  ::close(output.write_end);
  to_ = input.write_end;
  from_ = output.read_end;
  directory_ = read_line();
}

Keeper::~Keeper() {
  ::close(to_);
  ::close(from_);
  int status = 0;
  ::waitpid(process_, &status, 0);
}

std::string Keeper::read_line() const {
  std::string line;
  char c = 0;
  while (::read(from_, &c, 1) == 1 && c != '\n')
    line.push_back(c);
  return line;
}

void Keeper::expect_ok(std::string_view what) const {
  if (read_line() != "ok")
    throw std::runtime_error(server_ + ": " + std::string(what) + " failed\n" + log_tail());
}

void Keeper::command(std::string_view line) const {
  auto const text = std::string(line) + "\n";
  if (::write(to_, text.data(), text.size()) < 0)
    fail_with_errno("write");
  expect_ok(line);
}

std::string Keeper::log_tail() const {
  std::ifstream file(directory_ / "log");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  constexpr std::size_t tail_max = 4000;
  return text.size() > tail_max ? text.substr(text.size() - tail_max) : text;
}

}  // namespace al
