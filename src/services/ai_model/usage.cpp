#include "services/ai_model/usage.hpp"

#include <algorithm>

#include "core/json.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"

namespace al::services::ai_model {
namespace {

constexpr std::chrono::seconds flush_interval{1};
constexpr std::chrono::seconds flush_timeout{30};
constexpr std::chrono::milliseconds storing_look{10};

/// What is true while it lives.
class Storing {
 public:
  explicit Storing(bool& flag) : flag_(flag) { flag_ = true; }
  ~Storing() { flag_ = false; }
  Storing(Storing const&) = delete;
  Storing& operator=(Storing const&) = delete;

 private:
  bool& flag_;
};

std::string number_text(double number) {
  std::string out;
  json::append_number(out, number);
  return out;
}

void head(std::string& out, std::string_view name, std::string_view help, std::string_view type) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
  out.append(name).append(" ").append(type).append("\n");
}

void line(std::string& out, std::string_view name, std::string_view labels, std::string_view value) {
  out.append(name).append("{").append(labels).append("} ").append(value).append("\n");
}

}  // namespace

void Usage::add(UsedCall const& call) {
  std::scoped_lock const lock(mutex_);
  auto found = figures_.find(call.provider);
  if (found == figures_.end())
    found = figures_.emplace(call.provider, Figures{}).first;
  auto& figures = found->second;
  ++figures.calls[std::min<std::size_t>(static_cast<std::size_t>(std::max(call.status, 0)) / 100, classes - 1)];
  if (call.status != 0) {
    auto const seconds = call.to_first_byte.count();
    auto const bound = std::ranges::lower_bound(bounds_s, seconds);
    ++figures.to_first_byte[static_cast<std::size_t>(bound - bounds_s.begin())];
    figures.to_first_byte_s += seconds;
  }
  if (call.is_billed) {
    figures.input += static_cast<std::uint64_t>(call.tokens.input_tokens);
    figures.output += static_cast<std::uint64_t>(call.tokens.output_tokens);
  }
  // A model that the provider refused is any text that a caller liked to send.
  if (call.is_billed && call.status / 100 == 2)
    bill(call);
}

void Usage::bill(UsedCall const& call) {
  auto model = utf8::cut(call.model, model_bytes_max);
  auto const key = [&] {
    return std::tuple<std::string_view, std::string_view, std::string_view, std::string_view, std::string_view>(
        call.tenant.value, today(), call.principal, call.provider, model);
  };
  auto found = waiting_.find(key());
  if (found == waiting_.end() && waiting_.size() >= rows_max) {
    model = "other";
    found = waiting_.find(key());
  }
  if (found == waiting_.end())
    found = waiting_.emplace(Key(key()), Counts{}).first;
  ++found->second.requests;
  found->second.input += call.tokens.input_tokens;
  found->second.output += call.tokens.output_tokens;
}

std::string const& Usage::today() {
  auto const now = clock_.now();
  auto const day = std::chrono::floor<std::chrono::days>(now);
  if (day != day_ || day_text_.empty()) {
    day_ = day;
    day_text_ = to_rfc3339(now).substr(0, 10);
  }
  return day_text_;
}

Task<void> Usage::run() {
  for (;;) {
    co_await sleep_until(std::chrono::steady_clock::now() + flush_interval);
    try {
      co_await flush(Deadline::after(flush_timeout));
    } catch (Fault const& fault) {
      log::warning("usage of models could not be stored yet", {{"error", std::string_view(fault.what())}});
    }
  }
}

Task<void> Usage::finish(Deadline deadline) {
  while (is_storing_ && deadline.left() > std::chrono::steady_clock::duration::zero())
    co_await sleep_until(std::chrono::steady_clock::now() + storing_look);
  co_await flush(deadline);
}

Task<void> Usage::flush(Deadline deadline) {
  Storing const storing(is_storing_);
  std::map<std::string, std::vector<data::ModelUsage>> by_tenant;
  {
    std::scoped_lock const lock(mutex_);
    for (auto const& [key, counts] : waiting_) {
      auto const& [tenant, day, principal, provider, model] = key;
      by_tenant[tenant].push_back({day, principal, provider, model, counts.requests, counts.input, counts.output});
    }
    waiting_.clear();
  }
  std::exception_ptr thrown;
  for (auto& [name, rows] : by_tenant) {
    TenantId const tenant{name};
    while (!rows.empty()) {
      auto const first = rows.size() - std::min(rows.size(), data::UsageStore::rows_max);
      std::vector<data::ModelUsage> const part(rows.begin() + static_cast<std::ptrdiff_t>(first), rows.end());
      rows.resize(first);
      try {
        co_await store_.add(tenant, part, deadline);
      } catch (Unavailable const&) {
        thrown = std::current_exception();
        add_back(tenant, part);
      } catch (Fault const&) {
        // It may be stored, and then callers would be billed twice; or it is refused, and would be again.
        thrown = std::current_exception();
      }
    }
  }
  if (thrown)
    std::rethrow_exception(thrown);
}

void Usage::add_back(TenantId const& tenant, std::vector<data::ModelUsage> const& rows) {
  std::scoped_lock const lock(mutex_);
  for (auto const& row : rows) {
    auto& counts = waiting_[Key(tenant.value, row.day, row.principal, row.provider, row.model)];
    counts.requests += row.requests;
    counts.input += row.input_tokens;
    counts.output += row.output_tokens;
  }
}

// Names of providers are slugs, so nothing in a label needs an escape.
std::string Usage::metrics() const {
  static constexpr std::array<std::string_view, classes> names{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  std::scoped_lock const lock(mutex_);
  std::string out;
  std::string const calls = "agent_lightning_model_calls_total";
  head(out, calls, "Calls of models, by provider and class of status; none: no answer came.", "counter");
  for (auto const& [provider, figures] : figures_) {
    for (std::size_t i = 0; i < classes; ++i) {
      if (figures.calls[i] > 0)
        line(out, calls, "provider=\"" + provider + "\",status=\"" + std::string(names[i]) + "\"",
             std::to_string(figures.calls[i]));
    }
  }
  std::string const tokens = "agent_lightning_model_tokens_total";
  head(out, tokens, "Tokens that providers told of, by direction.", "counter");
  for (auto const& [provider, figures] : figures_) {
    line(out, tokens, "provider=\"" + provider + "\",direction=\"input\"", std::to_string(figures.input));
    line(out, tokens, "provider=\"" + provider + "\",direction=\"output\"", std::to_string(figures.output));
  }
  std::string const wait = "agent_lightning_model_first_byte_seconds";
  head(out, wait, "From the request to the begin of the provider's answer.", "histogram");
  for (auto const& [provider, figures] : figures_) {
    auto const label = "provider=\"" + provider + "\"";
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < figures.to_first_byte.size(); ++i) {
      count += figures.to_first_byte[i];
      auto labels = label + ",le=\"";
      labels.append(i < bounds_s.size() ? number_text(bounds_s[i]) : "+Inf").append("\"");
      line(out, wait + "_bucket", labels, std::to_string(count));
    }
    line(out, wait + "_sum", label, number_text(figures.to_first_byte_s));
    line(out, wait + "_count", label, std::to_string(count));
  }
  return out;
}

}  // namespace al::services::ai_model
