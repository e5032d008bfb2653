/// The SQLite driver: one thread writes, a few read, each with a connection of its own. The writer takes whatever
/// waits and commits it as one transaction, so many callers share one fsync; each caller's work is a savepoint in it.

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <variant>

#include "core/failpoint.hpp"
#include "core/log.hpp"
#include "storage/database.hpp"
#include "storage/sqlite_connection.hpp"

namespace al::storage {
namespace {

using sqlite::Connection;
using sqlite::SqlFault;

/// Some sixteen megabytes: small enough to stay in the page cache, large enough that a page which many groups touch is
/// copied once for all of them (a quarter of that wrote twice as much).
constexpr int log_pages_before_checkpoint = 4'000;

/// When a commit takes this long, the next group is worth a pause of at most an eighth of it.
constexpr std::chrono::microseconds slow_commit{400};
constexpr int commit_share_of_pause = 8;
constexpr std::chrono::microseconds pause_max{1'000};

/// The rows of every step; of a read or a row statement the last ones count.
using Outcome = Result<std::vector<Rows>>;

struct Read {
  Statement const* statement;
  Values params;
};
struct RowWrite {
  RowStatement const* statement;
  Values params;
};
using Work = std::variant<Read, RowWrite, Batch>;

/// One call on its way through a queue and back. The caller's coroutine sleeps in the derived class.
class Job : public std::enable_shared_from_this<Job> {
 public:
  Job(Work w, Deadline d) : work(std::move(w)), deadline(d) {}
  virtual ~Job() = default;
  Job(Job const&) = delete;
  Job& operator=(Job const&) = delete;

  void fail_with(std::exception_ptr f) { fault = std::move(f); }

  /// True for the first who asks: the result and a cancellation race for the caller.
  [[nodiscard]] bool claim() { return !claimed_.exchange(true, std::memory_order_acq_rel); }
  /// Where the caller is resumed; keeps that executor's loop running until then.
  [[nodiscard]] virtual asio::any_io_executor const& executor() const = 0;
  /// Resumes the caller. On its executor, after claim().
  virtual void resume() = 0;

  Work work;
  Deadline deadline;
  Outcome outcome;
  std::exception_ptr fault;

 private:
  std::atomic<bool> claimed_{false};
};
using JobPtr = std::shared_ptr<Job>;

template <class Handler>
class JobOf final : public Job {
 public:
  JobOf(Work w, Deadline d, Handler handler)
      : Job(std::move(w), d),
        executor_(asio::prefer(asio::get_associated_executor(handler), asio::execution::outstanding_work.tracked)),
        handler_(std::move(handler)) {}

  /// A cancelled caller goes on at once with operation_aborted; what it asked for happens all the same.
  void listen_for_cancellation() {
    auto slot = asio::get_associated_cancellation_slot(*handler_);
    if (!slot.is_connected())
      return;
    slot.assign([weak = weak_from_this()](asio::cancellation_type type) {
      auto self = weak.lock();
      auto const heeded = asio::cancellation_type::terminal | asio::cancellation_type::partial;
      if (!self || (type & heeded) == asio::cancellation_type::none || !self->claim())
        return;
      auto executor = self->executor();
      asio::post(executor, [self = std::move(self)] {
        auto aborted = boost::system::system_error(asio::error::operation_aborted);
        static_cast<JobOf&>(*self).call(std::make_exception_ptr(aborted), Outcome{});
      });
    });
  }

  [[nodiscard]] asio::any_io_executor const& executor() const override { return executor_; }
  void resume() override { call(std::move(fault), std::move(outcome)); }

 private:
  void call(std::exception_ptr thrown, Outcome answer) {
    asio::get_associated_cancellation_slot(*handler_).clear();
    auto handler = std::move(*handler_);
    handler_.reset();
    std::move(handler)(std::move(thrown), std::move(answer));
  }

  asio::any_io_executor executor_;
  std::optional<Handler> handler_;
};

/// Resumes callers of one executor one after the other; an exception that leaves a caller must not lose the others.
void resume_all(std::vector<JobPtr> jobs) {
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    try {
      jobs[i]->resume();
    } catch (...) {
      std::vector<JobPtr> rest(jobs.begin() + static_cast<std::ptrdiff_t>(i) + 1, jobs.end());
      if (!rest.empty()) {
        auto const executor = rest.front()->executor();
        asio::post(executor, [rest = std::move(rest)]() mutable { resume_all(std::move(rest)); });
      }
      throw;
    }
    jobs[i].reset();
  }
}

/// Hands results back with one wake-up for each executor, not one for each caller.
void deliver(std::vector<JobPtr>& jobs) {
  std::vector<std::vector<JobPtr>> by_executor;
  for (auto& job : jobs) {
    if (!job->claim())
      continue;
    auto same = std::ranges::find_if(by_executor,
                                     [&](auto const& group) { return group.front()->executor() == job->executor(); });
    if (same == by_executor.end())
      same = by_executor.emplace(by_executor.end());
    same->push_back(std::move(job));
  }
  jobs.clear();
  for (auto& group : by_executor) {
    auto const executor = group.front()->executor();
    asio::post(executor, [group = std::move(group)]() mutable { resume_all(std::move(group)); });
  }
}

/// How many jobs are worth waiting for, and how long, once the first is there.
struct Gather {
  std::size_t count = 1;
  std::chrono::microseconds patience{0};
};

/// Bounded; closed for new jobs before it is drained.
class Queue {
 public:
  explicit Queue(std::size_t jobs_max) : jobs_max_(jobs_max) {}

