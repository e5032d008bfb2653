#include "app/api_client.hpp"

#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/describe/enum_from_string.hpp>
#include <csignal>

#include "app/command.hpp"
#include "app/installation.hpp"
#include "app/login_file.hpp"
#include "http/target.hpp"
#include "security/token_file.hpp"

namespace al::app {
namespace {

/// A stream has no end of its own; a silent one is noticed by the missing heartbeat.
constexpr std::chrono::hours stream_timeout{24 * 365};
constexpr std::chrono::seconds reconnect_timeout{30};
constexpr std::chrono::milliseconds reconnect_pause{500};
std::string const events_path = "/events/stream";

std::string_view string_of(json::value const& object, std::string_view key) {
  if (!object.is_object())
    return {};
  auto const* member = object.get_object().if_contains({key.data(), key.size()});
  if (!member || !member->is_string())
    return {};
  return {member->get_string().data(), member->get_string().size()};
}

/// "path: message; path: message"
std::string faults_of(json::value const& problem) {
  std::string out;
  auto const* faults = problem.get_object().if_contains("errors");
  if (!faults || !faults->is_array())
    return out;
  for (auto const& fault : faults->get_array()) {
    auto const path = string_of(fault, "path");
    out.append(out.empty() ? "" : "; ")
        .append(path)
        .append(path.empty() ? "" : " ")
        .append(string_of(fault, "message"));
  }
  return out;
}

Code code_of(std::string_view name, int status) {
  Code code = status == 404 ? Code::not_found : status / 100 == 5 ? Code::unavailable : Code::bad_request;
  boost::describe::enum_from_string(std::string(name).c_str(), code);
  return code;
}

/// Of the event `ended`, with which the server says that a stream is not to be begun again.
Error refusal_in(std::string const& data) {
  auto const parsed = json::parse(data).value_or(nullptr);
  return {code_of(string_of(parsed, "code"), 0), std::string(string_of(parsed, "error"))};
}

Error wrong_url(std::string const& url) {
  return {Code::invalid, "AGENT_LIGHTNING_URL is '" + url + "': write it as http://host:port"};
}

std::string without_slash(std::string url) {
  while (url.ends_with('/'))
    url.pop_back();
  return url;
}

}  // namespace

Error read_problem(int status, std::string const& text) {
  auto const parsed = json::parse(text);
  if (!parsed || !parsed->is_object() || string_of(*parsed, "title").empty()) {
    return {Code::unavailable, "the server answered with status " + std::to_string(status) +
                                   " and no explanation; is AGENT_LIGHTNING_URL the address of Agent Lightning?"};
  }
  auto const detail = string_of(*parsed, "detail");
  std::string message(detail.empty() ? string_of(*parsed, "title") : detail);
  if (auto const faults = faults_of(*parsed); !faults.empty()) {
    if (message.ends_with('.'))
      message.pop_back();
    // The detail may be made of the faults: all of them, or the first and how many follow.
    if (message.starts_with(faults.substr(0, faults.find("; "))))
      message = faults;
    if (!message.ends_with(faults))
      message += ": " + faults;
  }
  if (status >= 500)
    message.append(" (request ").append(string_of(*parsed, "request_id")).append(")");
  return {code_of(string_of(*parsed, "code"), status), std::move(message)};
}

std::string escaped(std::string_view text) { return http::percent_encode(text); }

std::string server_url(Config const& config) {
  if (config.is_set("url"))
    return config.text("url");
  return local_url(config.text("host"), config.text("gateway.port"), public_scheme(config));
}

Result<void> check_server_url(Config const& config) {
  auto const url = server_url(config);
  if (url.starts_with("http://") || url.starts_with("https://"))
    return {};
  return fail(wrong_url(url));
}

ApiClient::ApiClient(Config const& config) : ApiClient(server_url(config), config.text("token")) {
  if (!token_.empty())
    return;
  if (auto key = stored_login(url_)) {
    token_ = std::move(*key);
    return;
  }
  auto held = security::read_token_file(security::token_file(config.text("data")));
  if (held) {
    token_ = std::move(*held);
  } else {
    token_hint_ = held.error().message;
  }
}

ApiClient::ApiClient(std::string url, std::string token)
    : url_(without_slash(std::move(url))), token_(std::move(token)), client_(context_.get_executor(), {}) {}

ApiClient::~ApiClient() = default;

http::Headers ApiClient::headers() const {
  http::Headers headers;
  if (!token_.empty())
    headers.set("Authorization", "Bearer " + token_);
  headers.set("Content-Type", "application/json");
  headers.set("User-Agent", "agent-lightning/" AL_VERSION);
  return headers;
}

// What went wrong on the way, or with the token, in terms of what a person can do about it.
Error ApiClient::explain(Error error) const {
  if (error.code == Code::unavailable) {
    error.message = "no Agent Lightning answers at " + url_ + " (" + error.message +
                    "); start it with `agent-lightning serve` or `make run`, or set AGENT_LIGHTNING_URL";
  } else if (error.code == Code::invalid) {
    error = wrong_url(url_);
  } else if (error.code == Code::timed_out) {
    error.message = url_ + " did not answer in time";
  }
  return error;
}

Error ApiClient::refused(int status, std::string const& text) const {
  auto error = read_problem(status, text);
  if (status != 401)
    return error;
  error.message = url_ + ": " + error.message;
  if (token_hint_.empty()) {
    error.message += " Set AGENT_LIGHTNING_TOKEN to a token of this server, or sign in with `agent-lightning login`.";
  } else {
    error.message +=
        " Set AGENT_LIGHTNING_TOKEN, or AGENT_LIGHTNING_DATA to the server's data directory: " + token_hint_ + ".";
  }
  return error;
}

Task<Result<ApiClient::Reply>> ApiClient::request(http::Method method, std::string path, std::string body,
                                                  std::chrono::seconds timeout) {
  auto response =
      co_await client_.send(method, url_ + "/api/v1" + path, headers(), std::move(body), Deadline::after(timeout));
  if (!response)
    co_return fail(explain(std::move(response.error())));
  auto text = std::move(std::get<std::string>(response->body));
  if (response->status / 100 != 2)
    co_return fail(refused(response->status, text));
  auto source = json::Source::from(text);
  if (!source)
    co_return fail(Code::unavailable, url_ + " answered with something that is no JSON");
  co_return Reply{response->status, std::move(text), std::move(*source)};
}

// `token` follows what `on_piece` has seen.
Task<Result<void>> ApiClient::stream(http::Method method, std::string path, std::string body, std::string& token,
                                     std::function<bool(http::SseParser&)> on_piece) {
  auto sent = headers();
  if (!token.empty())
    sent.set("Last-Event-ID", token);
  http::SseParser parser;
  std::string problem;
  int status = 0;
  auto const take = [&](std::string_view piece) {
    if (status != 200) {
      problem.append(piece);
      return true;
    }
    parser.feed(piece);
    bool const goes_on = on_piece(parser);
    if (!parser.last_id().empty())
      token = parser.last_id();
    return goes_on;
  };
  auto response = co_await client_.stream(method, url_ + "/api/v1" + path, std::move(sent), std::move(body),
                                          Deadline::after(stream_timeout), take,
                                          [&](http::Response const& head) { status = head.status; });
  if (!response)
    co_return fail(explain(std::move(response.error())));
  if (status != 200)
    co_return fail(refused(status, problem));
  co_return Result<void>{};
}

Task<Result<std::string>> ApiClient::events_tip() {
  std::string token;
  auto const done = co_await stream(http::Method::get, events_path, {}, token, [](http::SseParser& parser) {
    while (parser.next()) {
    }
    return parser.last_id().empty();
  });
  if (!done)
    co_return fail(done.error());
  co_return token;
}

Task<Result<void>> ApiClient::stream_again(std::string path, std::string& token, std::function<void()> on_begin,
                                           std::function<bool(http::SseEvent const&)> on_event) {
  bool is_done = false;
  std::optional<Error> refusal;
  auto given_up = Deadline::after(reconnect_timeout);
  auto const take = [&](http::SseParser& parser) {
    given_up = Deadline::after(reconnect_timeout);
    while (auto const event = is_done || refusal ? std::nullopt : parser.next()) {
      if (event->name == "ended")
        refusal = refusal_in(event->data);
      else
        is_done = !on_event(*event);
    }
    return !is_done && !refusal;
  };
  for (;;) {
    on_begin();
    auto const ended = co_await stream(http::Method::get, path, {}, token, take);
    if (is_done)
      co_return Result<void>{};
    if (refusal)
      co_return fail(std::move(*refusal));
    bool const may_come_back =
        ended || ended.error().code == Code::unavailable || ended.error().code == Code::timed_out;
    if (!may_come_back || given_up.left() <= reconnect_pause)
      co_return ended ? fail(Code::unavailable, url_ + " ended the stream") : fail(ended.error());
    co_await sleep_until(std::chrono::steady_clock::now() + reconnect_pause);
  }
}

Task<Result<void>> ApiClient::events_after(std::string& token, std::string query,
                                           std::function<bool(json::Input event)> on_event) {
  auto const take = [&](http::SseEvent const& event) {
    auto const source = json::Source::from(event.data);
    return !source || on_event(source->root());
  };
  co_return co_await stream_again(events_path + query, token, [] {}, take);
}

Task<Result<void>> ApiClient::post_stream(std::string path, std::string body,
                                          std::function<bool(http::SseEvent const&)> on_event) {
  std::string token;  // such a stream has no ids
  bool is_done = false;
  auto const take = [&](http::SseParser& parser) {
    while (auto const event = is_done ? std::nullopt : parser.next())
      is_done = !on_event(*event);
    return !is_done;
  };
  co_return co_await stream(http::Method::post, std::move(path), std::move(body), token, take);
}

Task<Result<void>> ApiClient::watch(std::string path, std::function<void()> on_begin,
                                    std::function<bool(http::SseEvent const&)> on_event) {
  std::string token;  // such a stream has no ids
  co_return co_await stream_again(std::move(path), token, std::move(on_begin), std::move(on_event));
}

void ApiClient::run_until_interrupted(Task<void> task) {
  asio::cancellation_signal cancel;
  asio::signal_set signals(context_, SIGINT, SIGTERM);
  bool is_interrupted = false;
  std::exception_ptr fault;
  signals.async_wait([&](boost::system::error_code error, int) {
    if (error)
      return;
    is_interrupted = true;
    cancel.emit(asio::cancellation_type::terminal);
    signals.async_wait([](boost::system::error_code again, int) {
      if (!again)
        ::_exit(exit_interrupted);
    });
  });
  auto const at_end = [&](std::exception_ptr thrown) {
    fault = std::move(thrown);
    context_.stop();  // connections that are kept for the next call would keep the loop alive
  };
  asio::co_spawn(context_, std::move(task), asio::bind_cancellation_slot(cancel.slot(), at_end));
  context_.restart();
  context_.run();
  if (is_interrupted)
    throw Interrupted();
  if (fault)
    std::rethrow_exception(fault);
}

Result<ApiClient::Reply> ApiClient::get(std::string const& path, std::chrono::seconds timeout) {
  return run(request(http::Method::get, path, {}, timeout));
}

Result<ApiClient::Reply> ApiClient::post(std::string const& path, std::string body) {
  return run(request(http::Method::post, path, std::move(body)));
}

Result<ApiClient::Reply> ApiClient::put(std::string const& path, std::string body) {
  return run(request(http::Method::put, path, std::move(body)));
}

Result<ApiClient::Reply> ApiClient::remove(std::string const& path) {
  return run(request(http::Method::del, path, {}));
}

}  // namespace al::app
