#include "events/cursor.hpp"

#include <charconv>

namespace al::events {

namespace {

using storage::Dialect;

constexpr std::size_t snapshot_bytes_max = 4096;

/// Digits only; from_chars would take a minus.
bool parse_number(std::string_view text, std::int64_t& out) {
  auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  return ec == std::errc{} && end == text.data() + text.size() && !text.starts_with('-');
}

/// Takes the text before the next `mark` off `rest`; false when there is none.
bool take_until(std::string_view& rest, char mark, std::string_view& out) {
  auto const end = rest.find(mark);
  if (end == rest.npos)
    return false;
  out = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return true;
}

/// As pg_snapshot's own text: "xmin:xmax:xip,xip,…" with 1 <= xmin <= xmax < 2^63 and xmin <= xip < xmax, rising.
/// PostgreSQL answers anything else with an error that looks like a fault of ours.
bool is_snapshot(std::string_view text) {
  std::string_view xmin_text, xmax_text;
  std::int64_t xmin = 0;
  std::int64_t xmax = 0;
  if (text.size() > snapshot_bytes_max || !take_until(text, ':', xmin_text) || !take_until(text, ':', xmax_text))
    return false;
  if (!parse_number(xmin_text, xmin) || !parse_number(xmax_text, xmax) || xmin < 1 || xmin > xmax)
    return false;
  if (text.empty())
    return true;
  auto least = xmin;
  for (bool is_last = false; !is_last;) {
    std::string_view xip_text;
    is_last = !take_until(text, ',', xip_text);
    std::int64_t xip = 0;
    if (!parse_number(is_last ? text : xip_text, xip) || xip < least || xip >= xmax)
      return false;
    least = xip + 1;
  }
  return true;
}

std::unexpected<Error> refuse() {
  return fail(Code::invalid, "the resume token is none of this server's; hand back one as it came, or leave it out");
}

}  // namespace

std::string unseen_by(std::string const& xid, std::string const& snapshot) {
  auto const taken = snapshot + "::text::pg_snapshot";
  return " (" + xid + " >= pg_snapshot_xmax(" + taken + ") OR " + xid + " = ANY (ARRAY(SELECT pg_snapshot_xip(" +
         taken + ")))) ";
}

std::string to_token(Dialect dialect, Cursor const& c) {
  if (dialect == Dialect::sqlite)
    return "s." + std::to_string(c.seq);
  return "p." + c.seen + "." + c.page + "." + std::to_string(c.seq);
}

Result<Cursor> parse_token(Dialect dialect, std::string_view token) {
  if (!token.starts_with(dialect == Dialect::sqlite ? "s." : "p."))
    return refuse();
  auto rest = token.substr(2);
  Cursor c;
  if (dialect == Dialect::postgres) {
    std::string_view seen, page;
    if (!take_until(rest, '.', seen) || !take_until(rest, '.', page))
      return refuse();
    if (!is_snapshot(seen) || !(page.empty() || is_snapshot(page)))
      return refuse();
    c.seen = seen;
    c.page = page;
  }
  if (!parse_number(rest, c.seq))
    return refuse();
  return c;
}

std::string to_place(std::int64_t seq) { return "b." + std::to_string(seq); }

Result<std::int64_t> parse_place(std::string_view token) {
  std::int64_t seq = 0;
  if (!token.starts_with("b.") || !parse_number(token.substr(2), seq))
    return refuse();
  return seq;
}

std::string bounded_by(Dialect dialect, std::string const& token, std::string const& whole) {
  auto cursor = parse_token(dialect, token);
  auto const end = parse_token(dialect, whole);
  // A page that is cut already has its end.
  if (dialect == Dialect::sqlite || !cursor || !end || !cursor->page.empty() || !end->page.empty())
    return token;
  cursor->page = end->seen;
  cursor->seq = 0;
  return to_token(dialect, *cursor);
}

}  // namespace al::events
