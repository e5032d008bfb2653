#include <algorithm>

#include "http/sse.hpp"
#include "services/agent_designer/routes.hpp"
#include "services/common/credential.hpp"
#include "services/common/reply.hpp"

namespace al::services::agent_designer {
namespace {

using http::Call;
using http::Response;

constexpr std::chrono::seconds heartbeat_interval{15};
constexpr std::chrono::seconds read_timeout{30};
/// How soon a change of the row is noticed while words ring all the time.
constexpr std::chrono::milliseconds glance_interval{500};
/// And one that nobody announced.
constexpr std::chrono::seconds poll_interval{5};
/// How long the last words of a task that ran in another process are waited for when its row tells the end.
constexpr std::chrono::milliseconds last_words_timeout{500};
constexpr std::string_view stream_permission = "tasks:read";

/// Sends what there is and waits for more. `task` events carry the task each time it changed, `text` events what its
/// model writes, as it does; the last one is `end`. The words of one `answer` follow one another; another one begins
/// anew, also when its `step` is the same, as after an attempt that was cut. A task can wait and run for days: when the
/// credential no longer counts, the last one is `ended`.
class TaskStream {
 public:
  TaskStream(Stores stores, Credential reader, model::Task task)
      : stores_(stores), reader_(std::move(reader)), tenant_(reader_.principal().tenant), task_(std::move(task)) {}

  Task<void> send(http::BodyWriter& writer) {
    auto const doorbell = stores_.live.watch(co_await asio::this_coro::executor, task_.id);
    auto const fetched = task_.completed_at ? nullptr : stores_.live.fetch(tenant_, task_.id);
    co_await writer.write(event("task"));
    while (!task_.completed_at) {
      // First the row, then the words: who ends the task here has said all of them before, and they stay for a while.
      auto now = co_await stores_.tasks.get(tenant_, task_.id, Deadline::after(read_timeout));
      if (!now || !co_await may_go_on(reader_, writer))
        co_return;
      bool const is_changed = now->version != task_.version;
      task_ = std::move(*now);
      co_await send_words(writer);
      if (task_.completed_at) {
        co_await send_last_words(*doorbell, writer);
        break;
      }
      if (is_changed)
        co_await writer.write(event("task"));
      if (!co_await wait(*doorbell, writer))
        co_return;
    }
    co_await writer.write(event("end"));
  }

 private:
  [[nodiscard]] std::string event(std::string_view name) const {
    return http::sse_event({}, name, entity::to_json(task_));
  }

  std::string text_event(events::LiveText::Written const& more) {
    if (more.answer != answer_)
      offset_ = 0;
    answer_ = more.answer;
    offset_ += more.text.size();
    return http::sse_event({}, "text",
                           ObjectText()
                               .number("answer", static_cast<std::int64_t>(more.answer))
                               .number("step", more.step)
                               .text("text", more.text)
                               .done());
  }

  /// All that are there; false when there were none.
  Task<bool> send_words(http::BodyWriter& writer) {
    bool has_sent = false;
    while (auto const more = stores_.live.read(tenant_, task_.id, answer_, offset_)) {
      co_await writer.write(text_event(*more));
      has_sent = true;
    }
    co_return has_sent;
  }

  /// Until the row may have changed. While words come it is looked at now and then. False: the stream is over.
  Task<bool> wait(events::Bus::Subscription& doorbell, http::BodyWriter& writer) {
    auto const begun = std::chrono::steady_clock::now();
    for (;;) {
      auto const look_at = std::chrono::steady_clock::now() + Credential::look_interval;
      auto const rung = co_await doorbell.wait(std::min({begun + poll_interval, next_heartbeat_, look_at}));
      if (!co_await may_go_on(reader_, writer))
        co_return false;
      auto const now = std::chrono::steady_clock::now();
      if (now >= next_heartbeat_) {
        co_await writer.write(http::sse_heartbeat);
        next_heartbeat_ = now + heartbeat_interval;
      }
      bool const has_sent = co_await send_words(writer);
      if (has_sent ? now >= begun + glance_interval : rung || now >= begun + poll_interval)
        co_return true;
    }
  }

  [[nodiscard]] bool is_cut() const {
    auto const standing = stores_.live.standing(tenant_, task_.id);
    return standing && standing->is_from_afar && !standing->is_over;
  }

  /// The row can be here before the words when they take another way.
  Task<void> send_last_words(events::Bus::Subscription& doorbell, http::BodyWriter& writer) {
    auto const until = std::chrono::steady_clock::now() + last_words_timeout;
    while (is_cut() && std::chrono::steady_clock::now() < until)
      co_await doorbell.wait(until);
    co_await send_words(writer);
  }

  Stores stores_;
  Credential reader_;
  TenantId tenant_;
  model::Task task_;
  std::uint64_t answer_ = 0;
  std::size_t offset_ = 0;
  SteadyTime next_heartbeat_ = std::chrono::steady_clock::now() + heartbeat_interval;
};

Task<Result<Response>> stream(Stores stores, Call& call) {
  auto const id = task_id(call);
  if (!id)
    co_return fail(id.error());
  auto task = co_await stores.tasks.get(call.context.principal.tenant, *id, call.context.deadline);
  if (!task)
    co_return fail(std::move(task.error()));
  Response response;
  response.headers.set("Content-Type", "text/event-stream");
  response.headers.set("Cache-Control", "no-store");
  auto sent =
      std::make_shared<TaskStream>(stores, Credential(stores.authenticator, call, stream_permission), std::move(*task));
  response.body = http::BodyStream([sent](http::BodyWriter& writer) { return sent->send(writer); });
  co_return response;
}

}  // namespace

void add_task_stream_route(http::Router& router, Stores const& stores) {
  router.add({.method = http::Method::get,
              .path = "/tasks/{task_id}/stream",
              .permission = stream_permission,
              .summary = "Server-sent events: the task as it changes (task), its model's words (text), its end (end)",
              .errors = {Code::not_found},
              .handler = [stores](Call& call) { return stream(stores, call); }});
}

}  // namespace al::services::agent_designer
