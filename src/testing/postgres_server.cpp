#include "testing/postgres_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace al {
namespace {

// The keeper makes the cluster and answers "ok" after each command that it did. Its standard input ends when the test's
// process ends, however that happens; then it stops the server and removes the directory. It has a session of its own,
// so that a signal to the tests' process group does not reach it.
// Parameters: place for the directory, programs, port, fsync.
constexpr auto keeper_script = R"(
dir=$(mktemp -d "$1/agent-lightning-pg-XXXXXX") || exit 1
programs=$2 port=$3 fsync=$4
echo "$dir"
control() { "$@" >>"$dir/log" 2>&1 && echo ok || echo failed; }
server="-k '$dir' -p $port -c listen_addresses=127.0.0.1 -c fsync=$fsync -c full_page_writes=$fsync"
server="$server -c max_connections=200 -c shared_buffers=64MB -c log_lock_waits=on"
control "$programs/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync
while read -r command; do
  case $command in
    start) control "$programs/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 -o "$server" start ;;
    stop) control "$programs/pg_ctl" -D "$dir/data" -w -m fast stop ;;
    crash) control "$programs/pg_ctl" -D "$dir/data" -w -m immediate stop ;;
  esac
done
"$programs/pg_ctl" -D "$dir/data" -w -m immediate stop >/dev/null 2>&1
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

/// Starts a program in a session of its own. Negative ends leave the standard streams as they are.
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

std::filesystem::path find_programs() {
  if (auto const* configured = std::getenv("AL_POSTGRES_PROGRAMS"))  // NOLINT(concurrency-mt-unsafe): nobody sets it
    return configured;
  return "/usr/lib/postgresql/15/bin";
}

}  // namespace

PostgresServer& PostgresServer::shared() {
  static PostgresServer server;
  return server;
}

PostgresServer::PostgresServer(Options options) : programs_(find_programs()), port_(free_port()) {
  launch(options.durable);
  directory_ = read_line();
  expect_ok("initdb");
  start();
  execute("postgres", "CREATE ROLE agent_user LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB");
}

PostgresServer::~PostgresServer() {
  ::close(to_keeper_);
  ::close(from_keeper_);
  int status = 0;
  ::waitpid(keeper_, &status, 0);
}

void PostgresServer::launch(bool durable) {
  std::vector<std::string> arguments;
  std::string place = std::filesystem::temp_directory_path();
  if (::geteuid() == 0) {
    // PostgreSQL refuses to run as root, and its account may not be able to write where ours can.
    arguments = {"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"};
    place = "/tmp";
  }
  arguments.insert(arguments.end(), {"/bin/sh", "-c", keeper_script, "postgres-keeper", place, programs_,
                                     std::to_string(port_), durable ? "on" : "off"});
  auto const input = make_pipe();
  auto const output = make_pipe();
  keeper_ = spawn_program(std::move(arguments), input.read_end, output.write_end);
  ::close(input.read_end);
  ::close(output.write_end);
  to_keeper_ = input.write_end;
  from_keeper_ = output.read_end;
}

std::string PostgresServer::read_line() const {
  std::string line;
  char c = 0;
  while (::read(from_keeper_, &c, 1) == 1 && c != '\n')
    line.push_back(c);
  return line;
}

void PostgresServer::expect_ok(std::string_view what) const {
  if (read_line() != "ok")
    throw std::runtime_error("PostgreSQL: " + std::string(what) + " failed\n" + log_tail());
}

void PostgresServer::command(std::string_view word) {
  auto const line = std::string(word) + "\n";
  if (::write(to_keeper_, line.data(), line.size()) < 0)
    fail_with_errno("write");
  expect_ok(word);
}

std::string PostgresServer::log_tail() const {
  std::ifstream file(directory_ / "log");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  constexpr std::size_t tail_max = 4000;
  return text.size() > tail_max ? text.substr(text.size() - tail_max) : text;
}

void PostgresServer::start() { command("start"); }
void PostgresServer::stop() { command("stop"); }
void PostgresServer::crash() { command("crash"); }

std::string PostgresServer::url(std::string_view database) const {
  return "postgresql://agent_user@/" + std::string(database) + "?host=" + directory_.string() +
         "&port=" + std::to_string(port_);
}

std::string PostgresServer::tcp_url(std::string_view database, std::string_view host) const {
  return "postgresql://agent_user@" + std::string(host) + ":" + std::to_string(port_) + "/" + std::string(database);
}

std::string PostgresServer::superuser_url(std::string_view database) const {
  return "postgresql://postgres@/" + std::string(database) + "?host=" + directory_.string() +
         "&port=" + std::to_string(port_);
}

void PostgresServer::create_database(std::string_view name) {
  execute("postgres", "CREATE DATABASE \"" + std::string(name) + "\" OWNER agent_user");
}

void PostgresServer::execute(std::string_view database, std::string_view sql) { run_sql(superuser_url(database), sql); }

void PostgresServer::execute_as_owner(std::string_view database, std::string_view sql) { run_sql(url(database), sql); }

void PostgresServer::run_sql(std::string const& url, std::string_view sql) const {
  auto const psql = (programs_ / "psql").string();
  auto const silence = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  auto const process =
      spawn_program({psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", std::string(sql)}, silence, silence);
  ::close(silence);
  int status = 0;
  ::waitpid(process, &status, 0);
  if (status != 0)
    throw std::runtime_error("SQL failed: " + std::string(sql) + "\n" + log_tail());
}

}  // namespace al
