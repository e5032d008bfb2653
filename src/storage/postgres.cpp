/// The PostgreSQL driver's public face. Callers encode their parameters on their own threads; one I/O thread owns all
/// connections, because a second one would only fight for the same cores with the server's processes.

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "core/fault.hpp"
#include "storage/database.hpp"
#include "storage/postgres_dispatcher.hpp"

namespace al::storage {
namespace {

using postgres::CallLimits;
using postgres::holds_nul;
using postgres::Parameters;
using postgres::RowCall;
using postgres::Sql;
using postgres::Work;

Statement const ping_statement{.name = "ping", .text = "SELECT 1"};

struct RowSubmission {
  std::shared_ptr<Sql const> sql;
  std::string tenant;
  RowCall call;
};
using Submission = std::variant<std::unique_ptr<Work>, RowSubmission>;

postgres::DispatcherOptions dispatcher_options(PostgresOptions const& options) {
  postgres::DispatcherOptions out;
  out.pool.size = static_cast<std::size_t>(std::max(options.pool_size, 1));
  out.pool.size_max = out.pool.size + static_cast<std::size_t>(std::max(options.pool_overflow, 0));
  out.pool.idle_close = options.idle_close;
  out.pool.recycle = options.recycle;
  out.statement_timeout = options.statement_timeout;
  out.group_max = std::max<std::size_t>(options.group_max, 1);
  return out;
}

/// Signals belong to the main thread.
std::thread start_without_signals(auto body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread.native_handle(), "al-postgres");
  return thread;
}

class Postgres final : public Database {
 public:
  explicit Postgres(PostgresOptions options)
      : options_(std::move(options)),
        guard_(io_.get_executor()),
        dispatcher_(io_, postgres::parse_url(options_.url, options_.connect_timeout, options_.prepared),
                    dispatcher_options(options_), gauges_),
        thread_(start_without_signals([this] { io_.run(); })) {}
  ~Postgres() override { Postgres::close(); }
  Postgres(Postgres const&) = delete;
  Postgres& operator=(Postgres const&) = delete;

  [[nodiscard]] Dialect dialect() const override { return Dialect::postgres; }

  [[nodiscard]] Task<Rows> read(Scope scope, Statement const& statement, Values params, Deadline deadline) override {
    auto work = std::make_unique<Work>();
    work->read_only = true;
    add_query(*work, scope, statement, params, Guard::none);
    if (holds_nul(work->queries.front().parameters))
      throw Fault(std::string(statement.name) + ": " + nul_message);
    co_return co_await run<Rows>(std::move(work), deadline);
  }

  [[nodiscard]] Task<Result<std::vector<Rows>>> apply(Batch batch, Deadline deadline) override {
    auto work = std::make_unique<Work>();
    for (auto const& step : batch.steps) {
      add_query(*work, batch.scope, *step.statement, step.params, step.guard);
      if (holds_nul(work->queries.back().parameters))
        co_return al::fail(refused_nul(step.statement->name));
    }
    if (work->queries.empty())
      co_return std::vector<Rows>();
    co_return co_await run<Result<std::vector<Rows>>>(std::move(work), deadline);
  }

  [[nodiscard]] Task<Result<Row>> write_row(Scope scope, RowStatement const& statement, Values params,
                                            Deadline deadline) override {
    RowSubmission submission{.sql = sql_.get(statement.name, statement.postgres, Guard::none),
                             .tenant = scope.tenant().value,
                             .call = {.waiter = nullptr, .parameters = postgres::encode(params), .limits = {}}};
    if (holds_nul(submission.call.parameters))
      co_return al::fail(refused_nul(statement.name));
    submission.call.limits = admit(deadline);
    co_return co_await sleep_for_answer<Result<Row>>([&](auto waiter) {
      submission.call.waiter = std::move(waiter);
      enqueue(std::move(submission));
    });
  }

  [[nodiscard]] Task<void> ping(Deadline deadline) override {
    co_await read(Scope::system(), ping_statement, {}, deadline);
  }

  [[nodiscard]] PoolState pool() const override {
    return {.size = gauges_.size,
            .in_use = gauges_.in_use,
            .size_max = std::int64_t{options_.pool_size} + options_.pool_overflow,
            .waiting = gauges_.waiting};
  }

  void close() override {
    if (closing_.exchange(true))
      return;
    asio::post(io_, [this] { dispatcher_.close([this] { guard_.reset(); }); });
    thread_.join();
  }

 private:
  static constexpr auto nul_message = "a text holds U+0000, which PostgreSQL cannot store";

  static Error refused_nul(std::string_view statement) {
    auto error = error_of(postgres::FailureKind::invalid, statement);
    error.message = "A text holds the character U+0000; leave it out.";
    return error;
  }

  void add_query(Work& work, Scope const& scope, Statement const& statement, Values const& params, Guard guard) {
    work.queries.push_back({.sql = sql_.get(statement.name, statement.for_dialect(Dialect::postgres), guard),
                            .parameters = postgres::encode(params),
                            .tenant = scope.tenant().value});
  }

  template <class T>
  Task<T> run(std::unique_ptr<Work> work, Deadline deadline) {
    work->limits = admit(deadline);
    co_return co_await sleep_for_answer<T>([&](auto waiter) {
      work->caller = std::move(waiter);
      enqueue(std::move(work));
    });
  }

  /// Counts the call in, or throws Unavailable.
  CallLimits admit(Deadline deadline) {
    auto const now = std::chrono::steady_clock::now();
    // Counted first, so that close() either waits for this call or is seen by it.
    auto const before = gauges_.waiting.fetch_add(1);
    auto const refuse = [&](char const* reason) {
      --gauges_.waiting;
      throw Unavailable(reason);
    };
    if (closing_)
      refuse("the database is closed");
    if (std::cmp_greater_equal(before, options_.queue_max))
      refuse("too many calls wait for the database");
    if (deadline.at <= now)
      refuse("the deadline passed before the database was asked");
    return {.deadline = deadline.at, .queued_until = std::min(deadline.at, now + options_.checkout_timeout)};
  }

  void enqueue(Submission submission) {
    std::scoped_lock const lock(inbox_mutex_);
    inbox_.push_back(std::move(submission));
    if (inbox_.size() == 1)
      asio::post(io_, [this] { take_inbox(); });
  }

  void take_inbox() {
    std::vector<Submission> taken;
    {
      std::scoped_lock const lock(inbox_mutex_);
      taken.swap(inbox_);
    }
    for (auto& submission : taken) {
      if (auto* work = std::get_if<std::unique_ptr<Work>>(&submission)) {
        dispatcher_.submit(std::move(*work));
      } else {
        auto& row = std::get<RowSubmission>(submission);
        dispatcher_.submit(row.sql, row.tenant, std::move(row.call));
      }
    }
    dispatcher_.pump();
  }

  PostgresOptions const options_;
  postgres::SqlCache sql_;
  postgres::Gauges gauges_;
  std::atomic<bool> closing_ = false;
  std::mutex inbox_mutex_;
  std::vector<Submission> inbox_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  postgres::Dispatcher dispatcher_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Database> open_postgres(PostgresOptions options) {
  return std::make_unique<Postgres>(std::move(options));
}

}  // namespace al::storage
