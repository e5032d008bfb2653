#pragma once
#include <functional>

#include "agents/runner.hpp"
#include "agents/tools.hpp"
#include "http/client.hpp"
#include "providers/account.hpp"

namespace al::agents {

/// The client for calls to an account, on the executor of whoever asks. Those that came through the API may only be
/// reached at public addresses.
using ClientFor = std::function<http::Client&(asio::any_io_executor const&, providers::Account const&)>;

/// A call of a model that came to its end, for the bill.
struct UsedModel {
  Actor const& actor;
  std::string const& provider;
  std::string const& model;
  bool is_answered;
  providers::Usage tokens;
  std::chrono::microseconds took;
};

/// Asks the model, runs the tools that it calls, and asks again until it answers; without a model the agent's knowledge
/// answers alone.
class Loop final : public Runner {
 public:
  struct Parts {
    ToolStores stores;
    providers::Directory& directory;
    ClientFor client;
    std::function<void(UsedModel const&)> used;
    Clock const& clock;
    Random& random;
  };
  explicit Loop(Parts parts) : parts_(std::move(parts)) {}
  [[nodiscard]] Task<Result<providers::Answer>> run(Assignment const&, Host&, Deadline) override;

 private:
  Parts parts_;
};

}  // namespace al::agents
