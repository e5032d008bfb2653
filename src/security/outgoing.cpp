#include "security/outgoing.hpp"

#include <algorithm>
#include <array>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>
#include <optional>
#include <span>

#include "core/strings.hpp"

namespace al::security {
namespace {

using asio::ip::address;
using asio::ip::address_v6;

constexpr std::size_t url_bytes_max = 500;
constexpr std::size_t host_bytes_max = 253;
constexpr std::string_view setting = "PROVIDERS_ALLOWED_HOSTS";

/// Known to be public and to have TLS, whoever lists them.
constexpr std::array<std::string_view, 9> well_known{
    "api.openai.com",   "api.anthropic.com", "api.mistral.ai",
    "api.groq.com",     "api.deepseek.com",  "api.x.ai",
    "api.together.xyz", "openrouter.ai",     "generativelanguage.googleapis.com"};

// ---- addresses ----

struct Network4 {
  std::uint32_t network;
  int bits;
};

constexpr std::uint32_t v4(unsigned a, unsigned b, unsigned c, unsigned d) { return a << 24 | b << 16 | c << 8 | d; }

constexpr std::array not_public{
    Network4{v4(0, 0, 0, 0), 8},         // this network
    Network4{v4(10, 0, 0, 0), 8},        // private
    Network4{v4(100, 64, 0, 0), 10},     // shared, behind carriers' NAT; metadata of one cloud
    Network4{v4(127, 0, 0, 0), 8},       // loopback
    Network4{v4(168, 63, 129, 16), 32},  // a cloud's channel to its machines, although a public address
    Network4{v4(169, 254, 0, 0), 16},    // link-local, with the metadata of most clouds
    Network4{v4(172, 16, 0, 0), 12},     // private
    Network4{v4(192, 0, 0, 0), 24},      // IETF protocol assignments
    Network4{v4(192, 0, 2, 0), 24},      // documentation
    Network4{v4(192, 31, 196, 0), 24},   // AS112
    Network4{v4(192, 52, 193, 0), 24},   // AMT
    Network4{v4(192, 88, 99, 0), 24},    // relays of 6to4
    Network4{v4(192, 168, 0, 0), 16},    // private
    Network4{v4(192, 175, 48, 0), 24},   // AS112
    Network4{v4(198, 18, 0, 0), 15},     // benchmarks
    Network4{v4(198, 51, 100, 0), 24},   // documentation
    Network4{v4(203, 0, 113, 0), 24},    // documentation
    Network4{v4(224, 0, 0, 0), 4},       // multicast
    Network4{v4(240, 0, 0, 0), 4},       // reserved, and broadcast
};

/// What answers there gives away the machine's credentials, or is no host.
constexpr std::array never_a_service{
    Network4{v4(0, 0, 0, 0), 8},           // this network
    Network4{v4(100, 100, 100, 200), 32},  // metadata of one cloud
    Network4{v4(168, 63, 129, 16), 32},    // a cloud's channel to its machines
    Network4{v4(169, 254, 0, 0), 16},      // link-local, with the metadata of most clouds
    Network4{v4(192, 0, 0, 192), 32},      // metadata of one cloud
    Network4{v4(224, 0, 0, 0), 4},         // multicast
    Network4{v4(240, 0, 0, 0), 4},         // reserved, and broadcast
};

template <std::size_t n>
bool is_in(std::array<Network4, n> const& networks, std::uint32_t wanted) {
  return std::ranges::any_of(networks, [&](Network4 const& known) {
    auto const mask = ~std::uint32_t{0} << (32 - known.bits);
    return (wanted & mask) == known.network;
  });
}

bool is_public_v4(std::uint32_t wanted) { return !is_in(not_public, wanted); }

using Bytes16 = address_v6::bytes_type;

struct Network6 {
  std::array<unsigned char, 6> network;
  int bits;
};

/// Within 2000::/3, the only unicast space that is handed out.
constexpr std::array not_public_v6{
    Network6{{0x20, 0x01, 0x00, 0x00}, 23},              // IETF protocol assignments, Teredo, ORCHID
    Network6{{0x20, 0x01, 0x0d, 0xb8}, 32},              // documentation
    Network6{{0x20, 0x02}, 16},                          // 6to4, which leads to any IPv4 address
    Network6{{0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}, 48},  // AS112
    Network6{{0x3f, 0xff, 0x00}, 20},                    // documentation
};

bool starts_with(Bytes16 const& bytes, std::span<unsigned char const> network, int bits) {
  for (int bit = 0; bit < bits; ++bit) {
    auto const at = static_cast<std::size_t>(bit / 8);
    if (((bytes[at] ^ network[at]) >> (7 - bit % 8) & 1) != 0)
      return false;
  }
  return true;
}

std::uint32_t last_v4(Bytes16 const& bytes) { return v4(bytes[12], bytes[13], bytes[14], bytes[15]); }

constexpr std::array<unsigned char, 12> nat64{0x00, 0x64, 0xff, 0x9b};  // RFC 6052, 2.1

struct Network6Wide {
  Bytes16 network;
  int bits;
};

/// As those of IPv4.
constexpr std::array never_a_service_v6{
    Network6Wide{{0xfe, 0x80}, 10},                                                         // link-local
    Network6Wide{{0xff}, 8},                                                                // multicast
    Network6Wide{{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128},  // metadata of one cloud
    Network6Wide{{0xfd, 0x20, 0x00, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128},  // metadata of one cloud
};

bool may_be_service_v6(address_v6 const& wanted) {
  constexpr std::array<unsigned char, 12> compatible{};  // RFC 4291, 2.5.5.1; with the unspecified address
  constexpr std::array<unsigned char, 2> six_to_four{0x20, 0x02};
  auto const bytes = wanted.to_bytes();
  if (wanted.is_loopback())
    return true;
  if (wanted.is_v4_mapped() || starts_with(bytes, nat64, 96) || starts_with(bytes, compatible, 96))
    return !is_in(never_a_service, last_v4(bytes));
  if (starts_with(bytes, six_to_four, 16))
    return !is_in(never_a_service, v4(bytes[2], bytes[3], bytes[4], bytes[5]));
  return std::ranges::none_of(never_a_service_v6,
                              [&](Network6Wide const& known) { return starts_with(bytes, known.network, known.bits); });
}

bool is_public_v6(address_v6 const& wanted) {
  constexpr std::array<unsigned char, 1> global_unicast{0x20};
  auto const bytes = wanted.to_bytes();
  if (wanted.is_v4_mapped() || starts_with(bytes, nat64, 96))
    return is_public_v4(last_v4(bytes));
  return starts_with(bytes, global_unicast, 3) && wanted.scope_id() == 0 &&
         std::ranges::none_of(not_public_v6,
                              [&](Network6 const& known) { return starts_with(bytes, known.network, known.bits); });
}

// ---- hosts ----

std::optional<std::uint16_t> port_of(std::string_view text) {
  unsigned port = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  bool const is_port = error == std::errc{} && end == text.data() + text.size() && port > 0 && port <= 65535;
  return is_port ? std::optional(static_cast<std::uint16_t>(port)) : std::nullopt;
}

struct Host {
  std::string text;  ///< in lower case, addresses as Asio writes them, without brackets
  std::optional<address> literal;
};

/// What resolvers read as a number although it is no address of four parts: 127.1, 2130706433, 0x7f000001.
bool looks_numeric(std::string_view name) {
  auto const last = name.substr(name.rfind('.') + 1);
  return last.starts_with("0x") || std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_name(std::string_view name) {
  auto const fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  return !name.empty() && name.size() <= host_bytes_max && std::ranges::all_of(name, fits) && !name.starts_with('.') &&
         !name.ends_with('.') && !name.contains("..") && !looks_numeric(name);
}

/// `text` may have brackets around an IPv6 address.
std::optional<Host> read_host(std::string_view text) {
  boost::system::error_code error;
  if (text.starts_with('[') && text.ends_with(']')) {
    auto const inner = text.substr(1, text.size() - 2);
    auto const literal = asio::ip::make_address_v6(std::string(inner), error);
    return error || inner.contains('%') ? std::nullopt : std::optional(Host{literal.to_string(), address(literal)});
  }
  auto const literal = asio::ip::make_address_v4(std::string(text), error);
  if (!error)
    return Host{literal.to_string(), address(literal)};
  auto name = lower(text);
  return is_name(name) ? std::optional(Host{std::move(name), std::nullopt}) : std::nullopt;
}

/// Names that never leave a network of one's own, so that a person learns it before anything is resolved.
bool is_local_name(std::string_view name) {
  constexpr std::array<std::string_view, 6> endings{".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test"};
  return !name.contains('.') || std::ranges::any_of(endings, [&](auto ending) { return name.ends_with(ending); });
}

std::uint16_t standard_port(bool is_tls) { return is_tls ? 443 : 80; }

struct Target {
  bool is_tls = true;
  Host host;
  std::uint16_t port = 443;
};

Result<Target> read_url(std::string_view text) {
  auto const bad = [](std::string message) { return fail(Code::invalid, std::move(message)); };
  auto const parsed = boost::urls::parse_uri({text.data(), text.size()});
  if (text.size() > url_bytes_max || !parsed || !parsed->has_authority() || parsed->encoded_host().empty())
    return bad("must be a URL such as https://api.openai.com/v1");
  auto const scheme = parsed->scheme_id();
  if (scheme != boost::urls::scheme::https && scheme != boost::urls::scheme::http)
    return bad("must begin with https://");
  if (parsed->has_userinfo())
    return bad("must hold no user and no password; give the key as `key`");
  if (parsed->has_query() || parsed->has_fragment())
    return bad("must end with its path, without a query and a fragment");
  // Boost.URL 1.81 takes 1.2.3.4.example.com for the address 1.2.3.4 and the path ".example.com".
  auto const path = parsed->encoded_path();
  if (!path.empty() && path.front() != '/')
    return bad("must name its host plainly: not a name that begins with an address");
  auto const encoded = parsed->encoded_host();
  auto host = read_host({encoded.data(), encoded.size()});
  if (!host)
    return bad("must name its host plainly: a name, an IPv4 address of four numbers, or an IPv6 address in brackets");
  Target target{.is_tls = scheme == boost::urls::scheme::https, .host = std::move(*host)};
  auto const digits = parsed->port();
  auto const port =
      digits.empty() ? std::optional(standard_port(target.is_tls)) : port_of({digits.data(), digits.size()});
  if (!port)
    return bad("must have a port from 1 to 65535");
  target.port = *port;
  return target;
}

std::string shown(Target const& target) {
  bool const is_v6 = target.host.literal && target.host.literal->is_v6();
  auto out = is_v6 ? "[" + target.host.text + "]" : target.host.text;
  return target.port == standard_port(target.is_tls) ? out : out + ":" + std::to_string(target.port);
}

}  // namespace

bool is_public(address const& wanted) {
  return wanted.is_v4() ? is_public_v4(wanted.to_v4().to_uint()) : is_public_v6(wanted.to_v6());
}

bool may_be_service(address const& wanted) {
  return wanted.is_v4() ? !is_in(never_a_service, wanted.to_v4().to_uint()) : may_be_service_v6(wanted.to_v6());
}

Result<std::string> service_host(std::string_view text) {
  bool const is_bare_v6 = text.contains(':') && !text.starts_with('[');
  auto host = read_host(is_bare_v6 ? "[" + std::string(text) + "]" : std::string(text));
  if (!host)
    return fail(Code::invalid, "must be a name, an IPv4 address of four numbers, or an IPv6 address");
  if (host->literal && !may_be_service(*host->literal))
    return fail(Code::invalid, "must not be link-local, multicast, or where clouds keep their metadata");
  return std::move(host->text);
}

Result<OutgoingHosts> OutgoingHosts::from(std::string_view list) {
  OutgoingHosts out;
  while (!list.empty()) {
    auto const text = take_part(list, ',');
    if (text.empty())
      continue;
    if (text == "*") {
      out.any_public_ = true;
      continue;
    }
    auto const colon = text.rfind(':');
    bool const has_port = colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos;
    auto const port = has_port ? port_of(text.substr(colon + 1)) : std::optional<std::uint16_t>(0);
    auto host = read_host(has_port ? text.substr(0, colon) : text);
    if (!host || !port) {
      return fail(Code::invalid, std::string(setting) + ": '" + std::string(text) +
                                     "' is neither a host, nor host:port, nor *; IPv6 addresses stand in brackets");
    }
    out.entries_.push_back({std::move(host->text), *port});
  }
  return out;
}

Result<OutgoingHosts::Approved> OutgoingHosts::check(std::string_view url) const {
  auto const target = read_url(url);
  if (!target)
    return fail(target.error());
  while (url.ends_with('/'))
    url.remove_suffix(1);
  auto const& host = target->host;
  bool const is_listed = std::ranges::any_of(entries_, [&](Entry const& entry) {
    return entry.host == host.text && target->port == (entry.port > 0 ? entry.port : standard_port(target->is_tls));
  });
  bool const is_well_known = std::ranges::find(well_known, host.text) != well_known.end();
  if (is_listed && !is_well_known)
    return Approved{.url = std::string(url), .may_be_private = true};
  auto const ask = "; an operator can add '" + shown(*target) + "' to " + std::string(setting);
  if (!is_listed && !any_public_)
    return fail(Code::invalid, "names a host that may not be called" + ask);
  if (!target->is_tls)
    return fail(Code::invalid, is_well_known ? "must begin with https://" : "must begin with https://" + ask);
  if (host.literal ? !is_public(*host.literal) : is_local_name(host.text))
    return fail(Code::invalid, "names a host of a private network" + ask);
  return Approved{.url = std::string(url), .may_be_private = false};
}

std::string origin_of(std::string_view url) {
  auto const target = read_url(url);
  return target ? (target->is_tls ? "https://" : "http://") + shown(*target) : std::string(url);
}

}  // namespace al::security
