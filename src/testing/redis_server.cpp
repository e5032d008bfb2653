#include "testing/redis_server.hpp"

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

// As the keeper of PostgresServer: it answers "ok" after each command that it did. Its standard input ends when the
// test's process ends, however that happens; then it kills the server and removes the directory. It has a session of
// its own, so that a signal to the tests' process group does not reach it.
// Parameters: place for the directory, further options of the server.
constexpr auto keeper_script = R"(
dir=$(mktemp -d "$1/agent-lightning-redis-XXXXXX") || exit 1
mode=$2
server=
exec 2>>"$dir/log"
echo "$dir"
answers() {
  case $(redis-cli -s "$dir/socket" ping) in
    PONG* | *NOAUTH*) return 0 ;;
  esac
  return 1
}
start() {
  redis-server "$dir/redis.conf" $mode >>"$dir/log" 2>&1 &
  server=$!
  tries=0
  while [ $tries -lt 500 ] && kill -0 $server; do
    if answers; then
      echo ok
      return
    fi
    tries=$((tries + 1))
    sleep 0.02
  done
  echo failed
}
finish() {
  kill "$1" $server
  wait $server
  server=
}
while read -r command rest; do
  case $command in
    configure) echo "$rest" >>"$dir/redis.conf" && echo ok ;;
    start) start ;;
    stop) kill -CONT $server && finish -TERM && echo ok ;;
    kill) finish -KILL && echo ok ;;
    pause) kill -STOP $server && echo ok ;;
    resume) kill -CONT $server && echo ok ;;
  esac
done
[ -z "$server" ] || finish -KILL
rm -rf "$dir"
)";

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

/// A port that was free a moment ago.
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

/// Starts a program in a session of its own.
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
  posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  // The keeper outlives the call that starts it; it must not hold on to the caller's locks and pipes.
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  pid_t process = -1;
  int const error = ::posix_spawnp(&process, pointers.front(), &files, &attributes, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0)
    throw std::system_error(error, std::generic_category(), arguments.front());
  return process;
}

}  // namespace

RedisServer& RedisServer::shared() {
  static RedisServer server;
  return server;
}

RedisServer::RedisServer(Options options) : port_(free_port()), tls_(options.tls) {
  launch(options.sentinel);
  directory_ = read_line();
  configure(options);
  start();
}

RedisServer::~RedisServer() {
  ::close(to_keeper_);
  ::close(from_keeper_);
  int status = 0;
  ::waitpid(keeper_, &status, 0);
}

void RedisServer::launch(bool sentinel) {
  auto const input = make_pipe();
  auto const output = make_pipe();
  keeper_ = spawn_program({"/bin/sh", "-c", keeper_script, "redis-keeper", std::filesystem::temp_directory_path(),
                           sentinel ? "--sentinel" : ""},
                          input.read_end, output.write_end);
  ::close(input.read_end);
  ::close(output.write_end);
  to_keeper_ = input.write_end;
  from_keeper_ = output.read_end;
}

void RedisServer::configure(Options const& options) {
  auto lines = options.lines;
  lines.emplace_back("bind 127.0.0.1");
  if (tls_)
    lines.emplace_back("port 0");
  lines.push_back((tls_ ? "tls-port " : "port ") + std::to_string(port_));
  lines.push_back("dir " + directory_.string());
  // The keeper looks there whether the server answers, whatever the port speaks.
  lines.push_back("unixsocket " + (directory_ / "socket").string());
  if (!options.sentinel) {
    lines.emplace_back("save \"\"");
    lines.emplace_back("repl-diskless-sync-delay 0");
  }
  for (auto const& line : lines)
    command("configure " + line);
}

std::string RedisServer::read_line() const {
  std::string line;
  char c = 0;
  while (::read(from_keeper_, &c, 1) == 1 && c != '\n')
    line.push_back(c);
  return line;
}

void RedisServer::command(std::string_view line) {
  auto const text = std::string(line) + "\n";
  if (::write(to_keeper_, text.data(), text.size()) < 0)
    fail_with_errno("write");
  if (read_line() != "ok")
    throw std::runtime_error("Redis: " + std::string(line) + " failed\n" + log_tail());
}

std::string RedisServer::log_tail() const {
  std::ifstream file(directory_ / "log");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  constexpr std::size_t tail_max = 4000;
  return text.size() > tail_max ? text.substr(text.size() - tail_max) : text;
}

void RedisServer::start() { command("start"); }
void RedisServer::stop() { command("stop"); }
void RedisServer::kill() { command("kill"); }
void RedisServer::pause() { command("pause"); }
void RedisServer::resume() { command("resume"); }

std::string RedisServer::url(int database) const {
  return (tls_ ? "rediss" : "redis") + std::string("://127.0.0.1:") + std::to_string(port_) + "/" +
         std::to_string(database);
}

}  // namespace al
