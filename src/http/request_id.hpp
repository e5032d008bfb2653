#pragma once
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/random.hpp"
#include "http/context.hpp"
#include "http/message.hpp"

namespace al::http {

/// Makes request ids: a random number of the process and a counter, 32 hexadecimal digits. An id tells requests apart
/// and is no secret, so it need not cost a call of the operating system each. Any thread.
class RequestIds {
 public:
  explicit RequestIds(Random&);
  [[nodiscard]] std::string next();

 private:
  std::uint64_t prefix_ = 0;
  std::atomic<std::uint64_t> count_{0};
};

/// Gives the request its id, the one that its client sent or a new one, and its trace context. What the Context has
/// already stays.
void identify(Context&, Headers const&, RequestIds&);
/// Sends both back.
void add_identity(Response&, Context const&);

/// 1 to `max` characters, all visible ASCII: what we take as an id or a key from a client.
[[nodiscard]] bool is_visible_ascii(std::string_view, std::size_t max);

}  // namespace al::http
