#include <libpq-fe.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>

#include "core/fault.hpp"
#include "storage/postgres_connection.hpp"

namespace al::storage::postgres {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> out;
  while (true) {
    auto const comma = list.find(',');
    out.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos)
      return out;
    list.remove_prefix(comma + 1);
  }
}

/// libpq quotes the URL, and with it the password, in some of its messages.
std::string without(std::string message, std::string const& url) {
  for (auto at = message.find(url); !url.empty() && at != std::string::npos; at = message.find(url)) {
    message.replace(at, url.size(), "(the URL)");
  }
  while (!message.empty() && message.back() == '\n')
    message.pop_back();
  return message;
}

/// One endpoint for each host of the comma-separated lists; a single port serves all hosts.
std::vector<Endpoint> endpoints_of(std::string const& host_list, std::string const& address_list,
                                   std::string const& port_list) {
  auto const hosts = split(host_list);
  auto const addresses = split(address_list);
  auto const ports = split(port_list);
  auto const count = std::max(hosts.size(), addresses.size());
  if (ports.size() != 1 && ports.size() != count)
    throw Fault("the database URL names more ports than hosts, or fewer");
  if (!address_list.empty() && !host_list.empty() && hosts.size() != addresses.size()) {
    throw Fault("the database URL names more addresses than hosts, or fewer");
  }
  std::vector<Endpoint> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back({.host = i < hosts.size() ? hosts[i] : "",
                   .address = i < addresses.size() ? addresses[i] : "",
                   .port = ports.size() == 1 ? ports.front() : ports[i]});
  }
  return out;
}

bool needs_lookup(Endpoint const& endpoint) {
  if (!endpoint.address.empty() || endpoint.host.empty())
    return false;
  return endpoint.host.front() != '/' && endpoint.host.front() != '@';
}

/// What the surroundings (PGHOST, …) give when the URL names no host.
std::string default_host() {
  Options const defaults(PQconndefaults());
  for (auto const* option = defaults.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (std::string_view(option->keyword) == "host" && option->val != nullptr)
      return option->val;
  }
  return {};
}

}  // namespace

ConnectInfo parse_url(std::string const& url, std::chrono::seconds connect_timeout, bool prepared) {
  char* raw_message = nullptr;
  Options const parsed(PQconninfoParse(url.c_str(), &raw_message));
  std::unique_ptr<char, decltype(&PQfreemem)> const message(raw_message, PQfreemem);
  if (!parsed) {
    throw Fault("the database URL is malformed: " + without(message ? message.get() : "out of memory", url));
  }
  ConnectInfo info{.parameters = {}, .endpoints = {}, .connect_timeout = connect_timeout, .prepared = prepared};
  std::string hosts;
  std::string addresses;
  std::string ports;
  std::string options;
  std::string application_name = "agent_lightning";
  for (auto const* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr)
      continue;
    std::string_view const name(option->keyword);
    if (name == "host")
      hosts = option->val;
    else if (name == "hostaddr")
      addresses = option->val;
    else if (name == "port")
      ports = option->val;
    else if (name == "options")
      options = option->val;
    else if (name == "application_name")
      application_name = option->val;
    // The time is watched here (libpq's limit binds its blocking calls only), and all texts are UTF-8.
    else if (name != "connect_timeout" && name != "client_encoding")
      info.parameters.emplace_back(name, option->val);
  }
  if (hosts.empty() && addresses.empty())
    hosts = default_host();
  info.endpoints = endpoints_of(hosts, addresses, ports);
  info.parameters.emplace_back("application_name", application_name);
  info.parameters.emplace_back("client_encoding", "UTF8");
  // PgBouncer refuses `options`; there each transaction names these.
  if (prepared)
    options += " -c TimeZone=UTC -c DateStyle=ISO -c jit=off";
  info.parameters.emplace_back("options", options);
  return info;
}

Task<std::vector<Endpoint>> resolve(ConnectInfo const& info) {
  std::vector<Endpoint> out;
  std::string reasons;
  for (auto const& endpoint : info.endpoints) {
    boost::system::error_code error;
    auto const literal = asio::ip::make_address(endpoint.host, error);
    if (!needs_lookup(endpoint)) {
      out.push_back(endpoint);
      continue;
    }
    if (!error) {
      out.push_back({.host = endpoint.host, .address = literal.to_string(), .port = endpoint.port});
      continue;
    }
    asio::ip::tcp::resolver resolver(co_await asio::this_coro::executor);
    auto [failed, found] = co_await resolver.async_resolve(endpoint.host, "", asio::as_tuple(asio::use_awaitable));
    if (failed)
      reasons += " " + endpoint.host + ": " + failed.message() + ";";
    for (auto const& entry : found) {
      out.push_back({.host = endpoint.host, .address = entry.endpoint().address().to_string(), .port = endpoint.port});
    }
  }
  if (out.empty())
    throw Unavailable("cannot look up the database's host:" + reasons);
  co_return out;
}

}  // namespace al::storage::postgres
