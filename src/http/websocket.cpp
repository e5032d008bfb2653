#include "http/websocket.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>
#include <cassert>

#include "core/fault.hpp"
#include "core/strings.hpp"
#include "core/utf8.hpp"

namespace al::http {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::seconds;

constexpr std::uint8_t text_opcode = 0x1;
constexpr std::uint8_t binary_opcode = 0x2;
constexpr std::uint8_t close_opcode = 0x8;
constexpr std::uint8_t ping_opcode = 0x9;
constexpr std::uint8_t pong_opcode = 0xA;
constexpr std::uint8_t final_bit = 0x80;
constexpr std::size_t control_bytes_max = 125;
constexpr std::size_t read_bytes = 16 * 1024;
constexpr std::size_t pongs_max = 16;
constexpr seconds control_interval{10};

}  // namespace

// ---- handshake ----

namespace {

// In any of the fields of that name.
bool lists_token(Headers const& headers, std::string_view name, std::string_view token) {
  return std::ranges::any_of(headers, [&](auto const& field) {
    return equal_without_case(field.first, name) && has_token(field.second, token);
  });
}

// 16 bytes in base64.
bool is_key(std::string_view text) {
  constexpr std::size_t digits = 22;
  return text.size() == digits + 2 && text.ends_with("==") && std::ranges::all_of(text.substr(0, digits), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' || c == '/';
         });
}

// RFC 6455, section 4.2.2: shows that the answer comes from somebody who speaks the protocol; no secret.
std::string accept_of(std::string_view key) {
  auto const text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1)
    throw Fault("SHA-1 cannot be computed: OpenSSL refuses it");
  std::array<unsigned char, 32> base64{};
  auto const length = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
  return {base64.begin(), base64.begin() + length};
}

std::unexpected<HandshakeFault> refuse(int status, std::string message) {
  return std::unexpected(HandshakeFault{{Code::bad_request, std::move(message)}, status});
}

}  // namespace

bool has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    if (equal_without_case(take_part(list, ','), token))
      return true;
  }
  return false;
}

std::expected<std::string, HandshakeFault> check_handshake(Request const& request) {
  auto const& headers = request.headers;
  bool const asks = request.method == Method::get && lists_token(headers, "Upgrade", "websocket") &&
                    lists_token(headers, "Connection", "upgrade");
  if (!asks)
    return refuse(426, "Here only WebSockets are served: send a GET with Upgrade: websocket.");
  if (headers.count("Sec-WebSocket-Version") > 1 || headers.count("Sec-WebSocket-Key") != 1)
    return refuse(400, "A WebSocket needs exactly one Sec-WebSocket-Version and one Sec-WebSocket-Key.");
  if (headers.find("Sec-WebSocket-Version") != "13")
    return refuse(426, "Only version 13 of the WebSocket protocol is served here.");
  auto const key = *headers.find("Sec-WebSocket-Key");
  if (!is_key(key))
    return refuse(400, "Sec-WebSocket-Key must be 16 bytes in base64.");
  if (!request.body.empty())
    return refuse(400, "A request for a WebSocket has no body.");
  return accept_of(key);
}

// ---- frames from the client ----

FrameReader::Event FrameReader::read(std::string_view& input) {
  while (violation_.code == 0) {
    if (!is_in_payload_) {
      if (!read_header(input))
        return violation_.code == 0 ? Event::more : Event::violation;
      begin_frame();
      continue;  // what it says may have been a violation
    }
    take_payload(input);
    if (payload_left_ > 0)
      return Event::more;
    auto const event = end_frame();
    if (event != Event::more)
      return event;
  }
  return Event::violation;
}

// Whether it is whole. What is wrong with its first two bytes is said before the others come.
bool FrameReader::read_header(std::string_view& input) {
  while (!input.empty()) {
    header_[header_size_++] = static_cast<std::uint8_t>(input.front());
    input.remove_prefix(1);
    if (header_size_ < 2)
      continue;
    if (header_size_ == 2)
      violation_ = check_start();
    if (violation_.code != 0)
      return false;
    if (header_size_ == header_bytes())
      return true;
  }
  return false;
}

std::size_t FrameReader::header_bytes() const {
  auto const length = header_[1] & 0x7F;
  std::size_t const more = length == 126 ? 2 : length == 127 ? 8 : 0;
  return 2 + more + 4;
}

