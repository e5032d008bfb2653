#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "http/message.hpp"

namespace al::http {

/// Proxies whose word on where a request came from is believed. Everybody else could name any address, and so escape
/// limits or blame another. Immutable, so any thread may use it.
class TrustedProxies {
 public:
  TrustedProxies() = default;
  /// Commas between addresses and networks: "10.0.0.0/8, fd00::/8, 192.0.2.7". Errors: invalid, naming the entry.
  [[nodiscard]] static Result<TrustedProxies> from(std::string_view list);

  /// Whether `peer` is one of them.
  [[nodiscard]] bool trusts(std::string const& peer) const;

  /// Where the request came from: `peer`, or what a trusted proxy says in X-Forwarded-For. Each proxy adds at the end
  /// whom it heard from, so the last address that is none of a trusted proxy counts; what stands before it anybody
  /// could have written.
  [[nodiscard]] std::string client_of(std::string const& peer, Headers const& headers) const;

 private:
  /// IPv4 in the form ::ffff:a.b.c.d.
  using Bytes = std::array<unsigned char, 16>;
  struct Network {
    Bytes address{};
    unsigned bits = 0;
  };
  [[nodiscard]] static std::optional<Bytes> bytes_of(std::string const& address);
  [[nodiscard]] static std::optional<Network> read_network(std::string_view entry);
  [[nodiscard]] bool covers(Bytes const& address) const;

  std::vector<Network> networks_;
};

}  // namespace al::http