  /// Empty when the job was taken, else why not.
  [[nodiscard]] std::string push(JobPtr job) {
    {
      std::lock_guard const lock(mutex_);
      if (closed_)
        return "the database is closed";
      if (jobs_.size() >= jobs_max_)
        return "too many calls wait for the database";
      jobs_.push_back(std::move(job));
      if (idle_ == 0 || jobs_.size() < wanted_)
        return {};
    }
    arrived_.notify_one();
    return {};
  }

  /// Waits for jobs and takes up to `count` of them; none when the queue is closed and empty.
  /// Only a queue with one taker may gather.
  [[nodiscard]] std::vector<JobPtr> take(std::size_t count, Gather gather = {}) {
    std::unique_lock lock(mutex_);
    ++idle_;
    arrived_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
    if (jobs_.size() < gather.count && gather.patience.count() > 0 && !closed_) {
      wanted_ = gather.count;
      arrived_.wait_for(lock, gather.patience, [this] { return closed_ || jobs_.size() >= wanted_; });
      wanted_ = 1;
    }
    --idle_;
    auto const end = jobs_.begin() + static_cast<std::ptrdiff_t>(std::min(count, jobs_.size()));
    std::vector<JobPtr> taken(std::move_iterator(jobs_.begin()), std::move_iterator(end));
    jobs_.erase(jobs_.begin(), end);
    return taken;
  }

  void close() {
    {
      std::lock_guard const lock(mutex_);
      closed_ = true;
    }
    arrived_.notify_all();
  }

  /// Jobs that wait, and threads that wait for jobs.
  [[nodiscard]] std::pair<std::size_t, int> state() const {
    std::lock_guard const lock(mutex_);
    return {jobs_.size(), idle_};
  }

 private:
  std::size_t const jobs_max_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<JobPtr> jobs_;
  std::size_t wanted_ = 1;  ///< fewer wake nobody
  int idle_ = 0;
  bool closed_ = false;
};

std::exception_ptr unavailable(std::string const& why) { return std::make_exception_ptr(Unavailable(why)); }

bool expired(Job const& job) { return job.deadline.at <= std::chrono::steady_clock::now(); }

constexpr char const* late = "the deadline passed before the database came to this call";

/// What a caller gets for a fault of SQLite: Unavailable when trying again may help.
std::exception_ptr as_fault(SqlFault const& fault) {
  return fault.passing() ? unavailable(fault.what()) : std::make_exception_ptr(fault);
}

/// Runs the steps of one job. Stops at the first that is refused.
class Steps {
 public:
  Steps(Connection& connection, Work& work) : connection_(connection), work_(work) {}

  Outcome run() {
    return std::visit([this](auto& work) { return run(work); }, work_);
  }

 private:
  Outcome run(Read& read) {
    auto ran = connection_.run(read.statement->name, read.statement->for_dialect(Dialect::sqlite), read.params);
    if (!ran)
      return fail(std::move(ran.error()));
    return keep(std::move(ran->rows));
  }

