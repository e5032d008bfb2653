#pragma once
#include <boost/describe.hpp>
#include <string>
#include <vector>

#include "core/entity.hpp"
#include "data/page.hpp"
#include "storage/database.hpp"

namespace al::data {

/// What a caller used of one model in one day.
struct ModelUsage {
  std::string day;
  std::string principal;
  std::string provider;
  std::string model;
  std::int64_t requests = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  bool operator==(ModelUsage const&) const = default;
};
BOOST_DESCRIBE_STRUCT(ModelUsage, (), (day, principal, provider, model, requests, input_tokens, output_tokens))

constexpr auto describe(std::type_identity<ModelUsage>) {
  using namespace entity;
  return about("ModelUsage", "model_usage", "What a caller used of one model in one day.",
               field<&ModelUsage::day>("The day in UTC, as 2026-01-31."),
               field<&ModelUsage::principal>("Who called: the id of the token."),
               field<&ModelUsage::provider>("The account that was billed."),
               field<&ModelUsage::model>("The model as the provider names it."),
               field<&ModelUsage::requests>("Answers that the provider gave."),
               field<&ModelUsage::input_tokens>("Tokens read, cached ones too; those that the provider told."),
               field<&ModelUsage::output_tokens>("Tokens written; those that the provider told."));
}

/// Usage of models, a row a day. Thread-safe.
class UsageStore {
 public:
  static constexpr std::size_t rows_max = 500;  ///< of one add()

  explicit UsageStore(storage::Database& database) : database_(database) {}

  /// Adds the counts of these rows to those that are there, all or none. At most rows_max.
  [[nodiscard]] Task<void> add(TenantId const&, std::vector<ModelUsage> const&, Deadline);

  struct Filter {
    std::string principal{};  ///< empty: everyone's
    std::string from{};       ///< the first day; empty: all before `to`
    std::string to{};         ///< the last day; empty: all after `from`
  };
  /// The latest day first. Errors: invalid (cursor).
  [[nodiscard]] Task<Result<Page<ModelUsage>>> list(TenantId const&, Filter, PageRequest, Deadline);

 private:
  storage::Database& database_;
};

}  // namespace al::data