FrameReader::Violation FrameReader::check_start() const {
  using namespace close_code;
  bool const is_masked = (header_[1] & 0x80) != 0;
  bool const is_short = (header_[1] & 0x7F) <= control_bytes_max;
  if ((header_[0] & 0x70) != 0)
    return {protocol_error, "a reserved bit is set"};
  if (!is_masked)
    return {protocol_error, "a frame is not masked"};
  if (is_control()) {
    if (opcode() > pong_opcode)
      return {protocol_error, "an unknown kind of frame"};
    return is_short && is_last() ? Violation{} : Violation{protocol_error, "a control frame is too long or fragmented"};
  }
  if (opcode() > binary_opcode)
    return {protocol_error, "an unknown kind of frame"};
  if ((opcode() == 0) != is_in_message_)
    return {protocol_error, "a fragment stands outside its message"};
  if (opcode() == binary_opcode)
    return {unsupported_data, "only text is understood here"};
  if (fragments_ >= fragments_max_)
    return {policy_violation, "a message has too many fragments"};
  return {};
}

// The header is whole.
void FrameReader::begin_frame() {
  std::uint64_t length = header_[1] & 0x7F;
  std::size_t const long_bytes = header_size_ - 6;
  if (long_bytes > 0) {
    length = 0;
    for (std::size_t i = 0; i < long_bytes; ++i)
      length = length << 8 | header_[2 + i];
    // There is one way to write each length (RFC 6455, section 5.2).
    if (length <= control_bytes_max || (long_bytes == 8 && (length <= 0xFFFF || length >> 63 != 0))) {
      violation_ = {close_code::protocol_error, "the length of a frame is malformed"};
      return;
    }
  }
  if (is_control()) {
    control_.clear();
  } else if (length > message_bytes_max_ - message_.size()) {
    violation_ = {close_code::too_large, "a message is too large"};
    return;
  } else {
    is_in_message_ = true;
    ++fragments_;
  }
  is_in_payload_ = true;
  payload_read_ = 0;
  payload_left_ = length;
}

// A message that is only announced gets no memory.
void FrameReader::take_payload(std::string_view& input) {
  auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, input.size()));
  auto& target = is_control() ? control_ : message_;
  auto const begin = target.size();
  target.append(input.substr(0, size));
  auto const* const mask = header_.data() + header_size_ - 4;
  for (std::size_t i = 0; i < size; ++i)
    target[begin + i] = static_cast<char>(target[begin + i] ^ mask[(payload_read_ + i) & 3]);
  input.remove_prefix(size);
  payload_read_ += size;
  payload_left_ -= size;
}

FrameReader::Event FrameReader::end_frame() {
  header_size_ = 0;
  is_in_payload_ = false;
  switch (opcode()) {
    case ping_opcode:
      return Event::ping;
    case pong_opcode:
      return Event::pong;
    case close_opcode:
      return Event::close;
    default:
      break;
  }
  if (!is_last())
    return Event::more;
  is_in_message_ = false;
  fragments_ = 0;
  if (utf8::valid_prefix(message_) == message_.size())
    return Event::text;
  violation_ = {close_code::invalid_text, "a message is no valid UTF-8"};
  return Event::violation;
}

// ---- frames to the client ----

namespace {

// Those of section 7.4.1 that may be sent, those registered since, and those of libraries and applications.
bool is_close_code(std::uint16_t code) {
  bool const is_of_protocol = code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
  return is_of_protocol || (code >= 3000 && code <= 4999);
}

void append_big_endian(std::string& out, std::uint64_t number, int bytes) {
  for (int i = bytes - 1; i >= 0; --i)
    out.push_back(static_cast<char>(number >> (8 * i) & 0xFF));
}

std::string frame_head(std::uint8_t opcode, std::size_t size) {
  std::string head(1, static_cast<char>(final_bit | opcode));
  if (size <= control_bytes_max) {
    append_big_endian(head, size, 1);
  } else if (size <= 0xFFFF) {
    head.push_back(126);
    append_big_endian(head, size, 2);
  } else {
    head.push_back(127);
    append_big_endian(head, size, 8);
  }
  return head;
}

}  // namespace

WebSocketConnection::Frame::Frame(std::uint8_t opcode, std::shared_ptr<std::string const> text)
    : payload(std::move(text)) {
  auto const bytes = frame_head(opcode, payload->size());
  head_size = static_cast<std::uint8_t>(bytes.copy(head.data(), head.size()));
}

