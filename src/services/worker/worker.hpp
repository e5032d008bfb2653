#pragma once
/// The role worker: claims tasks, lets their agents answer them, and stores the result.

#include <boost/asio/cancellation_signal.hpp>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agents/runner.hpp"
#include "data/agent_store.hpp"
#include "data/idempotency_store.hpp"
#include "data/knowledge_store.hpp"
#include "data/task_store.hpp"
#include "events/bus.hpp"
#include "events/live_text.hpp"
#include "services/worker/task_journal.hpp"

namespace al::services::worker {

/// What a worker works with. All outlive it.
struct Stores {
  data::TaskStore& tasks;
  data::AgentStore& agents;
  data::IdempotencyStore& idempotency;
};

struct WorkerOptions {
  std::string name = "worker";     ///< for people
  std::size_t concurrency = 4;     ///< tasks at a time
  std::chrono::seconds lease{30};  ///< other workers take over this long after we fall silent
  std::chrono::milliseconds sweep_interval{2000};
  std::chrono::milliseconds drain_timeout{30'000};  ///< running tasks may end by themselves for so long
};

/// Lives on one executor; everything is called there.
///
/// It holds one lease row for all its tasks. When the row cannot be renewed in time by its own monotonic clock, it
/// stops everything it runs, since others may have taken over; what it would still write carries a stale epoch and is
/// refused by the database in any case.
class Worker {
 public:
  Worker(asio::any_io_executor, Stores, agents::Runner&, events::Bus&, events::LiveText&, Clock const&, Random&,
         WorkerOptions);
  ~Worker();

  /// Starts its loops. Call once.
  void start();
  /// Claims nothing more, waits for what runs, hands back what did not end, and leaves. Returns when all is done.
  [[nodiscard]] Task<void> stop();

  [[nodiscard]] std::size_t running() const { return running_.size(); }

 private:
  enum class Stop { none, cancelled, draining, lease_lost };
  struct Running {
    data::Claim claim;
    Stop stop = Stop::none;
    asio::cancellation_signal signal;
    std::unique_ptr<TaskJournal> journal{};
    bool is_over = false;
  };

  [[nodiscard]] Task<void> claim_loop();
  [[nodiscard]] Task<void> lease_loop();
  [[nodiscard]] Task<void> sweep_loop();
  [[nodiscard]] Task<void> cancel_loop();

  [[nodiscard]] Task<std::size_t> claim_some();
  [[nodiscard]] Task<SteadyTime> next_look();
  [[nodiscard]] Task<void> run_task(std::shared_ptr<Running>);
  [[nodiscard]] Task<Result<data::Outcome>> attempt(std::shared_ptr<Running>, Deadline);
  [[nodiscard]] Task<void> report_progress(std::weak_ptr<Running>);
  [[nodiscard]] Task<void> write_end(Running const&, Result<data::Outcome>);
  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] std::size_t free_places() const;
  [[nodiscard]] bool should_gather(SteadyTime now);
  [[nodiscard]] bool is_drained() const;
  [[nodiscard]] TaskJournal::Ties ties(std::weak_ptr<Running>);
  [[nodiscard]] Deadline attempt_deadline(data::Claim const&) const;
  [[nodiscard]] Task<void> reconcile();
  [[nodiscard]] Task<void> give_up_unknown(std::vector<data::Claim> const& held, std::set<std::string> const& known,
                                           std::uint64_t claims_before);
  [[nodiscard]] Result<data::Outcome> outcome_of(std::exception_ptr const&, data::Claim const&) const;
  void stop_running(Running&, Stop);

  asio::any_io_executor executor_;
  Stores stores_;
  agents::Runner& runner_;
  events::Bus& bus_;
  events::LiveText& live_;
  Clock const& clock_;
  WorkerId const id_;
  WorkerOptions const options_;

  std::map<std::string, std::shared_ptr<Running>> running_;  ///< by tenant, task and epoch
  data::QueuePosition position_;
  SteadyTime gather_until_{};     ///< the epoch: no place has become free since the last claim
  std::uint64_t claims_ = 0;      ///< counts; odd while one is under way
  asio::steady_timer slot_free_;  ///< cancelled when a task ends
  asio::steady_timer lease_timer_;
  asio::steady_timer sweep_timer_;
  bool stop_requested_ = false;
  int loops_ = 0;
  SteadyTime lease_until_{};  ///< by our own clock; nothing runs past it
};

}  // namespace al::services::worker
