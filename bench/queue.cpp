/// One process of the queue benchmark (bench/queue): tasks are created, claimed and completed on PostgreSQL by the
/// stores and the worker of the product, with a handler that does nothing.
///
///   queue_bench setup URL AGENTS                      migrates, and makes the agents
///   queue_bench produce URL REDIS AGENTS COUNT CALLERS  creates COUNT tasks, one statement's worth of waiting each
///   queue_bench work URL REDIS CONCURRENCY            works until its input ends
///   queue_bench pace URL REDIS AGENTS RATE COUNT      creates tasks at an even rate; prints id and time of each answer
///   queue_bench listen URL REDIS                      consumes task:created, printing id and time, until its input
///   ends
///
/// Times are nanoseconds of the machine's monotonic clock, which its processes share.
///
/// URL is PostgreSQL's, REDIS its companion's.

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <future>
#include <iostream>
#include <optional>

#include "core/ids.hpp"
#include "data/agent_store.hpp"
#include "data/idempotency_store.hpp"
#include "data/task_store.hpp"
#include "events/consumer.hpp"
#include "events/event_log.hpp"
#include "events/live_text.hpp"
#include "events/remote_bell.hpp"
#include "services/worker/worker.hpp"
#include "storage/migrations.hpp"
#include "testing/event_loop.hpp"

namespace al {
namespace {

Deadline soon() { return Deadline::after(std::chrono::minutes{5}); }

Actor actor() {
  return {.tenant = default_tenant,
          .user_id = "bench",
          .correlation_id = "0123456789abcdef",
          .causation_id = {},
          .traceparent = {}};
}

AgentId agent_id(std::uint64_t n) { return AgentId{"bench_" + std::to_string(n)}; }

class NothingToDo final : public agents::Runner {
 public:
  [[nodiscard]] Task<Result<providers::Answer>> run(agents::Assignment const&, agents::Host&, Deadline) override {
    providers::Answer answer;
    answer.text = "done";
    answer.provider = "bench";
    co_return answer;
  }
};

struct Process {
  explicit Process(std::string const& url) : database(storage::open_postgres({.url = url, .pool_size = 8})) {}
  ~Process() { database->close(); }
  Process(Process const&) = delete;
  Process& operator=(Process const&) = delete;

  void ring_others(std::string const& redis) {
    bell = std::make_unique<events::RemoteBell>(loop.executor(), *redis::parse_url(redis), bus, random,
                                                uuid_v7(clock, random));
    bus.forward_to([this](auto const& it) { bell->send(it); });
    asio::post(loop.executor(), [this] { bell->start(); });
  }

  SystemClock clock;
  SystemRandom random;
  std::unique_ptr<storage::Database> database;
  events::Bus bus;
  data::RowCache rows{nullptr, clock, bus};
  data::Writer writer{*database, bus, clock, random, "bench", &rows};
  data::AgentStore agents{writer, nullptr};
  data::TaskStore tasks{writer};
  EventLoop loop;
  std::unique_ptr<events::RemoteBell> bell;
};

int setup(std::string const& url, std::uint64_t count) {
  storage::migrate_up({.postgres_url = url});
  Process process(url);
  for (std::uint64_t n = 0; n < count; ++n) {
    model::Agent agent;
    agent.id = agent_id(n);
    agent.name = agent.id.value;
    agent.specialization = "bench";
    agent.max_concurrency = 1000;
    process.loop.wait(process.agents.create(actor(), agent, soon())).value();
  }
  return 0;
}

Task<void> create_some(Process& process, std::uint64_t agents, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    model::Task task;
    task.id = process.tasks.new_id();
    task.agent_id = agent_id(process.random.below(agents));
    task.description = "nothing to do";
    (co_await process.tasks.create(actor(), std::move(task), soon())).value();
  }
}

int produce(std::string const& url, std::string const& redis, std::uint64_t agents, std::uint64_t count,
            std::uint64_t callers) {
  Process process(url);
  process.ring_others(redis);
  std::vector<std::future<void>> ends;
  for (std::uint64_t i = 0; i < callers; ++i)
    ends.push_back(process.loop.start(create_some(process, agents, count / callers)));
  for (auto& end : ends)
    end.get();
  std::_Exit(0);  // the bell's subscription has no end of its own
}

int work(std::string const& url, std::string const& redis, std::size_t concurrency) {
  Process process(url);
  process.ring_others(redis);
  data::IdempotencyStore answers(*process.database, process.clock, process.random);
  events::LiveText live(process.clock);
  NothingToDo runner;
  services::worker::Worker worker(process.loop.executor(), {process.tasks, process.agents, answers}, runner,
                                  process.bus, live, process.clock, process.random, {.concurrency = concurrency});
  asio::post(process.loop.executor(), [&] { worker.start(); });
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  process.loop.wait(worker.stop());
  std::_Exit(0);
}

void print(std::string const& id) {
  std::cout << id << ' ' << std::chrono::steady_clock::now().time_since_epoch().count() << '\n';
}

Task<void> create_and_print(Process& process, std::uint64_t agents) {
  model::Task task;
  task.id = process.tasks.new_id();
  task.agent_id = agent_id(process.random.below(agents));
  task.description = "nothing to do";
  auto const id = task.id.value;
  (co_await process.tasks.create(actor(), std::move(task), soon())).value();
  print(id);
}

int pace(std::string const& url, std::string const& redis, std::uint64_t agents, std::uint64_t rate,
         std::uint64_t count) {
  Process process(url);
  process.ring_others(redis);
  auto const keep_pace = [&]() -> Task<void> {
    auto next = std::chrono::steady_clock::now();
    for (std::uint64_t i = 0; i < count; ++i) {
      next += std::chrono::nanoseconds{1'000'000'000} / rate;
      co_await sleep_until(next);
      spawn(process.loop.executor(), "create", create_and_print(process, agents));
    }
    co_await sleep_until(next + std::chrono::seconds{1});
  };
  process.loop.wait(keep_pace());
  std::cout.flush();
  std::_Exit(0);
}

int listen(std::string const& url, std::string const& redis) {
  Process process(url);
  process.ring_others(redis);
  events::EventLog log(*process.database);
  events::Consumer::Handler const handler = [](events::Delivery const& delivery) -> Task<Result<void>> {
    print(delivery.event.aggregate_id);
    co_return Result<void>{};
  };
  events::Consumer consumer(process.loop.executor(),
                            {*process.database, log, process.bus, process.clock, process.random}, handler,
                            {.name = "bench", .channels = {"task:created"}});
  asio::post(process.loop.executor(), [&] { consumer.start(); });
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  process.loop.wait(consumer.stop());
  std::cout.flush();
  std::_Exit(0);
}

int run(std::vector<std::string> const& words) {
  auto const number = [&](std::size_t i) { return std::stoull(words.at(i)); };
  if (words.at(1) == "setup")
    return setup(words.at(2), number(3));
  if (words.at(1) == "produce")
    return produce(words.at(2), words.at(3), number(4), number(5), number(6));
  if (words.at(1) == "work")
    return work(words.at(2), words.at(3), number(4));
  if (words.at(1) == "pace")
    return pace(words.at(2), words.at(3), number(4), number(5), number(6));
  if (words.at(1) == "listen")
    return listen(words.at(2), words.at(3));
  throw std::invalid_argument("setup, produce, work, pace or listen");
}

}  // namespace
}  // namespace al

int main(int argc, char** argv) {
  try {
    return al::run({argv, argv + argc});
  } catch (std::exception const& error) {
    std::cerr << "queue_bench: " << error.what() << '\n';
    return 2;
  }
}
