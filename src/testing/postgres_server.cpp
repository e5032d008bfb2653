#include "testing/postgres_server.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <vector>

namespace al {
namespace {

// For a Keeper; first of all it makes the cluster.
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

PostgresServer::PostgresServer(Options options)
    : programs_(find_programs()), port_(free_port()), keeper_("PostgreSQL", keeper_arguments(options.durable)) {
  keeper_.expect_ok("initdb");
  start();
  execute("postgres", "CREATE ROLE agent_user LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB");
}

std::vector<std::string> PostgresServer::keeper_arguments(bool durable) const {
  std::vector<std::string> arguments;
  std::string place = std::filesystem::temp_directory_path();
  if (::geteuid() == 0) {
    // PostgreSQL refuses to run as root, and its account may not be able to write where ours can.
    arguments = {"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"};
    place = "/tmp";
  }
  arguments.insert(arguments.end(), {"/bin/sh", "-c", keeper_script, "postgres-keeper", place, programs_,
                                     std::to_string(port_), durable ? "on" : "off"});
  return arguments;
}

void PostgresServer::start() { keeper_.command("start"); }
void PostgresServer::stop() { keeper_.command("stop"); }
void PostgresServer::crash() { keeper_.command("crash"); }

std::string PostgresServer::url(std::string_view database) const {
  return "postgresql://agent_user@/" + std::string(database) + "?host=" + keeper_.directory().string() +
         "&port=" + std::to_string(port_);
}

std::string PostgresServer::tcp_url(std::string_view database, std::string_view host) const {
  return "postgresql://agent_user@" + std::string(host) + ":" + std::to_string(port_) + "/" + std::string(database);
}

std::string PostgresServer::superuser_url(std::string_view database) const {
  return "postgresql://postgres@/" + std::string(database) + "?host=" + keeper_.directory().string() +
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
    throw std::runtime_error("SQL failed: " + std::string(sql) + "\n" + keeper_.log_tail());
}

}  // namespace al
