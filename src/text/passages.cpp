#include "text/passages.hpp"

#include <algorithm>
#include <cstdint>

#include "core/strings.hpp"
#include "text/unicode.hpp"

namespace al::text {
namespace {

/// How good a place is for the end of a passage.
enum class Break : std::uint8_t { none, line, paragraph, heading };

/// The smallest part that passages are made of: a line, a block of code, a piece of a long line.
struct Atom {
  std::size_t begin, end;
  Break before;
  bool leads;  ///< a heading or "…:": belongs to what follows
};

bool is_fence(std::string_view line) { return line.starts_with("```") || line.starts_with("~~~"); }

bool is_heading(std::string_view line) {
  auto const marks = line.find_first_not_of('#');
  return marks != 0 && marks != std::string_view::npos && marks <= 6 && line[marks] == ' ';
}

/// The end of the piece that begins at `begin` and has at most `max` bytes; `end` when the rest fits.
std::size_t piece_end(std::string_view text, std::size_t begin, std::size_t end, std::size_t max) {
  if (end - begin <= max)
    return end;
  auto const window = text.substr(begin, max);
  for (auto i = max; i-- > max / 3;) {
    if (window[i] == ' ' && i > 0 && std::string_view(".!?").contains(window[i - 1]))
      return begin + i + 1;
  }
  if (auto const blank = window.find_last_of(" \t"); blank != std::string_view::npos && blank > max / 3) {
    return begin + blank + 1;
  }
  auto const cut = character_start(text, begin + max);
  return cut > begin ? cut : begin + max;
}

class Splitter {
 public:
  Splitter(std::string_view text, PassageLimits const& limits) : text_(text), limits_(limits) {}

  std::vector<std::string_view> run() {
    while (at_ < text_.size())
      read_line();
    flush(atoms_.size());
    return std::move(out_);
  }

 private:
  std::string_view line_at(std::size_t begin) const {
    auto const end = text_.find('\n', begin);
    return text_.substr(begin, end == std::string_view::npos ? end : end - begin);
  }

  void read_line() {
    auto const raw = line_at(at_);
    auto const line = trimmed(raw, white_space);
    auto const begin = at_;
    at_ += std::min(raw.size() + 1, text_.size() - at_);
    if (line.empty()) {
      next_ = std::max(next_, Break::paragraph);
      return;
    }
    if (is_fence(line) && !long_code_) {
      read_fence(begin, line.substr(0, 3));
      return;
    }
    if (is_fence(line))
      long_code_ = false;
    auto const heading = is_heading(line);
    auto const leads = heading || (line.size() <= 200 && line.ends_with(':'));
    if (heading)
      next_ = Break::heading;
    add_long(begin, begin + raw.size(), leads);
  }

  /// `begin` is where the line of the opening fence begins. When the block is too long, its lines are ordinary ones.
  void read_fence(std::size_t begin, std::string_view mark) {
    auto end = at_;
    auto closed = false;
    while (end < text_.size() && !closed && end - begin <= limits_.code_large) {
      auto const line = line_at(end);
      closed = trimmed(line, white_space).starts_with(mark);
      end = std::min(end + line.size() + 1, text_.size());
    }
    if (!closed || end - begin > limits_.code_large) {
      long_code_ = true;
      add_long(begin, at_, true);
      return;
    }
    at_ = end;
    add({begin, end, next_, false});
    next_ = Break::line;
  }

  void add_long(std::size_t begin, std::size_t end, bool leads) {
    while (begin < end) {
      auto const piece = piece_end(text_, begin, end, limits_.large);
      add({begin, piece, next_, leads && piece == end});
      next_ = Break::none;
      begin = piece;
    }
    next_ = leads ? Break::none : Break::line;
  }

  void add(Atom atom) {
    if (!atoms_.empty()) {
      // What a lead-in leads to stays with it, even over an empty line; a heading begins anew all the same.
      if (atoms_.back().leads && atom.before < Break::heading)
        atom.before = Break::none;
      auto const size = atom.end - atoms_.front().begin;
      auto const large_enough = atoms_.back().end - atoms_.front().begin >= limits_.small;
      if (atom.before >= Break::paragraph && large_enough) {
        flush(atoms_.size());
      } else if (size > limits_.large) {
        flush(best_end());
        // A remainder of lead-ins may still be too long together with a large atom.
        if (!atoms_.empty() && atom.end - atoms_.front().begin > std::max(limits_.large, limits_.code_large)) {
          flush(atoms_.size());
        }
      }
    }
    atoms_.push_back(atom);
  }

  /// The number of atoms to close a full passage with: lead-ins at its end move on to the next one.
  std::size_t best_end() const {
    auto count = atoms_.size();
    while (count > 0 && atoms_[count - 1].leads)
      --count;
    return count == 0 ? atoms_.size() : count;
  }

  void flush(std::size_t count) {
    if (count == 0)
      return;
    auto const begin = atoms_.front().begin;
    auto const passage = trimmed(text_.substr(begin, atoms_[count - 1].end - begin), white_space);
    if (!passage.empty())
      out_.push_back(passage);
    atoms_.erase(atoms_.begin(), atoms_.begin() + static_cast<std::ptrdiff_t>(count));
  }

  std::string_view text_;
  PassageLimits limits_;
  std::size_t at_ = 0;
  Break next_ = Break::paragraph;
  bool long_code_ = false;  ///< inside of a block that is split; its closing fence opens nothing
  std::vector<Atom> atoms_;
  std::vector<std::string_view> out_;
};

}  // namespace

std::vector<std::string_view> passages(std::string_view text, PassageLimits const& limits) {
  return Splitter(text, limits).run();
}

std::string_view shortened(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max)
    return text;
  auto const front = text.substr(0, bytes_max);
  if (auto const line = front.rfind('\n'); line != std::string_view::npos && line > bytes_max / 2) {
    return trimmed(front.substr(0, line), white_space);
  }
  // A piece has at least one byte; here a character that does not fit is left out.
  return trimmed(text.substr(0, character_start(text, piece_end(text, 0, text.size(), bytes_max))), white_space);
}

}  // namespace al::text
