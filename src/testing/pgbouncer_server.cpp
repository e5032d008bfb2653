#include "testing/pgbouncer_server.hpp"

#include <unistd.h>

#include <filesystem>
#include <vector>

#include "testing/postgres_server.hpp"

namespace al {
namespace {

// For a Keeper.
// Parameters: place for the directory, port, port of PostgreSQL.
constexpr auto keeper_script = R"(
dir=$(mktemp -d "$1/agent-lightning-bouncer-XXXXXX") || exit 1
echo "$dir"
printf '"agent_user" ""\n' >"$dir/users"
cat >"$dir/ini" <<END
[databases]
* = host=127.0.0.1 port=$3
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $2
unix_socket_dir =
auth_type = trust
auth_file = $dir/users
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
server_idle_timeout = 5
END
PATH=$PATH:/usr/sbin pgbouncer "$dir/ini" >>"$dir/log" 2>&1 &
server=$!
tries=0
until grep -q "listening on 127.0.0.1" "$dir/log"; do
  tries=$((tries + 1))
  if [ $tries -ge 500 ] || ! kill -0 $server; then
    echo failed
    break
  fi
  sleep 0.02
done
echo ok
while read -r command; do :; done
kill -INT $server 2>/dev/null
wait $server
rm -rf "$dir"
)";

std::vector<std::string> keeper_arguments(std::uint16_t port) {
  std::vector<std::string> arguments;
  std::string place = std::filesystem::temp_directory_path();
  if (::geteuid() == 0) {
    // It refuses to run as root, as PostgreSQL does.
    arguments = {"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"};
    place = "/tmp";
  }
  arguments.insert(arguments.end(), {"/bin/sh", "-c", keeper_script, "pgbouncer-keeper", place, std::to_string(port),
                                     std::to_string(PostgresServer::shared().port())});
  return arguments;
}

}  // namespace

PgBouncerServer& PgBouncerServer::shared() {
  static PgBouncerServer server;
  return server;
}

PgBouncerServer::PgBouncerServer() : port_(free_port()), keeper_("PgBouncer", keeper_arguments(port_)) {
  keeper_.expect_ok("start");
}

std::string PgBouncerServer::url(std::string_view database) const {
  return "postgresql://agent_user@127.0.0.1:" + std::to_string(port_) + "/" + std::string(database);
}

}  // namespace al
