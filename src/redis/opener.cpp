#include "redis/opener.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <utility>
#include <vector>

namespace al::redis {
namespace {

/// One command of the greeting and what its answer must be.
struct Step {
  Command command;
  std::function<Result<void>(Reply const&)> check;
};

std::unexpected<Error> refuse(std::string_view what, Reply const& reply) {
  return fail(Code::unavailable, std::string(what) + ": " + (reply.is_error() ? reply.error() : "an odd answer"));
}

Step auth_step(Credentials const& credentials) {
  auto command = credentials.username.empty() ? Command{"AUTH", credentials.password}
                                              : Command{"AUTH", credentials.username, credentials.password};
  return {.command = std::move(command), .check = [](Reply const& reply) -> Result<void> {
            if (reply.is_error())
              return refuse("Redis refuses the configured user or password", reply);
            return {};
          }};
}

Step select_step(int database) {
  return {.command = Command{"SELECT", std::to_string(database)},
          .check = [database](Reply const& reply) -> Result<void> {
            if (reply.is_error())
              return refuse("Redis refuses database " + std::to_string(database), reply);
            return {};
          }};
}

/// For what an ACL may forbid without harm.
Result<void> accept_any(Reply const& /*unused*/) { return {}; }

Result<void> check_is_master(Reply const& reply) {
  bool const is_role = reply.is_array() && !reply.array().empty() && reply.array().front().is_text();
  if (is_role && reply.array().front().text() != "master")
    return fail(Code::unavailable, "the server that Sentinel calls the master is a replica");
  return {};
}

// PING is refused while the server loads its data, while a replica has lost its master, and before AUTH.
Result<void> check_serves(Reply const& reply) {
  if (reply.is_error() && reply.error().starts_with("NOAUTH"))
    return fail(Code::unavailable, "Redis wants a password, and none is configured");
  if (reply.is_error() && !reply.error().starts_with("NOPERM"))
    return refuse("Redis does not take commands now", reply);
  return {};
}

std::vector<Step> greeting(Options const& options) {
  std::vector<Step> steps;
  if (!options.credentials.password.empty())
    steps.push_back(auth_step(options.credentials));
  steps.push_back({.command = Command{"CLIENT", "SETNAME", options.client_name}, .check = accept_any});
  if (!options.sentinels.empty())
    steps.push_back({.command = Command{"ROLE"}, .check = check_is_master});
  steps.push_back({.command = Command{"PING"}, .check = check_serves});
  // Last, so that a missing password is named as such.
  if (options.database != 0)
    steps.push_back(select_step(options.database));
  return steps;
}

/// Sends all at once, and checks the answers in their order.
Task<Result<void>> greet(Link& link, std::vector<Step> steps) {
  for (auto const& step : steps)
    link.send(step.command.bytes());
  std::string refusal;  // A server with too many clients says so unasked, and hangs up.
  for (auto const& step : steps) {
    auto const reply = co_await link.receive();
    if (!reply)
      co_return fail(reply.error().code, reply.error().message + refusal);
    if (reply->is_error())
      refusal = " Before, it said: " + reply->error();
    if (auto checked = step.check(*reply); !checked)
      co_return checked;
  }
  co_return Result<void>();
}

std::optional<Address> address_in(Reply const& reply) {
  if (!reply.is_array() || reply.array().size() != 2 || !reply.array()[0].is_text() || !reply.array()[1].is_text())
    return std::nullopt;
  Address address{.host = reply.array()[0].text(), .port = 0};
  auto const& port = reply.array()[1].text();
  auto const read = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (read.ec != std::errc() || address.port == 0 || address.host.empty())
    return std::nullopt;
  return address;
}

}  // namespace

Opener::Opener(asio::any_io_executor executor, Options options, ReplyLimits limits)
    : executor_(std::move(executor)), options_(std::move(options)), limits_(limits) {
  if (options_.tls)
    tls_ = make_tls_context(options_);
}

void Opener::stop() {
  stopped_ = true;
  if (auto const link = current_.lock())
    link->close("closed");
}

Task<Result<std::shared_ptr<Link>>> Opener::open() {
  auto const until = std::chrono::steady_clock::now() + options_.connect_timeout;
  if (options_.sentinels.empty())
    co_return co_await open_server(options_.server, until);
  auto const master = co_await find_master(until);
  if (!master)
    co_return fail(master.error());
  auto link = co_await open_server(*master, until);
  // That sentinel may be cut off from the others; the next attempt asks another one first.
  if (!link)
    ++first_sentinel_;
  co_return link;
}

Task<Result<std::shared_ptr<Link>>> Opener::connect(Address address, SteadyTime until) {
  if (stopped_)
    co_return fail(Code::unavailable, "closed");
  auto link = std::make_shared<Link>(executor_, limits_);
  current_ = link;
  if (auto opened = co_await link->open(std::move(address), tls_, until); !opened)
    co_return fail(std::move(opened.error()));
  co_return link;
}

Task<Result<std::shared_ptr<Link>>> Opener::open_server(Address address, SteadyTime until) {
  auto link = co_await connect(std::move(address), until);
  if (!link)
    co_return link;
  if (auto greeted = co_await greet(**link, greeting(options_)); !greeted) {
    (*link)->close(greeted.error().message);
    co_return fail(std::move(greeted.error()));
  }
  (*link)->expect_nothing();
  co_return link;
}

// ---- Sentinel ----

Task<Result<Address>> Opener::find_master(SteadyTime until) {
  auto const count = options_.sentinels.size();
  Error last;
  for (std::size_t i = 0; i < count; ++i) {
    auto const index = (first_sentinel_ + i) % count;
    // Each has its share of the time that is left, and so has the master, so that one that is cut off does not use up
    // what the others need.
    auto const now = std::chrono::steady_clock::now();
    auto const share = std::max(until - now, SteadyTime::duration::zero()) / static_cast<std::int64_t>(count - i + 1);
    auto address = co_await ask_sentinel(options_.sentinels[index], now + share);
    if (address) {
      first_sentinel_ = index;
      co_return address;
    }
    last = std::move(address.error());
    if (stopped_)
      break;
  }
  co_return fail(last.code, "no sentinel names the master; the last one: " + last.message);
}

Task<Result<Address>> Opener::ask_sentinel(Address sentinel, SteadyTime until) {
  auto const link = co_await connect(std::move(sentinel), until);
  if (!link)
    co_return fail(link.error());
  std::optional<Address> found;
  bool is_known = true;
  std::vector<Step> steps;
  if (!options_.sentinel_credentials.password.empty())
    steps.push_back(auth_step(options_.sentinel_credentials));
  steps.push_back({.command = Command{"SENTINEL", "get-master-addr-by-name", options_.master_name},
                   .check = [&](Reply const& reply) -> Result<void> {
                     if (reply.is_error())
                       return refuse("Sentinel refuses to answer", reply);
                     is_known = !reply.is_null();
                     found = address_in(reply);
                     return {};
                   }});
  auto const greeted = co_await greet(**link, std::move(steps));
  (*link)->close("asked");
  if (!greeted)
    co_return fail(greeted.error());
  if (!is_known)
    co_return fail(Code::unavailable, "Sentinel knows no master of the configured name");
  if (!found)
    co_return fail(Code::unavailable, "Sentinel's answer is no address");
  co_return std::move(*found);
}

}  // namespace al::redis
