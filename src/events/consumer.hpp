#pragma once
#include <atomic>
#include <boost/asio/cancellation_signal.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/async.hpp"
#include "events/bus.hpp"
#include "events/consumer_store.hpp"
#include "events/event_log.hpp"

namespace al::events {

/// An event in the hands of a consumer.
struct Delivery {
  model::Event const& event;
  std::int64_t attempt = 1;  ///< from 1
  bool is_out_of_order =
      false;          ///< a person had it retried after it was given up; later ones of its aggregate went before
  Deadline deadline;  ///< then the handler is cancelled, and the attempt has failed
};

struct ConsumerOptions {
  enum class Start { tip, beginning };

  std::string name{};  ///< of the group: a slug that stays the same for ever
  std::vector<std::string> channels{"*"};
  Start start = Start::tip;  ///< of a group that nobody has seen before
  std::int64_t slots = 16;   ///< of a new group; it keeps them. More members than slots are of no use
  std::size_t concurrency = 8;
  std::int64_t page = 200;
  /// While events come the cursor is stored this often: so much of what a member handled comes again when it dies.
  std::chrono::milliseconds store_interval{50};
  std::chrono::milliseconds lease{10'000};
  std::chrono::milliseconds handler_timeout{10'000};
  std::int64_t tries = 5;  ///< attempts at an event, before it is parked
  std::chrono::milliseconds retry_delay_first{1'000};
  std::chrono::milliseconds retry_delay_max{60'000};
  std::chrono::seconds drain_timeout{10};
  /// How long to trust the doorbell's silence. Asked before each wait, so that it can follow the doorbell's health.
  std::function<std::chrono::milliseconds()> poll_interval = [] { return std::chrono::milliseconds{500}; };
};

/// A member of a consumer group: each event of the channels goes to one member of the group, at least once, and in
/// order per aggregate. What must not happen twice the handler makes so, by `event_id`. Where the group stands is in
/// the database, so nothing is missed while nobody runs.
///
/// A failure (an Error, an exception, the deadline) holds up its own aggregate alone: the event is stored as a dead
/// letter and tried again, later ones of the aggregate wait behind it; after the last try it is parked and they go on.
///
/// Lives on one executor, which one thread runs; outlives its loops: co_await stop() first.
class Consumer {
 public:
  /// `delivery` lives until the task is done. It runs beside others of other slots and must heed its cancellation.
  using Handler = std::function<Task<Result<void>>(Delivery const& delivery)>;

  struct Ties {
    storage::Database& database;
    EventLog& log;
    Bus& bus;
    Clock const& clock;
    Random& random;
  };

  /// Throws Fault when an option makes no sense.
  Consumer(asio::any_io_executor, Ties, Handler, ConsumerOptions);
  ~Consumer();
  Consumer(Consumer const&) = delete;
  Consumer& operator=(Consumer const&) = delete;

  void start();
  /// Ends after the handlers that run, or cancels them at the drain timeout; gives back the slots, so that others need
  /// not wait for the lease.
  [[nodiscard]] Task<void> stop();

  // ---- the steps that the loops repeat ----

  /// Renews the lease and takes or marks slots, so that the members share them.
  [[nodiscard]] Task<void> renew();
  /// Hands out a page to each held slot, and what is due again. True when more waits.
  [[nodiscard]] Task<bool> deliver();

  [[nodiscard]] std::size_t slots_held() const { return held_.size(); }
  [[nodiscard]] std::string const& id() const { return id_; }
  /// Attempts that failed since the start; any thread.
  [[nodiscard]] std::uint64_t failures() const { return failures_; }
  [[nodiscard]] std::string const& name() const { return options_.name; }

 private:
  struct Held;
  struct Chain;
  using Lane = std::function<Task<void>(std::size_t)>;

  [[nodiscard]] Task<void> renew_loop();
  [[nodiscard]] Task<void> run_delivery();
  [[nodiscard]] Task<void> deliver_loop();
  void loop_ended();
  [[nodiscard]] Task<void> await_loops(SteadyTime limit);

  [[nodiscard]] Task<GroupState> join(Deadline);
  [[nodiscard]] Task<void> give_back_surplus();
  [[nodiscard]] std::map<std::string, std::vector<std::shared_ptr<Held>>> by_cursor() const;
  [[nodiscard]] std::vector<Hold> holds() const;
  void lose(Held&);
  [[nodiscard]] bool must_pause(Held const&) const;

  [[nodiscard]] Task<bool> deliver_page(std::string from, std::vector<std::shared_ptr<Held>> slots, std::string& tip);
  [[nodiscard]] Task<void> block_waiting(std::vector<Chain>&);
  [[nodiscard]] Task<void> in_lanes(std::size_t count, Lane);
  [[nodiscard]] Task<void> run_chain(Chain&, std::string const& end);
  [[nodiscard]] Task<void> run_carefully(Chain&, std::string const& end);
  [[nodiscard]] Task<void> handle(Chain&, model::Event const&, std::int64_t attempt);
  [[nodiscard]] Task<void> store(std::vector<Chain>&);
  [[nodiscard]] Task<void> store_cursors(Deadline);
  [[nodiscard]] Task<void> store_failures(Chain&);
  [[nodiscard]] Task<Result<void>> call(model::Event const&, std::int64_t attempt, bool is_out_of_order);

  [[nodiscard]] Task<bool> retry_due();
  [[nodiscard]] Task<void> look_ahead();
  [[nodiscard]] Task<void> retry(Held&, DueLetter const&);
  [[nodiscard]] std::optional<std::chrono::microseconds> delay_after(std::int64_t attempt);

  asio::any_io_executor executor_;
  Ties ties_;
  ConsumerStore store_;
  Handler const handler_;
  ConsumerOptions const options_;
  std::string const id_;
  std::string const wake_channel_;
  std::unique_ptr<Bus::Subscription> const bell_;
  std::unique_ptr<Bus::Subscription> const retry_bell_;

  std::map<std::int64_t, std::shared_ptr<Held>> held_;
  std::int64_t slot_count_ = 0;
  std::atomic<std::uint64_t> failures_ = 0;
  SteadyTime lease_until_{};
  bool has_news_ = false;  ///< events were handled that the stored cursors do not tell of
  SteadyTime next_store_{};
  SteadyTime next_idle_store_{};
  bool has_waiting_ = false;
  SteadyTime next_due_{};  ///< when to look for what is due again; the epoch: at once

  bool stopping_ = false;
  int loops_ = 0;
  asio::steady_timer renew_timer_;
  asio::steady_timer loop_ended_;
  asio::cancellation_signal cancel_;
};

}  // namespace al::events
