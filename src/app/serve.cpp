#include "app/serve.hpp"

#include <malloc.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <thread>

#include "app/answer.hpp"
#include "app/composition.hpp"
#include "app/installation.hpp"
#include "app/model_accounts.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "security/token_file.hpp"

namespace al::app {
namespace {

constexpr std::chrono::seconds drain_timeout{30};
constexpr int arenas_max = 4;

/// glibc gives each thread a heap of its own and keeps what was freed there; a few of them are enough for our
/// threads, and an idle process stays small.
void limit_heaps() { ::mallopt(M_ARENA_MAX, arenas_max); }  // NOLINT(concurrency-mt-unsafe): before any thread

std::string as_json(std::vector<Address> const& addresses, std::string const& token_file) {
  std::string out = "{\"pid\":" + std::to_string(::getpid()) + ",\"token_file\":";
  json::append_string(out, token_file);
  out += ",\"roles\":{";
  for (auto const& address : addresses) {
    if (&address != addresses.data())
      out += ',';
    json::append_string(out, address.role);
    out += ':';
    json::append_string(out, address.url);
  }
  return out + "}}";
}

/// Once, and nowhere else: what is printed here is in no log of ours and in no file.
void show_first_admin(Console& console, Platform const& platform) {
  auto const admin = platform.first_admin();
  if (!admin || admin->password.empty())
    return;
  console.note("Sign in as " + admin->email + " with the password " + admin->password +
               "  (shown this once; you will be asked for another one)");
}

/// People get one line; programs that start us (--json) learn the ports; everyone else has the log.
void announce(Console& console, Config const& config, Platform const& platform) {
  auto const addresses = platform.addresses();
  for (auto const& address : addresses) {
    log::info("listening", {{"role", std::string_view(address.role)}, {"url", std::string_view(address.url)}});
  }
  auto const file = security::token_file(data_directory(config)).string();
  show_first_admin(console, platform);
  if (console.json()) {
    console.print(as_json(addresses, file));
  } else if (console.options().is_terminal) {
    auto const where = addresses.empty() ? std::string("no port: only tasks are worked on") : addresses.front().url;
    console.print(console.paint("Agent Lightning " AL_VERSION, Tone::strong) + "  " +
                  console.paint(where, Tone::accent) + "  token: " + file + "  (Ctrl-C ends it)");
  }
}

/// Signals are caught from its construction on; those that come early wait for `wait_and_stop`.
class EndSignals {
 public:
  /// Stops the platform at the first signal; the second ends the process at once.
  void wait_and_stop(Platform& platform) {
    std::jthread stopper;
    signals_.async_wait([&](boost::system::error_code, int) {
      log::info("stopping: what runs comes to its end; a second signal ends it at once");
      signals_.async_wait([](boost::system::error_code error, int signal) {
        if (!error)
          ::_exit(128 + signal);
      });
      stopper = std::jthread([&] {
        platform.stop(Deadline::after(drain_timeout));
        asio::post(loop_, [&] { signals_.cancel(); });
      });
    });
    loop_.run();
  }

 private:
  asio::io_context loop_{1};
  asio::signal_set signals_{loop_, SIGINT, SIGTERM};
};

}  // namespace

int serve(Workplace& workplace, std::vector<std::string> const& names) {
  auto const roles = read_roles(names);
  if (!roles)
    return report(workplace.console, roles.error(), exit_usage);
  if (auto const accounts = accounts_of(workplace.config); !accounts)
    return report(workplace.console, accounts.error(), exit_of_setup(accounts.error()));
  limit_heaps();
  Platform platform(workplace.config, *roles);
  EndSignals signals;
  if (auto const started = platform.start(); !started)
    return report(workplace.console, started.error(), exit_of_setup(started.error()));
  announce(workplace.console, workplace.config, platform);
  signals.wait_and_stop(platform);
  log::info("stopped");
  return exit_ok;
}

}  // namespace al::app
