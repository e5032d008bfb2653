#include "services/ai_model/token_reader.hpp"

#include <boost/json/object.hpp>

#include "core/json.hpp"
#include "providers/anthropic_format.hpp"
#include "providers/openai_format.hpp"

namespace al::services::ai_model {
namespace {

json::value const* member(json::value const* in, std::string_view name) {
  auto const* const object = in == nullptr ? nullptr : in->if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

void read_usage(providers::Kind kind, json::value const* usage, providers::Usage& tokens) {
  if (usage == nullptr)
    return;
  if (kind == providers::Kind::anthropic)
    providers::anthropic::read_usage(*usage, tokens);
  else
    providers::openai::read_usage(*usage, tokens);
}

}  // namespace

TokenReader::TokenReader(providers::Kind kind, bool is_stream) : kind_(kind), is_stream_(is_stream), scan_({"usage"}) {}

void TokenReader::feed(std::string_view piece) {
  if (!is_stream_) {
    scan_.feed(piece);
    return;
  }
  while (!piece.empty()) {
    auto const is_end = [](char c) { return c == '\n' || c == '\r'; };
    auto const end = static_cast<std::size_t>(std::ranges::find_if(piece, is_end) - piece.begin());
    auto const part = piece.substr(0, end);
    bool const is_whole = end < piece.size();
    is_skipped_ = is_skipped_ || line_.size() + part.size() > line_bytes_max;
    if (is_whole && !is_skipped_ && line_.empty()) {
      read_line(part);
    } else if (!is_skipped_) {
      line_.append(part);
      if (is_whole)
        read_line(line_);
    }
    if (is_whole || is_skipped_)
      line_.clear();
    if (is_whole)
      is_skipped_ = false;
    piece.remove_prefix(is_whole ? end + 1 : end);
  }
}

void TokenReader::read_line(std::string_view line) {
  constexpr std::string_view field = "data:";
  if (!line.starts_with(field) || !line.contains("\"usage\""))
    return;
  auto const event = json::parse(line.substr(field.size()));
  if (!event)
    return;
  read_usage(kind_, member(&*event, "usage"), tokens_);
  read_usage(kind_, member(member(&*event, "message"), "usage"), tokens_);
}

providers::Usage TokenReader::tokens() const {
  auto out = tokens_;
  if (!is_stream_ && !scan_[0].text.empty()) {
    auto const usage = json::parse(scan_[0].text);
    read_usage(kind_, usage ? &*usage : nullptr, out);
  }
  return out;
}

}  // namespace al::services::ai_model
