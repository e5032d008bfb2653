/// What it costs to find out who calls, on SQLite: a token that this process has seen within the last second (all its
/// calls but the first one in each second), and one that it has not.
///
///   tokens_bench [SECONDS [ROUNDS]]    of each row; prints nanoseconds a check

#include <fmt/format.h>

#include <algorithm>

#include "data/access_store.hpp"
#include "data/login_store.hpp"
#include "data/user_store.hpp"
#include "security/api_key.hpp"
#include "security/token_authenticator.hpp"
#include "storage/migrations.hpp"
#include "testing/event_loop.hpp"
#include "testing/temporary_directory.hpp"

namespace al {
namespace {

constexpr std::size_t callers = 1000;

Deadline soon() { return Deadline::after(std::chrono::minutes{5}); }
Actor actor() {
  return {.tenant = default_tenant, .user_id = "bench", .correlation_id = {}, .causation_id = {}, .traceparent = {}};
}

struct Installation {
  Installation() : database(open(directory, clock)) {}
  ~Installation() { database->close(); }
  Installation(Installation const&) = delete;
  Installation& operator=(Installation const&) = delete;

  static std::unique_ptr<storage::Database> open(TemporaryDirectory const& directory, Clock const& clock) {
    storage::migrate_up({.sqlite_path = directory.file("bench.db")});
    return storage::open_sqlite({.path = directory.file("bench.db")}, clock);
  }

  TemporaryDirectory directory;
  SystemClock clock;
  SystemRandom random;
  std::unique_ptr<storage::Database> database;
  events::Bus bus;
  data::Writer writer{*database, bus, clock, random, "bench"};
  data::AccessStore access{*database};
  data::UserStore users{writer};
  data::LoginStore logins{writer};
  data::ApiKeyStore api_keys{writer};
  data::DataKeyStore data_keys{*database};
  security::MasterKey master{"", directory.path(), random};
  security::Sealing sealing{data_keys, master, random};
  data::SigningKeyStore signing{*database};
  security::TokenKeys keys{signing, sealing, clock, random};
};

http::Request request_with(std::string const& token) {
  http::Request request{.method = http::Method::get, .target = "/api/v1/agents"};
  request.headers.set("Host", "127.0.0.1:8000");
  request.headers.set("Authorization", "Bearer " + token);
  return request;
}

Task<std::vector<http::Request>> access_tokens(Installation& at) {
  model::User user;
  user.id = at.users.new_id();
  user.email = "ada@example.org";
  user.full_name = "Ada";
  user.roles = {"developer"};
  auto const made = (co_await at.users.create(actor(), user, "hash", soon())).value();
  std::vector<http::Request> out;
  for (std::size_t i = 0; i < callers; ++i) {
    model::Login login;
    login.id = at.logins.new_id();
    login.user_id = made.id;
    auto const begun = (co_await at.logins.begin(actor(), login, soon())).value();
    security::TokenSubject const subject{
        .tenant = default_tenant, .user_id = made.id.value, .login_id = begun.id.value};
    out.push_back(request_with((co_await at.keys.access_token(subject, soon())).value()));
  }
  co_return out;
}

Task<std::vector<http::Request>> api_keys(Installation& at) {
  std::vector<http::Request> out;
  for (std::size_t i = 0; i < callers; ++i) {
    model::ApiKey key;
    key.id = at.api_keys.new_id();
    key.name = "bench";
    key.permissions = {"agents:read"};
    auto const token = security::new_api_key(at.random);
    (co_await at.api_keys.create(actor(), key, security::stored_form(token), soon())).value();
    out.push_back(request_with(token));
  }
  co_return out;
}

struct Figures {
  double all = 0;     ///< nanoseconds a check, over everything
  double median = 0;  ///< of one check
};

/// Any caller at a time, as it comes: each has to be looked up anew once a second.
Task<Figures> check_again_and_again(Installation& at, std::vector<http::Request> const& requests,
                                    std::chrono::milliseconds time) {
  using Steady = std::chrono::steady_clock;
  security::TokenAuthenticator authenticator(at.access, at.keys, at.clock);
  std::vector<std::int64_t> took;
  auto const begin = Steady::now();
  auto before = begin;
  while (before - begin < time) {
    auto const& request = requests[at.random.below(requests.size())];
    if (!co_await authenticator.authenticate(request, soon()))
      throw std::runtime_error("a token of ours was refused");
    auto const now = Steady::now();
    took.push_back((now - before).count());
    before = now;
  }
  auto const total = std::chrono::duration<double, std::nano>(before - begin).count();
  std::ranges::nth_element(took, took.begin() + std::ssize(took) / 2);
  co_return Figures{.all = total / static_cast<double>(took.size()),
                    .median = static_cast<double>(took[took.size() / 2])};
}

Task<double> check_anew(Installation& at, std::vector<http::Request> const& requests) {
  auto const begin = std::chrono::steady_clock::now();
  security::TokenAuthenticator authenticator(at.access, at.keys, at.clock);
  for (auto const& request : requests)
    (co_await authenticator.authenticate(request, soon())).value();
  auto const took = std::chrono::steady_clock::now() - begin;
  co_return std::chrono::duration<double, std::nano>(took).count() / static_cast<double>(requests.size());
}

int run(std::chrono::milliseconds time, int rounds) {
  Installation at;
  EventLoop loop;
  auto const logins = loop.wait(access_tokens(at));
  auto const keys = loop.wait(api_keys(at));
  for (int round = 1; round <= rounds; ++round) {
    for (auto const& [name, requests] : {std::pair{"access token", &logins}, std::pair{"API key", &keys}}) {
      auto const known = loop.wait(check_again_and_again(at, *requests, time));
      auto const anew = loop.wait(check_anew(at, *requests));
      fmt::print(
          "round {}: {:12}  known {:6.0f} ns (median), with its look-up each second {:6.0f} ns; anew {:7.0f} ns\n",
          round, name, known.median, known.all, anew);
    }
  }
  return 0;
}

}  // namespace
}  // namespace al

int main(int count, char** arguments) {
  auto const seconds = count > 1 ? std::stoi(arguments[1]) : 3;
  return al::run(std::chrono::seconds{seconds}, count > 2 ? std::stoi(arguments[2]) : 3);
}
