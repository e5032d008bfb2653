#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "providers/account.hpp"
#include "providers/chat.hpp"
#include "services/ai_model/member_scan.hpp"

namespace al::services::ai_model {

/// Reads what an answer used, while it passes by in pieces: from `usage` of a JSON document, or of the events of a
/// stream that carry it (OpenAI: the last chunk, when the caller asked for it; Anthropic: message_start and
/// message_delta). Only those few events are parsed; of anything else it holds at most a line.
class TokenReader {
 public:
  static constexpr std::size_t line_bytes_max = 64 * 1024;  ///< of an event that is looked at

  TokenReader(providers::Kind, bool is_stream);

  void feed(std::string_view piece);
  /// What is known by now. Input counts what was written to and read from a cache, too.
  [[nodiscard]] providers::Usage tokens() const;

 private:
  void read_line(std::string_view line);

  providers::Kind kind_;
  bool is_stream_;
  MemberScan scan_;
  std::string line_;         ///< the begin of a line that is not whole yet
  bool is_skipped_ = false;  ///< the line is longer than any that is looked at
  providers::Usage tokens_;
};

}  // namespace al::services::ai_model
