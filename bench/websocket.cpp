/// The clients of the WebSocket benchmark (bench/websocket), in a process of their own: one has 20,000 descriptors.
///
///   websocket_bench PORT CLIENTS PATTERN   reads tokens, a line each, up to an empty one; connects so many clients, in
///                                          turns with each token; says "ready" when all have subscribed
///
/// Then each further line of its input is a number of messages: it waits until every client has got so many that carry
/// `at-NANOSECONDS-` somewhere, and prints how long after that moment of the machine's monotonic clock they came, in
/// microseconds: "count p50 p99 max". It ends with its input.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view mark = "at-";

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

std::string masked(std::string_view text) {
  std::string out = "\x81";
  if (text.size() < 126) {
    out.push_back(static_cast<char>(0x80 | text.size()));
  } else {
    out.push_back(static_cast<char>(0x80 | 126));
    out.push_back(static_cast<char>(text.size() >> 8));
    out.push_back(static_cast<char>(text.size() & 0xFF));
  }
  out.append(4, '\0');
  return out.append(text);
}

struct Client {
  int socket = -1;
  std::string received{};
  bool is_upgraded = false;
  bool is_subscribed = false;
  std::size_t marked = 0;
};

class Clients {
 public:
  Clients(std::uint16_t port, std::vector<std::string> tokens, std::string pattern)
      : port_(port), tokens_(std::move(tokens)), pattern_(std::move(pattern)) {}

  void connect(std::size_t count) {
    clients_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      add();
      // A few hundred at a time, as the listener's backlog has room.
      if (i % 100 == 99)
        until([&] { return subscribed_ + 100 > i; });
    }
    until([&] { return subscribed_ == count; });
  }

  /// Until every client has had `count` more marked messages.
  void collect(std::size_t count) {
    wanted_ += count;
    until([&] { return std::ranges::all_of(clients_, [&](Client const& it) { return it.marked >= wanted_; }); });
    std::ranges::sort(delays_);
    auto const at = [&](double part) {
      return delays_[static_cast<std::size_t>(static_cast<double>(delays_.size() - 1) * part)] / 1000;
    };
    std::cout << delays_.size() << " " << at(0.5) << " " << at(0.99) << " " << at(1) << "\n" << std::flush;
    delays_.clear();
  }

 private:
  void add() {
    int const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (socket < 0 || ::connect(socket, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0)
      throw std::runtime_error("cannot connect");
    clients_.push_back({.socket = socket});
    epoll_event event{.events = EPOLLIN, .data = {.u64 = clients_.size() - 1}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
    send(clients_.back(),
         "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
         "Authorization: Bearer " +
             tokens_.at((clients_.size() - 1) % tokens_.size()) + "\r\n\r\n");
  }

  static void send(Client const& client, std::string_view bytes) {
    if (::send(client.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
      throw std::runtime_error("cannot send");
  }

  template <class Condition>
  void until(Condition holds) {
    std::vector<epoll_event> events(512);
    while (!holds()) {
      int const count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 60'000);
      if (count <= 0)
        throw std::runtime_error("nothing comes any more");
      for (int i = 0; i < count; ++i)
        read(clients_[events[static_cast<std::size_t>(i)].data.u64]);
    }
  }

  void read(Client& client) {
    char bytes[16384];
    auto const size = ::recv(client.socket, bytes, sizeof bytes, 0);
    if (size <= 0)
      throw std::runtime_error("the server has closed a connection");
    auto const came_at = now_ns();
    client.received.append(bytes, static_cast<std::size_t>(size));
    if (!client.is_upgraded)
      upgrade(client);
    while (client.is_upgraded && take_frame(client, came_at)) {
    }
  }

  void upgrade(Client& client) {
    auto const end = client.received.find("\r\n\r\n");
    if (end == std::string::npos)
      return;
    if (!client.received.starts_with("HTTP/1.1 101 "))
      throw std::runtime_error(client.received);
    client.received.erase(0, end + 4);
    client.is_upgraded = true;
  }

  bool take_frame(Client& client, std::int64_t came_at) {
    auto const byte = [&](std::size_t i) { return static_cast<std::uint8_t>(client.received[i]); };
    if (client.received.size() < 4)
      return false;
    std::size_t begin = 2;
    std::size_t size = byte(1);
    if (size == 126) {
      begin = 4;
      size = static_cast<std::size_t>(byte(2)) << 8 | byte(3);
    }
    if (client.received.size() < begin + size)
      return false;
    take(client, byte(0) & 0x0F, std::string_view(client.received).substr(begin, size), came_at);
    client.received.erase(0, begin + size);
    if (client.received.empty())
      client.received.shrink_to_fit();
    return true;
  }

  void take(Client& client, int opcode, std::string_view text, std::int64_t came_at) {
    if (opcode == 9)
      send(client, std::string("\x8a\x80\0\0\0\0", 6));
    if (text.starts_with(R"({"type":"authenticated")"))
      send(client, masked(R"({"type":"subscribe","events":[")" + pattern_ + R"("]})"));
    if (text.starts_with(R"({"type":"subscribed")") && !client.is_subscribed) {
      client.is_subscribed = true;
      ++subscribed_;
    }
    auto const at = text.find(mark);
    if (at == std::string_view::npos)
      return;
    std::int64_t sent_at = 0;
    auto const digits = text.substr(at + mark.size());
    if (std::from_chars(digits.data(), digits.data() + digits.size(), sent_at).ec != std::errc{})
      return;
    ++client.marked;
    delays_.push_back(came_at - sent_at);
  }

  std::uint16_t const port_;
  std::vector<std::string> const tokens_;
  std::string const pattern_;
  int const epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Client> clients_;
  std::vector<std::int64_t> delays_;
  std::size_t subscribed_ = 0;
  std::size_t wanted_ = 0;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4)
    throw std::runtime_error("websocket_bench PORT CLIENTS PATTERN");
  std::vector<std::string> tokens;
  for (std::string line; std::getline(std::cin, line) && !line.empty();)
    tokens.push_back(line);
  Clients clients(static_cast<std::uint16_t>(std::stoi(argv[1])), std::move(tokens), argv[3]);
  clients.connect(std::stoul(argv[2]));
  std::cout << "ready" << "\n" << std::flush;
  for (std::string line; std::getline(std::cin, line);)
    clients.collect(std::stoul(line));
  return 0;
} catch (std::exception const& fault) {
  std::cerr << fault.what() << "\n";
  return 1;
}
