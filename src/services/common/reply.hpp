#pragma once
/// What the handlers of every role share: paging parameters in, lists and messages out.

#include <string>
#include <string_view>
#include <vector>

#include "core/entity.hpp"
#include "data/page.hpp"
#include "data/row_cache.hpp"
#include "http/router.hpp"

namespace al::services {

/// `limit`, `cursor` and `count`, as every list takes them.
[[nodiscard]] std::vector<http::Parameter> list_parameters(std::vector<http::Parameter> more = {});
/// Errors: invalid, naming the parameter.
[[nodiscard]] Result<data::PageRequest> page_request(http::Call const&);

/// What `Cache-Control: no-cache` asks for.
[[nodiscard]] data::Freshness freshness(http::Call const&);

/// The id of what a call makes in `store`: its key's, when it has one.
template <class Store>
[[nodiscard]] auto id_for_new(http::Call const& call, Store& store) {
  return call.made_id.empty() ? store.new_id() : decltype(store.new_id()){call.made_id};
}

/// What a call answers that has nothing else to say.
struct Message {
  std::string message;
};
BOOST_DESCRIBE_STRUCT(Message, (), (message))

constexpr auto describe(std::type_identity<Message>) {
  return entity::about("Message", "", "What was done.", entity::field<&Message::message>("For people."));
}

/// Builds a JSON object member by member, in order.
class ObjectText {
 public:
  ObjectText() = default;
  /// Goes on after the members of `head`.
  template <entity::Described Head>
  explicit ObjectText(Head const& head) : out_(entity::to_json(head)) {
    out_.pop_back();
  }
  ObjectText& raw(std::string_view key, std::string_view json);
  ObjectText& text(std::string_view key, std::string_view value);
  ObjectText& number(std::string_view key, std::int64_t value);
  [[nodiscard]] std::string done() { return std::move(out_) + "}"; }

 private:
  std::string out_ = "{";
};

template <entity::Described T>
[[nodiscard]] std::string array_text(std::vector<T> const& items) {
  std::string out = "[";
  for (auto const& item : items) {
    if (out.size() > 1)
      out += ',';
    entity::write_json(entity::entity<T>(), &item, out);
  }
  return out + "]";
}

/// {key: [...], count, next_cursor, total?}, after what `head` holds already, which the route's `head` describes;
/// next_cursor is null on the last page.
template <entity::Described T>
[[nodiscard]] http::Response list_response(std::string_view key, data::Page<T> const& page, ObjectText head = {}) {
  head.raw(key, array_text(page.items)).number("count", std::ssize(page.items));
  if (page.next_cursor.empty()) {
    head.raw("next_cursor", "null");
  } else {
    head.text("next_cursor", page.next_cursor);
  }
  if (page.total)
    head.number("total", *page.total);
  return http::json_response(200, head.done());
}

template <entity::Described T>
[[nodiscard]] http::Response described_response(int status, T const& answer) {
  return http::json_response(status, entity::to_json(answer));
}

[[nodiscard]] http::Response message_response(std::string_view message);

/// What went wrong in a stream of server-sent events, as event `name`; its data is as of the WebSocket's errors. An
/// empty `id` leaves the client's place as it is.
[[nodiscard]] std::string error_event(std::string_view id, std::string_view name, std::string_view code,
                                      std::string_view message);
/// The last event of a stream that its client may not have any more: `ended`.
[[nodiscard]] std::string ended_event(Error const&);

/// What is looked for: 1 to 200 characters; empty without the parameter. Errors: invalid, naming it.
[[nodiscard]] Result<std::string> query_text(http::Call const&, std::string_view name);

/// A required or optional slug in the query. Errors: invalid, naming it.
[[nodiscard]] Result<std::optional<AgentId>> query_agent(http::Call const&, std::string_view name = "agent_id");

}  // namespace al::services
