#include "core/fault.hpp"
#include "core/log.hpp"
#include "providers/remote.hpp"
#include "services/ai_model/chats.hpp"
#include "services/ai_model/protocol.hpp"
#include "services/ai_model/text_pipe.hpp"
#include "services/common/reply.hpp"

namespace al::services::ai_model {

enum class ModelType { chat, completion };
BOOST_DESCRIBE_ENUM(ModelType, chat, completion)

struct InferenceRequest {
  std::string prompt;
  std::string model_id;
  ModelType model_type = ModelType::chat;
  std::optional<SessionId> session_id;
  std::optional<double> temperature;
  std::int64_t max_tokens = 2048;
  bool stream = false;
  bool include_context = true;
};
BOOST_DESCRIBE_STRUCT(InferenceRequest, (),
                      (prompt, model_id, model_type, session_id, temperature, max_tokens, stream, include_context))

constexpr auto describe(std::type_identity<InferenceRequest>) {
  using namespace entity;
  using R = InferenceRequest;
  return about(
      "InferenceRequest", "", "A question to a model.", field<&R::prompt>("What is asked.", {.min = 1, .max = 200'000}),
      field<&R::model_id>("A model as GET /models names it; the first provider's default when left out.",
                          {.max = 200, .defaulted = true}),
      field<&R::model_type>("Both are asked in the same way.", {.defaulted = true}),
      field<&R::session_id>("A conversation that remembers question and answer."),
      field<&R::temperature>("0 to 2; newer models refuse any."),
      field<&R::max_tokens>("Longest answer.", {.min = 1, .max = 1'000'000, .defaulted = true}),
      field<&R::stream>("Lines of JSON: stream_chunk as it is written, then stream_end or error.", {.defaulted = true}),
      field<&R::include_context>("The model is told what the session remembers.", {.defaulted = true}));
}

struct InferenceAnswer {
  std::string model_id;
  std::string response;
  std::int64_t tokens_used = 0;
  std::int64_t latency_ms = 0;
  bool cached = false;
};
BOOST_DESCRIBE_STRUCT(InferenceAnswer, (), (model_id, response, tokens_used, latency_ms, cached))

constexpr auto describe(std::type_identity<InferenceAnswer>) {
  using namespace entity;
  using A = InferenceAnswer;
  return about("InferenceAnswer", "", "What a model answers.", field<&A::model_id>("The model, as it names itself."),
               field<&A::response>("Its words."), field<&A::tokens_used>("Read and written."),
               field<&A::latency_ms>("How long it took, in milliseconds."), field<&A::cached>("Always false."));
}

namespace {

using http::Call;
using http::Response;

struct Inference {
  Chats chats;
  Actor actor;
  std::string request_id;
  InferenceRequest wanted;
  std::shared_ptr<providers::Accounts const> accounts;  // the choice points into it
  providers::Choice choice;
  std::vector<providers::Message> history;
};

/// What came of it, and how long it took.
struct Inferred {
  providers::Answer answer;
  std::chrono::milliseconds took{};
};

Task<Result<Inferred>> infer(Inference const& task, providers::OnText on_text, Deadline deadline) {
  auto const begun = std::chrono::steady_clock::now();
  auto const& account = *task.choice.account;
  auto& client = task.chats.models.clients.client_for(account, co_await asio::this_coro::executor);
  auto const model = providers::chat_model({client, task.chats.clock, task.chats.random}, account);
  providers::ChatRequest request{.model = task.choice.model, .messages = task.history};
  request.messages.push_back({.text = task.wanted.prompt});
  request.max_output_tokens = task.wanted.max_tokens;
  request.temperature = task.wanted.temperature;
  auto said = co_await model->chat(request, deadline, std::move(on_text));
  auto const took = std::chrono::steady_clock::now() - begun;
  auto const usage = said && said->usage ? *said->usage : providers::Usage{};
  task.chats.models.usage.add({.tenant = task.actor.tenant,
                               .principal = task.actor.user_id,
                               .provider = account.id,
                               .model = task.choice.model,
                               .status = said ? 200 : 0,
                               .tokens = usage,
                               .to_first_byte = took});
  if (!said)
    co_return fail(for_caller(std::move(said.error())));
  Inferred out;
  out.took = std::chrono::duration_cast<std::chrono::milliseconds>(took);
  out.answer.text = std::move(said->message.text);
  out.answer.provider = account.id;
  out.answer.model = said->model.empty() ? task.choice.model : said->model;
  out.answer.input_tokens = usage.input_tokens;
  out.answer.output_tokens = usage.output_tokens;
  if (task.wanted.session_id) {
    auto kept =
        co_await remember(task.chats, task.actor, *task.wanted.session_id, task.wanted.prompt, out.answer, deadline);
    if (!kept)
      co_return fail(std::move(kept.error()));
  }
  co_return out;
}

std::int64_t tokens_of(providers::Answer const& answer) { return answer.input_tokens + answer.output_tokens; }

std::string line(ObjectText object) { return object.done() + "\n"; }

Task<void> stream_answer(Inference const& task, TextPipe& pipe) {
  auto const& model = task.choice.model;
  Error error{.code = Code::unavailable, .message = "a part of the platform could not be reached; try again"};
  try {
    auto const on_text = [&](std::string_view piece) {
      pipe.push(line(ObjectText().text("type", "stream_chunk").text("content", piece).text("model_id", model)));
      return true;
    };
    auto const said = co_await infer(task, on_text, Deadline::after(answer_time_max));
    if (said) {
      pipe.push(line(ObjectText()
                         .text("type", "stream_end")
                         .text("model_id", said->answer.model)
                         .number("tokens_used", tokens_of(said->answer))));
      co_return;
    }
    error = said.error();
  } catch (Fault const& fault) {
    log::warning("an inference met a fault", {{"reason", fault.what()}});
  }
  auto const problem = std::get<std::string>(http::problem(error, task.request_id).body);
  pipe.push(line(ObjectText().text("type", "error").raw("error", problem)));
}

Response streamed(std::shared_ptr<Inference const> task) {
  Response response;
  response.headers.set("Content-Type", "application/x-ndjson");
  response.headers.set("Cache-Control", "no-store");
  response.body = http::BodyStream([task](http::BodyWriter& writer) -> Task<void> {
    TextPipe pipe(co_await asio::this_coro::executor, "\n");
    co_await pipe.run(stream_answer(*task, pipe), writer);
  });
  return response;
}

/// Finds the model and what was said before. Errors: not_found, invalid.
Task<Result<void>> prepare(Inference& task, Deadline deadline) {
  task.accounts = co_await task.chats.models.directory.accounts(task.actor.tenant, deadline);
  if (task.wanted.model_id == providers::extractive)
    co_return fail(
        entity::invalid({{"model_id", "extractive is no model that can be asked; give the task to an agent"}}));
  auto choice = providers::choose_account(*task.accounts, {}, task.wanted.model_id);
  if (!choice || !choice->account)
    co_return fail(Code::invalid,
                   "no model is configured: set OPENAI_API_KEY, OPENAI_BASE_URL or ANTHROPIC_API_KEY, "
                   "or register a provider");
  task.choice = std::move(*choice);
  if (!task.wanted.session_id)
    co_return Result<void>{};
  auto session = co_await session_of(task.chats, task.actor, task.wanted.session_id->value, deadline);
  if (!session)
    co_return fail(std::move(session.error()));
  if (!task.wanted.include_context)
    co_return Result<void>{};
  auto turns = co_await turns_of(task.chats, task.actor, session->id, deadline);
  if (!turns)
    co_return fail(std::move(turns.error()));
  task.history = std::move(*turns);
  co_return Result<void>{};
}

Task<Result<Response>> inference(Chats chats, Call& call) {
  auto wanted = entity::from_json<InferenceRequest>(call.body());
  if (!wanted)
    co_return fail(std::move(wanted.error()));
  if (wanted->temperature && (*wanted->temperature < 0 || *wanted->temperature > 2))
    co_return fail(entity::invalid({{"temperature", "must be a number from 0 to 2"}}));
  auto task = std::make_shared<Inference>(
      Inference{chats, call.context.actor(), call.context.request_id, std::move(*wanted), {}, {}, {}});
  if (auto ready = co_await prepare(*task, call.context.deadline); !ready)
    co_return fail(std::move(ready.error()));
  if (task->wanted.stream)
    co_return streamed(std::move(task));
  auto const said = co_await infer(*task, {}, call.context.deadline);
  if (!said)
    co_return fail(said.error());
  co_return described_response(200, InferenceAnswer{.model_id = said->answer.model,
                                                    .response = said->answer.text,
                                                    .tokens_used = tokens_of(said->answer),
                                                    .latency_ms = said->took.count()});
}

}  // namespace

void add_inference_routes(http::Router& router, Chats const& chats) {
  router.add({.method = http::Method::post,
              .path = "/inference",
              .permission = "models:use",
              .summary = "Ask a model",
              .takes = http::Body::json,
              .request = &entity::entity<InferenceRequest>(),
              .response = &entity::entity<InferenceAnswer>(),
              .errors = {Code::not_found, Code::too_many_requests, Code::unavailable, Code::timed_out},
              .idempotent_key = false,
              .time_max = answer_time_max,
              .ends_with_client = true,
              .handler = [chats](Call& call) { return inference(chats, call); }});
}

}  // namespace al::services::ai_model
