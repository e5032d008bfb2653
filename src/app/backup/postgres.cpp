#include "app/backup/postgres.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fstream>
#include <iterator>

#include "app/backup/restored_cluster.hpp"
#include "app/program.hpp"
#include "core/fault.hpp"
#include "core/json.hpp"

namespace al::app::backup {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> file_names{"backup_manifest", "base.tar.gz", "pg_wal.tar.gz"};
constexpr std::string_view slot = "agent_lightning_backup";

/// What a backup is restored into to see that it is whole. The server's account has to come that far when we are root;
/// the files themselves stay closed to it.
fs::path place_of_check(Catalog const& catalog) {
  constexpr auto may_pass = fs::perms::group_exec | fs::perms::others_exec;
  if (::geteuid() == 0)
    fs::permissions(catalog.directory(), may_pass, fs::perm_options::add);
  return catalog.directory() / "verify";
}

/// Errors: invalid, when there are other files than those of a cluster without tablespaces.
Result<std::vector<StoredFile>> measure_files(fs::path const& directory) {
  std::vector<StoredFile> out;
  for (auto const& entry : fs::directory_iterator(directory)) {
    auto const name = entry.path().filename().string();
    if (std::ranges::find(file_names, name) == file_names.end())
      return fail(Code::invalid, "the cluster has tablespaces outside its data directory (" + name +
                                     "); this program cannot back them up");
    fs::permissions(entry.path(), fs::perms::owner_read | fs::perms::owner_write);
    out.push_back({name, measure(entry.path())});
  }
  if (out.size() != file_names.size())
    return fail(Code::internal, "pg_basebackup did not write all of its files");
  std::ranges::sort(out, {}, &StoredFile::name);
  return out;
}

/// The part of the log that PostgreSQL's own manifest names: {"WAL-Ranges": [{"Start-LSN": "0/2000028", …}]}.
/// Errors: invalid.
Result<LogPosition> read_position(fs::path const& file) {
  std::ifstream in(file, std::ios::binary);
  std::string const text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  auto const manifest = json::parse(text);
  auto const* object = manifest ? manifest->if_object() : nullptr;
  auto const* found = object ? object->if_contains("WAL-Ranges") : nullptr;
  auto const* ranges = found ? found->if_array() : nullptr;
  std::optional<LogPosition> out;
  for (auto const& range : ranges ? *ranges : json::array()) {
    auto const lsn = [&](std::string_view key) -> std::optional<std::uint64_t> {
      auto const* place = range.is_object() ? range.get_object().if_contains(key) : nullptr;
      return place && place->is_string() ? parse_position(place->get_string()) : std::nullopt;
    };
    auto const begin = lsn("Start-LSN");
    auto const end = lsn("End-LSN");
    if (!begin || !end)
      return fail(Code::invalid, "backup_manifest is damaged: it does not say where in the log the backup is");
    out = out ? LogPosition{.begin = std::min(out->begin, *begin), .end = std::max(out->end, *end)}
              : LogPosition{.begin = *begin, .end = *end};
  }
  if (!out)
    return fail(Code::invalid, "backup_manifest is damaged: it has no WAL-Ranges");
  return *out;
}

/// Restores what lies in `from` and fills in what that shows. Errors: invalid.
Result<void> try_out(Catalog const& catalog, fs::path const& from, PostgresAccess const& access, Manifest& manifest,
                     std::stop_token stop = {}) {
  RestoredCluster cluster(place_of_check(catalog), access.programs, std::move(stop));
  auto const facts = cluster.unpack(from);
  if (!facts)
    return fail(facts.error());
  auto position = read_position(from / "backup_manifest");
  if (!position)
    return fail(position.error());
  position->segment_bytes = facts->segment_bytes;
  position->system_id = facts->system_id;
  manifest.log = *position;
  auto counted = cluster.recover({}, access.content_url);
  if (!counted)
    return fail(counted.error());
  manifest.database = std::move(*counted);
  return {};
}

std::string program(PostgresAccess const& access, std::string_view name) { return (access.programs / name).string(); }

}  // namespace

Result<Manifest> back_up_postgres(Catalog const& catalog, PostgresAccess const& access, Clock const& clock,
                                  Making const& making) {
  auto const now = making.begun_at.value_or(clock.now());
  Draft draft(catalog, now);
  Manifest manifest{
      .id = draft.id(), .kind = Kind::postgresql, .begun_at = now, .copied_at = now, .program = AL_VERSION};
  auto const done = run_program(
      {program(access, "pg_basebackup"), "--pgdata=" + draft.path().string(), "--format=tar", "--gzip",
       "--wal-method=stream", "--checkpoint=fast", "--no-password", "--label=agent-lightning " + draft.id()},
      {.environment = storage::login_environment(access.url), .stop = making.stop});
  if (!done)
    return fail(done.error());
  manifest.copied_at = clock.now();
  auto files = measure_files(draft.path());
  if (!files)
    return fail(files.error());
  manifest.files = std::move(*files);
  if (auto const whole = try_out(catalog, draft.path(), access, manifest, making.stop); !whole)
    return fail(whole.error());
  draft.publish(manifest);
  return manifest;
}

Result<void> verify_postgres(Catalog const& catalog, Manifest const& manifest, PostgresAccess const& access) {
  auto const from = catalog.path_of(manifest.id);
  if (auto const whole = check_files(from, manifest); !whole)
    return whole;
  Manifest restored;
  if (auto const tried = try_out(catalog, from, access, restored); !tried)
    return tried;
  return demand_equal(restored.database, manifest.database);
}

Result<storage::DatabaseFacts> restore_postgres(Catalog const& catalog, Manifest const& manifest,
                                                PostgresAccess const& access, PostgresRestore const& wish) {
  auto const directory = fs::absolute(wish.directory);
  if (fs::exists(directory) && !(fs::is_directory(directory) && fs::is_empty(directory)))
    return fail(Code::conflict, directory.string() + " is not empty; name a directory that is not there yet");
  auto const from = catalog.path_of(manifest.id);
  if (auto const whole = check_files(from, manifest); !whole)
    return fail(whole.error());
  RestoredCluster cluster(directory.string() + ".partial", access.programs);
  if (auto const unpacked = cluster.unpack(from); !unpacked)
    return fail(unpacked.error());
  bool const goes_on = wish.target.latest || wish.target.time;
  if (goes_on) {
    if (auto const added = cluster.add_log(WalArchive(catalog.directory() / "wal"), *manifest.log); !added)
      return fail(added.error());
  }
  auto facts = cluster.recover(wish.target, access.content_url);
  if (!facts)
    return facts;
  if (!goes_on) {
    if (auto const equal = demand_equal(*facts, manifest.database); !equal)
      return fail(equal.error());
  }
  cluster.keep_as(directory);
  return facts;
}

Error receive_log(WalArchive const& archive, PostgresAccess const& access) {
  auto const environment = storage::login_environment(access.url);
  auto const receiver = program(access, "pg_receivewal");
  auto const of_slot = "--slot=" + std::string(slot);
  auto const made = run_program({receiver, of_slot, "--create-slot", "--if-not-exists", "--no-password"},
                                {.environment = environment});
  if (!made)
    return made.error();
  archive.prepare();
  // Not in a loop: after a break it would go on over the bytes of a packed segment; prepare() sets that aside first.
  become_program({receiver, "--directory=" + archive.directory().string(), of_slot, "--compress=gzip:6",
                  "--synchronous", "--no-loop", "--no-password"},
                 environment);
}

}  // namespace al::app::backup
