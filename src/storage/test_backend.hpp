#pragma once
/// The databases that a suite runs on, for the tests of this folder.

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "testing/postgres_server.hpp"
#include "testing/temporary_directory.hpp"

namespace al::storage {

/// An empty database of its own for one test.
class TestBackend {
 public:
  virtual ~TestBackend() = default;
  [[nodiscard]] virtual MigrationTarget target() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Database> open(Clock const&) const = 0;
};

struct BackendKind {
  char const* name;
  Dialect dialect;
  std::unique_ptr<TestBackend> (*make)();
};

inline void PrintTo(BackendKind const& kind, std::ostream* out) { *out << kind.name; }

class SqliteBackend final : public TestBackend {
 public:
  [[nodiscard]] MigrationTarget target() const override { return {.sqlite_path = directory_.file("test.db")}; }
  [[nodiscard]] std::unique_ptr<Database> open(Clock const& clock) const override {
    return open_sqlite({.path = directory_.file("test.db")}, clock);
  }

 private:
  TemporaryDirectory directory_;
};

class PostgresBackend final : public TestBackend {
 public:
  enum class Login { owner, superuser };

  explicit PostgresBackend(Login login) {
    static int made = 0;
    name_ = "suite_" + std::to_string(++made);
    auto& server = PostgresServer::shared();
    server.create_database(name_);
    url_ = login == Login::owner ? server.url(name_) : server.superuser_url(name_);
  }
  [[nodiscard]] MigrationTarget target() const override { return {.postgres_url = url_}; }
  [[nodiscard]] std::unique_ptr<Database> open(Clock const&) const override {
    return open_postgres({.url = url_, .pool_size = 4, .pool_overflow = 4});
  }
  [[nodiscard]] std::string const& name() const { return name_; }

 private:
  std::string name_;
  std::string url_;
};

inline std::vector<BackendKind> backend_kinds() {
  using Login = PostgresBackend::Login;
  auto const sqlite = []() -> std::unique_ptr<TestBackend> { return std::make_unique<SqliteBackend>(); };
  auto const owner = []() -> std::unique_ptr<TestBackend> { return std::make_unique<PostgresBackend>(Login::owner); };
  auto const super = []() -> std::unique_ptr<TestBackend> {
    return std::make_unique<PostgresBackend>(Login::superuser);
  };
  return {{"sqlite", Dialect::sqlite, sqlite},
          {"postgres", Dialect::postgres, owner},
          {"postgres_superuser", Dialect::postgres, super}};
}

}  // namespace al::storage
