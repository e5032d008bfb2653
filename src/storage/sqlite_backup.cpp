#include <sqlite3.h>
#include <sys/stat.h>

#include <memory>

#include "core/fault.hpp"
#include "storage/backup.hpp"

namespace al::storage {
namespace {

/// A server that checkpoints holds a lock for moments only.
constexpr int busy_timeout_ms = 5'000;
/// Between two looks at the progress: 1 MiB in pages of 4 KiB.
constexpr int pages_per_step = 256;
constexpr int faults_shown = 3;

struct Closer {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  void operator()(sqlite3_backup* backup) const { sqlite3_backup_finish(backup); }
};
using Handle = std::unique_ptr<sqlite3, Closer>;

[[noreturn]] void throw_fault(std::string const& what, sqlite3* db) { throw Fault(what + ": " + sqlite3_errmsg(db)); }

Handle open(std::string const& name, int flags) {
  sqlite3* db = nullptr;
  int const code = sqlite3_open_v2(
      name.c_str(), &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE, nullptr);
  Handle handle(db);
  if (code != SQLITE_OK)
    throw Fault("cannot open the database " + name + ": " + sqlite3_errstr(code));
  sqlite3_busy_timeout(db, busy_timeout_ms);
  return handle;
}

void execute(sqlite3* db, char const* script) {
  if (sqlite3_exec(db, script, nullptr, nullptr, nullptr) != SQLITE_OK)
    throw_fault(script, db);
}

/// Hands the first column of each row to `use`.
void for_each(sqlite3* db, std::string const& sql, std::function<void(sqlite3_stmt*)> const& use) {
  sqlite3_stmt* handle = nullptr;
  int code = sqlite3_prepare_v2(db, sql.c_str(), -1, &handle, nullptr);
  std::unique_ptr<sqlite3_stmt, Closer> const statement(handle);
  if (code != SQLITE_OK)
    throw_fault(sql, db);
  while ((code = sqlite3_step(handle)) == SQLITE_ROW)
    use(handle);
  if (code != SQLITE_DONE)
    throw_fault(sql, db);
}

std::string text_of(sqlite3_stmt* statement) {
  auto const* bytes = static_cast<char const*>(sqlite3_column_blob(statement, 0));
  return bytes == nullptr ? std::string()
                          : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement, 0)));
}

std::int64_t number_of(sqlite3* db, std::string const& sql) {
  std::int64_t number = 0;
  for_each(db, sql, [&](sqlite3_stmt* row) { number = sqlite3_column_int64(row, 0); });
  return number;
}

DatabaseFacts facts_of(sqlite3* db) {
  DatabaseFacts facts;
  facts.schema_version = static_cast<int>(number_of(db, "SELECT max(number) FROM schema_migrations"));
  for_each(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
           [&](sqlite3_stmt* row) { facts.rows[text_of(row)] = 0; });
  for (auto& [table, rows] : facts.rows)
    rows = number_of(db, "SELECT count(*) FROM \"" + table + "\"");
  return facts;
}

/// With `immutable` SQLite neither locks the file nor makes a log beside it, which a file in WAL mode needs otherwise.
std::string as_unchanging(std::filesystem::path const& file) {
  std::string out = "file:";
  for (char const c : std::filesystem::absolute(file).string()) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    auto const byte = static_cast<unsigned char>(c);
    if (c == '%' || c == '?' || c == '#') {
      out.append("%").append(1, digits[byte >> 4]).append(1, digits[byte & 0xF]);
    } else {
      out += c;
    }
  }
  return out + "?immutable=1";
}

/// The first faults that SQLite finds in the file, or nothing.
std::string find_damage(sqlite3* db) {
  std::string found;
  auto const sql = "PRAGMA integrity_check(" + std::to_string(faults_shown) + ")";
  for_each(db, sql, [&](sqlite3_stmt* row) {
    if (auto const text = text_of(row); text != "ok")
      found.append(found.empty() ? "" : "; ").append(text);
  });
  return found;
}

}  // namespace

// The backup interface and not VACUUM INTO, which would write the same in one statement: that one builds every index
// anew on the way and may number rows anew, while a copy of the pages is what the database was. The pages are copied in
// steps, and a write of another process between two steps would make SQLite begin again, for ever on a busy server; the
// read transaction that is open over all of them is what prevents that, and makes the copy one moment.
DatabaseFacts copy_sqlite(std::filesystem::path const& from, std::filesystem::path const& to,
                          CopyProgress const& progress) {
  auto const source = open(from.string(), SQLITE_OPEN_READONLY);
  execute(source.get(), "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; BEGIN");
  auto facts = facts_of(source.get());  // its first read begins the snapshot
  if (::mknod(to.c_str(), S_IFREG | S_IRUSR | S_IWUSR, 0) != 0)
    throw Fault("cannot make " + to.string());
  auto const target = open(to.string(), SQLITE_OPEN_READWRITE);
  execute(target.get(), "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
  std::unique_ptr<sqlite3_backup, Closer> backup(sqlite3_backup_init(target.get(), "main", source.get(), "main"));
  if (!backup)
    throw_fault("cannot begin the copy", target.get());
  int code = SQLITE_OK;
  while ((code = sqlite3_backup_step(backup.get(), pages_per_step)) == SQLITE_OK) {
    auto const total = sqlite3_backup_pagecount(backup.get());
    if (progress)
      progress(total - sqlite3_backup_remaining(backup.get()), total);
  }
  if (code != SQLITE_DONE)
    throw Fault("cannot copy the database to " + to.string() + ": " + sqlite3_errstr(code));
  return facts;
}

Result<DatabaseFacts> examine_sqlite(std::filesystem::path const& file) {
  try {
    auto const db = open(as_unchanging(file), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    execute(db.get(), "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY");
    if (auto const damage = find_damage(db.get()); !damage.empty())
      return fail(Code::invalid, "the database is damaged: " + damage);
    return facts_of(db.get());
  } catch (Fault const& fault) {
    if (!std::filesystem::exists(file))
      throw;
    return fail(Code::invalid, "the database cannot be read: " + std::string(fault.what()));
  }
}

}  // namespace al::storage
