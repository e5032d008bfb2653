#pragma once
/// Ids are their own types, so that a swapped argument does not compile.

#include <chrono>
#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "core/random.hpp"
#include "core/time.hpp"

namespace al {

/// `Tag::kind` says what the text must look like; the description engine checks it on the way in.
enum class IdKind { slug, uuid, text };

template <class Tag>
struct Id {
  static constexpr IdKind kind = Tag::kind;
  std::string value;

  Id() = default;
  explicit Id(std::string text) : value(std::move(text)) {}
  explicit Id(std::string_view text) : value(text) {}
  explicit Id(char const* text) : value(text) {}
  auto operator<=>(Id const&) const = default;
};

struct TenantTag {
  static constexpr IdKind kind = IdKind::slug;
};
struct AgentTag {
  static constexpr IdKind kind = IdKind::slug;
};
struct TaskTag {
  static constexpr IdKind kind = IdKind::uuid;
};
struct KnowledgeTag {
  static constexpr IdKind kind = IdKind::text;
};
struct EventTag {
  static constexpr IdKind kind = IdKind::uuid;
};
struct WorkerTag {
  static constexpr IdKind kind = IdKind::uuid;
};
struct SessionTag {
  static constexpr IdKind kind = IdKind::uuid;
};

using TenantId = Id<TenantTag>;
using AgentId = Id<AgentTag>;
using TaskId = Id<TaskTag>;
using KnowledgeId = Id<KnowledgeTag>;
using EventId = Id<EventTag>;
using WorkerId = Id<WorkerTag>;
using SessionId = Id<SessionTag>;

/// The tenant that exists from the first start.
inline TenantId const default_tenant{"default"};

/// A lower-case UUIDv7 (RFC 9562): sorted by time, so that inserts land at the end of their index.
[[nodiscard]] std::string uuid_v7(Clock const&, Random&);
/// The least UUIDv7 of the millisecond that lies `back` before that of `id`.
[[nodiscard]] std::string uuid_v7_before(std::string_view id, std::chrono::milliseconds back);
/// Any version, either case.
[[nodiscard]] bool is_uuid(std::string_view);
/// As it is stored: in lower case.
[[nodiscard]] std::string normal_uuid(std::string_view);

/// `[a-z0-9][a-z0-9_-]{0,49}`: what an agent or tenant may be called.
[[nodiscard]] bool is_slug(std::string_view);

/// 1 to 255 bytes of UTF-8 without control characters: what a knowledge item may be called. Not "." and "..", which
/// clients and proxies take out of a path, however they are escaped.
[[nodiscard]] bool is_text_id(std::string_view);

}  // namespace al

template <class Tag>
struct std::hash<al::Id<Tag>> {
  std::size_t operator()(al::Id<Tag> const& id) const noexcept { return std::hash<std::string>{}(id.value); }
};