bool WebSocketConnection::Frame::is_text() const { return (static_cast<std::uint8_t>(head[0]) & 0x0F) == text_opcode; }

// Code 0 is none: a close frame may be empty.
WebSocketConnection::Frame WebSocketConnection::close_frame(std::uint16_t code, std::string_view reason) {
  assert(code == 0 || is_close_code(code));
  std::string payload;
  if (code != 0) {
    append_big_endian(payload, code, 2);
    payload.append(utf8::cut(reason, control_bytes_max - payload.size()));
  }
  return {close_opcode, std::make_shared<std::string const>(std::move(payload))};
}

// ---- sending, on any thread ----

WebSocketConnection::WebSocketConnection(Socket& socket, Clock const& clock, WebSocketLimits const& limits,
                                         std::size_t message_bytes_max, std::string received)
    : executor_(socket.get_executor()),
      clock_(clock),
      limits_(limits),
      socket_(&socket),
      reader_(message_bytes_max, limits.fragments_max),
      input_(std::move(received)) {}

bool WebSocketConnection::send(std::shared_ptr<std::string const> text) {
  assert(text);
  std::scoped_lock const lock(mutex_);
  if (!is_open_)
    return false;
  if (unsent_messages_ >= limits_.queue_messages_max || text->size() > limits_.queue_bytes_max - unsent_bytes_) {
    queued_.clear();
    is_cut_ = true;
    end_queue(close_frame(close_code::try_again_later, "messages are not read as fast as they come"));
    return false;
  }
  unsent_bytes_ += text->size();
  ++unsent_messages_;
  queued_.emplace_back(text_opcode, std::move(text));
  request_flush();
  return true;
}

bool WebSocketConnection::has_room() const {
  std::scoped_lock const lock(mutex_);
  return unsent_messages_ < limits_.queue_messages_max / 2 && unsent_bytes_ < limits_.queue_bytes_max / 2;
}

void WebSocketConnection::close(std::uint16_t code, std::string_view reason) {
  std::scoped_lock const lock(mutex_);
  if (is_open_)
    end_queue(close_frame(code, reason));
}

// As close(), but for what is queued: it is not sent any more.
void WebSocketConnection::drop(std::uint16_t code, std::string_view reason) {
  std::scoped_lock const lock(mutex_);
  if (!is_open_)
    return;
  queued_.clear();
  is_cut_ = true;
  end_queue(close_frame(code, reason));
}

// Under the mutex.
void WebSocketConnection::end_queue(Frame close) {
  is_open_ = false;
  queued_.push_back(std::move(close));
  request_flush();
}

// Under the mutex. What is sent until the connection's thread comes to it goes out together.
void WebSocketConnection::request_flush() {
  if (!is_attached_ || std::exchange(is_flush_requested_, true))
    return;
  asio::post(executor_, [self = shared_from_this()] { self->flush(); });
}

// ---- writing, on the connection's thread ----

void WebSocketConnection::flush() {
  if (socket_ == nullptr)
    return;
  take_queued();
  if (is_waiting_for_room_)
    return;
  while (has_unsent()) {
    std::array<asio::const_buffer, buffers_max> room;
    error_code error;
    auto const written = socket_->write_some(gather(room), error);
    if (error == asio::error::would_block)
      return wait_for_room();
    if (error)
      return lose();
    settle(written);
    take_queued();
  }
}

// Moves what is queued to where it is written from, when all that was there is written.
void WebSocketConnection::take_queued() {
  std::scoped_lock const lock(mutex_);
  is_flush_requested_ = false;
  if (std::exchange(is_cut_, false) && has_unsent()) {
    // A frame that has begun must end before the close frame can follow.
    auto const kept = front_ + (front_written_ > 0 ? 1 : 0);
    outgoing_.erase(outgoing_.begin() + static_cast<std::ptrdiff_t>(kept), outgoing_.end());
  }
  if (!is_open_ && phase_ == Phase::open)
    enter(Phase::closing);
  if (has_unsent())
    return;
  front_ = 0;
  outgoing_ = std::exchange(queued_, {});
  if (!is_open_)
    return;  // Nothing may follow a close frame.
  for (auto& payload : std::exchange(pongs_, {}))
    outgoing_.emplace_back(pong_opcode, std::make_shared<std::string const>(std::move(payload)));
  if (std::exchange(is_ping_due_, false))
    outgoing_.emplace_back(ping_opcode, std::make_shared<std::string const>());
}

