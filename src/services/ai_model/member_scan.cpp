#include "services/ai_model/member_scan.hpp"

#include <algorithm>

#include "core/json.hpp"

namespace al::services::ai_model {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

bool is_mark(char c) { return c == '"' || c == '{' || c == '}' || c == '[' || c == ']'; }

/// A provider reads "mod\u0065l" as "model", so we must as well.
std::string unescaped(std::string const& key) {
  if (!key.contains('\\'))
    return key;
  auto const read = json::parse('"' + key + '"');
  return read ? std::string(read->as_string()) : key;
}

}  // namespace

MemberScan::MemberScan(std::vector<std::string_view> const& names) {
  members_.reserve(names.size());
  for (auto const name : names)
    members_.push_back({.name = name});
}

void MemberScan::feed(std::string_view piece) {
  piece_ = piece;
  from_ = 0;
  std::size_t at = 0;
  while (at < piece.size() && state_ != State::done && state_ != State::no_object) {
    if (in_string_) {
      at = skip_string(at);
      continue;
    }
    if (depth_ > 1) {
      // Deeper down only what ends it matters.
      while (at < piece.size() && !is_mark(piece[at]))
        ++at;
      if (at == piece.size())
        break;
    }
    read_mark(at);
    ++at;
  }
  if (is_taking_)
    take_until(piece.size());
  offset_ += piece.size();
}

// Answers where to go on. The end of a string is looked for once, however many escapes stand before it.
std::size_t MemberScan::skip_string(std::size_t at) {
  if (is_escaped_) {
    is_escaped_ = false;
    ++at;
  }
  auto quote = piece_.find('"', at);
  for (;;) {
    auto const slash = piece_.substr(0, quote).find('\\', at);
    if (slash == piece_.npos)
      break;
    at = slash + 2;
    is_escaped_ = at > piece_.size();
    if (at >= piece_.size())
      return piece_.size();
    if (at > quote)
      quote = piece_.find('"', at);
  }
  if (quote == piece_.npos)
    return piece_.size();
  in_string_ = false;
  if (depth_ == 1)
    end_string(quote);
  return quote + 1;
}

void MemberScan::read_mark(std::size_t at) {
  char const c = piece_[at];
  if (depth_ == 0) {
    if (c == '{') {
      depth_ = 1;
      state_ = State::key;
    } else if (!is_space(c)) {
      state_ = State::no_object;
    }
    return;
  }
  bool const is_outermost = depth_ == 1;
  if (is_outermost && (c == '}' || c == ',' || is_space(c)))
    end_value(at);
  if (is_outermost && c == ':')
    state_ = State::value;
  if (is_outermost && c == ',')
    state_ = State::key;
  if (is_outermost && state_ == State::value && c != ':' && c != '}' && !is_space(c))
    begin_value(at);
  if (c == '"') {
    in_string_ = true;
    if (is_outermost && state_ == State::key) {
      taken_.clear();
      is_taking_ = true;
      from_ = at + 1;
    }
  } else if (c == '{' || c == '[') {
    ++depth_;
  } else if (c == '}' || c == ']') {
    if (--depth_ == 0)
      state_ = State::done;
    if (depth_ == 1)
      end_value(at + 1);
  }
}

void MemberScan::end_string(std::size_t at) {
  if (state_ == State::value) {
    end_value(at + 1);
    return;
  }
  take_until(at);
  is_taking_ = false;
  auto const found = std::ranges::find(members_, std::string_view(unescaped(taken_)), &Member::name);
  wanted_ = found == members_.end() ? nullptr : &*found;
}

void MemberScan::begin_value(std::size_t at) {
  if (in_value_)
    return;
  in_value_ = true;
  if (wanted_ == nullptr)
    return;
  ++wanted_->times;
  wanted_->begin = offset_ + at;
  taken_.clear();
  is_taking_ = true;
  from_ = at;
}

void MemberScan::end_value(std::size_t at) {
  if (!in_value_)
    return;
  in_value_ = false;
  if (wanted_ == nullptr)
    return;
  take_until(at);
  is_taking_ = false;
  wanted_->end = offset_ + at;
  wanted_->text = taken_.size() > text_bytes_max ? std::string() : std::move(taken_);
  wanted_ = nullptr;
}

// Keeps one byte more than is allowed at most: that tells what is too long.
void MemberScan::take_until(std::size_t at) {
  auto const room = text_bytes_max + 1 - std::min(taken_.size(), text_bytes_max + 1);
  taken_.append(piece_.substr(from_, std::min(at - from_, room)));
  from_ = at;
}

}  // namespace al::services::ai_model
