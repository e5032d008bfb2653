#include "security/password_hasher.hpp"

#include <pthread.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <charconv>
#include <utility>

#include "core/fault.hpp"
#include "core/waiter.hpp"
#include "security/password_rules.hpp"
#include "security/secret_key.hpp"

namespace al::security {
namespace {

constexpr std::size_t salt_bytes = crypto_pwhash_SALTBYTES;
constexpr std::size_t tag_bytes = 32;  // what crypto_pwhash_str makes
constexpr std::size_t kib = 1'024;
constexpr int alphabet = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;

static_assert(PasswordCost{}.passes == crypto_pwhash_OPSLIMIT_INTERACTIVE);
static_assert(PasswordCost{}.memory_bytes == crypto_pwhash_MEMLIMIT_INTERACTIVE);

/// A stored hash of a higher cost is none of ours: it would take the machine's memory or time.
constexpr std::uint64_t passes_max = 16;
constexpr std::size_t memory_bytes_max = 4 * PasswordCost{}.memory_bytes;

constexpr std::chrono::seconds retry_after{1};  // the queue is worked off by then

/// A PHC string taken apart.
struct Stored {
  PasswordCost cost{};
  std::array<unsigned char, salt_bytes> salt{};
  std::array<unsigned char, tag_bytes> tag{};
};

bool skip(std::string_view& text, std::string_view expected) {
  bool const is_there = text.starts_with(expected);
  text.remove_prefix(is_there ? expected.size() : 0);
  return is_there;
}

/// A decimal number from 1 on, without sign and leading zeros.
bool skip_number(std::string_view& text, std::uint64_t& out) {
  if (text.empty() || text.front() < '1' || text.front() > '9')
    return false;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc();
}

template <std::size_t Size>
bool skip_bytes(std::string_view& text, std::array<unsigned char, Size>& out) {
  constexpr std::size_t characters = sodium_base64_ENCODED_LEN(Size, alphabet) - 1;  // it counts the closing NUL
  auto const encoded = text.substr(0, characters);
  std::size_t length = 0;
  char const* end = nullptr;
  int const failed =
      sodium_base642bin(out.data(), out.size(), encoded.data(), encoded.size(), nullptr, &length, &end, alphabet);
  text.remove_prefix(encoded.size());
  return failed == 0 && length == Size && end == encoded.data() + encoded.size();
}

/// Nothing for what crypto_pwhash_str() with a cost within the limits does not write. Its own reading is not used: it
/// would take any cost, and some releases say "another password" where there was no memory.
std::optional<Stored> read(std::string_view text) {
  Stored out;
  std::uint64_t memory_kib = 0;
  bool const is_read = skip(text, "$argon2id$v=19$m=") && skip_number(text, memory_kib) && skip(text, ",t=") &&
                       skip_number(text, out.cost.passes) && skip(text, ",p=1$") && skip_bytes(text, out.salt) &&
                       skip(text, "$") && skip_bytes(text, out.tag) && text.empty();
  if (!is_read || out.cost.passes > passes_max || memory_kib < crypto_pwhash_MEMLIMIT_MIN / kib ||
      memory_kib > memory_bytes_max / kib) {
    return std::nullopt;
  }
  out.cost.memory_bytes = memory_kib * kib;
  return out;
}

/// Salt and tag are all zeros. That nobody knows a password with this tag is what makes Argon2id a hash function.
std::string make_decoy(PasswordCost const& cost) {
  auto const zeros = [](std::size_t bytes) { return std::string(sodium_base64_ENCODED_LEN(bytes, alphabet) - 1, 'A'); };
  return "$argon2id$v=19$m=" + std::to_string(cost.memory_bytes / kib) + ",t=" + std::to_string(cost.passes) + ",p=1$" +
         zeros(salt_bytes) + '$' + zeros(tag_bytes);
}

Unavailable no_memory() { return Unavailable("there is no memory to hash a password"); }

Result<std::string> hash_of(std::string_view password, PasswordCost const& cost) {
  if (password.size() > password_bytes_max)
    return fail(Code::invalid, "the password must have at most " + std::to_string(password_bytes_max) + " bytes");
  std::array<char, crypto_pwhash_STRBYTES> out{};
  if (crypto_pwhash_str(out.data(), password.data(), password.size(), cost.passes, cost.memory_bytes) != 0)
    throw no_memory();
  return std::string(out.data());
}

Result<bool> is_hash_of(std::string_view text, std::string_view password) {
  auto const stored = read(text);
  if (!stored)
    return fail(Code::internal, "the stored hash of the password cannot be read; set a new password");
  if (password.size() > password_bytes_max)
    return false;
  std::array<unsigned char, tag_bytes> tag{};
  if (crypto_pwhash(tag.data(), tag.size(), password.data(), password.size(), stored->salt.data(), stored->cost.passes,
                    stored->cost.memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    throw no_memory();
  }
  return sodium_memcmp(tag.data(), stored->tag.data(), tag.size()) == 0;
}

}  // namespace

/// One call on its way through the queue, with the only copy of the password.
struct PasswordHasher::Job {
  Job(std::string_view p, std::optional<std::string> s, Deadline d) : password(p), stored(std::move(s)), deadline(d) {}
  ~Job() { wipe(password); }
  Job(Job const&) = delete;
  Job& operator=(Job const&) = delete;

