#include "security/password_hasher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sodium.h>

#include <array>
#include <fstream>
#include <future>
#include <optional>
#include <regex>
#include <sstream>

#include "core/fault.hpp"
#include "testing/event_loop.hpp"

namespace al::security {
namespace {

using namespace std::chrono_literals;

constexpr PasswordCost cheap{.passes = 1, .memory_bytes = 8'192};
/// "päss wörd" with the salt 00..0f at 64 KiB and two passes, computed by another implementation.
constexpr std::string_view foreign =
    "$argon2id$v=19$m=64,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$MxNJz22VAwgl/3jJwbQWfYwPcSNXvU1IWr3DJZPIDcg";

Deadline soon() { return Deadline::after(60s); }

/// Of an answer that is a refusal.
std::optional<Code> code_of(Result<bool> const& answer) {
  return answer ? std::nullopt : std::optional(answer.error().code);
}

struct Parameters {
  int memory_kib = 0;
  int passes = 0;
  int lanes = 0;
  bool operator==(Parameters const&) const = default;
};

/// Those of a PHC string of Argon2id, version 0x13, with a salt of 16 and a tag of 32 bytes.
std::optional<Parameters> parameters(std::string const& phc) {
  static std::regex const form(R"(\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43})");
  std::smatch found;
  if (!std::regex_match(phc, found, form))
    return std::nullopt;
  return Parameters{std::stoi(found[1]), std::stoi(found[2]), std::stoi(found[3])};
}

/// Holds computations up until it is opened, and counts those that began.
class Gate {
 public:
  [[nodiscard]] std::function<void()> watch() {
    return [this] {
      std::unique_lock lock(mutex_);
      ++began_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return is_open_; });
    };
  }
  void await_begun(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return began_ >= count; });
  }
  void open() {
    std::lock_guard const lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] int began() {
    std::lock_guard const lock(mutex_);
    return began_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int began_ = 0;
  bool is_open_ = false;
};

class PasswordHasherTest : public ::testing::Test {
 protected:
  /// Lets both threads begin with a computation each, which the gate holds up.
  [[nodiscard]] std::vector<std::future<Result<bool>>> keep_busy(PasswordHasher& hasher) {
    std::vector<std::future<Result<bool>>> out;
    for (int i = 0; i < 2; ++i)
      out.push_back(compare(hasher));
    gate_.await_begun(2);
    return out;
  }
  [[nodiscard]] std::future<Result<bool>> compare(PasswordHasher& hasher, Deadline deadline = soon()) {
    return loop_.start(hasher.matches(hasher.decoy(), "a password", deadline));
  }
  /// Returns when the loop has done all that it was given before.
  void settle_loop() {
    loop_.wait([]() -> Task<void> { co_return; }());
  }

  EventLoop loop_;
  Gate gate_;
};

