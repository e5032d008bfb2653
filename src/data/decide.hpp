#pragma once
/// Reading, deciding and writing under a guard, and doing so again when somebody else was faster.

#include <functional>
#include <optional>
#include <string>

#include "core/async.hpp"
#include "data/expected_version.hpp"

namespace al::data {

/// How often a decision that lost a race is made anew, when the client named no version.
inline constexpr int decisions_max = 5;

/// What a change of one row, which has a `version`, needs to be decided. All are called once a try.
template <class State, class Written>
struct Decision {
  std::string what;  ///< "the user", for messages
  std::function<Task<Result<State>>()> read;
  /// Left out where the change is in what `write` does.
  std::function<Result<void>(State&)> edit = [](State&) { return Result<void>{}; };
  /// Under the guard that the row is still at the version that was read: conflict when it is not.
  std::function<Task<Result<Written>>(State const&)> write;
};

/// Errors: version_mismatch (`expected` is not its version), conflict (it kept changing under us), those of `read`,
/// `edit` and `write`.
template <class State, class Written>
[[nodiscard]] Task<Result<Written>> decide(Decision<State, Written> decision, std::optional<std::int64_t> expected) {
  for (int i = 0; i < decisions_max; ++i) {
    auto state = co_await decision.read();
    if (!state)
      co_return fail(std::move(state.error()));
    if (auto ok = check_version(decision.what, state->version, expected); !ok)
      co_return fail(std::move(ok.error()));
    if (auto ok = decision.edit(*state); !ok)
      co_return fail(std::move(ok.error()));
    auto written = co_await decision.write(*state);
    if (written || written.error().code != Code::conflict)
      co_return written;
  }
  co_return fail(Code::conflict, decision.what + " kept changing; try again");
}

}  // namespace al::data
