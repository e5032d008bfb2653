#pragma once
/// WebSockets (RFC 6455) on the connections of our server. The handler of a route with `websocket` answers with a
/// WebSocketSession; the router checks the handshake, and the server upgrades the connection and runs the session.
///
/// The frames are our own and not Beast's stream: that one skips empty fragments without a word, so a flood of them
/// cannot be told, makes a system call of every message, and keeps a buffer and a timer of its own for each connection.
/// Compression (RFC 7692) is not offered: its windows take up to 300 KB a connection, and a few bytes become megabytes.

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/async.hpp"
#include "http/message.hpp"

namespace al::http {

/// Why a connection ends (RFC 6455, section 7.4.1, and its registry at IANA). 4000 to 4999 are the application's.
namespace close_code {
inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t going_away = 1001;
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t unsupported_data = 1003;
inline constexpr std::uint16_t invalid_text = 1007;
inline constexpr std::uint16_t policy_violation = 1008;
inline constexpr std::uint16_t too_large = 1009;
inline constexpr std::uint16_t internal = 1011;
inline constexpr std::uint16_t try_again_later = 1013;
}  // namespace close_code

/// One WebSocket, for the session that serves it and for whoever sends to it. It carries text: a binary message of the
/// peer closes it with 1003. It may be held longer than the connection lives; then it does nothing any more.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  /// The next message, valid UTF-8. Nothing: the connection has ended, or is to end; what still comes is dropped.
  /// One call at a time, on the connection's thread. Only in here pings are answered and is the peer's close seen, so a
  /// session calls it again as soon as it can.
  /// Errors: timed_out, by the server's clock; the connection goes on.
  [[nodiscard]] virtual Task<Result<std::optional<std::string>>> receive(Deadline) = 0;
  /// Queues `text`, valid UTF-8, and never waits. Many connections may share one text. Any thread.
  /// False: it is closed, or has more in its queue than WebSocketLimits allow and is dropped for that, with 1013.
  virtual bool send(std::shared_ptr<std::string const> text) = 0;
  /// Whether less than half of what the queue may hold waits there: for whoever has much to send and can wait. Any
  /// thread.
  [[nodiscard]] virtual bool has_room() const = 0;
  /// Ends the connection behind what is queued; the first call counts. `code`: one of close_code, or 3000 to 4999.
  /// `reason`: valid UTF-8, cut to 123 bytes. Any thread.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
};

/// What one WebSocket may hold, and how long it may be silent. Times are looked at four times a second.
struct WebSocketLimits {
  std::size_t queue_bytes_max = 1 << 20;  ///< that the peer has not taken; over it, also by one text: closed with 1013
  std::size_t queue_messages_max = 1024;
  std::size_t fragments_max = 256;         ///< of one message; over it: closed with 1008
  std::size_t control_frames_max = 100;    ///< of the peer within ten seconds; over it: closed with 1008
  std::chrono::seconds ping_interval{30};  ///< a peer that is silent for so long is asked whether it is there
  std::chrono::seconds pong_time{20};      ///< and closed with 1011 when it stays silent for so long
  std::chrono::seconds stall_time{30};     ///< a peer that takes nothing of its queue for so long: closed with 1013
  std::chrono::seconds close_time{5};      ///< for the peer to take its queue and close, and again for the session
};

// ---- for the router ----

/// Whether a header that is a list, such as Connection, has `token`, without case.
[[nodiscard]] bool has_token(std::string_view list, std::string_view token);

struct HandshakeFault {
  Error error;
  int status = 0;
};
/// The Sec-WebSocket-Accept for this request (RFC 6455, section 4.2).
/// Errors: 426 when it asks for no WebSocket, or for another version than 13; 400 when what it asks is malformed.
[[nodiscard]] std::expected<std::string, HandshakeFault> check_handshake(Request const&);

// ---- for the server ----

/// Takes apart what a client sends (RFC 6455, section 5). Bytes in, messages out; no socket. Not thread-safe.
class FrameReader {
 public:
  enum class Event : std::uint8_t { more, text, ping, pong, close, violation };
  struct Violation {
    std::uint16_t code = 0;
    std::string_view reason{};
  };

  FrameReader(std::size_t message_bytes_max, std::size_t fragments_max)
      : message_bytes_max_(message_bytes_max), fragments_max_(fragments_max) {}
  /// Takes bytes off the front of `input` until something is whole; `more` when nothing is and all are taken.
  /// After a violation nobody knows where the next frame begins, so that it stays.
  [[nodiscard]] Event read(std::string_view& input);
  /// After `text`.
  [[nodiscard]] std::string take_message() { return std::exchange(message_, {}); }
  /// What the ping, pong or close carried that was read last.
  [[nodiscard]] std::string_view control() const { return control_; }
  [[nodiscard]] Violation violation() const { return violation_; }

 private:
  [[nodiscard]] bool read_header(std::string_view& input);
  [[nodiscard]] Violation check_start() const;
  void begin_frame();
  void take_payload(std::string_view& input);
  [[nodiscard]] Event end_frame();
  [[nodiscard]] std::size_t header_bytes() const;
  [[nodiscard]] std::uint8_t opcode() const { return header_[0] & 0x0F; }
  [[nodiscard]] bool is_last() const { return (header_[0] & 0x80) != 0; }
  [[nodiscard]] bool is_control() const { return opcode() >= 8; }

