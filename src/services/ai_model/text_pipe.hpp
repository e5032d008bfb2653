#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "core/async.hpp"
#include "http/message.hpp"

namespace al::services::ai_model {

/// What is on its way from someone who produces it to a client who reads it as fast as it can. One executor's.
class TextPipe {
 public:
  /// `silence` is written when nothing else was for a while, so that proxies do not close the stream.
  TextPipe(asio::any_io_executor executor, std::string_view silence) : more_(executor), silence_(silence) {}

  void push(std::string_view piece);

  /// Runs `produce` and writes what it pushes until it ends. When the client leaves, `produce` is cancelled.
  [[nodiscard]] Task<void> run(Task<void> produce, http::BodyWriter& writer);

 private:
  [[nodiscard]] Task<void> finish(Task<void> produce);
  [[nodiscard]] Task<void> drain(http::BodyWriter& writer);

  asio::steady_timer more_;
  std::string_view silence_;
  std::string waiting_;
  bool is_over_ = false;
};

}  // namespace al::services::ai_model
