#pragma once
/// One connection to PostgreSQL in libpq's pipeline mode. Belongs to the I/O thread.

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/async.hpp"
#include "storage/postgres_pool.hpp"
#include "storage/postgres_sql.hpp"
#include "storage/postgres_value.hpp"

struct pg_conn;
struct pg_result;

namespace al::storage::postgres {

/// One server to try: a host may have several.
struct Endpoint {
  std::string host;     ///< as configured: name, address or socket directory; TLS verifies against it
  std::string address;  ///< numeric, found by Asio; empty for socket directories
  std::string port;
};

/// A database URL taken apart.
struct ConnectInfo {
  std::vector<std::pair<std::string, std::string>> parameters;  ///< all but host, hostaddr and port
  std::vector<Endpoint> endpoints;  ///< as configured; addresses still to be found unless the URL has them
  std::chrono::seconds connect_timeout{10};
  bool prepared = true;
};
/// Throws Fault, without the URL's secrets, when it is malformed.
[[nodiscard]] ConnectInfo parse_url(std::string const& url, std::chrono::seconds connect_timeout, bool prepared);

/// Looks up the names among the endpoints. One that cannot be found is left out; throws Unavailable when none remains.
[[nodiscard]] Task<std::vector<Endpoint>> resolve(ConnectInfo const& info);

struct Query {
  std::shared_ptr<Sql const> sql;
  Parameters parameters;
  std::string tenant{};  ///< whose rows it may touch; empty: system scope
};

/// One transaction: settings, queries and commit go out together and are answered together. The statements up to a
/// pipeline's sync are one implicit transaction, which commits there or is rolled back as a whole by the first error;
/// an explicit BEGIN would leave a failed transaction open and fail every transaction that is already on its way.
struct Frame {
  Frame() = default;
  virtual ~Frame() = default;
  Frame(Frame const&) = delete;
  Frame& operator=(Frame const&) = delete;

  bool read_only = false;
  std::vector<Query> queries;                 ///< at least one
  std::chrono::milliseconds timeout{30'000};  ///< for each statement
};

/// The server refused a statement; nothing of the frame was committed.
struct Failure {
  std::string sqlstate;
  std::string message;
  std::string constraint;
  std::optional<std::size_t> query;  ///< which; none: the settings or the commit
};

/// The connection broke before the frame was answered.
struct Lost {
  bool maybe_committed;  ///< false: the server certainly did not commit it
  std::string reason;
};

using Outcome = std::variant<std::vector<Rows>, Failure, Lost>;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  struct Owner {
    std::function<void(std::unique_ptr<Frame>, Outcome)> on_answer;
    std::function<void(Connection&)> on_change;  ///< answers were delivered, or the connection is gone
  };

  Connection(asio::io_context& io, ConnectInfo const& info, Owner owner);
  ~Connection();
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;

  /// Connects, trying the endpoints in order. Throws Unavailable.
  [[nodiscard]] Task<void> open();

  /// Sends a frame behind those in flight. A frame that cannot be sent is answered as lost, and so are the others.
  /// Throws what a failpoint throws; then nothing was sent.
  void send(std::unique_ptr<Frame>& frame);

  /// Asks an idle connection whether it lives; the state is `checking` until it answered.
  void check();

  /// Lets what is in flight come back, then closes.
  void leave();
  /// Closes now; frames in flight are answered as lost.
  void lose(std::string const& reason);

  [[nodiscard]] ConnectionView const& view() const { return view_; }
  [[nodiscard]] bool is_closed() const { return closed_; }
  /// Whether the frame that the server works at has had more than its time.
  [[nodiscard]] bool is_overdue(SteadyTime now) const;

 private:
  enum class StepKind { prepare, settings, query, sync };
  struct Step {
    StepKind kind;
    std::size_t query = 0;
    std::string prepares{};  ///< name of the prepared statement
    bool answered = false;
  };
  struct InFlight {
    std::unique_ptr<Frame> frame;  ///< null for the check
    std::deque<Step> steps;
    std::vector<Rows> rows;
    std::optional<Failure> failure;
    bool read_only = true;
    std::chrono::milliseconds timeout{};
  };
  struct Finisher {
    void operator()(pg_conn* connection) const;
  };

  Task<void> open_endpoint(Endpoint const& endpoint);
  Task<void> shake_hands();
  Task<void> find_out_role();
  Task<void> wait(asio::posix::descriptor_base::wait_type direction);
  void start(Endpoint const& endpoint);
  void watch_time(asio::steady_timer& timer);

  bool send_statement(InFlight& flight, StepKind kind, std::size_t query, Sql const& sql, Parameters const& parameters);
  bool send_settings(InFlight& flight, Frame const& frame);
  bool send_tenant(InFlight& flight, std::string const& tenant);
  bool send_sync(InFlight flight);
  void watch_readable();
  void watch_writable();
  void on_readable();
  void drain();
  void take_end_of_step();
  void take_result(pg_result const* result);
  void take_rows(InFlight& flight, std::size_t query, pg_result const* result);
  void take_failure(InFlight& flight, pg_result const* result);
  void finish_front();
  [[nodiscard]] std::string error_text() const;

  asio::io_context& io_;
  ConnectInfo const& info_;
  Owner owner_;
  std::unique_ptr<pg_conn, Finisher> pg_;
  std::optional<asio::posix::stream_descriptor> socket_;
  ConnectionView view_;
  bool closed_ = false;
  bool writing_ = false;
  bool timed_out_ = false;  ///< while it opens
  int attempt_ = 0;
  bool server_gave_up_ = false;  ///< it said FATAL while it worked at the front frame
  std::shared_ptr<Sql const> read_settings_;
  std::shared_ptr<Sql const> write_settings_;
  std::shared_ptr<Sql const> tenant_settings_;
  std::deque<InFlight> flights_;
  /// By name; false while the server has not yet answered. Until then the statement is sent unnamed, because a second
  /// Prepare of the same name would fail.
  std::unordered_map<std::string, bool> prepared_;
};

}  // namespace al::storage::postgres
