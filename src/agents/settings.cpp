#include "agents/settings.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "agents/answer_schema.hpp"
#include "core/entity.hpp"

namespace al::agents {
namespace {

class Reader {
 public:
  explicit Reader(json::Input root) : root_(root) {}

  void text(std::string_view key, std::string& out) {
    if (auto const in = json::member(root_, key); !in.is_null()) {
      if (in.parsed->is_string())
        out = std::string(in.parsed->get_string());
      else
        fault(key, "must be a text");
    }
  }
  void whole(std::string_view key, std::int64_t& out, std::int64_t max) {
    if (auto const in = json::member(root_, key); !in.is_null()) {
      if (in.parsed->is_int64() && in.parsed->get_int64() >= 1 && in.parsed->get_int64() <= max)
        out = in.parsed->get_int64();
      else
        fault(key, "must be a whole number from 1 to " + std::to_string(max));
    }
  }
  void number(std::string_view key, std::optional<double>& out, double max) {
    if (auto const in = json::member(root_, key); !in.is_null()) {
      auto const value = in.parsed->is_number() ? in.parsed->to_number<double>() : -1;
      if (value >= 0 && value <= max)
        out = value;
      else
        fault(key, "must be a number from 0 to " + std::to_string(static_cast<int>(max)));
    }
  }
  /// Names that are no tools of ours belong to whoever wrote the config.
  void tools(Settings& out) {
    auto const in = json::member(root_, "tools");
    if (in.is_null())
      return;
    if (!in.parsed->is_array())
      return fault("tools", "must be a list of names");
    auto const has = [&](std::string_view name) {
      for (auto const& one : in.parsed->get_array()) {
        if (one.is_string() && one.get_string() == name)
          return true;
      }
      return false;
    };
    out.may_search = has("knowledge_search");
    out.may_delegate = has("delegate");
  }
  void schema(std::optional<Document>& out) {
    auto const in = json::member(root_, "answer_schema");
    if (in.is_null())
      return;
    out = Document{std::string(in.raw)};
    if (auto const usable = check_schema(*out); !usable)
      fault("answer_schema", usable.error().message);
  }
  entity::Faults take() { return std::move(faults_); }

 private:
  void fault(std::string_view key, std::string why) {
    faults_.push_back({"config." + std::string(key), std::move(why)});
  }

  json::Input root_;
  entity::Faults faults_;
};

}  // namespace

Result<Settings> read_settings(Document const& config) {
  auto const source = json::Source::from(config.text);
  if (!source)
    return fail(source.error());
  Settings out;
  Reader reader(source->root());
  reader.text("provider", out.provider);
  reader.text("system_prompt", out.system_prompt);
  reader.number("temperature", out.temperature, 2);
  reader.whole("max_tokens", out.max_tokens, 1'000'000);
  reader.whole("max_steps", out.max_steps, 100);
  reader.whole("max_total_tokens", out.max_total_tokens, 100'000'000);
  reader.tools(out);
  reader.schema(out.answer_schema);
  if (auto faults = reader.take(); !faults.empty())
    return fail(entity::invalid(std::move(faults)));
  return out;
}

}  // namespace al::agents
