#include "services/ai_model/relay.hpp"

#include <algorithm>
#include <charconv>

#include "core/fault.hpp"
#include "services/ai_model/protocol.hpp"

namespace al::services::ai_model {
namespace {

/// Longer than any model answers; silence ends a call much earlier.
constexpr std::chrono::hours answer_time_max{1};
/// A document up to this size is sent with its length; more is never held.
constexpr std::size_t collected_bytes_max = 256 * 1024;

bool is_stream(http::Headers const& headers) {
  constexpr std::string_view type = "text/event-stream";
  auto const sent = headers.find("Content-Type").value_or("");
  return http::equal_without_case(sent.substr(0, type.size()), type);
}

std::size_t length_of(http::Headers const& headers) {
  auto const text = headers.find("Content-Length").value_or("");
  std::size_t length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  return length;
}

}  // namespace

Relay::Relay(Usage& usage, providers::Kind kind, UsedCall call)
    : usage_(usage), call_(std::move(call)), kind_(kind), started_(std::chrono::steady_clock::now()) {}

Relay::~Relay() {
  if (tokens_)
    call_.tokens = tokens_->tokens();
  usage_.add(call_);
}

Task<Result<void>> Relay::send(http::Client& client, http::Method method, std::string url, http::Headers headers,
                               std::string body) {
  auto opened = co_await client.open(method, std::move(url), std::move(headers), std::move(body),
                                     Deadline::after(answer_time_max));
  if (!opened)
    co_return fail(std::move(opened.error()));
  incoming_ = std::move(*opened);
  call_.status = incoming_->head.status;
  call_.to_first_byte = std::chrono::steady_clock::now() - started_;
  if (call_.is_billed && call_.status / 100 == 2)
    tokens_.emplace(kind_, is_stream(incoming_->head.headers));
  co_return Result<void>{};
}

Task<Result<std::string_view>> Relay::read() {
  auto piece = co_await incoming_->read();
  if (piece && tokens_)
    tokens_->feed(*piece);
  co_return piece;
}

Task<Result<http::Response>> Relay::answer(std::shared_ptr<Relay> relay) {
  auto const& head = relay->incoming_->head;
  http::Response out{.status = head.status, .headers = headers_from(head.headers)};
  std::string begin;
  if (!is_stream(head.headers)) {
    auto const length = length_of(head.headers);
    begin.reserve(std::min(length, collected_bytes_max));
    while (length <= collected_bytes_max && begin.size() <= collected_bytes_max) {
      auto const piece = co_await relay->read();
      if (!piece)
        co_return fail(piece.error());
      if (piece->empty()) {
        out.body = std::move(begin);
        co_return out;
      }
      begin.append(*piece);
    }
  }
  // A copy of the begin is as good as the begin: std::function wants to be copied.
  out.body = http::BodyStream([relay = std::move(relay), begin = std::move(begin)](http::BodyWriter& writer) {
    return relay->pass_on(writer, begin);
  });
  co_return out;
}

// Nothing is read before the caller has taken what came: a slow caller slows the provider, and needs no memory here.
Task<void> Relay::pass_on(http::BodyWriter& writer, std::string const& begin) {
  if (!begin.empty())
    co_await writer.write(begin);
  for (;;) {
    auto const piece = co_await read();
    if (!piece)
      throw Fault("the provider " + call_.provider + " broke off: " + piece.error().message);
    if (piece->empty())
      co_return;
    co_await writer.write(*piece);
  }
}

}  // namespace al::services::ai_model
