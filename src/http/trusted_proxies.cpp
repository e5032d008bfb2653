#include "http/trusted_proxies.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <ranges>

#include "core/strings.hpp"

namespace al::http {
namespace {

constexpr unsigned mapped_bits = 96;  // of ::ffff:0:0/96, where IPv4 addresses lie
constexpr std::size_t hops_max = 32;

asio::ip::address_v6 as_v6(asio::ip::address const& address) {
  return address.is_v4() ? asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()) : address.to_v6();
}

/// As addresses of peers are written.
std::string text_of(asio::ip::address const& address) {
  bool const is_mapped = address.is_v6() && address.to_v6().is_v4_mapped();
  return is_mapped ? asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string() : address.to_string();
}

/// "192.0.2.1", "192.0.2.1:1234", "2001:db8::1" and "[2001:db8::1]:1234", as proxies write them.
std::string_view without_port(std::string_view hop) {
  if (hop.starts_with('['))
    return hop.substr(1, hop.find(']') - 1);
  return std::ranges::count(hop, ':') == 1 ? hop.substr(0, hop.find(':')) : hop;
}

/// The nearest first.
std::vector<std::string_view> hops_of(Headers const& headers) {
  std::vector<std::string_view> hops;
  for (auto const& [name, value] : headers) {
    if (!equal_without_case(name, "X-Forwarded-For"))
      continue;
    // With the empty ones: they are nobody's address.
    for (auto const part : std::views::split(std::string_view(value), ','))
      hops.push_back(trimmed({part.begin(), part.end()}));
  }
  std::ranges::reverse(hops);
  hops.resize(std::min(hops.size(), hops_max));
  return hops;
}

}  // namespace

std::optional<TrustedProxies::Bytes> TrustedProxies::bytes_of(std::string const& address) {
  boost::system::error_code error;
  auto const parsed = asio::ip::make_address(address, error);
  return error ? std::nullopt : std::optional(as_v6(parsed).to_bytes());
}

std::optional<TrustedProxies::Network> TrustedProxies::read_network(std::string_view entry) {
  auto const slash = entry.find('/');
  std::string const address(entry.substr(0, slash));
  auto const bytes = bytes_of(address);
  if (!bytes)
    return std::nullopt;
  bool const is_v4 = !address.contains(':');
  Network network{.address = *bytes, .bits = 128};
  if (slash == entry.npos)
    return network;
  auto const prefix = entry.substr(slash + 1);
  auto const [end, error] = std::from_chars(prefix.data(), prefix.data() + prefix.size(), network.bits);
  if (error != std::errc() || end != prefix.data() + prefix.size() || network.bits > (is_v4 ? 32 : 128))
    return std::nullopt;
  network.bits += is_v4 ? mapped_bits : 0;
  return network;
}

Result<TrustedProxies> TrustedProxies::from(std::string_view list) {
  TrustedProxies proxies;
  while (!list.empty()) {
    auto const entry = take_part(list, ',');
    if (entry.empty())
      continue;
    auto const network = read_network(entry);
    if (!network)
      return fail(Code::invalid, "'" + std::string(entry) + "' is no address and no network such as 10.0.0.0/8");
    proxies.networks_.push_back(*network);
  }
  return proxies;
}

bool TrustedProxies::covers(Bytes const& address) const {
  return std::ranges::any_of(networks_, [&](Network const& network) {
    auto const whole = network.bits / 8;
    auto const rest = network.bits % 8;
    auto const mask = static_cast<unsigned char>(0xFF00U >> rest);
    return std::equal(address.begin(), address.begin() + whole, network.address.begin()) &&
           (rest == 0 || (address.at(whole) & mask) == (network.address.at(whole) & mask));
  });
}

bool TrustedProxies::trusts(std::string const& peer) const {
  auto const address = networks_.empty() ? std::nullopt : bytes_of(peer);
  return address && covers(*address);
}

std::string TrustedProxies::client_of(std::string const& peer, Headers const& headers) const {
  auto client = peer;
  if (!trusts(peer))
    return client;
  for (auto const hop : hops_of(headers)) {
    boost::system::error_code error;
    auto const parsed = asio::ip::make_address(std::string(without_port(hop)), error);
    if (error)
      break;  // "unknown", or nonsense: the last one who was known said so
    client = text_of(parsed);
    if (!covers(as_v6(parsed).to_bytes()))
      break;
  }
  return client;
}

}  // namespace al::http
