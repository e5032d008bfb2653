#include "cache/cached.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/system/system_error.hpp>

#include "cache/test_backend.hpp"
#include "core/waiter.hpp"

namespace al::cache {
namespace {

struct Row {
  std::string text;
};

/// Coroutines wait at it until it is opened; then nobody waits any more.
class Gate {
 public:
  Task<void> pass() {
    ++arrived;
    std::ignore = co_await sleep_for_answer<bool>([this](std::shared_ptr<Waiter<bool>> waiter) {
      std::unique_lock lock(mutex_);
      if (!is_open_) {
        waiters_.push_back(std::move(waiter));
        return;
      }
      lock.unlock();
      wake(waiter);
    });
  }
  void open() {
    std::scoped_lock const lock(mutex_);
    is_open_ = true;
    for (auto const& waiter : waiters_)
      wake(waiter);
    waiters_.clear();
  }
  std::atomic<int> arrived{0};

 private:
  static void wake(std::shared_ptr<Waiter<bool>> const& waiter) {
    asio::post(waiter->executor(), [waiter] { waiter->resume(); });
  }
  std::mutex mutex_;
  bool is_open_ = false;
  std::vector<std::shared_ptr<Waiter<bool>>> waiters_;
};

class CachedTest : public BackendTest {
 protected:
  using Rows = Cached<Row>;
  using Answer = Result<std::shared_ptr<Row const>>;
  using Read = Result<std::optional<Loaded<Row>>>;

  void SetUp() override {
    // Connections are made.
    for (std::size_t lane = 0; lane < 2; ++lane) {
      eventually([&] { return !run(backend->store().find(key_, soon()), lane).ticket.generation.empty(); },
                 "the store answers");
    }
  }
  std::unique_ptr<Rows> make() {
    return std::make_unique<Rows>(&backend->store(), backend->clock, counters,
                                  CachedOptions<Row>{.ttl = 1h, .write = write_row, .read = read_row});
  }
  static std::string write_row(Row const& row) { return "row " + row.text; }
  static Result<Row> read_row(std::string_view text) {
    if (!text.starts_with("row "))
      return fail(Code::invalid, "no row");
    return Row{std::string(text.substr(4))};
  }

  /// The database: one row.
  Task<Read> load() {
    ++loads;
    co_return Read(row);
  }
  Task<Answer> getting(Rows& rows, Freshness freshness = Freshness::cached) {
    return rows.get(key_, freshness, soon(), [this] { return load(); });
  }
  std::string get(Rows& rows, Freshness freshness = Freshness::cached) {
    return text_of(run(getting(rows, freshness)));
  }
  static std::string text_of(Answer const& answer) {
    if (!answer)
      return "failed: " + answer.error().message;
    return *answer ? (*answer)->text : "none";
  }
  /// Nobody's first level has it any more.
  void pass_first_level() { backend->clock.advance(LocalCache<Row>::lifetime); }