  std::string password;
  std::optional<std::string> stored;  ///< nothing: make a hash
  Deadline deadline;
  std::shared_ptr<Waiter<Result<Outcome>>> waiter;
};

PasswordHasher::PasswordHasher(PasswordCost cost, std::function<void()> began)
    : cost_(cost), decoy_(make_decoy(cost)), began_(std::move(began)) {
  if (sodium_init() < 0)
    throw Fault("libsodium cannot be initialised: the system gives no random numbers");
  threads_.reserve(threads_count);
  for (int i = 0; i < threads_count; ++i) {
    threads_.emplace_back([this](std::stop_token const& stop) { work(stop); });
    ::pthread_setname_np(threads_.back().native_handle(), "al-password");
  }
}

PasswordHasher::~PasswordHasher() {
  for (auto& thread : threads_)
    thread.request_stop();
  std::deque<JobPtr> waiting;
  {
    std::lock_guard const lock(mutex_);
    waiting.swap(jobs_);
  }
  for (auto const& job : waiting)
    tell(*job, fail(Code::unavailable, "the server stops; try again"));
}

// These two are no coroutines: the frame of one would keep its own copy of a short password, which nobody wipes.
Task<Result<std::string>> PasswordHasher::hash(std::string password, Deadline deadline) {
  return hashed(make_job(password, std::nullopt, deadline));
}

Task<Result<bool>> PasswordHasher::matches(std::string stored, std::string password, Deadline deadline) {
  return compared(make_job(password, std::move(stored), deadline));
}

PasswordHasher::JobPtr PasswordHasher::make_job(std::string& password, std::optional<std::string> stored,
                                                Deadline deadline) {
  auto job = std::make_unique<Job>(password, std::move(stored), deadline);
  wipe(password);
  return job;
}

Task<Result<std::string>> PasswordHasher::hashed(JobPtr job) {
  auto outcome = co_await outcome_of(std::move(job));
  if (!outcome)
    co_return fail(std::move(outcome.error()));
  co_return std::move(outcome->hash);
}

Task<Result<bool>> PasswordHasher::compared(JobPtr job) {
  auto outcome = co_await outcome_of(std::move(job));
  if (!outcome)
    co_return fail(std::move(outcome.error()));
  co_return outcome->matches;
}

Task<Result<PasswordHasher::Outcome>> PasswordHasher::outcome_of(JobPtr job) {
  co_return co_await sleep_for_answer<Result<Outcome>>([&](auto waiter) {
    job->waiter = std::move(waiter);
    push(std::move(job));
  });
}

void PasswordHasher::push(JobPtr job) {
  {
    std::lock_guard const lock(mutex_);
    if (jobs_.size() < waiting_max) {
      jobs_.push_back(std::move(job));
      arrived_.notify_one();
      return;
    }
  }
  tell(*job, fail(Error{.code = Code::too_many_requests,
                        .message = "too many passwords are being checked at once; try again in a second",
                        .retry_after = retry_after}));
}

/// Null when it is time to stop.
PasswordHasher::JobPtr PasswordHasher::take(std::stop_token const& stop) {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, stop, [this] { return !jobs_.empty(); });
  if (jobs_.empty())
    return nullptr;
  auto job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

void PasswordHasher::work(std::stop_token const& stop) {
  while (auto const job = take(stop))
    run(*job);
}

void PasswordHasher::run(Job& job) {
  if (job.waiter->has_left())
    return;
  if (job.deadline.left() <= std::chrono::steady_clock::duration::zero())
    return tell(job, fail(Code::timed_out, "the deadline passed before the password's turn came"));
  Result<Outcome> outcome;
  try {
    if (began_)
      began_();
    outcome = compute(job);
  } catch (...) {
    job.waiter->set_exception(std::current_exception());
  }
  wipe(job.password);
  tell(job, std::move(outcome));
}

Result<PasswordHasher::Outcome> PasswordHasher::compute(Job const& job) const {
  if (job.stored) {
    auto same = is_hash_of(*job.stored, job.password);
    return same ? Result<Outcome>({.hash = {}, .matches = *same}) : fail(std::move(same.error()));
  }
  auto made = hash_of(job.password, cost_);
  return made ? Result<Outcome>({.hash = std::move(*made)}) : fail(std::move(made.error()));
}

void PasswordHasher::tell(Job const& job, Result<Outcome> outcome) {
  job.waiter->set(std::move(outcome));
  asio::post(job.waiter->executor(), [waiter = job.waiter] { waiter->resume(); });
}

bool PasswordHasher::needs_rehash(std::string_view stored) const {
  auto const found = read(stored);
  return !found || found->cost.passes < cost_.passes || found->cost.memory_bytes < cost_.memory_bytes;
}

}  // namespace al::security