  Outcome run(RowWrite& write) {
    Rows last;
    for (auto const& step : write.statement->sqlite) {
      // Named after the whole: the other database knows no steps here, and callers act on the name.
      auto ran = connection_.run(write.statement->name, step.for_dialect(Dialect::sqlite), write.params);
      if (!ran)
        return fail(std::move(ran.error()));
      if (!ran->took_effect && !step.optional)
        return refused(write.statement->name);
      last = std::move(ran->rows);
    }
    if (last.empty())
      last.emplace_back();
    return keep(std::move(last));
  }

  Outcome run(Batch& batch) {
    std::vector<Rows> answers;
    answers.reserve(batch.steps.size());
    for (auto const& step : batch.steps) {
      auto ran = connection_.run(step.statement->name, step.statement->for_dialect(Dialect::sqlite), step.params);
      if (!ran)
        return fail(std::move(ran.error()));
      if (step.guard == Guard::must_match && !ran->took_effect)
        return refused(step.statement->name);
      answers.push_back(std::move(ran->rows));
    }
    return answers;
  }

  static Outcome keep(Rows rows) {
    std::vector<Rows> answers;
    answers.push_back(std::move(rows));
    return answers;
  }

  static Outcome refused(std::string_view name) {
    return fail(Error{.code = Code::conflict,
                      .message = "it was changed meanwhile, or its state does not allow this",
                      .where = std::string(name)});
  }

  Connection& connection_;
  Work& work_;
};

std::string_view name_of(Work const& work) {
  if (auto const* read = std::get_if<Read>(&work))
    return read->statement->name;
  if (auto const* row = std::get_if<RowWrite>(&work))
    return row->statement->name;
  auto const& steps = std::get<Batch>(work).steps;
  return steps.empty() ? std::string_view{"empty batch"} : steps.back().statement->name;
}

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(SqliteOptions options, Clock const& clock);
  ~SqliteDatabase() override { close(); }
  SqliteDatabase(SqliteDatabase const&) = delete;
  SqliteDatabase& operator=(SqliteDatabase const&) = delete;

  [[nodiscard]] Dialect dialect() const override { return Dialect::sqlite; }

  Task<Rows> read(Scope, Statement const& statement, Values params, Deadline deadline) override {
    auto outcome = co_await submit(reads_, Read{&statement, std::move(params)}, deadline);
    if (!outcome)
      throw Fault(std::string(statement.name) + ": a read was refused: " + outcome.error().message);
    co_return std::move(outcome->back());
  }

  Task<Result<std::vector<Rows>>> apply(Batch batch, Deadline deadline) override {
    co_return co_await submit(writes_, std::move(batch), deadline);
  }

  Task<Result<Row>> write_row(Scope, RowStatement const& statement, Values params, Deadline deadline) override {
    auto outcome = co_await submit(writes_, RowWrite{&statement, std::move(params)}, deadline);
    if (!outcome)
      co_return fail(std::move(outcome.error()));
    co_return std::move(outcome->back().front());
  }

  Task<void> ping(Deadline deadline) override {
    static Statement const touch_file{.name = "ping", .text = "SELECT count(*) FROM sqlite_schema"};
    co_await submit(reads_, Read{&touch_file, {}}, deadline);
  }

  [[nodiscard]] PoolState pool() const override;
  void close() override;

 private:
  [[nodiscard]] Task<Outcome> submit(Queue&, Work, Deadline);
  [[nodiscard]] Gather next_gather(std::size_t callers, std::chrono::steady_clock::duration commit) const;
  void write_loop();
  void read_loop(Connection&);
  void read_one(Connection&, Job&);

  void commit_group(std::span<JobPtr const> group);
  void write_one(Job&);
  void commit(std::span<JobPtr const> group);
  void rollback();
  void fail_group(std::span<JobPtr const> group, std::exception_ptr const& why);
  void checkpoint_when_due();

  void break_down(SqlFault const&);
  [[nodiscard]] std::string broken_because() const;

