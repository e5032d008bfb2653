#include "services/gateway/forwarding.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "core/fault.hpp"
#include "http/tunnel.hpp"
#include "services/gateway/passed_headers.hpp"

namespace al::services::gateway {
namespace {

using http::Headers;
using http::Incoming;
using http::Method;
using http::Response;
using Kind = Outcome::Kind;

/// Answers up to this length are collected, so that they go out with their length and can be kept or compressed.
constexpr std::size_t collected_bytes_max = 256 * 1024;

/// What came of one attempt: an answer whose head is there, or why there is none.
struct Reply {
  Balancer::Attempt attempt;
  Outcome outcome{};
  std::unique_ptr<Incoming> incoming{};
  std::optional<http::Upgraded> upgraded{};  ///< in place of `incoming`, of a call that asks for a WebSocket
  Error error{};
};

/// Escapes what a client may send in a query and no URL can have (RFC 3986, section 3.4); both mean the same.
std::string url_query(std::string_view query) {
  constexpr std::string_view marks = "-._~!$&'()*+,;=:@/?%";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(query.size());
  for (char const c : query) {
    bool const is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_plain || marks.contains(c)) {
      out.push_back(c);
    } else {
      auto const byte = static_cast<std::uint8_t>(c);
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return out;
}

std::string url_target(std::string_view target) {
  auto const end = std::min(target.find('?'), target.size());
  std::string out(target.substr(0, end));
  return end == target.size() ? out : out + "?" + url_query(target.substr(end + 1));
}

std::optional<std::size_t> content_length(Headers const& headers) {
  auto const text = headers.find("Content-Length");
  std::size_t length = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), length).ec != std::errc())
    return std::nullopt;
  return length;
}

Error without_answer(Service const& service, std::string_view why) {
  return {.code = Code::unavailable,
          .message = "The service " + service.name + " gave no answer: " + std::string(why),
          .where = std::string(bad_answer)};
}

/// What a caller is told: which of our machines it was is for the log of the service.
Error as_seen(Service const& service, Error const& error) {
  if (error.code == Code::timed_out)
    return {.code = Code::timed_out, .message = "The service " + service.name + " did not answer in time."};
  if (error.code == Code::invalid)
    return {.code = Code::bad_request, .message = "The request target is none that can be passed on."};
  return without_answer(service, error.where == http::not_connected ? "it cannot be reached." : "it broke off.");
}

/// One call, with what is left of it between attempts.
class Forwarding {
 public:
  Forwarding(std::shared_ptr<Upstream> upstream, Outgoing outgoing, Means means)
      : upstream_(std::move(upstream)),
        outgoing_(std::move(outgoing)),
        means_(means),
        url_target_(url_target(outgoing_.target)) {}

  [[nodiscard]] Task<Result<Response>> run();

 private:
  [[nodiscard]] Task<Reply> ask(Balancer::Attempt attempt);
  [[nodiscard]] Task<Reply> ask_for_upgrade(Balancer::Attempt attempt);
  [[nodiscard]] std::optional<std::chrono::microseconds> delay_of_retry(Outcome const&);
  [[nodiscard]] Task<Result<Response>> deliver(Reply reply);
  [[nodiscard]] Task<Result<Response>> collect(Reply reply, Response response);
  [[nodiscard]] Response stream(Reply reply, Response response, std::string first);
  [[nodiscard]] Response bridge(Reply reply);
  [[nodiscard]] Service const& service() const { return upstream_->service; }
  [[nodiscard]] Deadline attempt_deadline() const {
    auto const limit = service().timeouts.answer;
    return limit.count() > 0 ? Deadline{std::min(outgoing_.deadline.at, Deadline::after(limit).at)}
                             : outgoing_.deadline;
  }

  std::shared_ptr<Upstream> upstream_;
  Outgoing outgoing_;
  Means means_;
  std::string url_target_;
  std::vector<Instance> tried_{};
};

Outcome outcome_of(Error const& error) {
  switch (error.code) {
    case Code::unavailable:
    case Code::timed_out:
      return {.kind = error.where == http::not_connected ? Kind::connect_failed : Kind::no_answer};
    default:
      return {.kind = Kind::abandoned};
  }
}

