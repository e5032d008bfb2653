#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace al::services::ai_model {

/// Finds a few members of the outermost object in a JSON text that comes in pieces; builds nothing, so that a body of
/// megabytes costs little more than reading it. It trusts the text: whoever answers it says whether it is valid JSON.
class MemberScan {
 public:
  static constexpr std::size_t text_bytes_max = 4096;

  struct Member {
    std::string_view name;
    int times = 0;          ///< how often it stands there; the rest is of the last one
    std::size_t begin = 0;  ///< of the value, from the begin of the whole text
    std::size_t end = 0;
    std::string text{};  ///< of the value; empty when it is longer than text_bytes_max
  };

  /// `names` must outlive it.
  explicit MemberScan(std::vector<std::string_view> const& names);

  void feed(std::string_view piece);

  /// The whole object was seen.
  [[nodiscard]] bool is_complete() const { return state_ == State::done; }
  [[nodiscard]] Member const& operator[](std::size_t index) const { return members_[index]; }

 private:
  enum class State { before, key, value, done, no_object };

  [[nodiscard]] std::size_t skip_string(std::size_t at);
  void read_mark(std::size_t at);
  void end_string(std::size_t at);
  void begin_value(std::size_t at);
  void end_value(std::size_t at);
  void take_until(std::size_t at);

  std::vector<Member> members_;
  State state_ = State::before;
  int depth_ = 0;
  bool in_string_ = false;
  bool is_escaped_ = false;   ///< the last piece ended in a backslash
  bool in_value_ = false;     ///< of the outermost object
  Member* wanted_ = nullptr;  ///< whose value it is
  std::string_view piece_;
  std::size_t offset_ = 0;  ///< of the piece in the whole text
  bool is_taking_ = false;  ///< a key, or a value that is wanted
  std::size_t from_ = 0;    ///< where in the piece it goes on
  std::string taken_;       ///< what of it came before
};

}  // namespace al::services::ai_model
