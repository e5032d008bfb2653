/// Durable rows and point look-ups a second with as many callers as the design counts with. Run it in a directory on a
/// real disk (TMPDIR): in memory an fsync costs nothing.

#include <benchmark/benchmark.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "storage/database.hpp"
#include "testing/event_loop.hpp"
#include "testing/temporary_directory.hpp"

namespace al::storage {
namespace {

Statement const create{.name = "create",
                       .text = "CREATE TABLE rows (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, body TEXT) STRICT"};
RowStatement const add{.name = "add",
                       .postgres = "",
                       .sqlite = {{.name = "add.insert", .text = "INSERT INTO rows VALUES ($1, $2, $3) RETURNING id"}}};
Statement const get{.name = "get", .text = "SELECT owner, body FROM rows WHERE id = $1"};

constexpr std::int64_t calls_per_caller = 50;
constexpr std::int64_t rows_to_read = 1'000;

Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

class Store {
 public:
  Store() : db_(open_sqlite({.path = directory_.file("bench.db")}, clock_)) {
    loop_.wait(db_->apply({Scope::system(), {{&create, {}}}}, soon())).value();
  }
  ~Store() { db_->close(); }
  Store(Store const&) = delete;
  Store& operator=(Store const&) = delete;

  /// `callers` coroutines, half on each of two loops, each doing `work` again and again.
  void run(std::int64_t callers, Task<void> (Store::*work)(std::int64_t caller)) {
    std::vector<std::future<void>> ends;
    for (std::int64_t caller = 0; caller < callers; ++caller) {
      ends.push_back((caller % 2 == 0 ? loop_ : other_loop_).start((this->*work)(caller)));
    }
    for (auto& end : ends)
      end.get();
  }

  Task<void> write(std::int64_t) {
    for (std::int64_t i = 0; i < calls_per_caller; ++i) {
      Values params{next_id_.fetch_add(1), std::string("default"), std::string(200, 'x')};
      auto row = co_await db_->write_row(Scope::of(default_tenant), add, std::move(params), soon());
      if (!row)
        throw std::runtime_error(row.error().message);
    }
  }

  Task<void> read(std::int64_t caller) {
    for (std::int64_t i = 0; i < calls_per_caller; ++i) {
      auto const id = (caller * calls_per_caller + i) * 7'919 % rows_to_read;
      auto rows = co_await db_->read(Scope::of(default_tenant), get, {Value(id)}, soon());
      if (rows.size() != 1)
        throw std::runtime_error("a row is missing");
    }
  }

  Task<void> fill(std::int64_t) {
    for (std::int64_t i = 0; i < rows_to_read; i += calls_per_caller)
      co_await write(0);
  }

 private:
  TemporaryDirectory directory_;
  SystemClock clock_;
  EventLoop loop_;
  EventLoop other_loop_;
  std::atomic<std::int64_t> next_id_{0};
  std::unique_ptr<Database> db_;
};

void durable_rows(benchmark::State& state) {
  Store store;
  for (auto _ : state)
    store.run(state.range(0), &Store::write);
  state.SetItemsProcessed(state.iterations() * state.range(0) * calls_per_caller);
}
BENCHMARK(durable_rows)->Arg(1)->Arg(32)->Arg(128)->UseRealTime()->Unit(benchmark::kMillisecond);

void point_reads(benchmark::State& state) {
  Store store;
  store.run(1, &Store::fill);
  for (auto _ : state)
    store.run(state.range(0), &Store::read);
  state.SetItemsProcessed(state.iterations() * state.range(0) * calls_per_caller);
}
BENCHMARK(point_reads)->Arg(1)->Arg(32)->Arg(128)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace al::storage
