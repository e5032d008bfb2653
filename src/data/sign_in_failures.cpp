#include "data/sign_in_failures.hpp"

namespace al::data {

namespace {

using std::chrono::microseconds;
using storage::Scope;
using storage::Statement;

/// Seconds are rounded up, so that who waits so long gets in.
Statement const find_lock{
    .name = "sign_in.locked",
    .text =
        "SELECT CAST(CEIL(EXTRACT(EPOCH FROM locked_until - al_now())) AS bigint) FROM sign_in_failures"
        " WHERE account = $1 AND locked_until > al_now()",
    .sqlite =
        "SELECT (locked_until - al_now() + 999999) / 1000000 FROM sign_in_failures"
        " WHERE account = $1 AND locked_until > al_now()"};
/// $2 is where the window begins, $3 how many are too many, $4 for how long it is locked then.
Statement const add_failure{
    "sign_in.failed",
    "INSERT INTO sign_in_failures AS f (account, failures, since) VALUES ($1, 1, al_now())"
    " ON CONFLICT (account) DO UPDATE SET"
    " failures = CASE WHEN f.since > al_after($2) THEN f.failures + 1 ELSE 1 END,"
    " since = CASE WHEN f.since > al_after($2) THEN f.since ELSE al_now() END,"
    " locked_until = CASE WHEN f.since > al_after($2) AND f.failures + 1 >= $3 THEN al_after($4) ELSE NULL END"
    " RETURNING failures"};
Statement const clear_failures{"sign_in.clear", "DELETE FROM sign_in_failures WHERE account = $1"};
/// What is older than a day counts for nothing any more.
Statement const sweep_failures{"sign_in.sweep", "DELETE FROM sign_in_failures WHERE since < al_after($1)"};
constexpr microseconds kept = std::chrono::hours{24};

}  // namespace

Task<std::optional<std::chrono::seconds>> SignInFailures::locked_for(std::string account, Deadline deadline) {
  auto const rows = co_await database_.read(Scope::system(), find_lock, {std::move(account)}, deadline);
  if (rows.empty())
    co_return std::nullopt;
  co_return std::chrono::seconds(std::get<std::int64_t>(rows[0].at(0)));
}

Task<bool> SignInFailures::add(std::string account, Deadline deadline) {
  storage::Batch batch{Scope::system(), {}};
  batch.steps.push_back({&add_failure,
                         {std::move(account), -microseconds(sign_in_failures_window).count(), sign_in_failures_max,
                          microseconds(sign_in_locked_for).count()}});
  batch.steps.push_back({&sweep_failures, {-kept.count()}});
  auto const done = co_await database_.apply(std::move(batch), deadline);
  co_return done&& std::get<std::int64_t>(done->at(0).at(0).at(0)) >= sign_in_failures_max;
}

Task<void> SignInFailures::clear(std::string account, Deadline deadline) {
  std::ignore = co_await database_.apply({Scope::system(), {{&clear_failures, {std::move(account)}}}}, deadline);
}

}  // namespace al::data
