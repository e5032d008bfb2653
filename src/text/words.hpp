#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "text/unicode.hpp"

namespace al::text {

/// A word of a text in lower case without accents, not yet stemmed.
struct Word {
  std::string_view folded;     ///< valid until the next call of Words::next()
  std::size_t begin = 0;       ///< where it stands in the text, in bytes
  std::uint32_t position = 0;  ///< counts the words; what belongs to one compound may share a position
  bool capital = false;        ///< begins with a capital letter
  bool whole = false;          ///< stands for a compound whose parts come beside it
};

/// Goes through the words of a text. A compound comes as its parts and, when it has two of them, as one word also:
/// `snake_case`, `CamelCase`, `fine-tuning`, `node.js`, `TLS1.3`, `CI/CD`. Numeronyms stay whole (`k8s`, `s3`); `C++`,
/// `C#` and `.NET` are words (`cplusplus`, `csharp`, `dotnet`); `1.3` is `1d3`, so that every word is alphanumeric;
/// `10,000` is `10000`. Text in Han and kana, which has no spaces, comes as overlapping pairs of characters. Single
/// letters (except the languages C and R) and single digits are left out, since they mostly mark lists and loops.
class Words {
 public:
  /// `text` must outlive this. Invalid UTF-8 separates words.
  explicit Words(std::string_view text) : text_(text) {}

  /// False at the end.
  bool next(Word&);

  /// Longer words are data (keys, hashes, pictures in base64), which nobody asks for.
  static constexpr std::size_t word_bytes_max = 64;

 private:
  struct Part {
    std::size_t begin, end;  ///< of the text
  };
  struct Queued {
    std::string folded;
    std::size_t begin = 0;
    std::uint32_t position = 0;
    bool capital = false;
    bool whole = false;
  };
  static constexpr std::size_t parts_max = 16;

  [[nodiscard]] char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  [[nodiscard]] bool word_at(std::size_t i) const;
  [[nodiscard]] bool groups_thousands(std::size_t comma) const;
  [[nodiscard]] std::size_t run_end(std::size_t begin) const;
  [[nodiscard]] std::size_t connector(std::size_t chunk, std::size_t run, std::size_t end) const;
  [[nodiscard]] std::string fold(std::size_t begin, std::size_t end) const;
  bool read_plain(Word&);
  bool read_symbolic();
  void read_compound();
  void read_ideographs();
  bool take_apostrophe(std::size_t run, std::size_t end);
  void cut(std::size_t begin, std::size_t end);
  void queue_parts();
  void queue(std::string folded, std::size_t begin, bool whole);
  bool pop(Word&);

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t position_ = 0;
  std::string plain_;
  std::array<Part, parts_max> parts_{};
  std::size_t part_count_ = 0;
  std::array<Queued, parts_max + 1> queued_{};
  std::size_t queued_count_ = 0;
  std::size_t queued_next_ = 0;
};

}  // namespace al::text
