#include "events/consumer.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

#include "core/backoff.hpp"
#include "core/failpoint.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "events/cursor.hpp"

namespace al::events {

namespace {

constexpr std::chrono::seconds store_timeout{30};
constexpr std::chrono::seconds leave_timeout{3};
constexpr std::chrono::milliseconds pause_after_fault{500};
/// A cursor that only went past events of others is stored this seldom: reading them again costs little.
constexpr std::chrono::seconds idle_store_interval{60};
constexpr std::int64_t due_page = 50;
constexpr std::size_t error_bytes_max = 2000;
constexpr std::int64_t slots_max = 1024;

constexpr std::string_view waits_behind = "waits for an earlier event of its aggregate";
constexpr std::string_view ended_process = "the process ended while it handled the event";
constexpr std::string_view retry_channel = "dead_letter:retried";

Deadline store_deadline() { return Deadline::after(store_timeout); }

SteadyTime now() { return std::chrono::steady_clock::now(); }

Task<void> wait_quietly(asio::steady_timer& timer) {
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

/// What every database takes: UTF-8 without U+0000, and not without end.
std::string storable(std::string message) {
  std::erase(message, '\0');
  message.resize(utf8::valid_prefix(message));
  return utf8::shortened(message, error_bytes_max);
}

ConsumerOptions checked(ConsumerOptions options) {
  if (!is_slug(options.name))
    throw Fault("a consumer's name is a slug, not '" + options.name + "'");
  if (options.slots < 1 || options.slots > slots_max || options.page < 1 || options.tries < 1 ||
      options.concurrency < 1 || options.channels.empty() || options.lease < std::chrono::milliseconds{100})
    throw Fault("the options of the consumer '" + options.name + "' make no sense");
  return options;
}

std::vector<std::string> with(std::vector<std::string> patterns, std::vector<std::string> more) {
  patterns.insert(patterns.end(), more.begin(), more.end());
  return patterns;
}

void rethrow_first(auto const& settled) {
  for (auto const& one : settled) {
    if (one.fault)
      std::rethrow_exception(one.fault);
  }
}

}  // namespace

/// A slot of ours. Shared, because the renewing loop may lose it while a page is on its way.
struct Consumer::Held {
  Hold hold;
  std::string cursor;       ///< how far it has come
  std::string stored;       ///< how far the database knows
  bool is_careful = false;  ///< its former holder died: one event at a time, each noted before
  bool is_surplus = false;
  bool is_lost = false;
};

/// A slot's part of a page.
struct Consumer::Chain {
  std::shared_ptr<Held> held;
  bool is_careful = false;
  std::vector<Positioned const*> events{};
  std::set<AggregateKey> blocked{};
  std::vector<Letter> letters{};
  std::string reached{};
};

Consumer::Consumer(asio::any_io_executor executor, Ties ties, Handler handler, ConsumerOptions options)
    : executor_(std::move(executor)),
      ties_(ties),
      store_(ties.database, options.name),
      handler_(std::move(handler)),
      options_(checked(std::move(options))),
      id_(uuid_v7(ties.clock, ties.random)),
      wake_channel_("consumer:" + options_.name),
      bell_(ties.bus.subscribe(executor_, with(options_.channels, {wake_channel_, std::string(retry_channel)}))),
      retry_bell_(ties.bus.subscribe(executor_, {std::string(retry_channel)})),
      renew_timer_(executor_),
      loop_ended_(executor_) {}

Consumer::~Consumer() = default;

// ---- the loops ----

void Consumer::start() {
  loops_ = 2;
  spawn(executor_, "consumer lease", renew_loop());
  spawn(executor_, "consumer", run_delivery());
}

/// Should delivery end by an exception that is no Fault, the lease is left to run out, and other members go on.
Task<void> Consumer::run_delivery() {
  auto [thrown] = co_await asio::co_spawn(
      executor_, deliver_loop(), asio::bind_cancellation_slot(cancel_.slot(), asio::as_tuple(asio::use_awaitable)));
  loop_ended();
  if (!thrown)
    co_return;
  stopping_ = true;
  renew_timer_.cancel();
  std::rethrow_exception(thrown);
}

void Consumer::loop_ended() {
  --loops_;
  loop_ended_.cancel();
}

/// Renews at a third of the lease, so that two renewals may fail before anything is lost. Until delivery has ended.
Task<void> Consumer::renew_loop() {
  while (!stopping_ || loops_ > 1) {
    auto const begun = now();
    try {
      co_await renew();
    } catch (Fault const& fault) {
      log::warning("the lease of a consumer could not be renewed",
                   {{"consumer", options_.name}, {"reason", fault.what()}});
    }
    if (stopping_ && loops_ <= 1)
      break;
    renew_timer_.expires_at(begun + options_.lease / 3);
    co_await wait_quietly(renew_timer_);
  }
  loop_ended();
}

Task<void> Consumer::deliver_loop() {
  while (!stopping_) {
    auto wait_until = now() + pause_after_fault;
    try {
      if (co_await deliver())
        continue;
      wait_until = now() + options_.poll_interval();
      if (!held_.empty() && now() < lease_until_)
        wait_until = std::min(wait_until, has_news_ ? std::min(next_due_, next_store_) : next_due_);
    } catch (Fault const& fault) {
      log::warning("events could not be delivered; trying again",
                   {{"consumer", options_.name}, {"reason", fault.what()}});
    }
    if (!stopping_)
      co_await bell_->wait(wait_until);
  }
}

Task<void> Consumer::await_loops(SteadyTime limit) {
  while (loops_ > 0 && now() < limit) {
    loop_ended_.expires_at(limit);
    if (loops_ == 1)
      renew_timer_.cancel();  // delivery has ended, or was never begun
    co_await wait_quietly(loop_ended_);
  }
}

Task<void> Consumer::stop() {
  stopping_ = true;
  ties_.bus.ring(wake_channel_);
  auto const limit = now() + options_.drain_timeout;
  co_await await_loops(limit);
  if (loops_ > 0) {
    cancel_.emit(asio::cancellation_type::terminal);
    co_await await_loops(limit + leave_timeout);
  }
  try {
    co_await store_cursors(Deadline::after(leave_timeout));
    auto const held = holds();
    held_.clear();
    co_await store_.give_back(held, Deadline::after(leave_timeout));
    co_await store_.leave(id_, Deadline::after(leave_timeout));
  } catch (Fault const& fault) {
    log::warning("a consumer could not give back its slots; others take them when its lease has run out",
                 {{"consumer", options_.name}, {"reason", fault.what()}});
  }
}

// ---- slots ----

Task<GroupState> Consumer::join(Deadline deadline) {
  auto group = co_await store_.renew(id_, options_.lease, deadline);
  if (group.slots.empty()) {
    auto cursor =
        options_.start == ConsumerOptions::Start::tip ? co_await ties_.log.tip(deadline) : ties_.log.beginning();
    co_await store_.create_slots(options_.slots, std::move(cursor), deadline);
    group = co_await store_.renew(id_, options_.lease, deadline);
  }
  co_return group;
}

Task<void> Consumer::renew() {
  auto const sent = now();
  auto group = co_await join(store_deadline());
  // From before the request: the database counts from later, so we always stop first.
  lease_until_ = sent + options_.lease - options_.lease / 6;
  slot_count_ = std::ssize(group.slots);
  for (auto& slot : group.slots) {
    auto const found = held_.find(slot.number);
    bool const is_known = found != held_.end();
    if (slot.owner == id_ && is_known && found->second->hold.epoch == slot.epoch)
      continue;
    if (is_known)
      lose(*found->second);
    if (slot.owner == id_)
      slot.is_owned = false;  // the answer to our taking it was lost
  }
  auto share = share_of(id_, group);
  for (auto const& [number, held] : held_)
    held->is_surplus = share.give_back.contains(number);
  if (stopping_ || share.take.empty())
    co_return;
  for (auto& slot : co_await store_.take(id_, std::move(share.take), store_deadline())) {
    held_[slot.number] = std::make_shared<Held>(Held{.hold = {.slot = slot.number, .epoch = slot.epoch},
                                                     .cursor = slot.cursor,
                                                     .stored = slot.cursor,
                                                     .is_careful = !slot.owner.empty()});
  }
  next_due_ = {};
  ties_.bus.ring(wake_channel_);
}

/// The same slot may have been taken anew meanwhile, as another Held.
void Consumer::lose(Held& held) {
  if (std::exchange(held.is_lost, true))
    return;
  log::info("a consumer lost a slot to another member", {{"consumer", options_.name}, {"slot", held.hold.slot}});
  auto const found = held_.find(held.hold.slot);
  if (found != held_.end() && found->second.get() == &held)
    held_.erase(found);
}

bool Consumer::must_pause(Held const& held) const { return stopping_ || held.is_lost || now() >= lease_until_; }

Task<void> Consumer::give_back_surplus() {
  std::vector<Hold> surplus;
  for (auto const& [number, held] : held_) {
    if (held->is_surplus)
      surplus.push_back(held->hold);
  }
  if (surplus.empty())
    co_return;
  co_await store_cursors(store_deadline());
  for (auto const& hold : surplus)
    held_.erase(hold.slot);
  co_await store_.give_back(std::move(surplus), store_deadline());
  ties_.bus.ring(wake_channel_);
}

std::map<std::string, std::vector<std::shared_ptr<Consumer::Held>>> Consumer::by_cursor() const {
  std::map<std::string, std::vector<std::shared_ptr<Held>>> out;
  for (auto const& [number, held] : held_)
    out[held->cursor].push_back(held);
  return out;
}

std::vector<Hold> Consumer::holds() const {
  std::vector<Hold> out;
  for (auto const& [number, held] : held_)
    out.push_back(held->hold);
  return out;
}

// ---- a page ----

Task<bool> Consumer::deliver() {
  if (stopping_ || now() >= lease_until_)
    co_return false;
  co_await give_back_surplus();
  bool more = co_await retry_due();
  // Slots that stand apart, because different members moved them, meet at the first whole read of the round.
  std::string tip;
  for (auto& [cursor, slots] : by_cursor()) {
    if (stopping_ || now() >= lease_until_)
      co_return false;
    more = co_await deliver_page(cursor, slots, tip) || more;
  }
  co_return more;
}

Task<bool> Consumer::deliver_page(std::string from, std::vector<std::shared_ptr<Held>> slots, std::string& tip) {
  if (!tip.empty())
    from = bounded_by(ties_.database.dialect(), from, tip);
  Filter filter{.channels = options_.channels};
  auto const page =
      co_await ties_.log.read_after(storage::Scope::system(), from, std::move(filter), options_.page, store_deadline());
  if (!page)
    throw Fault("the cursor of the consumer '" + options_.name + "' was refused: " + page.error().message);
  if (tip.empty() && !page->more)
    tip = page->token;
  std::map<std::int64_t, std::size_t> chain_of;
  std::vector<Chain> chains;
  for (auto& held : slots) {
    chain_of[held->hold.slot] = chains.size();
    bool const is_careful = held->is_careful;
    chains.push_back({.held = std::move(held), .is_careful = is_careful, .reached = from});
  }
  for (auto const& positioned : page->events) {
    if (auto const found = chain_of.find(slot_of(aggregate_of(positioned.event), slot_count_)); found != chain_of.end())
      chains[found->second].events.push_back(&positioned);
  }
  co_await block_waiting(chains);
  // What may have ended a process runs alone, so that nothing else is blamed for it.
  for (auto& chain : chains) {
    if (chain.is_careful)
      co_await run_carefully(chain, page->token);
  }
  co_await in_lanes(chains.size(), [&](std::size_t i) { return run_chain(chains[i], page->token); });
  co_await store(chains);
  co_return page->more;
}

Task<void> Consumer::block_waiting(std::vector<Chain>& chains) {
  std::set<AggregateKey> keys;
  for (auto const& chain : chains) {
    for (auto const* positioned : chain.events)
      keys.insert(aggregate_of(positioned->event));
  }
  if (keys.empty() || !has_waiting_)
    co_return;
  auto const waiting = co_await store_.waiting_among(keys, store_deadline());
  for (auto& chain : chains)
    chain.blocked = waiting;
}

/// Runs task(0), …, task(count - 1), `concurrency` at a time.
Task<void> Consumer::in_lanes(std::size_t count, Lane task) {
  std::size_t next = 0;
  auto const lane = [](std::size_t& next, std::size_t count, Lane const& task) -> Task<void> {
    while (next < count)
      co_await task(next++);
  };
  std::vector<Task<int>> lanes;
  for (std::size_t i = 0; i < std::min(count, options_.concurrency); ++i) {
    lanes.push_back([](Task<void> work) -> Task<int> {
      co_await std::move(work);
      co_return 0;
    }(lane(next, count, task)));
  }
  rethrow_first(co_await settle(std::move(lanes)));
}

Task<void> Consumer::run_chain(Chain& chain, std::string const& end) {
  if (chain.is_careful || must_pause(*chain.held))
    co_return;
  for (auto const* positioned : chain.events) {
    if (must_pause(*chain.held))
      co_return;
    co_await handle(chain, positioned->event, 1);
    chain.reached = positioned->token;
  }
  chain.reached = end;
}

/// A process died while it held this slot. If an event was to blame, its attempts are counted here.
Task<void> Consumer::run_carefully(Chain& chain, std::string const& end) {
  for (auto const* positioned : chain.events) {
    if (must_pause(*chain.held))
      co_return;
    auto const& event = positioned->event;
    auto const attempt = co_await store_.mark(chain.held->hold, event.event_id, store_deadline());
    if (!attempt)
      co_return lose(*chain.held);
    if (*attempt > options_.tries) {
      chain.letters.push_back(
          {event, model::DeadLetterState::parked, options_.tries, std::string(ended_process), std::nullopt});
    } else {
      co_await handle(chain, event, *attempt);
    }
    chain.reached = positioned->token;
    co_await store_failures(chain);
  }
  chain.reached = end;
  co_await store_failures(chain);
  chain.held->is_careful = false;
}

Task<void> Consumer::handle(Chain& chain, model::Event const& event, std::int64_t attempt) {
  auto const key = aggregate_of(event);
  if (chain.blocked.contains(key)) {
    chain.letters.push_back({event, model::DeadLetterState::waiting, 0, std::string(waits_behind), std::nullopt});
    co_return;
  }
  auto const done = co_await call(event, attempt, false);
  if (done)
    co_return;
  auto const delay = delay_after(attempt);
  auto const state = delay ? model::DeadLetterState::waiting : model::DeadLetterState::parked;
  chain.letters.push_back({event, state, attempt, done.error().message, delay});
  if (delay && !AL_PLANTED_BUG("consumer_overtakes"))
    chain.blocked.insert(key);
}

/// What a handler throws is a failure of this event; only the end of the process stops the whole.
Task<Result<void>> Consumer::call(model::Event const& event, std::int64_t attempt, bool is_out_of_order) {
  auto const deadline = Deadline::after(options_.handler_timeout);
  Delivery const delivery{event, attempt, is_out_of_order, deadline};
  Result<void> done;
  try {
    done = co_await within(deadline, handler_(delivery));
    if (!done && done.error().code == Code::timed_out && now() >= deadline.at) {
      done = fail(Code::timed_out,
                  "it was not handled within " + std::to_string(options_.handler_timeout.count()) + " ms");
    }
  } catch (std::exception const& thrown) {
    done = fail(Code::internal, thrown.what());
  } catch (...) {
    done = fail(Code::internal, "something that is no std::exception");
  }
  if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
    throw boost::system::system_error(asio::error::operation_aborted);
  if (!done) {
    ++failures_;
    done.error().message = storable(std::move(done.error().message));
    log::warning("a consumer could not handle an event", {{"consumer", options_.name},
                                                          {"channel", event.channel},
                                                          {"event_id", event.event_id.value},
                                                          {"attempt", attempt},
                                                          {"reason", done.error().message}});
  }
  co_return done;
}

// ---- progress ----

/// Notes how far each chain has come. What failed is stored at once, the rest when it is time.
Task<void> Consumer::store(std::vector<Chain>& chains) {
  for (auto& chain : chains) {
    if (chain.held->is_lost)
      continue;
    if (chain.letters.empty()) {
      chain.held->cursor = chain.reached;
    } else {
      co_await store_failures(chain);
    }
    has_news_ = has_news_ || !chain.events.empty();
  }
  if (now() >= (has_news_ ? next_store_ : next_idle_store_))
    co_await store_cursors(store_deadline());
}

/// In one statement for all that came equally far.
Task<void> Consumer::store_cursors(Deadline deadline) {
  std::map<std::string, std::vector<std::shared_ptr<Held>>> moved;
  for (auto const& [number, held] : held_) {
    if (held->cursor != held->stored)
      moved[held->cursor].push_back(held);
  }
  for (auto const& [reached, slots] : moved) {
    std::vector<Hold> holds;
    for (auto const& held : slots)
      holds.push_back(held->hold);
    auto const still_held = co_await store_.advance(holds, reached, deadline);
    for (auto const& held : slots) {
      held->stored = reached;
      if (!still_held.contains(held->hold.slot))
        lose(*held);
    }
  }
  has_news_ = false;
  next_store_ = now() + options_.store_interval;
  next_idle_store_ = now() + idle_store_interval;
}

Task<void> Consumer::store_failures(Chain& chain) {
  std::vector<std::string> ids;
  for (auto const& letter : chain.letters) {
    ids.push_back(uuid_v7(ties_.clock, ties_.random));
    if (letter.delay)
      next_due_ = std::min(next_due_, now() + *letter.delay);
    has_waiting_ = has_waiting_ || letter.state == model::DeadLetterState::waiting;
  }
  auto const done = co_await store_.advance(chain.held->hold, chain.reached, std::exchange(chain.letters, {}),
                                            std::move(ids), store_deadline());
  if (!done && done.error().code != Code::lease_lost)
    throw Fault("storing what a consumer could not handle was refused: " + done.error().message);
  chain.held->cursor = chain.held->stored = chain.reached;
  if (!done)
    lose(*chain.held);
}

// ---- what failed ----

std::optional<std::chrono::microseconds> Consumer::delay_after(std::int64_t attempt) {
  if (attempt >= options_.tries)
    return std::nullopt;
  return full_jitter(attempt, options_.retry_delay_first, options_.retry_delay_max, ties_.random);
}

/// Without dead letters this asks nothing: not before a slot was taken, one failed, or someone rang.
Task<bool> Consumer::retry_due() {
  if (co_await retry_bell_->wait(now()))
    next_due_ = {};
  auto const held = holds();
  if (held.empty() || now() < next_due_)
    co_return false;
  auto const letters = co_await store_.due(held, due_page, store_deadline());
  std::map<std::int64_t, std::vector<DueLetter const*>> by_slot;
  for (auto const& letter : letters)
    by_slot[letter.slot].push_back(&letter);
  std::vector<std::pair<std::shared_ptr<Held>, std::vector<DueLetter const*>>> work;
  for (auto& [slot, due] : by_slot) {
    if (auto const found = held_.find(slot); found != held_.end())
      work.emplace_back(found->second, std::move(due));
  }
  co_await in_lanes(work.size(), [&](std::size_t i) -> Task<void> {
    auto const& [slot, due] = work[i];
    for (auto const* letter : due) {
      if (!must_pause(*slot))
        co_await retry(*slot, *letter);
    }
  });
  co_await look_ahead();
  // What was handled may have let the next one of its aggregate go.
  if (!work.empty())
    next_due_ = {};
  co_return !work.empty();
}

Task<void> Consumer::look_ahead() {
  auto const outlook = co_await store_.outlook(holds(), store_deadline());
  has_waiting_ = outlook.has_waiting;
  // Nothing now; but a ring can be lost, so look again after a while.
  auto const in = outlook.next_in.value_or(idle_store_interval);
  next_due_ = now() + std::clamp<std::chrono::microseconds>(in, std::chrono::milliseconds{10}, idle_store_interval);
}

Task<void> Consumer::retry(Held& held, DueLetter const& letter) {
  bool const is_manual = letter.state == model::DeadLetterState::retrying;
  auto attempt = letter.attempts;
  Result<void> done = fail(Code::internal, std::string(ended_process));
  // One that is waiting with all its attempts made has ended the process with the last one.
  if (is_manual || attempt < options_.tries) {
    ++attempt;
    if (auto const begun = co_await store_.begin_try(held.hold, letter, store_deadline()); !begun) {
      if (begun.error().code == Code::lease_lost)
        lose(held);
      co_return;
    }
    done = co_await call(letter.event, attempt, letter.is_out_of_order);
  }
  Result<void> stored;
  if (done) {
    stored = co_await store_.succeed(held.hold, letter, store_deadline());
  } else {
    auto const delay = is_manual ? std::nullopt : delay_after(attempt);
    stored = co_await store_.fail_try(held.hold, letter, std::move(done.error().message), delay, store_deadline());
  }
  if (!stored)
    lose(held);
}

}  // namespace al::events