// An attempt at a time: pick, ask, and either hand on what came or try the next instance.
Task<Result<Response>> Forwarding::run() {
  upstream_->budget.count_call(means_.clock.steady());
  for (;;) {
    auto attempt = upstream_->balancer.pick(tried_, means_.clock.steady());
    if (!attempt)
      co_return fail(std::move(attempt.error()));
    tried_.push_back(attempt->instance());
    auto reply = co_await (outgoing_.is_upgrade ? ask_for_upgrade(std::move(*attempt)) : ask(std::move(*attempt)));
    auto const delay = delay_of_retry(reply.outcome);
    if (!delay && reply.upgraded)
      co_return bridge(std::move(reply));
    if (!delay && reply.incoming)
      co_return co_await deliver(std::move(reply));
    reply.attempt.report(reply.outcome, means_.clock.steady());
    if (!delay)
      co_return fail(as_seen(service(), reply.error));
    upstream_->figures->retries.fetch_add(1, std::memory_order_relaxed);
    {
      auto const ended = std::move(reply);
    }
    co_await sleep_until(std::chrono::steady_clock::now() + *delay);
  }
}

Task<Reply> Forwarding::ask(Balancer::Attempt attempt) {
  auto& client = means_.clients.here(co_await asio::this_coro::executor);
  auto url = url_of(attempt.instance()) + url_target_;
  // Kept for another attempt.
  auto headers = outgoing_.headers;
  auto body = outgoing_.body;
  auto opened = co_await client.open(outgoing_.method, std::move(url), std::move(headers), std::move(body),
                                     attempt_deadline(), Deadline::after(service().timeouts.connect));
  if (!opened)
    co_return Reply{.attempt = std::move(attempt), .outcome = outcome_of(opened.error()), .error = opened.error()};
  Outcome const outcome{.kind = Kind::answered, .status = (*opened)->head.status};
  co_return Reply{.attempt = std::move(attempt), .outcome = outcome, .incoming = std::move(*opened)};
}

Task<Reply> Forwarding::ask_for_upgrade(Balancer::Attempt attempt) {
  auto& client = means_.clients.here(co_await asio::this_coro::executor);
  auto url = url_of(attempt.instance()) + url_target_;
  auto headers = outgoing_.headers;
  auto upgraded = co_await client.upgrade(std::move(url), std::move(headers), attempt_deadline(),
                                          Deadline::after(service().timeouts.connect));
  if (!upgraded)
    co_return Reply{.attempt = std::move(attempt), .outcome = outcome_of(upgraded.error()), .error = upgraded.error()};
  Outcome const outcome{.kind = Kind::answered, .status = upgraded->head.status};
  co_return Reply{.attempt = std::move(attempt), .outcome = outcome, .upgraded = std::move(*upgraded)};
}

std::optional<std::chrono::microseconds> Forwarding::delay_of_retry(Outcome const& outcome) {
  bool const has_key = outgoing_.headers.find("Idempotency-Key").has_value();
  auto const delay = may_retry({.method = outgoing_.method,
                                .has_honoured_key = has_key && outgoing_.route->honours_key,
                                .attempts = std::ssize(tried_),
                                .retries_max = outgoing_.route->retries,
                                .outcome = outcome,
                                .time_left = outgoing_.deadline.left()},
                               means_.random);
  // The service has seen nothing of a call that could not connect, so its retry cannot overload it.
  bool const is_free = outcome.kind == Kind::connect_failed;
  return delay && (is_free || upstream_->budget.take_retry(means_.clock.steady())) ? delay : std::nullopt;
}