TEST_F(PasswordHasherTest, KnowsTheRightPassword) {
  PasswordHasher hasher(cheap);
  std::string const odd("nul\0and more", 12);
  for (std::string const& password : {std::string("correct horse"), std::string(), odd, std::string(1'024, 'x')}) {
    auto const stored = loop_.wait(hasher.hash(password, soon()));
    ASSERT_TRUE(stored);
    EXPECT_EQ(loop_.wait(hasher.matches(*stored, password, soon())), true) << password;
    EXPECT_EQ(loop_.wait(hasher.matches(*stored, password + " ", soon())), false) << password;
    EXPECT_EQ(loop_.wait(hasher.matches(*stored, "Correct horse", soon())), false) << password;
  }
  auto const stored = loop_.wait(hasher.hash(odd, soon()));
  EXPECT_EQ(loop_.wait(hasher.matches(*stored, "nul", soon())), false) << "no text ends at a NUL";
}

TEST_F(PasswordHasherTest, StoresThePhcStringOfASafeCost) {
  PasswordHasher hasher;
  auto const one = loop_.wait(hasher.hash("correct horse", soon()));
  auto const two = loop_.wait(hasher.hash("correct horse", soon()));
  ASSERT_TRUE(one && two);
  auto const found = parameters(*one);
  ASSERT_TRUE(found) << *one;
  EXPECT_GE(found->memory_kib, 19'456) << "OWASP: 19 MiB at least";
  EXPECT_GE(found->passes, 2);
  EXPECT_EQ(*found, (Parameters{.memory_kib = 65'536, .passes = 2, .lanes = 1}));
  EXPECT_NE(*one, *two) << "each has a salt of its own";
  EXPECT_EQ(loop_.wait(hasher.matches(*one, "correct horse", soon())), true);
  EXPECT_EQ(loop_.wait(hasher.matches(*one, "correct mouse", soon())), false);
}

TEST_F(PasswordHasherTest, AgreesWithOthers) {
  PasswordHasher hasher(cheap);
  EXPECT_EQ(loop_.wait(hasher.matches(std::string(foreign), "päss wörd", soon())), true);
  EXPECT_EQ(loop_.wait(hasher.matches(std::string(foreign), "pass word", soon())), false);
  auto const stored = loop_.wait(hasher.hash("päss wörd", soon()));
  ASSERT_TRUE(stored);
  EXPECT_EQ(crypto_pwhash_str_verify(stored->c_str(), "päss wörd", std::string_view("päss wörd").size()), 0);
}

TEST_F(PasswordHasherTest, SaysThatAStoredHashIsDamaged) {
  PasswordHasher hasher(cheap);
  auto const check = [&](std::string stored) {
    return loop_.wait(hasher.matches(std::move(stored), "päss wörd", soon()));
  };
  for (std::size_t size = 0; size < foreign.size(); ++size) {
    auto const answer = check(std::string(foreign.substr(0, size)));
    EXPECT_EQ(code_of(answer), Code::internal) << size;
  }
  std::string const text(foreign);
  auto const with = [&](std::string_view from, std::string_view to) {
    auto changed = text;
    return changed.replace(changed.find(from), from.size(), to);
  };
  for (auto const& damaged :
       {text + "A", text + '\0', ' ' + text, with("argon2id", "argon2i"), with("v=19", "v=16"), with("p=1", "p=2"),
        with("t=2", "t=0"), with("t=2", "t=-2"), with("t=2", "t=02"), with("m=64", "m=7"), with("m=64", "m= 64"),
        with("m=64,t=2", "t=2,m=64"), with("AAEC", "AA-C"), with("PIDcg", "PIDch"), with("MxNJ", "MxN="),
        std::string("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"), std::string("password")}) {
    auto const answer = check(damaged);
    EXPECT_EQ(code_of(answer), Code::internal) << damaged;
  }
  EXPECT_EQ(check(with("AAEC", "AAED")), false) << "another salt";
  EXPECT_EQ(check(with("MxNJ", "MxNK")), false) << "another tag";
  EXPECT_EQ(check(text), true);
}

TEST_F(PasswordHasherTest, ComputesNothingThatCostsTooMuch) {
  PasswordHasher hasher(cheap);
  for (auto const* cost : {"m=262145,t=2", "m=4294967295,t=1", "m=99999999999999999999,t=1", "m=64,t=17"}) {
    auto stored = std::string(foreign);
    stored.replace(stored.find("m=64,t=2"), 8, cost);
    auto const answer = loop_.wait(hasher.matches(stored, "päss wörd", soon()));
    EXPECT_EQ(code_of(answer), Code::internal) << cost;
  }
}

TEST_F(PasswordHasherTest, ThrowsWhenItCannotCompute) {
  // More than Argon2id can be asked for: refused before any memory is taken.
  PasswordHasher hasher({.passes = 1, .memory_bytes = crypto_pwhash_MEMLIMIT_MAX + 1'024});
  EXPECT_THROW(static_cast<void>(loop_.wait(hasher.hash("a password", soon()))), Unavailable);
  EXPECT_EQ(loop_.wait(hasher.matches(std::string(foreign), "päss wörd", soon())), true) << "its thread goes on";
}

TEST_F(PasswordHasherTest, HasAnUpperLimit) {
  PasswordHasher hasher(cheap);
  std::string const too_long(1'025, 'x');
  auto const refused = loop_.wait(hasher.hash(too_long, soon()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  std::array<char, crypto_pwhash_STRBYTES> stored{};
  ASSERT_EQ(crypto_pwhash_str(stored.data(), too_long.data(), too_long.size(), cheap.passes, cheap.memory_bytes), 0);
  EXPECT_EQ(loop_.wait(hasher.matches(stored.data(), too_long, soon())), false) << "nothing is computed for it";
}

TEST_F(PasswordHasherTest, ReplacesHashesThatCostLess) {
  PasswordHasher hasher({.passes = 2, .memory_bytes = 65'536});
  EXPECT_FALSE(hasher.needs_rehash(foreign));
  EXPECT_TRUE(PasswordHasher({.passes = 3, .memory_bytes = 65'536}).needs_rehash(foreign));
  EXPECT_TRUE(PasswordHasher({.passes = 2, .memory_bytes = 66'560}).needs_rehash(foreign));
  EXPECT_FALSE(PasswordHasher(cheap).needs_rehash(foreign)) << "it costs more";
  EXPECT_TRUE(hasher.needs_rehash("")) << "what cannot be read is to be replaced";
  EXPECT_TRUE(hasher.needs_rehash("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"));
  auto const stored = loop_.wait(hasher.hash("a password", soon()));
  EXPECT_FALSE(hasher.needs_rehash(stored.value()));
}

TEST_F(PasswordHasherTest, HasADecoyThatCostsTheSameAndThatNothingMatches) {
  PasswordHasher production;
  EXPECT_EQ(parameters(production.decoy()), (Parameters{.memory_kib = 65'536, .passes = 2, .lanes = 1}));
  PasswordHasher hasher(cheap, gate_.watch());
  gate_.open();
  auto const stored = loop_.wait(hasher.hash("a password", soon()));
  EXPECT_EQ(parameters(hasher.decoy()), parameters(stored.value()));
  EXPECT_FALSE(hasher.needs_rehash(hasher.decoy()));
  for (auto const* password : {"", "a password", "AAAA"})
    EXPECT_EQ(loop_.wait(hasher.matches(hasher.decoy(), password, soon())), false);
  EXPECT_EQ(crypto_pwhash_str_needs_rehash(hasher.decoy().c_str(), cheap.passes, cheap.memory_bytes), 0)
      << "libsodium reads it as well";
}

// No ASSERT while the gate is shut: the hasher's destructor would wait for ever.

TEST_F(PasswordHasherTest, ComputesTwoAtATimeAndLetsSixteenWait) {
  PasswordHasher hasher(cheap, gate_.watch());
  auto answers = keep_busy(hasher);
  for (int i = 0; i < 16; ++i)
    answers.push_back(compare(hasher));
  // Were a third one computed, the queue would have room.
  auto refused = compare(hasher);
  bool const is_refused = refused.wait_for(10s) == std::future_status::ready;
  EXPECT_TRUE(is_refused);
  EXPECT_EQ(gate_.began(), 2);
  gate_.open();
  for (auto& answer : answers)
    EXPECT_EQ(answer.get(), false);
  ASSERT_TRUE(is_refused);
  auto const refusal = refused.get();
  EXPECT_EQ(code_of(refusal), Code::too_many_requests);
  EXPECT_EQ(refusal.error().retry_after, 1s);
  EXPECT_EQ(gate_.began(), 18);
  EXPECT_EQ(compare(hasher).get(), false) << "there is room again";
}

TEST_F(PasswordHasherTest, DropsWhatIsTooLate) {
  PasswordHasher hasher(cheap, gate_.watch());
  auto const busy = keep_busy(hasher);
  auto const deadline = Deadline::after(20ms);
  auto late = compare(hasher, Deadline::after(-1ms));
  auto becomes_late = compare(hasher, deadline);
  auto in_time = compare(hasher);
  settle_loop();
  while (deadline.left() > 0ms)
    std::this_thread::yield();
  gate_.open();
  EXPECT_EQ(code_of(late.get()), Code::timed_out);
  EXPECT_EQ(code_of(becomes_late.get()), Code::timed_out);
  EXPECT_EQ(in_time.get(), false);
  EXPECT_EQ(gate_.began(), 3) << "those that were late were not computed";
}

TEST_F(PasswordHasherTest, DropsWhatNobodyWaitsForAnyMore) {
  PasswordHasher hasher(cheap, gate_.watch());
  auto const busy = keep_busy(hasher);
  auto const left = loop_.wait(within(Deadline::after(1ms), hasher.matches(hasher.decoy(), "a password", soon())));
  EXPECT_EQ(code_of(left), Code::timed_out);
  auto next = compare(hasher);
  settle_loop();
  gate_.open();
  EXPECT_EQ(next.get(), false);
  EXPECT_EQ(gate_.began(), 3);
}

TEST_F(PasswordHasherTest, IsDestroyedWhileItIsBusy) {
  std::optional<PasswordHasher> hasher(std::in_place, cheap, gate_.watch());
  auto busy = keep_busy(*hasher);
  std::vector<std::future<Result<bool>>> waiting;
  for (int i = 0; i < 5; ++i)
    waiting.push_back(compare(*hasher));
  settle_loop();
  auto destroyed = std::async(std::launch::async, [&] { hasher.reset(); });
  for (auto& answer : waiting) {
    bool const is_told = answer.wait_for(10s) == std::future_status::ready;
    EXPECT_TRUE(is_told && code_of(answer.get()) == Code::unavailable);
  }
  EXPECT_EQ(destroyed.wait_for(0s), std::future_status::timeout) << "it waits for what is being computed";
  gate_.open();
  destroyed.get();
  for (auto& answer : busy)
    EXPECT_EQ(answer.get(), false);
  EXPECT_EQ(gate_.began(), 2);
}

TEST_F(PasswordHasherTest, GoesOnOnTheExecutorOfTheCaller) {
  std::mutex mutex;
  std::vector<std::thread::id> computed_on;
  PasswordHasher hasher(cheap, [&] {
    std::lock_guard const lock(mutex);
    computed_on.push_back(std::this_thread::get_id());
  });
  auto const resumed_on = loop_.wait([](PasswordHasher& h) -> Task<std::thread::id> {
    static_cast<void>(co_await h.hash("a password", soon()));
    co_return std::this_thread::get_id();
  }(hasher));
  EXPECT_EQ(resumed_on, loop_.thread_id());
  std::lock_guard const lock(mutex);
  EXPECT_THAT(computed_on, ::testing::ElementsAre(::testing::Ne(loop_.thread_id())));
}

/// "VmRSS" or "VmHWM" of this process, in bytes.
std::size_t memory(std::string const& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ':'))
      return std::stoull(line.substr(name.size() + 1)) << 10;
  }
  return 0;
}

TEST_F(PasswordHasherTest, TakesTheMemoryOfTwoComputationsFor200SignIns) {
  PasswordHasher hasher;
  std::vector<std::future<Result<bool>>> answers;
  std::ofstream("/proc/self/clear_refs") << "5" << std::flush;  // the high-water mark begins anew
  auto const before = memory("VmRSS");
  ASSERT_LT(memory("VmHWM"), before + (std::size_t{8} << 20));
  for (int i = 0; i < 200; ++i)
    answers.push_back(compare(hasher));
  int computed = 0;
  for (auto& answer : answers) {
    auto const told = answer.get();
    computed += told.has_value() ? 1 : 0;
    EXPECT_TRUE(told || code_of(told) == Code::too_many_requests);
  }
  auto const peak = memory("VmHWM") - before;
  RecordProperty("computed", computed);
  RecordProperty("peak_bytes", std::to_string(peak));
  EXPECT_GE(computed, 16);
  EXPECT_GT(peak, PasswordCost{}.memory_bytes) << "the measure sees a computation";
  EXPECT_LT(peak, 2 * PasswordCost{}.memory_bytes * 12 / 10) << "two at a time and a fifth more";
}

}  // namespace
}  // namespace al::security
