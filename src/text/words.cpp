#include "text/words.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace al::text {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_ascii_word(char c) { return is_lower(c) || is_upper(c) || is_digit(c); }
bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// Names that are written in mixed case, but whose parts mean something else: JavaScript is no Java.
constexpr auto whole_names = std::to_array<std::string_view>({
    "devops",
    "fastapi",
    "github",
    "gitlab",
    "graphql",
    "javascript",
    "linkedin",
    "macos",
    "nosql",
    "tensorflow",
    "typescript",
    "youtube",
});
static_assert(std::ranges::is_sorted(whole_names));

/// Where a mixed-case name is cut before `i`: `fooBar`, `HTTPServer`, and between letters and a final number.
bool cuts_before(std::string_view run, std::size_t i) {
  auto const before = run[i - 1];
  auto const here = run[i];
  if (is_upper(here)) {
    if (is_lower(before))
      return true;
    auto const next = i + 1 < run.size() ? run[i + 1] : '\0';
    // The s of `APIs` and `VMs` is a plural, not the begin of a word.
    auto const plural = next == 's' && i + 2 >= run.size();
    return is_upper(before) && is_lower(next) && !plural;
  }
  if (!is_digit(here) || !(is_lower(before) || is_upper(before)) || i < 3)
    return false;
  return run.find_first_not_of("0123456789.", i) == std::string_view::npos;
}

}  // namespace

bool Words::word_at(std::size_t i) const {
  if (i >= text_.size())
    return false;
  if (is_ascii(text_[i]))
    return is_ascii_word(text_[i]);
  auto const kind = kind_of(decode(text_, i).code);
  return kind == Kind::letter || kind == Kind::digit;
}

bool Words::groups_thousands(std::size_t comma) const {
  return is_digit(text_[comma - 1]) && is_digit(at(comma + 1)) && is_digit(at(comma + 2)) && is_digit(at(comma + 3)) &&
         !is_digit(at(comma + 4));
}

std::size_t Words::run_end(std::size_t begin) const {
  auto i = begin;
  while (i < text_.size()) {
    auto const c = text_[i];
    auto const decimal = c == '.' && i > begin && is_digit(text_[i - 1]) && is_digit(at(i + 1));  // 1.3
    auto const thousands = c == ',' && i > begin && groups_thousands(i);                          // 10,000
    if (is_ascii_word(c) || decimal || thousands) {
      ++i;
    } else if (!is_ascii(c)) {
      auto const character = decode(text_, i);
      auto const kind = kind_of(character.code);
      if (kind != Kind::letter && kind != Kind::digit && kind != Kind::mark)
        break;
      i += character.size;
    } else {
      break;
    }
  }
  return i;
}

/// The bytes of what joins the run [run, end) of the chunk to a next one; 0 when it ends there.
std::size_t Words::connector(std::size_t chunk, std::size_t run, std::size_t end) const {
  auto const c = at(end);
  if ((c == '_' || c == '-' || c == '.') && word_at(end + 1))
    return 1;
  // A slash joins abbreviations (CI/CD, HTTP/2, A/B); in paths and choices it separates.
  if (c != '/' || run != chunk || end - run > 4 || !word_at(end + 1))
    return 0;
  auto const next_end = run_end(end + 1);
  return next_end - end - 1 <= 4 && at(next_end) != '/' && at(next_end) != '.' ? 1 : 0;
}

std::string Words::fold(std::size_t begin, std::size_t end) const {
  std::string out;
  for (auto i = begin; i < end;) {
    auto const character = decode(text_, i);
    i += character.size;
    auto const kind = kind_of(character.code);
    if (character.code == '.') {
      out += 'd';
    } else if (kind != Kind::separator && kind != Kind::mark) {
      append_folded(out, character.code);
    }
  }
  return out;
}

void Words::queue(std::string folded, std::size_t begin, bool whole) {
  if (folded.empty() || folded.size() > word_bytes_max || queued_count_ == queued_.size())
    return;
  queued_[queued_count_++] = {std::move(folded), begin, position_, is_upper(at(begin)), whole};
}

bool Words::pop(Word& word) {
  if (queued_next_ == queued_count_)
    return false;
  auto const& next = queued_[queued_next_++];
  word = {next.folded, next.begin, next.position, next.capital, next.whole};
  return true;
}

/// Nearly all words are ASCII letters between blanks; they need no cutting.
bool Words::read_plain(Word& word) {
  auto i = at_ + 1;
  while (is_lower(at(i)))
    ++i;
  auto const size = i - at_;
  auto const after = at(i);
  if (size < 2 || size > word_bytes_max || !(is_lower(text_[at_]) || is_upper(text_[at_])))
    return false;
  if (is_ascii_word(after) || !is_ascii(after) || after == '\'' || after == '_')
    return false;
  if ((after == '-' || after == '.' || after == '/') && word_at(i + 1))
    return false;
  auto const capital = is_upper(text_[at_]);
  if (capital) {
    plain_.assign(text_.substr(at_, size));
    plain_[0] = static_cast<char>(plain_[0] + 32);
  }
  word = {capital ? std::string_view(plain_) : text_.substr(at_, size), at_, position_++, capital, false};
  at_ = i;
  return true;
}

