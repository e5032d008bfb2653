#include "http/sse.hpp"

#include "core/fault.hpp"

namespace al::http {
namespace {

constexpr std::size_t event_bytes_max = 4 << 20;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

// Takes the first line off `text`; it ends with CR LF, LF or CR.
std::string_view take_line(std::string_view& text) {
  auto const end = text.find_first_of("\r\n");
  auto const line = text.substr(0, end);
  if (end == text.npos) {
    text = {};
  } else {
    text.remove_prefix(end + (text.substr(end, 2) == "\r\n" ? 2 : 1));
  }
  return line;
}

// `id` and `event` are one line by their nature; what would break the line is left out.
void append_line(std::string& out, std::string_view field, std::string_view value) {
  out.append(field).append(": ");
  for (char const c : value) {
    if (c != '\r' && c != '\n' && c != '\0')
      out.push_back(c);
  }
  out.push_back('\n');
}

}  // namespace

std::string sse_event(std::string_view id, std::string_view name, std::string_view data) {
  std::string out;
  out.reserve(data.size() + id.size() + name.size() + 32);
  if (!id.empty())
    append_line(out, "id", id);
  if (!name.empty())
    append_line(out, "event", name);
  auto const ends_with_break = data.ends_with('\n') || data.ends_with('\r');
  do {
    out.append("data: ").append(take_line(data)).push_back('\n');
  } while (!data.empty());
  // A reader joins the lines again with one break fewer than there are lines.
  if (ends_with_break)
    out.append("data: \n");
  out.push_back('\n');
  return out;
}

void SseParser::feed(std::string_view piece) {
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    searched_ -= begin_;
    begin_ = 0;
  }
  if (!started_) {
    // The mark may itself come in pieces, so it is looked for when enough bytes are there to tell.
    buffer_.append(piece);
    if (buffer_.size() < byte_order_mark.size() && byte_order_mark.starts_with(buffer_))
      return;
    started_ = true;
    if (buffer_.starts_with(byte_order_mark))
      buffer_.erase(0, byte_order_mark.size());
  } else {
    buffer_.append(piece);
  }
}

// Finds the empty line that ends an event. A CR that is the last byte we have may be half of a CR LF, so it waits.
bool SseParser::find_end(std::size_t& end, std::size_t& after) {
  while (scanned_ < buffer_.size()) {
    auto const line_start = scanned_;
    auto const line_end = buffer_.find_first_of("\r\n", std::max(line_start, searched_));
    if (line_end == buffer_.npos) {
      searched_ = buffer_.size();
      return false;
    }
    if (buffer_[line_end] == '\r' && line_end + 1 == buffer_.size()) {
      searched_ = line_end;
      return false;
    }
    auto const pair = buffer_[line_end] == '\r' && buffer_[line_end + 1] == '\n';
    scanned_ = line_end + (pair ? 2 : 1);
    searched_ = scanned_;
    if (line_end == line_start) {
      end = line_start;
      after = scanned_;
      return true;
    }
  }
  return false;
}

std::optional<SseEvent> SseParser::next() {
  if (!started_)
    return std::nullopt;
  std::size_t end = 0;
  std::size_t after = 0;
  while (find_end(end, after)) {
    if (end - begin_ > event_bytes_max)
      throw Fault("a server-sent event is larger than 4 MiB");
    auto event = read(std::string_view(buffer_).substr(begin_, end - begin_));
    begin_ = after;
    if (event)
      return event;
  }
  if (buffer_.size() - begin_ > event_bytes_max)
    throw Fault("a server-sent event is larger than 4 MiB");
  return std::nullopt;
}

std::optional<SseEvent> SseParser::read(std::string_view block) {
  SseEvent event;
  bool has_data = false;
  while (!block.empty()) {
    auto const line = take_line(block);
    auto const colon = line.find(':');
    if (colon == 0)
      continue;  // A comment, such as the heartbeat.
    auto const field = line.substr(0, colon);
    auto value = colon == line.npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' '))
      value.remove_prefix(1);
    if (field == "data") {
      if (has_data)
        event.data.push_back('\n');
      event.data.append(value);
      has_data = true;
    } else if (field == "event") {
      event.name = value;
    } else if (field == "id" && value.find('\0') == value.npos) {
      last_id_ = value;
    }
  }
  event.id = last_id_;
  if (!has_data)
    return std::nullopt;
  return event;
}

}  // namespace al::http