  std::size_t const message_bytes_max_;
  std::size_t const fragments_max_;
  std::array<std::uint8_t, 14> header_{};
  std::uint8_t header_size_ = 0;
  bool is_in_payload_ = false;
  bool is_in_message_ = false;  ///< a message has begun and its last fragment has not come
  std::size_t fragments_ = 0;
  std::uint64_t payload_read_ = 0;
  std::uint64_t payload_left_ = 0;
  std::string message_;
  std::string control_;
  Violation violation_;
};

/// The server's side of one WebSocket. `send` and `close` may be called on any thread; everything else on the thread of
/// the connection, whose socket it uses until detach().
///
/// What others send goes into `queued_`, under a mutex that is held for moments only. The connection's thread takes all
/// of it at once into `outgoing_` and writes from there without the mutex.
class WebSocketConnection final : public WebSocket, public std::enable_shared_from_this<WebSocketConnection> {
 public:
  using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

  /// `received`: what the client has sent behind its request.
  WebSocketConnection(Socket&, Clock const&, WebSocketLimits const&, std::size_t message_bytes_max,
                      std::string received);

  [[nodiscard]] Task<Result<std::optional<std::string>>> receive(Deadline) override;
  bool send(std::shared_ptr<std::string const> text) override;
  [[nodiscard]] bool has_room() const override;
  void close(std::uint16_t code, std::string_view reason) override;

  /// For the session's end: closes, when nobody has, and waits until the peer has closed as well and all is written.
  [[nodiscard]] Task<void> finish(std::uint16_t code, std::string_view reason);
  /// The socket is about to go.
  void detach();
  /// Called four times a second: pings, and ends what takes too long. False: the session goes on although the
  /// connection has been gone for a while, and must be cancelled.
  [[nodiscard]] bool check(SteadyTime now);

 private:
  static constexpr SteadyTime never = SteadyTime::max();
  /// As many as one system call takes.
  static constexpr std::size_t buffers_max = 64;

  enum class Phase : std::uint8_t {
    open,
    closing,  ///< our close frame is on its way
    over,     ///< nothing more is read
  };
  struct Frame {
    std::shared_ptr<std::string const> payload;
    std::array<char, 10> head{};
    std::uint8_t head_size = 0;

    Frame(std::uint8_t opcode, std::shared_ptr<std::string const> payload);
    [[nodiscard]] std::size_t size() const { return head_size + payload->size(); }
    [[nodiscard]] bool is_text() const;
  };
  class Reading;

  static Frame close_frame(std::uint16_t code, std::string_view reason);
  void end_queue(Frame close);
  void request_flush();
  void drop(std::uint16_t code, std::string_view reason);
  void stop_reading();
  void lose();

  [[nodiscard]] Task<void> wait_for_input();
  void read_input();
  [[nodiscard]] std::optional<std::string> next_message();
  void act_on(FrameReader::Event event);
  void answer_ping();
  void answer_close();

  void flush();
  void take_queued();
  [[nodiscard]] std::span<asio::const_buffer const> gather(std::array<asio::const_buffer, buffers_max>& room) const;
  void settle(std::size_t written);
  void wait_for_room();
  [[nodiscard]] bool has_unsent() const { return front_ < outgoing_.size(); }
  void enter(Phase phase);
  [[nodiscard]] bool check_end(SteadyTime now);

  asio::io_context::executor_type const executor_;
  Clock const& clock_;
  WebSocketLimits const& limits_;

  mutable std::mutex mutex_;
  std::vector<Frame> queued_;        // under mutex
  std::size_t unsent_bytes_ = 0;     // under mutex; with `outgoing_`, text only
  std::size_t unsent_messages_ = 0;  // under mutex; likewise
  bool is_open_ = true;              // under mutex; false from our close frame on, which is the last one queued
  bool is_cut_ = false;              // under mutex: what is in `outgoing_` is not wanted any more
  bool is_flush_requested_ = false;  // under mutex
  bool is_attached_ = true;          // under mutex

  // Of the connection's thread.
  Socket* socket_;
  FrameReader reader_;
  std::string input_;  ///< read, but not yet taken apart, from `input_at_` on
  std::size_t input_at_ = 0;
  std::vector<Frame> outgoing_;
  std::size_t front_ = 0;           ///< the first of them that is not wholly written
  std::size_t front_written_ = 0;   ///< bytes of that one
  std::vector<std::string> pongs_;  ///< still to be sent
  bool is_ping_due_ = false;
  bool is_pinged_ = false;
  bool is_heard_ = true;  ///< since the last check()
  bool is_reading_ = false;
  bool is_late_ = false;
  bool is_waiting_for_room_ = false;
  Phase phase_ = Phase::open;
  std::size_t control_frames_ = 0;
  SteadyTime control_frames_until_{};
  SteadyTime silent_since_{};
  SteadyTime receive_until_ = never;
  SteadyTime stall_at_ = never;
  SteadyTime end_by_ = never;
};

}  // namespace al::http
