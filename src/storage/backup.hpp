#pragma once
/// What backups need of a database: a copy of SQLite while others write, what is in a copy, and the login that
/// PostgreSQL's own programs take. Blocking; any thread.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "core/result.hpp"

namespace al::storage {

/// What is in a database; two with the same content are equal.
struct DatabaseFacts {
  int schema_version = 0;                      ///< of the last migration
  std::map<std::string, std::int64_t> rows{};  ///< by table, of all tenants
  bool operator==(DatabaseFacts const&) const = default;
};

/// How far a copy is, in pages.
using CopyProgress = std::function<void(int done, int total)>;

/// Copies one moment of the database to the new file `to`, for its owner only; everything that was committed before the
/// call is in it. Writers, also of other processes, go on meanwhile; their log grows until it is done. Answers what was
/// in the database at that moment. The copy is not synced. Throws Fault.
DatabaseFacts copy_sqlite(std::filesystem::path const& from, std::filesystem::path const& to,
                          CopyProgress const& progress = {});

/// Checks the structure of a file that nobody writes, and counts what is in it. Leaves nothing beside it.
/// Errors: invalid, when it is damaged or is none of our databases. Throws Fault when it cannot be read.
[[nodiscard]] Result<DatabaseFacts> examine_sqlite(std::filesystem::path const& file);

/// The login of the URL as PostgreSQL's programs take it from their environment, where other users of the machine do
/// not see a password. Throws Fault when the URL is malformed.
[[nodiscard]] std::map<std::string, std::string> login_environment(std::string const& url);

/// Counts what is in the database of the URL, on the server that has its socket in `directory` and asks nobody for a
/// password. Reads as a superuser, whom row-level security does not bind. Throws Unavailable while it does not answer,
/// Fault when the database is none of ours.
[[nodiscard]] DatabaseFacts examine_postgres(std::string const& url, std::filesystem::path const& directory);

}  // namespace al::storage
