#pragma once
/// The I/O thread's mind: queues of calls, connections, and who gets which. Belongs to the I/O thread, except for the
/// gauges.

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/backoff.hpp"
#include "core/random.hpp"
#include "core/result.hpp"
#include "storage/postgres_connection.hpp"
#include "storage/postgres_group.hpp"
#include "storage/postgres_pool.hpp"
#include "storage/postgres_wakeups.hpp"

namespace al::storage::postgres {

/// When a call gives up.
struct CallLimits {
  SteadyTime deadline;      ///< the caller's
  SteadyTime queued_until;  ///< the deadline, or the end of the checkout timeout
};

/// One caller of write_row.
struct RowCall {
  std::shared_ptr<Waiter<Result<Row>>> waiter;
  Parameters parameters;
  CallLimits limits;
};

/// The callers of one row statement that wait for its next group.
struct RowLine {
  std::shared_ptr<Sql const> sql;
  FairQueue<RowCall> waiting;
  std::size_t columns = 0;  ///< values of each row
  std::size_t groups_in_flight = 0;
};

/// Callers of one tenant, whose rows go into one execution of their statement.
struct RowSection {
  std::string tenant;
  std::vector<RowCall> calls;
};

/// Callers of one row statement who share a transaction. The statement runs once for each tenant, under that tenant's
/// settings; what they share is the round trip and the commit.
struct RowGroup {
  RowLine* line;
  std::vector<RowSection> sections;
  bool is_counted = false;  ///< in the line's groups_in_flight

  [[nodiscard]] std::size_t size() const;
};

/// A transaction and those who wait for it.
struct Work final : Frame {
  using Reader = std::shared_ptr<Waiter<Rows>>;
  using Writer = std::shared_ptr<Waiter<Result<std::vector<Rows>>>>;

  std::variant<Reader, Writer, RowGroup> caller;
  CallLimits limits{};
  int attempts = 0;

  [[nodiscard]] std::int64_t callers() const;
};

/// Read by any thread.
struct Gauges {
  std::atomic<std::int64_t> size = 0;
  std::atomic<std::int64_t> in_use = 0;
  std::atomic<std::int64_t> waiting = 0;  ///< calls that are not on a connection yet
};

struct DispatcherOptions {
  PoolLimits pool;
  std::chrono::seconds statement_timeout{30};
  std::size_t group_max = 512;         ///< rows
  std::size_t group_tenants_max = 64;  ///< bounds how long one transaction runs
  /// Groups of one row statement under way at a time. While one is on its way the callers gather for the next; with
  /// none other in flight the server would idle between two.
  std::size_t groups_in_flight_max = 2;
};

class Dispatcher {
 public:
  Dispatcher(asio::io_context& io, ConnectInfo info, DispatcherOptions options, Gauges& gauges);

  /// The caller has counted the call in Gauges::waiting. pump() starts what was submitted.
  void submit(std::unique_ptr<Work> work);
  void submit(std::shared_ptr<Sql const> const& sql, std::string const& tenant, RowCall call);
  void pump();

  /// Finishes what is under way and what waits, then closes the connections and calls `closed`. While the server
  /// refuses connections, what waits is refused.
  void close(std::function<void()> closed);

 private:
  [[nodiscard]] bool has_work() const;
  [[nodiscard]] std::size_t in_flight() const;
  [[nodiscard]] std::unique_ptr<Work> next_work();
  [[nodiscard]] std::unique_ptr<Work> next_group();
  [[nodiscard]] std::unique_ptr<Work> make_group(RowLine& line, std::vector<RowSection> sections) const;
  void dispatch(SteadyTime now);
  void send(Connection& connection, std::unique_ptr<Work> work, SteadyTime now);
  void finish_pump(SteadyTime now);
  void publish();

  void open_connection();
  Task<void> open(std::shared_ptr<Connection> connection);
  void remove_closed();

  void arm_timer(SteadyTime now);
  void tick();
  void sweep_queues(SteadyTime now);
  void sweep_connections(SteadyTime now);
  void refuse_waiting(std::string const& reason);
  void finish_close();

  void on_answer(std::unique_ptr<Frame> frame, Outcome outcome);
  void succeed(Work& work, std::vector<Rows> rows);
  void succeed_section(RowLine& line, RowSection& section, Rows rows);
  void submit_alone(RowLine& line, std::string const& tenant, RowCall call);
  void fail(std::unique_ptr<Work> work, Failure const& failure);
  void lost(std::unique_ptr<Work> work, Lost const& lost);
  void retry(std::unique_ptr<Work> work);
  void isolate(Work& work, std::optional<std::size_t> guilty);
  void refuse(Work& work, Error const& error);
  void fault(Work& work, std::exception_ptr const& error);

  asio::io_context& io_;
  ConnectInfo info_;
  DispatcherOptions options_;
  Gauges& gauges_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<ConnectionView> views_;
  std::deque<std::unique_ptr<Work>> retries_;
  FairQueue<std::unique_ptr<Work>> works_;
  std::unordered_map<Sql const*, std::unique_ptr<RowLine>> lines_;
  std::vector<RowLine*> line_turns_;
  std::size_t next_line_ = 0;
  bool group_is_next_ = false;
  Wakeups wakeups_;
  asio::steady_timer timer_;
  std::optional<SteadyTime> armed_for_;
  Backoff backoff_{std::chrono::milliseconds{50}, std::chrono::milliseconds{1600}};  ///< of attempts to connect
  SteadyTime may_open_at_{};
  std::string last_open_error_;
  SystemRandom random_;
  bool pumping_ = false;
  bool pump_again_ = false;
  std::function<void()> closed_;
};

}  // namespace al::storage::postgres
