#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>

namespace al {

/// A listener that answers each connection with a function over the blocking socket, one after the other. It stands for
/// servers that do what no real one would.
class OddServer {
 public:
  using Script = std::function<void(int socket, int connection)>;

  explicit OddServer(Script script)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), script_(std::move(script)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, plain, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, plain, &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      for (int count = 0;; ++count) {
        int const socket = ::accept(listener_, nullptr, nullptr);
        if (socket < 0)
          return;
        ++connections;
        script_(socket, count);
        ::close(socket);
      }
    });
  }
  ~OddServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  OddServer(OddServer const&) = delete;
  OddServer& operator=(OddServer const&) = delete;

  /// Reads until `end` has come, or the other side has closed.
  static std::string read_until(int socket, std::string_view end) {
    std::string got;
    std::array<char, 4096> bytes{};
    while (!got.contains(end)) {
      auto const count = ::recv(socket, bytes.data(), bytes.size(), 0);
      if (count <= 0)
        break;
      got.append(bytes.data(), static_cast<std::size_t>(count));
    }
    return got;
  }
  /// Reads what comes next; false when the other side has closed.
  static bool read_some(int socket) {
    std::array<char, 4096> bytes{};
    return ::recv(socket, bytes.data(), bytes.size(), 0) > 0;
  }
  static void say(int socket, std::string_view text) {
    std::ignore = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
  }
  /// Until the other side closes.
  static void wait(int socket) {
    while (read_some(socket)) {
    }
  }

  std::uint16_t port = 0;
  std::atomic<int> connections{0};

 private:
  int listener_;
  Script script_;
  std::thread thread_;
};

}  // namespace al