  std::size_t const group_max_;
  int const size_;
  Queue writes_;
  Queue reads_;
  Connection writer_;
  int log_pages_checkpointed_ = 0;  ///< the writer thread's
  std::vector<std::unique_ptr<Connection>> readers_;
  std::atomic<bool> broken_{false};
  mutable std::mutex broken_mutex_;
  std::string broken_because_;
  std::mutex close_mutex_;
  std::vector<std::thread> threads_;
};

SqliteDatabase::SqliteDatabase(SqliteOptions options, Clock const& clock)
    : group_max_(std::max<std::size_t>(options.group_max, 1)),
      size_(std::max(options.readers, 1) + 1),
      writes_(options.queue_max),
      reads_(options.queue_max),
      writer_(options.path, sqlite::Access::writer, clock) {
  for (int i = 1; i < size_; ++i) {
    readers_.push_back(std::make_unique<Connection>(options.path, sqlite::Access::reader, clock));
  }
  try {
    threads_.emplace_back([this] { write_loop(); });
    ::pthread_setname_np(threads_.back().native_handle(), "al-sqlite-write");
    for (auto& reader : readers_) {
      threads_.emplace_back([this, &reader = *reader] { read_loop(reader); });
      ::pthread_setname_np(threads_.back().native_handle(), "al-sqlite-read");
    }
  } catch (...) {
    close();
    throw;
  }
}

Task<Outcome> SqliteDatabase::submit(Queue& queue, Work work, Deadline deadline) {
  if (broken_.load(std::memory_order_acquire))
    throw Unavailable(broken_because());
  auto initiate = [&queue](auto handler, Work w, Deadline d) {
    auto job = std::make_shared<JobOf<decltype(handler)>>(std::move(w), d, std::move(handler));
    job->listen_for_cancellation();
    auto const refusal = queue.push(job);
    if (refusal.empty())
      return;
    job->fail_with(unavailable(refusal));
    std::vector<JobPtr> alone{std::move(job)};
    deliver(alone);
  };
  co_return co_await asio::async_initiate<asio::use_awaitable_t<> const, void(std::exception_ptr, Outcome)>(
      initiate, asio::use_awaitable, std::move(work), deadline);
}

PoolState SqliteDatabase::pool() const {
  auto const [writes, idle_writers] = writes_.state();
  auto const [reads, idle_readers] = reads_.state();
  return {.size = size_,
          .in_use = size_ - idle_writers - idle_readers,
          .size_max = size_,
          .waiting = static_cast<std::int64_t>(writes + reads)};
}

void SqliteDatabase::close() {
  std::lock_guard const lock(close_mutex_);
  writes_.close();
  reads_.close();
  for (auto& thread : threads_)
    thread.join();
  threads_.clear();
}

void SqliteDatabase::read_loop(Connection& connection) {
  for (auto jobs = reads_.take(1); !jobs.empty(); jobs = reads_.take(1)) {
    read_one(connection, *jobs.front());
    deliver(jobs);
  }
}

void SqliteDatabase::read_one(Connection& connection, Job& job) {
  if (broken_.load(std::memory_order_acquire))
    return job.fail_with(unavailable(broken_because()));
  if (expired(job))
    return job.fail_with(unavailable(late));
  connection.set_deadline(job.deadline);
  try {
    job.outcome = Steps(connection, job.work).run();
  } catch (SqlFault const& fault) {
    if (fault.damaged())
      break_down(fault);
    job.fail_with(as_fault(fault));
  } catch (...) {
    job.fail_with(std::current_exception());
  }
}

/// Callers that write one row after the other come back within microseconds. Without a pause the first of them would
/// get a commit alone and the rest the next, half as many rows for each fsync (measured at 32 callers and 2 ms: 8 k
/// rows a second, against 14 k with it). A lone caller never waits, nor does anyone on a disk that is fast.
Gather SqliteDatabase::next_gather(std::size_t callers, std::chrono::steady_clock::duration commit) const {
  if (commit < slow_commit)
    return {};
  auto const patience = std::chrono::duration_cast<std::chrono::microseconds>(commit / commit_share_of_pause);
  return {.count = std::min(callers, group_max_), .patience = std::min(patience, pause_max)};
}

void SqliteDatabase::write_loop() {
  Gather gather;
  for (auto group = writes_.take(group_max_); !group.empty(); group = writes_.take(group_max_, gather)) {
    auto const begun = std::chrono::steady_clock::now();
    commit_group(group);
    gather = next_gather(group.size() + writes_.state().first, std::chrono::steady_clock::now() - begun);
    deliver(group);
    checkpoint_when_due();
  }
}

void SqliteDatabase::commit_group(std::span<JobPtr const> group) {
  if (broken_.load(std::memory_order_acquire))
    return fail_group(group, unavailable(broken_because()));
  try {
    writer_.command("BEGIN IMMEDIATE");
    for (auto const& job : group)
      write_one(*job);
    if (AL_PLANTED_BUG("ack_before_commit")) {
      std::vector<JobPtr> early(group.begin(), group.end());
      deliver(early);
    }
    AL_FAILPOINT("storage.commit.before");
    commit(group);
  } catch (SqlFault const& fault) {
    rollback();
    if (fault.damaged())
      break_down(fault);
    fail_group(group, as_fault(fault));
  } catch (...) {
    rollback();
    fail_group(group, std::current_exception());
  }
}

/// One job in its savepoint. Throws only when the whole transaction is lost.
void SqliteDatabase::write_one(Job& job) {
  if (expired(job))
    return job.fail_with(unavailable(late));
  writer_.command("SAVEPOINT job");
  try {
    auto outcome = Steps(writer_, job.work).run();
    if (outcome && writer_.owes_foreign_keys()) {
      // A deferred key is checked by COMMIT, where it would take everyone in the group down.
      outcome = fail(Error{.code = Code::invalid,
                           .message = "something it refers to does not exist",
                           .where = std::string(name_of(job.work))});
    }
    job.outcome = std::move(outcome);
  } catch (SqlFault const& fault) {
    if (writer_.idle())
      throw;
    if (fault.damaged())
      break_down(fault);
    job.fail_with(as_fault(fault));
  } catch (...) {
    if (writer_.idle())
      throw;
    job.fail_with(std::current_exception());
  }
  if (job.fault != nullptr || !job.outcome)
    writer_.command("ROLLBACK TO job");
  writer_.command("RELEASE job");
}

void SqliteDatabase::commit(std::span<JobPtr const> group) {
  auto const succeeded = [](JobPtr const& job) { return job->fault == nullptr && job->outcome.has_value(); };
  // Nothing to make durable: an fsync less.
  if (std::ranges::none_of(group, succeeded))
    return writer_.command("ROLLBACK");
  try {
    writer_.command("COMMIT");
  } catch (SqlFault const& fault) {
    if (!fault.lost_writes())
      throw;
    // The commit may or may not be in the log that a restart reads, and no later fsync can tell.
    break_down(fault);
    rollback();
    return fail_group(group, std::make_exception_ptr(OutcomeUnknown(fault.what())));
  }
  try {
    AL_FAILPOINT("storage.commit.after");
  } catch (std::exception const& error) {
    fail_group(group, std::make_exception_ptr(OutcomeUnknown(error.what())));
  }
}

void SqliteDatabase::rollback() {
  if (writer_.idle())
    return;
  try {
    writer_.command("ROLLBACK");
  } catch (SqlFault const& fault) {
    break_down(fault);
  }
}

/// Refused jobs too: what refused one may be a row of the same group, which is not there now.
void SqliteDatabase::fail_group(std::span<JobPtr const> group, std::exception_ptr const& why) {
  for (auto const& job : group) {
    if (job->fault == nullptr)
      job->fail_with(why);
  }
}

void SqliteDatabase::checkpoint_when_due() {
  int const pages = writer_.log_pages();
  // The log began anew. While a long read keeps it from doing so, the distance to the last checkpoint counts.
  if (pages < log_pages_checkpointed_)
    log_pages_checkpointed_ = 0;
  if (pages - log_pages_checkpointed_ < log_pages_before_checkpoint)
    return;
  if (broken_.load(std::memory_order_acquire))
    return;
  log_pages_checkpointed_ = pages;
  try {
    writer_.checkpoint();
  } catch (SqlFault const& fault) {
    if (fault.lost_writes() || fault.damaged())
      return break_down(fault);
    log::warning("the write-ahead log could not be moved into the database", {{"reason", fault.what()}});
  }
}

void SqliteDatabase::break_down(SqlFault const& fault) {
  std::lock_guard const lock(broken_mutex_);
  if (broken_.load(std::memory_order_acquire))
    return;
  broken_because_ = std::string("the database is out of order since: ") + fault.what();
  broken_.store(true, std::memory_order_release);
  log::error("the database is out of order; restart after mending the disk", {{"reason", fault.what()}});
}

std::string SqliteDatabase::broken_because() const {
  std::lock_guard const lock(broken_mutex_);
  return broken_because_;
}

}  // namespace

std::unique_ptr<Database> open_sqlite(SqliteOptions options, Clock const& clock) {
  return std::make_unique<SqliteDatabase>(std::move(options), clock);
}

}  // namespace al::storage