Task<Result<Response>> Forwarding::deliver(Reply reply) {
  Response response{.status = reply.incoming->head.status, .headers = std::move(reply.incoming->head.headers)};
  auto const length = content_length(response.headers);
  make_returned(response.headers);
  upstream_->figures->count_answer(response.status);
  bool const is_empty = outgoing_.method == Method::head || response.status == 204 || response.status == 304;
  if (is_empty || (length && *length <= collected_bytes_max))
    co_return co_await collect(std::move(reply), std::move(response));
  // What has come with the head is all there is, or only the beginning: whoever made it may take his time.
  auto const first = reply.incoming->read_now();
  if (!first) {
    reply.attempt.report({.kind = Kind::cut_off}, means_.clock.steady());
    co_return fail(as_seen(service(), first.error()));
  }
  std::string text(*first);
  if (!reply.incoming->is_whole() || text.size() > collected_bytes_max)
    co_return stream(std::move(reply), std::move(response), std::move(text));
  std::ignore = reply.incoming->read_now();
  reply.attempt.report(reply.outcome, means_.clock.steady());
  response.body = std::move(text);
  co_return response;
}

Task<Result<Response>> Forwarding::collect(Reply reply, Response response) {
  std::string text;
  for (;;) {
    reply.incoming->expect_by(Deadline::after(service().timeouts.idle));
    auto const piece = co_await reply.incoming->read();
    if (!piece) {
      reply.attempt.report({.kind = Kind::cut_off}, means_.clock.steady());
      co_return fail(as_seen(service(), piece.error()));
    }
    if (piece->empty())
      break;
    text.append(*piece);
  }
  reply.attempt.report(reply.outcome, means_.clock.steady());
  response.body = std::move(text);
  co_return response;
}

/// An answer that is handed on while it comes. Its attempt is in flight as long.
struct Flow {
  std::shared_ptr<Upstream> upstream;
  std::unique_ptr<Incoming> incoming;
  Balancer::Attempt attempt;
  std::string first;
};

// A fault, since the caller has the first part: it must see that this was not all.
Task<void> pump(std::shared_ptr<Flow> flow, http::BodyWriter& writer) {
  if (!flow->first.empty())
    co_await writer.write(std::exchange(flow->first, {}));
  for (;;) {
    flow->incoming->expect_by(Deadline::after(flow->upstream->service.timeouts.idle));
    auto const piece = co_await flow->incoming->read();
    if (!piece)
      throw Fault("an answer of the service " + flow->upstream->service.name + " broke off: " + piece.error().message);
    if (piece->empty())
      co_return;
    co_await writer.write(*piece);
  }
}

// How it ends may not be known for hours, so its begin is what the breaker hears.
Response Forwarding::stream(Reply reply, Response response, std::string first) {
  reply.attempt.report(reply.outcome, means_.clock.steady());
  reply.incoming->expect_by(Deadline::after(service().timeouts.idle));
  auto flow = std::make_shared<Flow>(upstream_, std::move(reply.incoming), std::move(reply.attempt), std::move(first));
  response.body = http::BodyStream([flow](http::BodyWriter& writer) { return pump(flow, writer); });
  return response;
}

// ---- WebSockets ----

struct Bridge {
  std::shared_ptr<Upstream> upstream;
  std::unique_ptr<http::ByteStream> stream;
  Balancer::Attempt attempt;
};

Task<void> carry(std::shared_ptr<Bridge> bridge, http::ByteStream& client) {
  co_await http::pass_through(client, *bridge->stream);
}

Response Forwarding::bridge(Reply reply) {
  auto response = std::move(reply.upgraded->head);
  reply.attempt.report(reply.outcome, means_.clock.steady());
  upstream_->figures->count_answer(response.status);
  std::string const protocol(response.headers.find("Upgrade").value_or("websocket"));
  make_returned(response.headers);
  if (!reply.upgraded->stream)
    return response;
  response.headers.add("Upgrade", protocol);
  auto bridge = std::make_shared<Bridge>(upstream_, std::move(reply.upgraded->stream), std::move(reply.attempt));
  response.body = http::Tunnel{[bridge](http::ByteStream& other) { return carry(bridge, other); }};
  return response;
}

}  // namespace

Task<Result<Response>> forward(std::shared_ptr<Upstream> upstream, Outgoing outgoing, Means means) {
  Forwarding forwarding(std::move(upstream), std::move(outgoing), means);
  co_return co_await forwarding.run();
}

}  // namespace al::services::gateway