std::span<asio::const_buffer const> WebSocketConnection::gather(
    std::array<asio::const_buffer, buffers_max>& room) const {
  std::size_t count = 0;
  auto written = front_written_;
  for (auto i = front_; i < outgoing_.size() && count + 2 <= room.size(); ++i) {
    auto const& frame = outgoing_[i];
    for (auto const part : {asio::buffer(frame.head.data(), frame.head_size), asio::buffer(*frame.payload)}) {
      auto const left = part + written;
      written -= std::min(written, part.size());
      if (left.size() > 0)
        room[count++] = left;
    }
  }
  return {room.data(), count};
}

void WebSocketConnection::settle(std::size_t written) {
  stall_at_ = never;
  std::size_t bytes = 0;
  std::size_t messages = 0;
  front_written_ += written;
  while (has_unsent() && front_written_ >= outgoing_[front_].size()) {
    auto& frame = outgoing_[front_++];
    front_written_ -= frame.size();
    if (frame.is_text()) {
      bytes += frame.payload->size();
      ++messages;
    }
    frame.payload.reset();
  }
  std::scoped_lock const lock(mutex_);
  unsent_bytes_ -= bytes;
  unsent_messages_ -= messages;
}

void WebSocketConnection::wait_for_room() {
  is_waiting_for_room_ = true;
  if (stall_at_ == never)
    stall_at_ = clock_.steady() + limits_.stall_time;
  socket_->async_wait(tcp::socket::wait_write, [self = shared_from_this()](error_code) {
    // Also when it was cancelled along with a read: the write shows whether the connection is still there.
    self->is_waiting_for_room_ = false;
    self->flush();
  });
}

void WebSocketConnection::enter(Phase phase) {
  if (phase_ == Phase::open)
    end_by_ = clock_.steady() + limits_.close_time;
  phase_ = phase;
}

// The connection broke: neither side hears more of the other.
void WebSocketConnection::lose() {
  enter(Phase::over);
  error_code ignored;
  socket_->close(ignored);
  outgoing_.clear();
  front_ = 0;
  front_written_ = 0;
  std::scoped_lock const lock(mutex_);
  is_open_ = false;
  queued_.clear();
}

// Our close frame is queued, and what the peer still sends is of no interest.
void WebSocketConnection::stop_reading() {
  enter(Phase::over);
  flush();
}

void WebSocketConnection::detach() {
  {
    std::scoped_lock const lock(mutex_);
    is_open_ = false;
    is_attached_ = false;
    std::vector<Frame>().swap(queued_);
  }
  socket_ = nullptr;
  std::vector<Frame>().swap(outgoing_);
  std::string().swap(input_);
}

// ---- reading, on the connection's thread ----

/// A call of receive(), for check().
class WebSocketConnection::Reading {
 public:
  Reading(WebSocketConnection& connection, SteadyTime until) : connection_(connection) {
    assert(!connection.is_reading_ && "two calls of receive() at a time");
    connection_.is_reading_ = true;
    connection_.is_late_ = false;
    connection_.receive_until_ = until;
  }
  ~Reading() {
    connection_.is_reading_ = false;
    connection_.receive_until_ = never;
  }
  Reading(Reading const&) = delete;
  Reading& operator=(Reading const&) = delete;

 private:
  WebSocketConnection& connection_;
};

Task<Result<std::optional<std::string>>> WebSocketConnection::receive(Deadline deadline) {
  Reading const reading(*this, deadline.at);
  while (socket_ != nullptr) {
    auto message = next_message();
    if (message || phase_ == Phase::over)
      co_return message;
    if (is_late_)
      co_return fail(Code::timed_out, "No message came in time.");
    co_await wait_for_input();
  }
  co_return std::nullopt;
}

