#include "services/worker/worker.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

#include "agents/prompt.hpp"
#include "core/failpoint.hpp"
#include "core/log.hpp"

namespace al::services::worker {

namespace {

constexpr std::chrono::seconds store_timeout{30};
constexpr std::chrono::seconds leave_timeout{3};
constexpr std::chrono::milliseconds pause_after_fault{500};
constexpr std::chrono::seconds housekeeping_interval{60};
constexpr std::chrono::seconds progress_interval{1};
constexpr std::size_t waiting_factor_max = 4;
constexpr std::size_t gather_share = 4;
constexpr std::chrono::milliseconds gather_time{5};

Deadline store_deadline() { return Deadline::after(store_timeout); }

/// The epoch too: a task that was cancelled and retried may come back to us while its old attempt still unwinds.
std::string key_of(data::Claim const& claim) {
  return claim.tenant.value + "/" + claim.task.id.value + "/" + std::to_string(claim.epoch);
}

/// Errors of a provider that another attempt may not meet again.
bool may_pass(Code code) {
  return code == Code::unavailable || code == Code::timed_out || code == Code::too_many_requests ||
         code == Code::internal;
}

}  // namespace

Worker::Worker(asio::any_io_executor executor, Stores stores, agents::Runner& runner, events::Bus& bus,
               events::LiveText& live, Clock const& clock, Random& random, WorkerOptions options)
    : executor_(executor),
      stores_(stores),
      runner_(runner),
      bus_(bus),
      live_(live),
      clock_(clock),
      id_(uuid_v7(clock, random)),
      options_(std::move(options)),
      slot_free_(executor),
      lease_timer_(executor),
      sweep_timer_(executor) {}

Worker::~Worker() = default;

void Worker::start() {
  for (auto loop : {&Worker::claim_loop, &Worker::lease_loop, &Worker::sweep_loop, &Worker::cancel_loop}) {
    ++loops_;
    spawn(executor_, "worker", (this->*loop)());
  }
}

// ---- the loops ----

namespace {

/// Waits for `timer` or its cancellation, whichever comes first.
Task<void> wait_quietly(asio::steady_timer& timer) {
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace

/// Renews at a third of the lease, so that two renewals may fail before anything is lost.
Task<void> Worker::lease_loop() {
  while (!is_drained()) {
    auto const sent = std::chrono::steady_clock::now();
    try {
      auto const limit =
          sent < lease_until_ ? std::min(sent + options_.lease / 3, lease_until_) : sent + options_.lease / 3;
      co_await stores_.tasks.renew_lease(id_, options_.name, options_.lease, Deadline{limit});
      // From before the request: the database counts from later, so we always stop first.
      bool const first = lease_until_ == SteadyTime{};
      lease_until_ = sent + options_.lease - options_.lease / 6;
      if (first)
        slot_free_.cancel();
    } catch (std::exception const& fault) {
      log::warning("the worker's lease could not be renewed", {{"reason", fault.what()}});
    }
    auto const now = std::chrono::steady_clock::now();
    if (now >= lease_until_) {
      for (auto const& [key, running] : running_)
        stop_running(*running, Stop::lease_lost);
    }
    auto const next = now < lease_until_ ? lease_until_ : now + pause_after_fault;
    lease_timer_.expires_at(std::min(sent + options_.lease / 3, next));
    co_await wait_quietly(lease_timer_);
  }
  --loops_;
}

Task<void> Worker::claim_loop() {
  auto const doorbell = bus_.subscribe(executor_, {"task:created", "task:retried", "task:released", "task:updated",
                                                   "task:completed", "task:failed", "task:cancelled", "agent:*"});
  while (!stop_requested_) {
    auto const now = std::chrono::steady_clock::now();
    bool const is_full = free_places() == 0 || now >= lease_until_;
    if (is_full || should_gather(now)) {
      slot_free_.expires_at(is_full ? now + options_.sweep_interval : gather_until_);
      co_await wait_quietly(slot_free_);
      continue;
    }
    gather_until_ = {};
    auto wait_until = now + pause_after_fault;
    try {
      if (co_await claim_some() > 0)
        continue;
      wait_until = co_await next_look();
    } catch (std::exception const& fault) {
      log::warning("tasks could not be claimed", {{"reason", fault.what()}});
    }
    if (!stop_requested_)
      co_await doorbell->wait(wait_until);
  }
  --loops_;
}

/// Mends what other workers left, and what only time brings about. Housekeeping that writes comes once a minute, so
/// that an idle platform does not keep its disk busy.
Task<void> Worker::sweep_loop() {
  auto next_housekeeping = std::chrono::steady_clock::now();
  while (!stop_requested_) {
    try {
      auto const swept = co_await stores_.tasks.sweep(store_deadline());
      if (swept.requeued + swept.failed > 0) {
        log::warning("took over tasks of a worker that fell silent",
                     {{"requeued", static_cast<std::int64_t>(swept.requeued)},
                      {"failed", static_cast<std::int64_t>(swept.failed)}});
      }
      co_await stores_.tasks.fold_knowledge_uses(store_deadline());
      co_await reconcile();
      if (std::chrono::steady_clock::now() >= next_housekeeping) {
        next_housekeeping = std::chrono::steady_clock::now() + housekeeping_interval;
        co_await stores_.tasks.bury_workers(store_deadline());
        co_await stores_.idempotency.sweep(store_deadline());
      }
    } catch (std::exception const& fault) {
      log::warning("the sweep failed", {{"reason", fault.what()}});
    }
    if (stop_requested_)
      break;
    sweep_timer_.expires_after(options_.sweep_interval);
    co_await wait_quietly(sweep_timer_);
  }
  --loops_;
}

/// A client's cancel reaches the one who runs the task at once, also while what runs may come to its end.
Task<void> Worker::cancel_loop() {
  auto const doorbell = bus_.subscribe(executor_, {"task:cancelled"});
  while (!is_drained()) {
    co_await doorbell->wait(std::chrono::steady_clock::now() + options_.sweep_interval);
    try {
      if (!running_.empty())
        co_await reconcile();
    } catch (std::exception const& fault) {
      log::warning("cancelled tasks could not be looked up", {{"reason", fault.what()}});
    }
  }
  --loops_;
}

Task<std::size_t> Worker::claim_some() {
  ++claims_;
  std::vector<data::Claim> claims;
  try {
    // When many wait, only what they wait for is begun: how many wait is bounded so, and none waits in vain.
    auto const which = waiting() < waiting_factor_max * options_.concurrency ? data::TaskStore::Which::all
                                                                             : data::TaskStore::Which::delegated;
    claims = co_await stores_.tasks.claim(id_, free_places(), which, position_, store_deadline());
    AL_FAILPOINT("worker.claimed");
  } catch (...) {
    ++claims_;
    throw;
  }
  auto const count = claims.size();
  for (auto& claim : claims) {
    auto running = std::make_shared<Running>();
    running->claim = std::move(claim);
    running->journal = std::make_unique<TaskJournal>(ties(running), running->claim);
    running_.emplace(key_of(running->claim), running);
    spawn(executor_, "task", run_task(std::move(running)));
  }
  ++claims_;
  co_return count;
}

/// Nothing to claim now: when may there be, if nobody rings? A retry or scheduled task becomes due by itself.
Task<SteadyTime> Worker::next_look() {
  auto const now = std::chrono::steady_clock::now();
  auto const next = co_await stores_.tasks.next_available(store_deadline());
  if (!next)
    co_return now + options_.sweep_interval;
  auto const ahead = std::max(std::chrono::microseconds{1000}, *next - clock_.now());
  co_return now + std::min<std::chrono::microseconds>(ahead, options_.sweep_interval);
}

/// Nothing runs, and nothing will: a claim that is under way may bring something yet.
bool Worker::is_drained() const { return stop_requested_ && running_.empty() && claims_ % 2 == 0; }

/// Brings together what we run and what the database says that we hold.
Task<void> Worker::reconcile() {
  // Only what was running before the look may be judged by it.
  auto const before = running_;
  auto const claims_before = claims_;
  auto const held = co_await stores_.tasks.held(id_, store_deadline());
  std::set<std::string> held_keys;
  for (auto const& claim : held)
    held_keys.insert(key_of(claim));
  std::set<std::string> known;
  for (auto const& [key, running] : before) {
    known.insert(key);
    if (!held_keys.contains(key))
      stop_running(*running, Stop::cancelled);
  }
  co_await give_up_unknown(held, known, claims_before);
}

/// A claim whose reply was lost, or a task that we stopped when the lease had run out: nobody runs it, and our lease
/// keeps others from taking it over.
Task<void> Worker::give_up_unknown(std::vector<data::Claim> const& held, std::set<std::string> const& known,
                                   std::uint64_t claims_before) {
  // Claims under way may be held already and not yet known here.
  if (claims_ != claims_before || claims_ % 2 != 0)
    co_return;
  for (auto const& claim : held) {
    if (known.contains(key_of(claim)) || running_.contains(key_of(claim)))
      continue;
    if (co_await stores_.tasks.give_up(claim, store_deadline()))
      log::warning("gave up a task that was held without being run", {{"task_id", claim.task.id.value}});
  }
}

void Worker::stop_running(Running& running, Stop why) {
  if (running.stop != Stop::none)
    return;
  running.stop = why;
  running.signal.emit(asio::cancellation_type::terminal);
}

// ---- one task ----

Deadline Worker::attempt_deadline(data::Claim const& claim) const {
  auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{claim.task.timeout_seconds};
  if (claim.task.deadline_at) {
    limit = std::min(limit, std::chrono::steady_clock::now() + (*claim.task.deadline_at - clock_.now()));
  }
  return {limit};
}

/// Those that wait for a task that they delegated leave their place to it, or all could wait for ever.
std::size_t Worker::waiting() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(running_, [](auto const& entry) { return entry.second->journal->is_waiting(); }));
}

std::size_t Worker::free_places() const {
  auto const taken = running_.size() - waiting();
  return options_.concurrency - std::min(taken, options_.concurrency);
}

/// A claim costs the database nearly the same for one task as for many, so where many run, a few places are filled
/// together.
bool Worker::should_gather(SteadyTime now) {
  if (running_.empty() || free_places() * gather_share >= options_.concurrency)
    return false;
  if (gather_until_ == SteadyTime{})
    gather_until_ = now + gather_time;
  return now < gather_until_;
}

TaskJournal::Ties Worker::ties(std::weak_ptr<Running> running) {
  return {.tasks = stores_.tasks,
          .live = live_,
          .lease_until = [this] { return lease_until_; },
          .text_begins = [this, running] { spawn(executor_, "progress", report_progress(running)); },
          .place_was_freed = [this] { slot_free_.cancel(); }};
}

/// `running` is held by value: it must live until its own cancellation slot is done with.
Task<void> Worker::run_task(std::shared_ptr<Running> running) {
  auto const deadline = attempt_deadline(running->claim);
  Result<data::Outcome> outcome = fail(Code::internal, "the attempt ended without an outcome");
  try {
    auto [fault, result] = co_await asio::co_spawn(
        executor_, within(deadline, attempt(running, deadline)),
        asio::bind_cancellation_slot(running->signal.slot(), asio::as_tuple(asio::use_awaitable)));
    outcome = fault ? outcome_of(fault, running->claim) : std::move(result);
    if (!outcome && outcome.error().code == Code::timed_out && std::chrono::steady_clock::now() >= deadline.at) {
      outcome = fail(Code::timed_out, "the attempt took longer than it may (" +
                                          std::to_string(running->claim.task.timeout_seconds) + " s or its deadline)");
    }
    running->is_over = true;
    co_await write_end(*running, std::move(outcome));
  } catch (std::exception const& error) {
    // reconcile() gives the task up.
    log::error("a task could not be brought to its end",
               {{"task_id", running->claim.task.id.value}, {"reason", error.what()}});
  }
  running->is_over = true;
  running->journal->end();
  running_.erase(key_of(running->claim));
  slot_free_.cancel();
}

/// Every progress is an event in the log, so there is one a second at most, and none in the first.
Task<void> Worker::report_progress(std::weak_ptr<Running> watched) {
  std::size_t reported = 0;
  for (;;) {
    co_await sleep_until(std::chrono::steady_clock::now() + progress_interval);
    auto const running = watched.lock();
    if (!running || running->is_over || stop_requested_)
      co_return;
    auto const& text = running->journal->text_so_far();
    if (text.empty() || text.size() == reported)
      continue;
    reported = text.size();
    auto written = co_await stores_.tasks.progress(running->claim, text, store_deadline());
    if (!written)
      co_return;  // reconcile() will see to it
  }
}

/// What an exception that left an attempt means for it. Clients see no more than what they can act on.
Result<data::Outcome> Worker::outcome_of(std::exception_ptr const& thrown, data::Claim const& claim) const {
  try {
    std::rethrow_exception(thrown);
  } catch (Fault const& fault) {
    log::warning("an attempt met a fault", {{"task_id", claim.task.id.value}, {"reason", fault.what()}});
    auto const again = dynamic_cast<Unavailable const*>(&fault) != nullptr;
    return fail(Code::unavailable,
                std::string("a part of the platform could not be reached: ") + (again ? "try again later" : "fault"));
  } catch (boost::system::system_error const& error) {
    if (error.code() == asio::error::operation_aborted)
      return fail(Code::unavailable, "the attempt was stopped");
    log::error("an attempt failed", {{"task_id", claim.task.id.value}, {"reason", error.what()}});
  } catch (std::exception const& error) {
    log::error("an attempt failed", {{"task_id", claim.task.id.value}, {"reason", error.what()}});
  }
  return fail(Code::internal, "the platform failed in this attempt; its log says how");
}

Task<Result<data::Outcome>> Worker::attempt(std::shared_ptr<Running> running, Deadline deadline) {
  auto const& claim = running->claim;
  auto agent = co_await stores_.agents.stored(claim.tenant, claim.task.agent_id, deadline);
  if (!agent)
    co_return fail(Code::invalid, "its agent is gone: " + agent.error().message);
  auto actor = claim.actor();
  actor.user_id = claim.task.created_by;
  agents::Assignment const assignment{.actor = std::move(actor),
                                      .agent = std::move(*agent),
                                      .task_id = claim.task.id,
                                      .text = claim.task.description,
                                      .context = claim.task.context};
  auto answer = co_await runner_.run(assignment, *running->journal, deadline);
  if (!answer)
    co_return fail(std::move(answer.error()));
  data::Outcome outcome;
  outcome.result_json = entity::to_json(*answer);
  for (auto const number : agents::cited(answer->text, answer->sources.size())) {
    auto const& source = answer->sources[number - 1];
    if (source.agent_id == claim.task.agent_id)
      outcome.used_knowledge.push_back(source.knowledge_id);
  }
  co_return outcome;
}

/// Stores how the attempt ended. A database that is away for a moment is asked again until the lease runs out; after
/// that the sweep of another worker decides.
Task<void> Worker::write_end(Running const& running, Result<data::Outcome> outcome) {
  auto const& claim = running.claim;
  auto const& steps = running.journal->unsaved();
  if (running.stop == Stop::cancelled || running.stop == Stop::lease_lost)
    co_return;
  while (std::chrono::steady_clock::now() < lease_until_) {
    Result<void> written;
    try {
      AL_FAILPOINT("worker.finish.before");
      if (running.stop == Stop::draining) {
        written = co_await stores_.tasks.release(claim, store_deadline());
      } else if (outcome) {
        auto copy = *outcome;
        copy.steps = steps;
        written = co_await stores_.tasks.complete(claim, std::move(copy), store_deadline());
      } else {
        written = co_await stores_.tasks.fail_attempt(
            claim, {.result_json = {}, .error_message = outcome.error().message, .steps = steps, .used_knowledge = {}},
            {may_pass(outcome.error().code), outcome.error().retry_after.value_or(std::chrono::seconds{0})},
            store_deadline());
      }
      AL_FAILPOINT("worker.finish.after");
      if (!written && written.error().code != Code::lease_lost) {
        log::error("the end of a task was refused",
                   {{"task_id", claim.task.id.value}, {"reason", written.error().message}});
      }
      co_return;
    } catch (Fault const& fault) {
      log::warning("the end of a task could not be stored yet",
                   {{"task_id", claim.task.id.value}, {"reason", fault.what()}});
    }
    asio::steady_timer pause(executor_, pause_after_fault);
    co_await wait_quietly(pause);
  }
}

Task<void> Worker::stop() {
  stop_requested_ = true;
  slot_free_.cancel();
  bus_.ring("task:released");  // wakes the claim loop
  auto const limit = std::chrono::steady_clock::now() + options_.drain_timeout;
  asio::steady_timer poll(executor_);
  // Past the second limit the database is away, and what waits for it is left alone: its lease runs out.
  while ((!running_.empty() || loops_ > 0) && std::chrono::steady_clock::now() < limit + leave_timeout) {
    if (std::chrono::steady_clock::now() >= limit) {
      for (auto const& [key, running] : running_)
        stop_running(*running, Stop::draining);
    }
    slot_free_.cancel();
    sweep_timer_.cancel();
    if (is_drained()) {
      lease_timer_.cancel();
      bus_.ring("task:cancelled");  // wakes the cancel loop
    }
    poll.expires_after(std::chrono::milliseconds{20});
    co_await wait_quietly(poll);
  }
  co_await stores_.tasks.leave(id_, Deadline::after(leave_timeout));
}

}  // namespace al::services::worker
