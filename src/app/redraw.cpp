#include "app/redraw.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <charconv>
#include <optional>

namespace al::app {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view watch_given = "true";  // what CLI11 makes of a flag without a value
constexpr milliseconds interval_default{2000};
constexpr double interval_seconds_min = 0.1;
constexpr double interval_seconds_max = 86'400;
/// Events come in bunches.
constexpr milliseconds interval_min{100};
constexpr std::chrono::seconds listen_pause{5};

std::optional<double> seconds_of(std::string_view text) {
  double seconds = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  bool const is_number = error == std::errc() && end == text.data() + text.size();
  bool const is_in_range = seconds >= interval_seconds_min && seconds <= interval_seconds_max;
  return is_number && is_in_range ? std::optional(seconds) : std::nullopt;
}

std::string check_seconds(std::string const& text) {
  bool const is_fine = text == watch_given || seconds_of(text);
  return is_fine ? "" : "--watch needs seconds from 0.1 to 86400, not '" + text + "'";
}

milliseconds interval_of(std::string const& watch) {
  auto const seconds = seconds_of(watch);
  return seconds ? milliseconds(static_cast<std::int64_t>(*seconds * 1000)) : interval_default;
}

/// Wakes who waits for the next drawing.
class Doorbell {
 public:
  explicit Doorbell(asio::io_context& context) : timer_(context) {}

  void ring() {
    is_rung_ = true;
    timer_.cancel();
  }
  Task<void> wait(milliseconds interval) {
    co_await sleep_until(std::chrono::steady_clock::now() + interval_min);
    if (!is_rung_) {
      timer_.expires_after(interval - interval_min);
      // A command that is cancelled, and not only rung for, ends at its next co_await.
      boost::system::error_code rung;
      co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, rung));
    }
    is_rung_ = false;
  }

 private:
  asio::steady_timer timer_;
  bool is_rung_ = false;
};

/// Whoever may not read events, or has none to read, still gets what changed, only later.
Task<void> listen(ApiClient& client, std::string channels, Doorbell& doorbell) {
  std::string token;
  auto const ring = [&](json::Input) {
    doorbell.ring();
    return true;
  };
  for (;;) {
    if (!channels.empty())
      static_cast<void>(co_await client.events_after(token, query_text({{"channel", channels}}), ring));
    co_await sleep_until(std::chrono::steady_clock::now() + listen_pause);
  }
}

bool is_passing(Error const& error) { return error.code == Code::unavailable || error.code == Code::timed_out; }

/// Errors: of the first request all, later only those that do not pass.
Task<Error> draw(ApiClient& client, Console& console, View const& view, milliseconds interval, Doorbell& doorbell) {
  std::string text;
  std::size_t lines = 0;
  for (;;) {
    auto reply = co_await client.request(http::Method::get, view.path, {});
    if (!reply && (lines == 0 || !is_passing(reply.error())))
      co_return std::move(reply.error());
    if (reply)
      text = view.render(*reply->body.root().parsed);
    auto drawing = text + "\n\n";
    drawing += reply ? console.paint("watched until Ctrl-C", Tone::faint)
                     : console.paint(printable(reply.error().message), Tone::caution);
    console.measure();
    console.write(redrawn(drawing, lines, console.options().height - 1, lines));
    co_await doorbell.wait(interval);
  }
}

Task<Error> draw_and_listen(ApiClient& client, Console& console, View const& view, milliseconds interval) {
  auto const executor = co_await asio::this_coro::executor;
  Doorbell doorbell(client.context());
  auto [order, fault, error, listen_fault] =
      co_await asio::experimental::make_parallel_group(
          asio::co_spawn(executor, draw(client, console, view, interval, doorbell), asio::deferred),
          asio::co_spawn(executor, listen(client, view.channels, doorbell), asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  auto const& first = order[0] == 0 ? fault : listen_fault;
  if (first)
    std::rethrow_exception(first);
  co_return std::move(error);
}

}  // namespace

std::string redrawn(std::string_view text, std::size_t lines_before, std::size_t lines_max, std::size_t& lines) {
  // Up to the first line, and empty all from there; what is too long for a line is not continued on the next one.
  std::string out = lines_before > 0 ? "\x1b[" + std::to_string(lines_before) + "A\r\x1b[J" : "";
  out += "\x1b[?7l";
  auto const all = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  lines = std::min(all, std::max<std::size_t>(lines_max, 1));
  for (std::size_t i = 0; i < lines; ++i) {
    auto const line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    bool const is_cut = i + 1 == lines && lines < all;
    out.append(is_cut ? "… " + std::to_string(all - i) + " more lines" : std::string(line)).append("\n");
  }
  return out + "\x1b[?7h";
}

WatchWish add_watch_option(CLI::App& command) {
  auto wish = std::make_shared<std::string>();
  command.add_flag("--watch", *wish, "Draw it anew, every 2 seconds and when something changes, until Ctrl-C")
      ->option_text("[=SECONDS]")
      ->check(CLI::Validator([](std::string& text) { return check_seconds(text); }, ""));
  return wish;
}

int look(Workplace& workplace, View const& view, std::string const& watch) {
  auto& console = workplace.console;
  ApiClient client(workplace.config);
  if (watch.empty())
    return show(console, client.get(view.path), view.render);
  if (!console.options().is_terminal || console.json()) {
    return report(console,
                  {Code::bad_request,
                   "--watch draws on a terminal, without --json; programs read 'agent-lightning events tail --json'"},
                  exit_usage);
  }
  auto const error = client.run(draw_and_listen(client, console, view, interval_of(watch)));
  return report(console, error);
}

}  // namespace al::app
