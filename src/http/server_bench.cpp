#include <benchmark/benchmark.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "http/test_server.hpp"

namespace al::http {
namespace {

constexpr std::string_view request_text = "GET /api/v1/agents/researcher HTTP/1.1\r\nHost: localhost:8000\r\n\r\n";

struct Bench {
  Bench() : router(nullptr, nullptr, random) {
    router.add({.method = Method::get,
                .path = "/agents/{agent_id}",
                .permission = "",
                .summary = "",
                .handler = [](Call&) -> Task<Result<Response>> {
                  co_return entity_response(200, R"({"id":"researcher","name":"Researcher","status":"idle"})", 7);
                }});
  }
  SystemRandom random;
  Router router;
};

/// What the router costs: everything between a parsed request and an answer.
void dispatch(benchmark::State& state) {
  Bench bench;
  asio::io_context io(1);
  auto const loop = [&]() -> Task<void> {
    for (auto _ : state) {
      Request request{.method = Method::get, .target = "/api/v1/agents/researcher"};
      request.headers.add("Host", "localhost:8000");
      auto response = co_await bench.router.dispatch({}, std::move(request));
      benchmark::DoNotOptimize(response.status);
    }
  };
  spawn(io.get_executor(), "bench", loop());
  io.run();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(dispatch);

/// One connection, `range` requests sent ahead: with 1 it is the time of a round trip, with more the server's own work.
void requests(benchmark::State& state) {
  Bench bench;
  TestServer server(bench.router, {}, 1);
  RawClient client(server.server.port());
  auto const ahead = static_cast<std::size_t>(state.range(0));
  std::string batch;
  for (std::size_t i = 0; i < ahead; ++i)
    batch.append(request_text);
  for (auto _ : state) {
    client.send(batch);
    for (std::size_t i = 0; i < ahead; ++i)
      benchmark::DoNotOptimize(client.read_answer().size());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(requests)->Arg(1)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace al::http
