#include "app/backup/catalog.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "core/fault.hpp"

namespace al::app::backup {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view partial_suffix = ".partial";
constexpr std::string_view manifest_name = "manifest.json";
constexpr std::size_t manifest_bytes_max = 1 << 20;

bool is_id(std::string_view name) {
  constexpr std::string_view pattern = "0000-00-00T000000.000000Z";
  auto const fits = [](char c, char wanted) { return wanted == '0' ? c >= '0' && c <= '9' : c == wanted; };
  return name.size() == pattern.size() && std::ranges::equal(name, pattern, fits);
}

Result<Manifest> read_manifest(fs::path const& directory, std::string const& id) {
  std::ifstream in(directory / manifest_name, std::ios::binary);
  std::string text(manifest_bytes_max, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  auto manifest = parse_manifest(text);
  if (manifest && manifest->id != id)
    return fail(Code::invalid, "manifest.json is that of another backup, " + manifest->id);
  return manifest;
}

Error named(std::string const& id, Error error) {
  error.message = "backup " + id + ": " + error.message;
  return error;
}

}  // namespace

// ---- Catalog ----

std::vector<Entry> Catalog::list() const {
  std::vector<Entry> out;
  std::error_code error;
  if (!fs::exists(directory_, error))
    return out;
  try {
    for (auto const& entry : fs::directory_iterator(directory_)) {
      if (auto const id = entry.path().filename().string(); is_id(id) && entry.is_directory())
        out.push_back({id, read_manifest(entry.path(), id)});
    }
  } catch (fs::filesystem_error const& unreadable) {
    throw Fault("cannot read " + directory_.string() + ": " + unreadable.code().message());
  }
  std::ranges::sort(out, std::ranges::greater{}, &Entry::id);
  return out;
}

Result<Manifest> Catalog::find(std::string const& id) const {
  std::error_code ignored;
  if (!is_id(id) || !fs::is_directory(path_of(id), ignored))
    return fail(Code::not_found, "there is no backup '" + id + "' in " + directory_.string() +
                                     "; 'agent-lightning backup list' shows what there is");
  auto manifest = read_manifest(path_of(id), id);
  if (!manifest)
    return fail(named(id, std::move(manifest.error())));
  return manifest;
}

Result<Manifest> Catalog::newest(Kind kind, std::optional<Timestamp> latest) const {
  for (auto& entry : list()) {
    bool const is_wanted = entry.manifest && entry.manifest->kind == kind;
    if (is_wanted && (!latest || entry.manifest->copied_at <= *latest))
      return std::move(entry.manifest);
  }
  return fail(Code::not_found, "there is no backup of " + std::string(name_of(kind)) + " in " + directory_.string() +
                                   (latest ? " from before " + to_rfc3339(*latest) : std::string()));
}

Result<storage::DirectoryLock> Catalog::lock() const {
  try {
    auto lock = storage::DirectoryLock::acquire(directory_);
    if (!lock)
      return fail(Code::conflict, "another process works on the backups in " + directory_.string() + "; wait for it");
    return lock;
  } catch (Fault const& fault) {
    return fail(Code::conflict, std::string(fault.what()) + "; mend that, or set BACKUP_DIRECTORY to another place");
  }
}

void Catalog::remove_leftovers() const {
  std::error_code error;
  for (auto const& entry : fs::directory_iterator(directory_, error)) {
    auto const name = entry.path().filename().string();
    if (name.ends_with(partial_suffix) && is_id(std::string_view(name).substr(0, name.size() - partial_suffix.size())))
      fs::remove_all(entry.path(), error);
  }
}

void Catalog::remove(std::string const& id) const {
  auto const gone = directory_ / (id + std::string(partial_suffix));
  std::error_code error;
  fs::rename(path_of(id), gone, error);
  if (!error)
    fs::remove_all(gone, error);
  if (error)
    throw Fault("cannot remove " + path_of(id).string() + ": " + error.message());
  sync_directory(directory_);
}

std::vector<std::string> superfluous(std::vector<Entry> const& newest_first, std::size_t keep) {
  std::vector<std::string> out;
  std::array<std::size_t, 2> kept{};
  for (auto const& entry : newest_first) {
    if (entry.manifest && ++kept.at(static_cast<std::size_t>(entry.manifest->kind)) > std::max<std::size_t>(keep, 1))
      out.push_back(entry.id);
  }
  return out;
}

// ---- Draft ----

/// It sorts as the times do, and needs no quotes in a shell.
std::string id_of(Timestamp begun_at) {
  auto text = to_rfc3339(begun_at);
  std::erase(text, ':');
  return text.contains('.') ? text : text.insert(text.size() - 1, ".000000");
}

Draft::Draft(Catalog const& catalog, Timestamp now)
    : catalog_(catalog), id_(id_of(now)), path_(catalog.path_of(id_ + std::string(partial_suffix))) {
  if (::mkdir(path_.c_str(), S_IRWXU) != 0)
    throw Fault("cannot make " + path_.string() + ": " + std::generic_category().message(errno));
}

Draft::~Draft() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void Draft::publish(Manifest const& manifest) {
  write_new_file(path_ / manifest_name, to_json(manifest) + "\n");
  sync_directory(path_);
  std::error_code error;
  fs::rename(path_, catalog_.path_of(id_), error);
  if (error)
    throw Fault("cannot name the backup " + id_ + ": " + error.message());
  sync_directory(catalog_.directory());
}

// ---- what is whole ----

Result<void> check_files(fs::path const& directory, Manifest const& manifest) {
  for (auto const& file : manifest.files) {
    std::error_code error;
    auto const wrong = [&](std::string const& what) { return fail(Code::invalid, file.name + " " + what); };
    auto const bytes = fs::file_size(directory / file.name, error);
    if (error)
      return wrong("is missing");
    if (bytes != file.facts.bytes)
      return wrong("has " + std::to_string(bytes) + " bytes instead of " + std::to_string(file.facts.bytes));
    if (measure(directory / file.name) != file.facts)
      return wrong("is damaged: its checksum differs");
  }
  return {};
}

Result<void> demand_equal(storage::DatabaseFacts const& restored, storage::DatabaseFacts const& wanted) {
  auto const differs = [](std::string const& what, std::int64_t is, std::int64_t should) {
    return fail(Code::invalid, what + " is " + std::to_string(is) + " after the restore instead of " +
                                   std::to_string(should) + "; the backup is damaged");
  };
  if (restored.schema_version != wanted.schema_version)
    return differs("the version of the schema", restored.schema_version, wanted.schema_version);
  for (auto const& [table, rows] : wanted.rows) {
    auto const found = restored.rows.find(table);
    if (found == restored.rows.end() || found->second != rows)
      return differs("the number of rows of " + table, found == restored.rows.end() ? 0 : found->second, rows);
  }
  return {};
}

}  // namespace al::app::backup
