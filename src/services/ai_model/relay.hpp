#pragma once
#include <memory>
#include <string>

#include "http/client.hpp"
#include "services/ai_model/routes.hpp"
#include "services/ai_model/token_reader.hpp"

namespace al::services::ai_model {

/// One call to a provider, from the request to the end of the answer, however it ends: then it is counted. It lives on
/// the executor of the caller's connection.
class Relay {
 public:
  /// `call` says whom it is counted for. The account must outlive send().
  Relay(Usage&, providers::Kind, UsedCall call);
  ~Relay();
  Relay(Relay const&) = delete;
  Relay& operator=(Relay const&) = delete;

  /// Errors: those of http::Client::open().
  [[nodiscard]] Task<Result<void>> send(http::Client&, http::Method, std::string url, http::Headers, std::string body);

  /// The answer for the caller, its body as the provider sends it: at once when it is a stream or large, else when it
  /// is whole. Errors: unavailable, timed_out. Call once, after send().
  [[nodiscard]] static Task<Result<http::Response>> answer(std::shared_ptr<Relay>);

 private:
  [[nodiscard]] Task<Result<std::string_view>> read();
  [[nodiscard]] Task<void> pass_on(http::BodyWriter& writer, std::string const& begin);

  Usage& usage_;
  UsedCall call_;
  providers::Kind kind_;
  SteadyTime started_;
  std::unique_ptr<http::Incoming> incoming_;
  std::optional<TokenReader> tokens_;
};

}  // namespace al::services::ai_model
