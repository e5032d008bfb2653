#include "testing/redis_server.hpp"

namespace al {
namespace {

// For a Keeper.
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

}  // namespace

RedisServer& RedisServer::shared() {
  static RedisServer server;
  return server;
}

RedisServer::RedisServer(Options options)
    : port_(free_port()),
      tls_(options.tls),
      keeper_("Redis", {"/bin/sh", "-c", keeper_script, "redis-keeper", std::filesystem::temp_directory_path(),
                        options.sentinel ? "--sentinel" : ""}) {
  configure(options);
  start();
}

void RedisServer::configure(Options const& options) {
  auto lines = options.lines;
  lines.emplace_back("bind 127.0.0.1");
  if (tls_)
    lines.emplace_back("port 0");
  lines.push_back((tls_ ? "tls-port " : "port ") + std::to_string(port_));
  lines.push_back("dir " + keeper_.directory().string());
  // The keeper looks there whether the server answers, whatever the port speaks.
  lines.push_back("unixsocket " + (keeper_.directory() / "socket").string());
  if (!options.sentinel) {
    lines.emplace_back("save \"\"");
    lines.emplace_back("repl-diskless-sync-delay 0");
  }
  for (auto const& line : lines)
    keeper_.command("configure " + line);
}

void RedisServer::start() { keeper_.command("start"); }
void RedisServer::stop() { keeper_.command("stop"); }
void RedisServer::kill() { keeper_.command("kill"); }
void RedisServer::pause() { keeper_.command("pause"); }
void RedisServer::resume() { keeper_.command("resume"); }

std::string RedisServer::url(int database) const {
  return (tls_ ? "rediss" : "redis") + std::string("://127.0.0.1:") + std::to_string(port_) + "/" +
         std::to_string(database);
}

}  // namespace al
