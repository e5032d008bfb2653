#pragma once
/// Where Redis is and how to talk to it.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace al::redis {

struct Address {
  std::string host;  ///< name or numeric address, without brackets
  std::uint16_t port = 6379;
  bool operator==(Address const&) const = default;
};

/// ACL name and password; a password alone is that of the user `default`, both empty: no AUTH.
struct Credentials {
  std::string username;
  std::string password;
  bool operator==(Credentials const&) const = default;
};

struct Options {
  Address server{.host = "localhost"};  ///< not used with Sentinel
  Credentials credentials;
  int database = 0;

  bool tls = false;     ///< for the sentinels as well
  std::string ca_file;  ///< PEM; empty: the system's
  /// PEM of our own certificate and its key, for servers with `tls-auth-clients yes`; empty: none is shown.
  std::string certificate_file;
  std::string key_file;

  std::vector<Address> sentinels;  ///< any of them knows the master; empty: `server` is connected to
  std::string master_name;         ///< as the sentinels call it
  Credentials sentinel_credentials;

  std::string client_name = "agent-lightning";  ///< CLIENT SETNAME; no spaces
  /// For all steps of an attempt together: name look-up, Sentinel, TCP, TLS, AUTH.
  std::chrono::milliseconds connect_timeout{2000};
  /// From the call to the answer. A server that is silent this long while it owes an answer counts as gone.
  std::chrono::milliseconds command_timeout{5000};
};

/// Reads one of
///   redis://[[user]:password@][host][:port][/database]      (rediss:// with TLS)
///   redis+sentinel://[[user]:password@]host[:port][,host[:port]...]/master[/database]      (rediss+sentinel://)
/// with the parameters ca_file, cert_file, key_file, sentinel_username and sentinel_password. Name and password are
/// those of the Redis servers and percent-encoded; hosts may be addresses in brackets. Sentinels listen on 26379 unless
/// the URL says otherwise. This is how redis-py with redis-sentinel-url, Prefect and RedisVL read these URLs.
/// Errors: invalid. No message quotes the URL, because a misplaced character can put the password anywhere in it.
[[nodiscard]] Result<Options> parse_url(std::string_view url);

/// The URL without credentials and parameters, for logs.
[[nodiscard]] std::string describe(Options const&);

/// "host:port", with brackets around an IPv6 address.
[[nodiscard]] std::string describe(Address const&);

}  // namespace al::redis
