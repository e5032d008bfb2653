#pragma once
/// One call to a model over HTTP, its answer as server-sent events. Shared by the protocols.

#include <string>
#include <utility>

#include "core/fault.hpp"
#include "core/random.hpp"
#include "core/time.hpp"
#include "http/client.hpp"
#include "http/sse.hpp"
#include "providers/chat.hpp"
#include "providers/upstream.hpp"

namespace al::providers {

/// What a call needs from the process. All outlive it.
struct CallServices {
  http::Client& client;
  Clock const& clock;
  Random& random;
};

inline constexpr int attempts_max = 3;  ///< as the official clients do
inline constexpr std::size_t error_body_max = 64 * 1024;
/// Of all that a call sends, far over what the longest answer of a model takes with its events around it.
inline constexpr std::size_t answer_bytes_max = 64 << 20;

/// How long to wait before attempt `next` (from 2): what the provider asked for, else 0.5 s doubled each time up to 8
/// s, less a quarter at random, so that many callers do not come back together. Pure.
[[nodiscard]] std::chrono::milliseconds wait_before(int next, std::optional<std::chrono::milliseconds> asked, Random&);

/// Longer than this nobody waits within a call; the task is tried again later instead.
inline constexpr std::chrono::seconds wait_within_call_max{20};

/// One attempt: what came of it, and the head that came with it.
struct Attempt {
  Result<ChatAnswer> answer;
  http::Headers head{};
  bool has_text = false;  ///< some was handed out, so that asking again would say it twice
};

/// `Reader` is the protocol's, `error_of` makes an Error of a refused call.
template <class Reader>
Task<Attempt> attempt(CallServices services, std::string url, http::Headers headers, std::string body,
                      Deadline deadline, OnText on_text, Error (*error_of)(int, std::string_view)) {
  Reader reader;
  http::SseParser events;
  Attempt out{.answer = fail(Code::unavailable, "the answer was cut before its end")};
  std::optional<Error> bad;
  std::string refusal;
  int status = 0;
  std::size_t bytes = 0;
  OnText const counted = [&](std::string_view piece) {
    out.has_text = true;
    return !on_text || on_text(piece);
  };
  auto const on_piece = [&](std::string_view piece) {
    if (status != 200) {
      refusal += piece.substr(0, error_body_max - std::min(error_body_max, refusal.size()));
      return refusal.size() < error_body_max;
    }
    bytes += piece.size();
    if (bytes > answer_bytes_max) {
      bad = Error{.code = Code::invalid, .message = "the answer has no end: it was given up after 64 MiB"};
      return false;
    }
    events.feed(piece);
    while (auto const event = events.next()) {
      auto const more = reader.read(event->data, counted);
      if (!more)
        bad = more.error();
      if (!more.value_or(false))
        return false;
    }
    return true;
  };
  auto const on_head = [&](http::Response const& head) {
    status = head.status;
    out.head = head.headers;
  };
  Result<http::Response> done;
  try {
    done = co_await services.client.stream(http::Method::post, std::move(url), std::move(headers), std::move(body),
                                           deadline, on_piece, on_head);
  } catch (Fault const& fault) {  // an event over its limit
    bad = Error{.code = Code::unavailable, .message = fault.what()};
  }
  if (bad)
    out.answer = std::unexpected(*bad);
  else if (status != 0 && status != 200)
    out.answer = std::unexpected(error_of(status, refusal));
  else if (reader.done())
    out.answer = reader.take();
  else if (!done)
    out.answer = std::unexpected(done.error());
  co_return out;
}

/// As attempt(), and again when that can help: after connection errors and refusals that pass, never once text was
/// handed out.
template <class Reader>
Task<Result<ChatAnswer>> call(CallServices services, std::string url, http::Headers headers, std::string body,
                              Deadline deadline, OnText on_text, Error (*error_of)(int, std::string_view)) {
  for (int number = 1;; ++number) {
    auto tried = co_await attempt<Reader>(services, url, headers, body, deadline, on_text, error_of);
    if (tried.answer || tried.has_text || !may_retry(tried.answer.error(), tried.head))
      co_return std::move(tried.answer);
    auto const asked = asked_wait(tried.head, services.clock.now());
    if (asked)
      tried.answer.error().retry_after = std::chrono::ceil<std::chrono::seconds>(*asked);
    auto const again = std::chrono::steady_clock::now() + wait_before(number + 1, asked, services.random);
    if (number == attempts_max || (asked && *asked > wait_within_call_max) || again >= deadline.at)
      co_return std::move(tried.answer);
    co_await sleep_until(again);
  }
}

}  // namespace al::providers
