#pragma once
#include <boost/asio/io_context.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/config.hpp"
#include "core/json.hpp"
#include "http/client.hpp"
#include "http/sse.hpp"

namespace al::app {

/// Ctrl-C came while a command waited.
class Interrupted : public std::exception {
 public:
  [[nodiscard]] char const* what() const noexcept override { return "interrupted"; }
};

/// The server that the command line talks to: AGENT_LIGHTNING_URL, or else the gateway that `serve` starts with the
/// same settings on this machine.
[[nodiscard]] std::string server_url(Config const&);
/// Errors: invalid, when AGENT_LIGHTNING_URL is none of http or https.
[[nodiscard]] Result<void> check_server_url(Config const&);

/// The command line's way to a server: server_url(), with the token of AGENT_LIGHTNING_TOKEN, or of an earlier
/// `login` there, or else of the data directory. Every error is one line that says what to do. For one thread.
class ApiClient {
 public:
  static constexpr std::chrono::seconds answer_timeout{60};

  explicit ApiClient(Config const&);
  ApiClient(std::string url, std::string token);
  ~ApiClient();

  /// A successful answer: its JSON text and the same parsed.
  struct Reply {
    int status = 200;
    std::string text;
    json::Source body;
  };

  /// `path` begins after /api/v1 and may carry a query. Blocks until the answer is there.
  [[nodiscard]] Result<Reply> get(std::string const& path, std::chrono::seconds timeout = answer_timeout);
  [[nodiscard]] Result<Reply> post(std::string const& path, std::string body);
  [[nodiscard]] Result<Reply> put(std::string const& path, std::string body);
  [[nodiscard]] Result<Reply> remove(std::string const& path);

  // The same for coroutines on context().
  [[nodiscard]] Task<Result<Reply>> request(http::Method, std::string path, std::string body,
                                            std::chrono::seconds timeout = answer_timeout);
  /// A token that sees only the events that commit from now on.
  [[nodiscard]] Task<Result<std::string>> events_tip();
  /// Reads events after `token` until `on_event` answers false; on the way `token` moves on. `query` holds the filters.
  /// A stream that breaks off is taken up again where it was, for up to half a minute without a server.
  [[nodiscard]] Task<Result<void>> events_after(std::string& token, std::string query,
                                                std::function<bool(json::Input event)> on_event);

  /// Reads the stream of a thing that tells its state first, at `path`, until `on_event` answers false. One that breaks
  /// off is begun again, for up to half a minute without a server; `on_begin` is called before each.
  [[nodiscard]] Task<Result<void>> watch(std::string path, std::function<void()> on_begin,
                                         std::function<bool(http::SseEvent const&)> on_event);

  /// Sends `body` and reads the events of the answer until `on_event` answers false.
  [[nodiscard]] Task<Result<void>> post_stream(std::string path, std::string body,
                                               std::function<bool(http::SseEvent const&)> on_event);

  [[nodiscard]] asio::io_context& context() { return context_; }
  [[nodiscard]] std::string const& url() const { return url_; }

  /// Runs `task` to its end on this thread and rethrows what it throws. Throws Interrupted when Ctrl-C ended it before.
  template <class T>
  T run(Task<T> task);

 private:
  template <class T>
  static Task<void> keep(Task<T> task, std::optional<T>& out) {
    out.emplace(co_await std::move(task));
  }
  void run_until_interrupted(Task<void>);
  [[nodiscard]] http::Headers headers() const;
  [[nodiscard]] Error explain(Error) const;
  [[nodiscard]] Error refused(int status, std::string const& text) const;
  [[nodiscard]] Task<Result<void>> stream(http::Method, std::string path, std::string body, std::string& token,
                                          std::function<bool(http::SseParser&)> on_piece);
  [[nodiscard]] Task<Result<void>> stream_again(std::string path, std::string& token, std::function<void()> on_begin,
                                                std::function<bool(http::SseEvent const&)> on_event);

  asio::io_context context_{1};
  std::string url_;
  std::string token_;
  std::string token_hint_;  ///< why there is no token
  http::Client client_;
};

template <class T>
T ApiClient::run(Task<T> task) {
  std::optional<T> out;
  run_until_interrupted(keep(std::move(task), out));
  return std::move(*out);
}

/// A problem document (RFC 9457) as one line: what is wrong, each wrong field, and the request id when it is the
/// server's fault. `text` may also be something else that a proxy answered.
[[nodiscard]] Error read_problem(int status, std::string const& text);

/// `text` as part of a path or of a query value.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace al::app
