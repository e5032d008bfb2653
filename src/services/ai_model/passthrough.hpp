#pragma once
/// How a request finds its provider. Pure.

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "providers/account.hpp"

namespace al::services::ai_model {

/// The account that answers, and the model under the name that it has there.
struct Target {
  providers::Account const* account = nullptr;
  std::string model;
};

/// Of the accounts that speak this protocol, the first that maps the name; else the first that knows it as one of its
/// own; else the first, which gets the name as it is. Errors: not_found, saying what to configure.
[[nodiscard]] Result<Target> find_target(providers::Accounts const&, providers::Kind, std::string_view model);

/// Reads the model's name from a request body and replaces it there, leaving every other byte as it is.
class ModelName {
 public:
  /// Errors: bad_request (no JSON object, or one that names the model twice: two readers could see two models).
  [[nodiscard]] static Result<ModelName> in(std::string_view body);

  /// Empty when the body names none, or no text.
  [[nodiscard]] std::string const& text() const { return text_; }
  void replace(std::string& body, std::string_view name) const;

 private:
  std::string text_;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
};

}  // namespace al::services::ai_model