/// C++, C#, F#, .NET.
bool Words::read_symbolic() {
  auto const rest = text_.substr(at_);
  if (rest.size() >= 4 && rest[0] == '.' && !word_at(at_ + 4)) {
    if (auto const name = rest.substr(1, 3); name == "NET" || name == "Net" || name == "net") {
      queue("dotnet", at_, false);
      at_ += 4;
      return true;
    }
  }
  auto const letter = rest.empty() ? '\0' : static_cast<char>(static_cast<unsigned char>(rest[0]) | 0x20U);
  if (!is_lower(letter) || rest.size() < 2)
    return false;
  if (letter == 'c' && rest.substr(1, 2) == "++") {
    queue("cplusplus", at_, false);
    at_ += 3;
    at_ = std::max(at_, run_end(at_));  // C++17
    return true;
  }
  if ((letter == 'c' || letter == 'f') && rest[1] == '#' && !word_at(at_ + 2)) {
    queue(std::string{letter} + "sharp", at_, false);
    at_ += 2;
    return true;
  }
  return false;
}

/// Handles an apostrophe at `end`: the possessive is dropped, a contraction becomes one word ("dont").
bool Words::take_apostrophe(std::size_t run, std::size_t end) {
  auto const rest = text_.substr(end);
  std::size_t const size = rest.starts_with('\'') ? 1 : rest.starts_with("\u2019") ? 3 : 0;
  if (size == 0 || !word_at(end + size))
    return false;
  auto const ending_end = run_end(end + size);
  auto const ending = fold(end + size, ending_end);
  constexpr auto contractions = std::to_array<std::string_view>({"t", "re", "ve", "ll", "d", "m"});
  if (ending == "s") {
    at_ = ending_end;
  } else if (std::ranges::find(contractions, ending) != contractions.end()) {
    queue(fold(run, end) + ending, run, false);
    part_count_ = 0;
    at_ = ending_end;
  }
  return true;
}

void Words::cut(std::size_t begin, std::size_t end) {
  auto const add = [&](std::size_t from, std::size_t to) {
    if (part_count_ < parts_max)
      parts_[part_count_++] = {from, to};
  };
  auto const run = text_.substr(begin, end - begin);
  std::array<std::size_t, parts_max> cuts{};
  std::size_t count = 0;
  std::size_t last = 0;
  auto short_piece = false;
  for (std::size_t i = 1; i < run.size() && run.size() <= word_bytes_max; ++i) {
    if (!cuts_before(run, i) || count == cuts.size())
      continue;
    short_piece = short_piece || (i - last == 1);
    last = cuts[count++] = i;
  }
  short_piece = short_piece || (count > 0 && run.size() - last == 1 && !is_digit(run.back()));
  // iPhone, OAuth, LaTeX: a piece of one letter says that it is a name.
  if (count == 0 || short_piece || std::ranges::binary_search(whole_names, fold(begin, end)))
    return add(begin, end);
  last = 0;
  for (auto const i : std::span(cuts).first(count))
    add(begin + std::exchange(last, i), begin + i);
  add(begin + last, end);
}

void Words::queue_parts() {
  if (part_count_ == 0)
    return;
  auto const first = parts_[0].begin;
  if (part_count_ == 1) {
    auto folded = fold(first, parts_[0].end);
    auto const language = at(first) == 'C' || at(first) == 'R';
    if (folded.size() > 1 || (language && !folded.empty()))
      queue(std::move(folded), first, false);
    ++position_;
    return;
  }
  auto const start = position_;
  for (auto const& part : std::span(parts_).first(part_count_)) {
    auto folded = fold(part.begin, part.end);
    if (folded.size() > 1)
      queue(std::move(folded), part.begin, false);
    ++position_;
  }
  if (part_count_ == 2) {
    queue(fold(first, parts_[0].end) + fold(parts_[1].begin, parts_[1].end), first, true);
    if (queued_count_ > 0)
      queued_[queued_count_ - 1].position = start;
  }
}

void Words::read_compound() {
  auto const chunk = at_;
  auto run = chunk;
  part_count_ = 0;
  for (;;) {
    auto const end = run_end(run);
    cut(run, end);
    at_ = end;
    if (take_apostrophe(run, end))
      break;
    auto const step = connector(chunk, run, end);
    if (step == 0)
      break;
    run = end + step;
  }
  if (part_count_ == 0)
    ++position_;
  queue_parts();
}

void Words::read_ideographs() {
  auto const start = at_;
  auto previous = at_;
  std::size_t count = 0;
  while (at_ < text_.size() && queued_count_ < parts_max) {
    auto const character = decode(text_, at_);
    if (kind_of(character.code) != Kind::ideograph)
      break;
    if (count > 0) {
      queue(fold(previous, at_ + character.size), previous, false);
      ++position_;
    }
    previous = at_;
    at_ += character.size;
    ++count;
  }
  if (count == 1) {
    queue(fold(start, at_), start, false);
    ++position_;
  } else if (queued_count_ == parts_max) {
    at_ = previous;  // The next batch begins with the character that ended this one.
  }
}

bool Words::next(Word& word) {
  if (pop(word))
    return true;
  while (at_ < text_.size()) {
    queued_count_ = 0;
    queued_next_ = 0;
    if (read_plain(word))
      return true;
    auto const c = text_[at_];
    if (read_symbolic()) {
      ++position_;
    } else if (is_ascii(c)) {
      if (is_ascii_word(c)) {
        read_compound();
      } else {
        ++at_;
      }
    } else {
      auto const character = decode(text_, at_);
      auto const kind = kind_of(character.code);
      if (kind == Kind::ideograph) {
        read_ideographs();
      } else if (kind == Kind::letter || kind == Kind::digit) {
        read_compound();
      } else {
        at_ += character.size;
      }
    }
    if (pop(word))
      return true;
  }
  return false;
}

}  // namespace al::text
