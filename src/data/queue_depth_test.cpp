#include "data/queue_depth.hpp"

#include <gmock/gmock.h>

#include "data/store_fixture.hpp"

namespace al::data {
namespace {

using testing::ElementsAre;

class QueueDepthTest : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    metrics = std::make_unique<MetricStore>(*database, clock);
    buffer = std::make_unique<MetricBuffer>(*metrics, clock);
    have_agent("a");
  }
  bool look(QueueDepth& depth) {
    bool const is_ours = wait(depth.look(soon()));
    wait(buffer->flush(soon()));
    clock.advance(std::chrono::seconds{1});
    return is_ours;
  }
  std::vector<double> values(std::string name) {
    std::vector<double> out;
    auto const buckets = wait(metrics->query(default_tenant,
                                             {.name = std::move(name),
                                              .from = clock.now() - std::chrono::minutes{10},
                                              .to = clock.now() + std::chrono::minutes{1},
                                              .step = std::chrono::seconds{1}},
                                             soon()));
    for (auto const& bucket : *buckets)
      out.push_back(bucket.last);
    return out;
  }

  std::unique_ptr<MetricStore> metrics;
  std::unique_ptr<MetricBuffer> buffer;
};
AL_ON_EVERY_DATABASE(QueueDepthTest);

TEST_P(QueueDepthTest, RecordsWhatIsNotEmptyAndThatItBecameSo) {
  QueueDepth depth(*database, *buffer, clock, random);
  EXPECT_TRUE(look(depth));
  auto const task = have_task("a");
  EXPECT_TRUE(look(depth));
  EXPECT_TRUE(look(depth));
  ASSERT_TRUE(wait(tasks->cancel(actor(), task.id, soon())));
  EXPECT_TRUE(look(depth));
  EXPECT_TRUE(look(depth));
  EXPECT_THAT(values("queue.pending"), ElementsAre(0, 1, 1, 0)) << "the first is for who looked before";
  EXPECT_THAT(values("queue.started"), ElementsAre(0));
}

TEST_P(QueueDepthTest, OneProcessLooks) {
  QueueDepth first(*database, *buffer, clock, random);
  QueueDepth second(*database, *buffer, clock, random);
  EXPECT_TRUE(look(first));
  EXPECT_FALSE(look(second));
  EXPECT_TRUE(look(first));
}

}  // namespace
}  // namespace al::data
