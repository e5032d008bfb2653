#include "redis/protocol.hpp"

#include <hiredis/hiredis.h>
#include <hiredis/read.h>

#include <cassert>
#include <new>
#include <utility>
#include <vector>

namespace al::redis {
namespace {

/// Frames and line ends of what stands in the buffer; they do not count as a reply's bytes.
constexpr std::size_t read_ahead_bytes_max = 64 * 1024;

}  // namespace

// ---- commands ----

Command::Command(std::span<std::string_view const> arguments) {
  assert(!arguments.empty());
  std::vector<char const*> texts;
  std::vector<std::size_t> lengths;
  texts.reserve(arguments.size());
  lengths.reserve(arguments.size());
  // hiredis 0.14 counts in int, and the frame of an argument takes up to 16 bytes.
  constexpr std::size_t frame_bytes = 16;
  std::size_t total = frame_bytes;
  for (auto const argument : arguments) {
    texts.push_back(argument.data() == nullptr ? "" : argument.data());
    lengths.push_back(argument.size());
    total += argument.size() + frame_bytes;
    if (argument.size() > bytes_max || total > bytes_max)
      return;
  }
  char* formatted = nullptr;
  auto const size =
      redisFormatCommandArgv(&formatted, static_cast<int>(arguments.size()), texts.data(), lengths.data());
  if (size < 0)
    throw std::bad_alloc();
  std::unique_ptr<char, decltype(&redisFreeCommand)> const owner(formatted, &redisFreeCommand);
  bytes_.assign(formatted, static_cast<std::size_t>(size));
}

// ---- replies ----

/// What the present reply may still take.
struct Parser::Budget {
  std::size_t bytes = 0;
  std::size_t elements = 0;
  bool exceeded = false;

  [[nodiscard]] static bool take(std::size_t& left, std::size_t amount, bool& exceeded) {
    exceeded = exceeded || amount > left;
    if (exceeded)
      return false;
    left -= amount;
    return true;
  }
};

/// Builds our replies instead of hiredis's own: that saves a copy, knows limits, and the allocation whose size 0.14
/// takes unchecked from the wire (CVE-2021-32765) is never reached. A null makes hiredis give up. No exception may
/// leave: the caller is C.
struct Parser::Builder {
  static void* put(redisReadTask const* task, Reply reply) {
    if (task->parent == nullptr)
      return new (std::nothrow) Reply(std::move(reply));
    auto& slot = static_cast<Reply*>(task->parent->obj)->array()[static_cast<std::size_t>(task->idx)];
    slot = std::move(reply);
    return &slot;
  }

  static void* make_string(redisReadTask const* task, char* text, std::size_t size) noexcept try {
    auto& budget = *static_cast<Budget*>(task->privdata);
    if (!Budget::take(budget.bytes, size, budget.exceeded))
      return nullptr;
    std::string value(text, size);
    return put(task, task->type == REDIS_REPLY_ERROR ? Reply(Reply::Refusal{.text = std::move(value)})
                                                     : Reply(std::move(value)));
  } catch (std::bad_alloc const&) {
    return nullptr;
  }

  static void* make_array(redisReadTask const* task, int elements) noexcept try {
    auto& budget = *static_cast<Budget*>(task->privdata);
    if (elements < 0 || !Budget::take(budget.elements, static_cast<std::size_t>(elements), budget.exceeded))
      return nullptr;
    return put(task, Reply(Reply::Array(static_cast<std::size_t>(elements))));
  } catch (std::bad_alloc const&) {
    return nullptr;
  }

  static void* make_integer(redisReadTask const* task, long long value) noexcept {  // NOLINT(google-runtime-int)
    return put(task, Reply(std::int64_t{value}));
  }

  static void* make_null(redisReadTask const* task) noexcept { return put(task, Reply()); }

  /// Called with outermost replies only; what they hold is theirs.
  static void destroy(void* reply) noexcept { delete static_cast<Reply*>(reply); }

  static redisReplyObjectFunctions* functions() {
    static redisReplyObjectFunctions table{.createString = &make_string,
                                           .createArray = &make_array,
                                           .createInteger = &make_integer,
                                           .createNil = &make_null,
                                           .freeObject = &destroy};
    return &table;
  }
};

void Parser::Free::operator()(redisReader* reader) const { redisReaderFree(reader); }

Parser::Parser(ReplyLimits limits)
    : limits_(limits),
      budget_(std::make_unique<Budget>(limits.bytes_max, limits.elements_max)),
      reader_(redisReaderCreateWithFunctions(Builder::functions())) {
  if (!reader_)
    throw std::bad_alloc();
  reader_->privdata = budget_.get();
}

Parser::~Parser() = default;

std::unexpected<Error> Parser::failure() const {
  if (budget_->exceeded)
    return fail(Code::unavailable, "Redis's answer is larger than the limit.");
  return fail(Code::unavailable, "The answer is not in Redis's protocol: " + std::string(reader_->errstr) + ".");
}

Result<void> Parser::feed(std::string_view bytes) {
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK)
    return failure();
  return {};
}

Result<std::optional<Reply>> Parser::next() {
  void* found = nullptr;
  if (redisReaderGetReply(reader_.get(), &found) != REDIS_OK)
    return failure();
  if (found != nullptr) {
    std::unique_ptr<Reply> const reply(static_cast<Reply*>(found));
    *budget_ = {.bytes = limits_.bytes_max, .elements = limits_.elements_max};
    return std::move(*reply);
  }
  // hiredis keeps a text that has not come to its end in its buffer, however long it says that it will be.
  if (reader_->len - reader_->pos > budget_->bytes + read_ahead_bytes_max) {
    budget_->exceeded = true;
    return failure();
  }
  return std::optional<Reply>();
}

}  // namespace al::redis