// Waits without a buffer: of ten thousand connections nearly all are silent.
Task<void> WebSocketConnection::wait_for_input() {
  error_code error;
  co_await socket_->async_wait(tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
  if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
    throw boost::system::system_error(asio::error::operation_aborted);
  if (socket_ == nullptr)
    co_return;
  if (!error) {
    read_input();
  } else if (error != asio::error::operation_aborted || !socket_->is_open()) {
    lose();
  }
}

void WebSocketConnection::read_input() {
  std::array<char, read_bytes> room;  // NOLINT(cppcoreguidelines-pro-type-member-init): it is written next
  error_code error;
  auto const got = socket_->read_some(asio::buffer(room), error);
  if (error == asio::error::would_block)
    return;
  if (error)
    return lose();
  input_.assign(room.data(), got);
  input_at_ = 0;
}

// The next message of those that have been read. While we close, messages are dropped.
std::optional<std::string> WebSocketConnection::next_message() {
  while (phase_ != Phase::over) {
    auto rest = std::string_view(input_).substr(input_at_);
    auto const event = reader_.read(rest);
    input_at_ = input_.size() - rest.size();
    if (event == FrameReader::Event::more) {
      // A silent connection holds no buffer; assigning an empty text would keep it.
      std::string().swap(input_);
      input_at_ = 0;
      break;
    }
    is_heard_ = true;
    if (event != FrameReader::Event::text) {
      act_on(event);
    } else if (auto message = reader_.take_message(); phase_ == Phase::open) {
      if (!pongs_.empty())
        flush();
      return message;
    }
  }
  if (!pongs_.empty())
    flush();
  return std::nullopt;
}

void WebSocketConnection::act_on(FrameReader::Event event) {
  if (event == FrameReader::Event::violation) {
    close(reader_.violation().code, reader_.violation().reason);
    return stop_reading();
  }
  if (event == FrameReader::Event::close) {
    answer_close();
    return stop_reading();
  }
  if (++control_frames_ > limits_.control_frames_max) {
    drop(close_code::policy_violation, "too many pings and pongs");
    return stop_reading();
  }
  if (event == FrameReader::Event::ping)
    answer_ping();
}

// Of many pings that nobody could answer yet only the latest needs an answer (RFC 6455, section 5.5.3).
void WebSocketConnection::answer_ping() {
  if (pongs_.size() == pongs_max)
    pongs_.pop_back();
  pongs_.emplace_back(reader_.control());
}

// RFC 6455, sections 5.5.1 and 7.4: the peer hears the code that it sent. It does not want what is queued.
void WebSocketConnection::answer_close() {
  auto const payload = reader_.control();
  if (payload.empty())
    return drop(0, {});
  auto const byte = [&](std::size_t i) { return static_cast<std::uint8_t>(payload[i]); };
  auto const code = static_cast<std::uint16_t>(payload.size() < 2 ? 0 : byte(0) << 8 | byte(1));
  if (!is_close_code(code))
    return drop(close_code::protocol_error, "a close frame has no valid code");
  if (utf8::valid_prefix(payload.substr(2)) != payload.size() - 2)
    return drop(close_code::invalid_text, "the reason for closing is no valid UTF-8");
  drop(code, {});
}

Task<void> WebSocketConnection::finish(std::uint16_t code, std::string_view reason) {
  close(code, reason);
  flush();
  while (std::ignore = next_message(), phase_ != Phase::over)
    co_await wait_for_input();
  while (has_unsent() && socket_->is_open()) {
    error_code error;
    co_await socket_->async_wait(tcp::socket::wait_write, asio::redirect_error(asio::use_awaitable, error));
    flush();
  }
}

// ---- time, on the connection's thread ----

bool WebSocketConnection::check(SteadyTime now) {
  if (phase_ != Phase::open)
    return check_end(now);
  if (now >= control_frames_until_) {
    control_frames_ = 0;
    control_frames_until_ = now + control_interval;
  }
  // While nobody reads, nobody can tell whether the peer is silent.
  if (std::exchange(is_heard_, false) || !is_reading_) {
    silent_since_ = now;
    is_pinged_ = false;
  }
  if (now >= receive_until_) {
    is_late_ = true;
    receive_until_ = never;
    error_code ignored;
    socket_->cancel(ignored);
  }
  if (now >= stall_at_) {
    drop(close_code::try_again_later, "messages are not read");
  } else if (is_pinged_ && now >= silent_since_ + limits_.pong_time) {
    drop(close_code::internal, "there was no answer to a ping");
  } else if (!is_pinged_ && now >= silent_since_ + limits_.ping_interval) {
    is_pinged_ = true;
    is_ping_due_ = true;
    silent_since_ = now;
    flush();
  }
  return true;
}

bool WebSocketConnection::check_end(SteadyTime now) {
  if (now < end_by_)
    return true;
  bool const was_open = socket_->is_open();
  error_code ignored;
  socket_->close(ignored);
  end_by_ = was_open ? now + limits_.close_time : never;
  return was_open;
}

}  // namespace al::http
