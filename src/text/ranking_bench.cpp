#include "text/ranking.hpp"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace al::text {
namespace {

constexpr std::string_view vocabulary[] = {
    "database", "replication", "the",    "server",  "of",      "index",  "query",    "and",      "latency", "cache",
    "deploys",  "monitoring",  "worker", "network", "failure", "in",     "services", "requests", "is",      "storage",
    "security", "tokens",      "a",      "users",   "schema",  "queues", "to",       "event",    "commits", "testing",
};

/// 200 items of 1 kB, as a database hands them over for one question.
void rank_candidates(benchmark::State& state) {
  std::vector<std::string> texts;
  std::size_t next = 7;
  for (int i = 0; i < 200; ++i) {
    std::string text = "Note " + std::to_string(i) + "\n\n";
    while (text.size() < 1'000) {
      next = (next * 1'103'515'245 + 12'345) % 2'147'483'648;
      text += vocabulary[next / 65'536 % std::size(vocabulary)];
      text += ' ';
    }
    texts.push_back(std::move(text));
  }
  std::vector<Item> items;
  for (auto const& text : texts)
    items.push_back({.id = "note", .category = "notes", .source = "test", .content = text});
  for (auto _ : state)
    benchmark::DoNotOptimize(rank("How do I reduce the latency of database replication?", items));
}
BENCHMARK(rank_candidates)->Unit(benchmark::kMillisecond);

void make_index_terms(benchmark::State& state) {
  std::string text;
  for (std::size_t i = 0; text.size() < static_cast<std::size_t>(state.range(0)); ++i) {
    text += vocabulary[i * 7 % std::size(vocabulary)];
    text += ' ';
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(index_terms({.id = "a", .category = "b", .source = "c", .content = text}));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(make_index_terms)->Arg(1'000)->Arg(70'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace al::text
