#pragma once
/// The guard for addresses that clients hand in: what the server may call for them.

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/async.hpp"
#include "core/result.hpp"

namespace al::security {

/// Whether an address belongs to the public Internet: not private, shared (RFC 6598), loopback, link-local, multicast,
/// reserved, for documentation or benchmarks, nor one of cloud metadata. IPv6 forms that carry an IPv4 address (mapped,
/// NAT64) are judged by that one. Source: IANA IPv4 and IPv6 Special-Purpose Address Registries. Pure; give it to
/// `http::ClientOptions::is_address_allowed`, since only the connection knows what a name stands for.
[[nodiscard]] bool is_public(asio::ip::address const&);

/// Whether a service of this installation may have this address: a private or loopback one is fine, since an operator
/// registers it; link-local ones, those of cloud metadata, and those that name no host never. Pure, as is_public().
[[nodiscard]] bool may_be_service(asio::ip::address const&);

/// The host of a service as it is kept: in lower case, addresses as Asio writes them, without brackets.
/// Errors: invalid, with a message that goes on from "host".
[[nodiscard]] Result<std::string> service_host(std::string_view);

/// The list of PROVIDERS_ALLOWED_HOSTS. Immutable, so any thread may use it.
class OutgoingHosts {
 public:
  /// Commas between `host` (ports 443, and 80 without TLS), `host:port` and `*` (every public host, with TLS). Hosts
  /// are names, IPv4 addresses, or IPv6 addresses in brackets. Errors: invalid, naming the entry.
  [[nodiscard]] static Result<OutgoingHosts> from(std::string_view list);

  struct Approved {
    std::string url;              ///< without a slash at its end
    bool may_be_private = false;  ///< the operator vouches for the host; else is_public holds when connecting
  };
  /// Errors: invalid, with a message that goes on from "base_url" and says how to mend it.
  [[nodiscard]] Result<Approved> check(std::string_view url) const;

 private:
  struct Entry {
    std::string host;        ///< in lower case; addresses as Asio writes them
    std::uint16_t port = 0;  ///< 0: the scheme's
  };
  std::vector<Entry> entries_;
  bool any_public_ = false;
};

/// Scheme, host and port of an approved URL: a key that was given for one is not sent to another.
[[nodiscard]] std::string origin_of(std::string_view url);

}  // namespace al::security
