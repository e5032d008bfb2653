#include "http/request_parser.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <functional>
#include <optional>

#include "http/target.hpp"
#include "http/websocket.hpp"

namespace al::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t header_fields_max = 100;
constexpr std::size_t body_reserved_bytes_max = 16 * 1024;
constexpr std::size_t chunked_body_bytes_min = 5;  // "0\r\n\r\n"

/// Beast's parser, filling our Request, and stricter: what two readers could understand in two ways is refused.
class Parser final : public beast_http::basic_parser<true> {
 public:
  Parser(Request& request, std::size_t header_bytes_max) : request_(request), header_bytes_max_(header_bytes_max) {
    header_limit(static_cast<std::uint32_t>(header_bytes_max));
    body_limit(boost::none);  // The route's limit is applied when the head is known.
  }

  /// As put(), for bytes that `input` keeps alive meanwhile.
  std::size_t read(std::string_view input, error_code& error) {
    input_ = input;
    return put(boost::asio::const_buffer(input.data(), input.size()), error);
  }
  /// Beast asserts that a chunked body whose first chunk is the last one comes in one piece.
  [[nodiscard]] bool can_read(std::size_t bytes) const {
    return !is_header_done() || !chunked() || any_chunk_ || bytes >= chunked_body_bytes_min;
  }
  [[nodiscard]] RequestHead& head() { return head_; }

 private:
  using View = boost::beast::string_view;

  void on_request_impl(beast_http::verb, View method, View target, int version, error_code&) override {
    head_.is_http_1_0 = version == 10;
    head_.method.assign(method.data(), method.size());
    auto const known = method_of(head_.method);
    head_.is_served_method = known.has_value();
    request_.method = known.value_or(Method::get);
    request_.target.assign(target.data(), target.size());
    request_.headers.reserve(8);
  }

  void on_field_impl(beast_http::field field, View name_view, View value_view, error_code& error) override {
    // Trailers are read to find the end of the body, and dropped: they must not override what was checked in the head.
    if (is_header_done()) {
      trailer_bytes_ += name_view.size() + value_view.size();
      if (++fields_ > header_fields_max || trailer_bytes_ > header_bytes_max_)
        error = beast_http::error::header_limit;
      return;
    }
    std::string_view const name(name_view.data(), name_view.size());
    std::string_view const value(value_view.data(), value_view.size());
    if (++fields_ > header_fields_max) {
      error = beast_http::error::header_limit;
    } else if (is_folded(name, value)) {
      error = beast_http::error::bad_obs_fold;
    } else if (!is_well_framed(field, name, value)) {
      error = beast_http::error::bad_field;
    }
    if (!error)
      request_.headers.add(name, value);
  }

  // Beast joins folded lines in a buffer of its own, or leaves a line break between name and value.
  [[nodiscard]] bool is_folded(std::string_view name, std::string_view value) const {
    auto const* const end = input_.data() + input_.size();
    bool const is_inside = std::less_equal<>()(input_.data(), value.data()) && std::less_equal<>()(value.data(), end);
    if (!is_inside)
      return true;
    auto const* const after_name = name.data() + name.size();
    return std::string_view(after_name, static_cast<std::size_t>(value.data() - after_name)).contains('\r');
  }

  // Beast takes "Content-Length: 5, 5", equal repeats, and any coding before `chunked` or instead of it.
  bool is_well_framed(beast_http::field field, std::string_view name, std::string_view value) {
    constexpr std::size_t digits_max = 18;
    switch (field) {
      case beast_http::field::content_length:
        return ++content_lengths_ == 1 && !value.empty() && value.size() <= digits_max &&
               std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
      case beast_http::field::transfer_encoding:
        return ++transfer_encodings_ == 1 && !head_.is_http_1_0 && content_lengths_ == 0 &&
               equal_without_case(value, "chunked");
      case beast_http::field::host:
        ++head_.hosts;
        return is_authority(value);
      case beast_http::field::upgrade:
        head_.asks_for_websocket = head_.asks_for_websocket || has_token(value, "websocket");
        return true;
      default:
        // Programs behind a gateway that turn names into variables cannot tell these from the real ones.
        return name.find('_') == name.npos ||
               !(equal_without_case(name, "content_length") || equal_without_case(name, "transfer_encoding"));
    }
  }

  void on_header_impl(error_code&) override {}

  void on_body_init_impl(boost::optional<std::uint64_t> const& length, error_code&) override {
    // A client that only announces a large body gets no memory for it.
    request_.body.reserve(std::min<std::uint64_t>(length.value_or(0), body_reserved_bytes_max));
  }

  std::size_t on_body_impl(View piece, error_code&) override {
    request_.body.append(piece.data(), piece.size());
    return piece.size();
  }

  void on_chunk_header_impl(std::uint64_t, View extensions, error_code& error) override {
    any_chunk_ = true;
    // A line feed inside a quoted extension ends the line for some readers.
    bool const is_clean =
        std::ranges::all_of(extensions, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
    if (!is_clean)
      error = beast_http::error::bad_chunk_extension;
  }

  std::size_t on_chunk_body_impl(std::uint64_t, View piece, error_code&) override {
    request_.body.append(piece.data(), piece.size());
    return piece.size();
  }

  void on_response_impl(int, View, int, error_code&) override {}
  void on_finish_impl(error_code&) override {}

  Request& request_;
  std::size_t const header_bytes_max_;
  std::string_view input_;
  RequestHead head_;
  bool any_chunk_ = false;
  std::size_t fields_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::size_t content_lengths_ = 0;
  std::size_t transfer_encodings_ = 0;
};

ParseFault fault_of(error_code error) {
  if (error == beast_http::error::header_limit)
    return {.kind = ParseFault::Kind::headers_too_large};
  if (error == beast_http::error::body_limit)
    return {.kind = ParseFault::Kind::body_too_large};
  return {.kind = ParseFault::Kind::malformed, .reason = error.message()};
}

}  // namespace

// Kept from one request to the next, so that a connection pays for the memory once.
struct RequestParser::Impl {
  std::optional<Parser> parser;
};

RequestParser::RequestParser(std::size_t header_bytes_max)
    : header_bytes_max_(header_bytes_max), impl_(std::make_unique<Impl>()) {}
RequestParser::~RequestParser() = default;

void RequestParser::begin(Request& request) { impl_->parser.emplace(request, header_bytes_max_); }

std::expected<RequestParser::Taken, ParseFault> RequestParser::read(std::string_view input) {
  auto& parser = *impl_->parser;
  if (!parser.can_read(input.size()))
    return Taken{.bytes = 0, .needs_more = true};
  bool const was_head_done = parser.is_header_done();
  error_code error;
  auto const bytes = parser.read(input, error);
  bool const needs_more = error == beast_http::error::need_more;
  if (error && !needs_more)
    return std::unexpected(fault_of(error));
  if (!was_head_done && parser.is_header_done()) {
    auto& head = parser.head();
    head.keep_alive = parser.keep_alive();
    head.is_chunked = parser.chunked();
    head.content_length = parser.content_length().value_or(0);
  }
  return Taken{.bytes = bytes, .needs_more = needs_more};
}

bool RequestParser::is_head_done() const { return impl_->parser->is_header_done(); }
bool RequestParser::is_done() const { return impl_->parser->is_done(); }
RequestHead const& RequestParser::head() const { return impl_->parser->head(); }
void RequestParser::limit_chunks(std::uint64_t bytes) { impl_->parser->body_limit(bytes); }

}  // namespace al::http