  std::string const key_ = key(default_tenant, "agent", "writer");
  std::optional<Loaded<Row>> row = Loaded<Row>{{"one"}, 1};
  std::atomic<int> loads{0};
  Counters counters;
  std::unique_ptr<Rows> here = make();
  std::unique_ptr<Rows> there = make();  ///< another process, as far as first levels go
};

INSTANTIATE_TEST_SUITE_P(On, CachedTest, testing::ValuesIn(backend_kinds()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(CachedTest, LoadsOnce) {
  EXPECT_EQ(get(*here), "one");
  EXPECT_EQ(get(*here), "one");
  EXPECT_EQ(get(*there), "one") << "by the second level";
  pass_first_level();
  EXPECT_EQ(get(*here), "one");
  EXPECT_EQ(loads, 1);
  EXPECT_EQ(counters.hits, 3u);
  EXPECT_EQ(counters.misses, 1u);
  EXPECT_EQ(counters.loads, 1u);
  EXPECT_EQ(counters.failures, 0u);
}

TEST_P(CachedTest, WorksWithoutASecondLevel) {
  Rows alone(nullptr, backend->clock, counters, {.ttl = 1h, .write = write_row, .read = read_row});
  EXPECT_EQ(get(alone), "one");
  EXPECT_EQ(get(alone), "one");
  EXPECT_EQ(loads, 1);
  row = {{"two"}, 2};
  EXPECT_TRUE(run(alone.remove(key_, 2, soon())));
  EXPECT_EQ(get(alone), "two");
  row.reset();
  EXPECT_EQ(get(alone, Freshness::fresh), "none");
}

TEST_P(CachedTest, KeepsNothingOfWhatIsNotThere) {
  row.reset();
  EXPECT_EQ(get(*here), "none");
  EXPECT_EQ(get(*here), "none");
  EXPECT_EQ(loads, 2);
  row = {{"one"}, 1};
  EXPECT_EQ(get(*here), "one");
}

TEST_P(CachedTest, AWriterReadsWhatItWrote) {
  EXPECT_EQ(get(*here), "one");
  EXPECT_EQ(get(*there), "one");
  auto const ticket = here->ticket();
  row = {{"two"}, 2};
  EXPECT_TRUE(run(here->put(key_, *row, ticket, soon())));
  EXPECT_EQ(get(*here), "two");
  EXPECT_EQ(loads, 1) << "from the second level";
  EXPECT_EQ(get(*there), "one") << "for a second";
  pass_first_level();
  EXPECT_EQ(get(*there), "two");
  row = {{"three"}, 3};
  EXPECT_TRUE(run(here->remove(key_, 3, soon())));
  EXPECT_EQ(get(*here), "three");
  EXPECT_EQ(loads, 2);
}

TEST_P(CachedTest, AFreshReadPassesAllLevels) {
  EXPECT_EQ(get(*here), "one");
  row = {{"two"}, 2};
  EXPECT_EQ(get(*here), "one") << "nobody said that it changed";
  EXPECT_EQ(get(*here, Freshness::fresh), "two");
  EXPECT_EQ(get(*here), "two");
  EXPECT_EQ(get(*there), "two") << "both levels are up to date";
  EXPECT_EQ(loads, 2);
  row.reset();
  EXPECT_EQ(get(*here, Freshness::fresh), "none");
  EXPECT_EQ(get(*here), "none");
  pass_first_level();
  EXPECT_EQ(get(*there), "none");
}

TEST_P(CachedTest, WhatAnotherReleaseWroteIsReadAnew) {
  auto const ticket = run(backend->store().find(key_, soon())).ticket;
  EXPECT_EQ(run(backend->store().put(key_, {"{}", 1}, 1h, ticket, soon())), true);
  EXPECT_EQ(get(*here), "one");
  EXPECT_EQ(get(*there), "one");
  EXPECT_EQ(loads, 1);
}

// ---- many at once ----

TEST_P(CachedTest, ManyAtOnceLoadOnce) {
  Gate gate;
  auto const slow = [&]() -> Task<Read> {
    ++loads;
    co_await gate.pass();
    co_return Read(row);
  };
  std::vector<std::future<Answer>> ends;
  for (std::size_t i = 0; i < 100; ++i)
    ends.push_back(backend->threads.start(here->get(key_, Freshness::cached, soon(), slow), i % 2));
  eventually([&] { return gate.arrived == 1; }, "one loads");
  backend->threads.settle();
  gate.open();
  for (auto& end : ends)
    EXPECT_EQ(text_of(end.get()), "one");
  EXPECT_EQ(loads, 1);
  EXPECT_EQ(counters.misses, 1u);
  EXPECT_EQ(counters.hits, 99u);
}

TEST_P(CachedTest, WhenALoadFailsAnotherTries) {
  Gate gate;
  auto const broken = [&]() -> Task<Read> {
    ++loads;
    co_await gate.pass();
    throw std::runtime_error("broken");
  };
  auto const refused = [&]() -> Task<Read> {
    ++loads;
    co_return fail(Code::unavailable, "refused");
  };
  auto first = backend->threads.start(here->get(key_, Freshness::cached, soon(), broken));
  eventually([&] { return gate.arrived == 1; }, "the first one loads");
  auto second = backend->threads.start(here->get(key_, Freshness::cached, soon(), refused));
  backend->threads.settle();
  std::vector<std::future<Answer>> ends;
  for (std::size_t i = 0; i < 10; ++i)
    ends.push_back(backend->threads.start(getting(*here), i % 2));
  backend->threads.settle();
  gate.open();
  EXPECT_THROW(std::ignore = first.get(), std::runtime_error);
  std::ignore = second.get();  // Refused, or told by who was faster.
  for (auto& end : ends)
    EXPECT_EQ(text_of(end.get()), "one");
  EXPECT_LE(loads, 3) << "one at a time";
  EXPECT_EQ(counters.failures, static_cast<unsigned>(loads - 1));
}

TEST_P(CachedTest, WhenTheLoaderIsCancelledAnotherLoads) {
  Gate never;
  auto const stuck = [&]() -> Task<Read> {
    co_await never.pass();
    co_return Read(row);
  };
  asio::cancellation_signal signal;
  std::promise<bool> cancelled;
  asio::co_spawn(backend->threads.at(0), here->get(key_, Freshness::cached, soon(), stuck),
                 asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr const& thrown, Answer const&) {
                   cancelled.set_value(thrown != nullptr);
                 }));
  eventually([&] { return never.arrived == 1; }, "the first one loads");
  auto waiting = backend->threads.start(getting(*here), 1);
  backend->threads.settle();
  EXPECT_EQ(loads, 0);
  asio::post(backend->threads.at(0), [&] { signal.emit(asio::cancellation_type::terminal); });
  EXPECT_TRUE(cancelled.get_future().get());
  EXPECT_EQ(text_of(waiting.get()), "one");
  EXPECT_EQ(loads, 1);
}

TEST_P(CachedTest, WhoWaitsHasItsOwnDeadline) {
  Gate gate;
  auto const slow = [&]() -> Task<Read> {
    co_await gate.pass();
    co_return Read(row);
  };
  auto first = backend->threads.start(here->get(key_, Freshness::cached, soon(), slow));
  eventually([&] { return gate.arrived == 1; }, "the first one loads");
  auto const hasty = run(here->get(key_, Freshness::cached, Deadline::after(20ms), [this] { return load(); }));
  EXPECT_EQ(hasty.error().code, Code::timed_out);
  gate.open();
  EXPECT_EQ(text_of(first.get()), "one");
  EXPECT_EQ(loads, 0);
}

TEST_P(CachedTest, AReaderAfterAWriteDoesNotShareALoadFromBefore) {
  Gate gate;
  auto const slow = [&, old = row]() -> Task<Read> {
    co_await gate.pass();
    co_return Read(old);
  };
  auto before = backend->threads.start(here->get(key_, Freshness::cached, soon(), slow));
  eventually([&] { return gate.arrived == 1; }, "it has read the old row");
  row = {{"two"}, 2};
  EXPECT_TRUE(run(here->remove(key_, 2, soon())));
  auto after = backend->threads.start(getting(*here), 1);
  EXPECT_EQ(text_of(after.get()), "two");
  gate.open();
  EXPECT_EQ(text_of(before.get()), "one") << "it asked before the write";
  EXPECT_EQ(get(*here), "two") << "and has not brought the old row back";
  pass_first_level();
  EXPECT_EQ(get(*there), "two");
}

TEST_P(CachedTest, AFreshReaderDoesNotShareALoadFromBefore) {
  Gate gate;
  auto const slow = [&, old = row]() -> Task<Read> {
    co_await gate.pass();
    co_return Read(old);
  };
  auto before = backend->threads.start(here->get(key_, Freshness::cached, soon(), slow));
  eventually([&] { return gate.arrived == 1; }, "it has read the old row");
  row = {{"two"}, 2};
  EXPECT_EQ(get(*here, Freshness::fresh), "two");
  gate.open();
  EXPECT_EQ(text_of(before.get()), "one");
  EXPECT_EQ(get(*here), "two");
  EXPECT_EQ(get(*there), "two");
}

}  // namespace
}  // namespace al::cache
