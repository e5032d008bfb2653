#pragma once
/// For tests of this folder: a server on a free port with its own I/O threads, a clock that the test moves, and a
/// plain socket to send what no client would.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/random.hpp"
#include "http/router.hpp"
#include "http/server.hpp"

namespace al::http {

/// Starts at the real time and moves only when told.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return Timestamp(std::chrono::microseconds(1'700'000'000'000'000)); }
  [[nodiscard]] SteadyTime steady() const override { return start_ + std::chrono::milliseconds(moved_ms_.load()); }
  void advance(std::chrono::milliseconds by) { moved_ms_ += by.count(); }

 private:
  SteadyTime start_ = std::chrono::steady_clock::now();
  std::atomic<std::int64_t> moved_ms_{0};
};

/// Runs I/O contexts on one thread each.
class IoThreads {
 public:
  explicit IoThreads(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      contexts_.push_back(std::make_unique<asio::io_context>(1));
      guards_.push_back(asio::make_work_guard(*contexts_.back()));
      threads_.emplace_back([context = contexts_.back().get()] { context->run(); });
    }
  }
  ~IoThreads() {
    guards_.clear();
    for (auto& thread : threads_)
      thread.join();
  }
  IoThreads(IoThreads const&) = delete;
  IoThreads& operator=(IoThreads const&) = delete;

  [[nodiscard]] std::vector<asio::io_context*> contexts() const {
    std::vector<asio::io_context*> out;
    for (auto const& context : contexts_)
      out.push_back(context.get());
    return out;
  }

 private:
  std::vector<std::unique_ptr<asio::io_context>> contexts_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards_;
  std::vector<std::thread> threads_;
};

class TestServer {
 public:
  explicit TestServer(Dispatcher& dispatcher, ServerLimits limits = {}, std::size_t threads = 2,
                      TlsCertificate* tls = nullptr)
      : threads_(threads), server(threads_.contexts(), "127.0.0.1", 0, dispatcher, limits, clock, random_, tls) {
    server.start();
  }
  TestServer(TestServer const&) = delete;
  TestServer& operator=(TestServer const&) = delete;
  ~TestServer() { server.stop(Deadline::after(std::chrono::seconds{0})); }
  /// Of the thread that accepts.
  [[nodiscard]] asio::io_context& context() { return *threads_.contexts().front(); }
  [[nodiscard]] std::vector<asio::io_context*> contexts() const { return threads_.contexts(); }

 private:
  SystemRandom random_;
  IoThreads threads_;

 public:
  ManualClock clock;
  Server server;
};

/// A blocking TCP connection to a port of this machine. Reads wait 20 s at most.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }
  ~RawClient() { ::close(socket_); }
  RawClient(RawClient const&) = delete;
  RawClient& operator=(RawClient const&) = delete;

  /// Sends as much as the other side takes; false when it is gone.
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      auto const sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void finish_sending() const { ::shutdown(socket_, SHUT_WR); }

  /// Reads what comes within `wait`; false when the other side has closed.
  bool read_some(std::chrono::milliseconds wait = std::chrono::seconds{20}) {
    pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(wait.count())) <= 0)
      return true;
    std::array<char, 65536> bytes{};
    auto const got = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (got <= 0)
      return false;
    received.append(bytes.data(), static_cast<std::size_t>(got));
    return true;
  }
  /// All that comes until the other side closes, or 20 s pass without a byte.
  std::string read_all() {
    while (read_some_or_give_up()) {
    }
    return std::exchange(received, {});
  }
  /// The next answer that has a Content-Length (or none and no body), with its head.
  std::string read_answer(bool has_body = true) {
    for (;;) {
      auto const end = received.find("\r\n\r\n");
      if (end != received.npos) {
        std::size_t length = 0;
        auto const field = received.find("Content-Length: ");
        if (has_body && field < end)
          length = std::stoul(received.substr(field + 16));
        if (received.size() >= end + 4 + length) {
          auto const answer = received.substr(0, end + 4 + length);
          received.erase(0, answer.size());
          return answer;
        }
      }
      if (!read_some_or_give_up())
        return std::exchange(received, {});
    }
  }
  /// Reads until `text` has come; false when the other side closed before.
  bool read_until(std::string_view text) {
    while (received.find(text) == received.npos) {
      if (!read_some_or_give_up())
        return false;
    }
    return true;
  }

  std::string received;

 private:
  bool read_some_or_give_up() {
    auto const before = received.size();
    return read_some() && received.size() > before;
  }

  int socket_;
};

}  // namespace al::http
