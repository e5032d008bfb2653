#include "redis/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace al::redis {
namespace {

constexpr std::uint16_t sentinel_port = 26379;
constexpr std::size_t sentinels_max = 64;

std::unexpected<Error> refuse(std::string_view what) {
  return fail(Code::invalid, "The Redis URL is malformed: " + std::string(what) + ".");
}

struct Parts {
  bool tls = false;
  bool sentinel = false;
  std::string_view userinfo{};
  bool has_userinfo = false;
  std::string_view hosts{};
  std::string_view path{};  ///< without the leading slash
  std::string_view query{};
};

struct Scheme {
  std::string_view name;
  bool tls;
  bool sentinel;
};
constexpr std::array<Scheme, 6> schemes{{{.name = "redis", .tls = false, .sentinel = false},
                                         {.name = "rediss", .tls = true, .sentinel = false},
                                         {.name = "redis+sentinel", .tls = false, .sentinel = true},
                                         {.name = "rediss+sentinel", .tls = true, .sentinel = true},
                                         {.name = "redis-sentinel", .tls = false, .sentinel = true},
                                         {.name = "rediss-sentinel", .tls = true, .sentinel = true}}};

Result<Parts> split(std::string_view url) {
  auto const colon = url.find("://");
  auto const* const scheme = std::ranges::find(schemes, url.substr(0, colon), &Scheme::name);
  if (colon == url.npos || scheme == schemes.end()) {
    return refuse("it begins with none of redis://, rediss://, redis+sentinel:// and rediss+sentinel://");
  }
  Parts parts{.tls = scheme->tls, .sentinel = scheme->sentinel};
  auto rest = url.substr(colon + 3);
  if (std::ranges::any_of(rest, [](unsigned char c) { return c <= ' ' || c == 0x7f || c == '#'; }))
    return refuse("spaces, control characters and # must be percent-encoded");
  if (auto const mark = rest.find('?'); mark != rest.npos) {
    parts.query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  if (auto const slash = rest.find('/'); slash != rest.npos) {
    parts.path = rest.substr(slash + 1);
    rest = rest.substr(0, slash);
  }
  // The last one: an @ in the password that is not encoded does no harm then.
  if (auto const at = rest.rfind('@'); at != rest.npos) {
    parts.has_userinfo = true;
    parts.userinfo = rest.substr(0, at);
    rest = rest.substr(at + 1);
  }
  parts.hosts = rest;
  return parts;
}

template <class T>
bool read_number(std::string_view text, T& out) {
  auto const read = std::from_chars(text.data(), text.data() + text.size(), out);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

std::optional<unsigned> digit_of(char c) {
  unsigned value = 0;
  auto const read = std::from_chars(&c, &c + 1, value, 16);
  return read.ec == std::errc() ? std::optional(value) : std::nullopt;
}

/// Errors: invalid, where a % has no two hexadecimal digits.
Result<std::string> decode(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.front() != '%') {
      out.push_back(text.front());
      text.remove_prefix(1);
      continue;
    }
    auto const high = text.size() > 2 ? digit_of(text[1]) : std::nullopt;
    auto const low = text.size() > 2 ? digit_of(text[2]) : std::nullopt;
    if (!high || !low)
      return refuse("a % is not followed by two hexadecimal digits (a % itself is written %25)");
    out.push_back(static_cast<char>(*high * 16 + *low));
    text.remove_prefix(3);
  }
  return out;
}

Result<Credentials> read_userinfo(std::string_view userinfo) {
  auto const colon = userinfo.find(':');
  if (colon == userinfo.npos)
    return refuse("before the @ stands no colon; write :password@ or user:password@");
  auto username = decode(userinfo.substr(0, colon));
  auto password = decode(userinfo.substr(colon + 1));
  if (!username)
    return fail(std::move(username.error()));
  if (!password)
    return fail(std::move(password.error()));
  if (password->empty() && !username->empty())
    return refuse("it names a user without a password");
  return Credentials{.username = std::move(*username), .password = std::move(*password)};
}

Result<Address> read_address(std::string_view text, std::uint16_t standard_port) {
  Address address{.host = {}, .port = standard_port};
  std::string_view port;
  if (text.starts_with('[')) {
    auto const end = text.find(']');
    if (end == text.npos || (end + 1 < text.size() && text[end + 1] != ':'))
      return refuse("a bracket around an address is not closed");
    address.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else {
    auto const colon = text.find(':');
    address.host = text.substr(0, colon);
    port = colon == text.npos ? "" : text.substr(colon);
  }
  if (!port.empty()) {
    port.remove_prefix(1);
    if (!read_number(port, address.port) || address.port == 0)
      return refuse("a port is no number from 1 to 65535");
  }
  if (address.host.find('%') != address.host.npos)
    return refuse("a host may not be percent-encoded");
  return address;
}

Result<std::vector<Address>> read_sentinels(std::string_view hosts) {
  std::vector<Address> out;
  for (;;) {
    auto const comma = hosts.find(',');
    auto address = read_address(hosts.substr(0, comma), sentinel_port);
    if (!address)
      return fail(std::move(address.error()));
    if (address->host.empty())
      return refuse("a sentinel has no host");
    out.push_back(std::move(*address));
    if (out.size() > sentinels_max)
      return refuse("it names more than " + std::to_string(sentinels_max) + " sentinels");
    if (comma == hosts.npos)
      return out;
    hosts.remove_prefix(comma + 1);
  }
}

Result<int> read_database(std::string_view text) {
  if (text.empty())
    return 0;
  int number = 0;
  if (!read_number(text, number) || number < 0)
    return refuse("the database is no number from 0 up");
  return number;
}

Result<void> read_sentinel_path(std::string_view path, Options& options) {
  auto const slash = path.find('/');
  auto name = decode(path.substr(0, slash));
  auto const database = read_database(slash == path.npos ? "" : path.substr(slash + 1));
  if (!name)
    return fail(std::move(name.error()));
  if (name->empty())
    return refuse("the name of the master is missing; write redis+sentinel://host1,host2/master/0");
  if (!database)
    return fail(database.error());
  options.master_name = std::move(*name);
  options.database = *database;
  return {};
}

Result<void> read_parameters(std::string_view query, Options& options) {
  struct Parameter {
    std::string_view name;
    std::string* value;
  };
  std::array<Parameter, 5> const known{
      {{.name = "ca_file", .value = &options.ca_file},
       {.name = "cert_file", .value = &options.certificate_file},
       {.name = "key_file", .value = &options.key_file},
       {.name = "sentinel_username", .value = &options.sentinel_credentials.username},
       {.name = "sentinel_password", .value = &options.sentinel_credentials.password}}};
  while (!query.empty()) {
    auto const end = std::min(query.find('&'), query.size());
    auto const pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    auto const equals = std::min(pair.find('='), pair.size());
    auto const* const parameter = std::ranges::find(known, pair.substr(0, equals), &Parameter::name);
    if (parameter == known.end()) {
      return refuse("parameters may be ca_file, cert_file, key_file, sentinel_username and sentinel_password only");
    }
    auto value = decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!value)
      return fail(std::move(value.error()));
    *parameter->value = std::move(*value);
  }
  if (options.certificate_file.empty() != options.key_file.empty())
    return refuse("cert_file and key_file belong together");
  return {};
}

Result<void> read_place(Parts const& parts, Options& options) {
  if (parts.sentinel) {
    auto sentinels = read_sentinels(parts.hosts);
    if (!sentinels)
      return fail(std::move(sentinels.error()));
    options.sentinels = std::move(*sentinels);
    return read_sentinel_path(parts.path, options);
  }
  if (parts.hosts.find(',') != parts.hosts.npos)
    return refuse("several hosts need redis+sentinel://");
  auto server = read_address(parts.hosts, options.server.port);
  if (!server)
    return fail(std::move(server.error()));
  if (server->host.empty())
    server->host = options.server.host;
  options.server = std::move(*server);
  auto const database = read_database(parts.path);
  if (!database)
    return fail(database.error());
  options.database = *database;
  return {};
}

}  // namespace

Result<Options> parse_url(std::string_view url) {
  auto const parts = split(url);
  if (!parts)
    return fail(parts.error());
  Options options;
  options.tls = parts->tls;
  if (parts->has_userinfo) {
    auto credentials = read_userinfo(parts->userinfo);
    if (!credentials)
      return fail(std::move(credentials.error()));
    options.credentials = std::move(*credentials);
  }
  if (auto placed = read_place(*parts, options); !placed)
    return fail(std::move(placed.error()));
  if (auto read = read_parameters(parts->query, options); !read)
    return fail(std::move(read.error()));
  return options;
}

std::string describe(Address const& address) {
  bool const is_v6 = address.host.find(':') != address.host.npos;
  return (is_v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

std::string describe(Options const& options) {
  std::string out = options.tls ? "rediss" : "redis";
  if (options.sentinels.empty()) {
    out += "://" + describe(options.server);
  } else {
    out += "+sentinel://";
    for (std::size_t i = 0; i < options.sentinels.size(); ++i)
      out += (i == 0 ? "" : ",") + describe(options.sentinels[i]);
    out += "/" + options.master_name;
  }
  return out + "/" + std::to_string(options.database);
}

}  // namespace al::redis
