#include "app/backup/service.hpp"

#include <pthread.h>

#include <algorithm>

#include "core/fault.hpp"
#include "core/log.hpp"

namespace al::app::backup {
namespace {

using model::BackupState;

model::BackupKind shown(Kind kind) {
  return kind == Kind::sqlite ? model::BackupKind::sqlite : model::BackupKind::postgresql;
}

model::Backup shown(Manifest const& manifest) {
  model::Backup out;
  out.id = manifest.id;
  out.state = BackupState::done;
  out.kind = shown(manifest.kind);
  out.begun_at = manifest.begun_at;
  out.copied_at = manifest.copied_at;
  out.bytes = static_cast<std::int64_t>(manifest.bytes());
  out.rows = manifest.rows();
  out.schema_version = manifest.database.schema_version;
  out.program = manifest.program;
  return out;
}

model::Backup damaged(std::string id, Error const& error) {
  model::Backup out;
  out.id = std::move(id);
  out.state = BackupState::damaged;
  out.error = error.message;
  return out;
}

}  // namespace

Service::Service(Config const& config, Clock const& clock)
    : config_(config), clock_(clock), catalog_(catalog_of(config)) {}

Service::~Service() {
  break_off();
  disk_.join();
}

void Service::break_off() {
  std::scoped_lock const lock(mutex_);
  maker_.request_stop();
}

/// Comes back on the caller's own executor.
template <class F>
auto Service::on_disk_thread(F work) -> Task<std::invoke_result_t<F>> {
  auto task = [](F run) -> Task<std::invoke_result_t<F>> { co_return run(); };
  co_return co_await asio::co_spawn(disk_, task(std::move(work)), asio::use_awaitable);
}

Task<std::vector<model::Backup>> Service::list() {
  co_return co_await on_disk_thread([this] { return read_all(); });
}

Task<Result<model::Backup>> Service::find(std::string id) {
  co_return co_await on_disk_thread([this, id = std::move(id)] { return read(id); });
}

Task<Result<model::Backup>> Service::start() {
  co_return co_await on_disk_thread([this] { return begin(); });
}

std::optional<model::Backup> Service::latest() const {
  std::scoped_lock const lock(mutex_);
  return latest_;
}

/// The memory is looked at first: what is done in between is then in both.
std::vector<model::Backup> Service::read_all() const {
  auto const unlisted = latest();
  std::vector<model::Backup> out;
  for (auto& entry : catalog_.list()) {
    if (!unlisted || entry.id != unlisted->id)
      out.push_back(entry.manifest ? shown(*entry.manifest) : damaged(std::move(entry.id), entry.manifest.error()));
  }
  if (unlisted)
    out.push_back(*unlisted);
  std::ranges::sort(out, std::ranges::greater{}, &model::Backup::id);
  return out;
}

Result<model::Backup> Service::read(std::string const& id) const {
  if (auto unlisted = latest(); unlisted && unlisted->id == id)
    return std::move(*unlisted);
  auto const manifest = catalog_.find(id);
  if (manifest)
    return shown(*manifest);
  if (manifest.error().code == Code::not_found)
    return fail(Code::not_found, "there is no backup '" + id + "'");
  return damaged(id, manifest.error());
}

/// On the disk's only thread, so two never begin at once.
Result<model::Backup> Service::begin() {
  if (auto const unlisted = latest(); unlisted && unlisted->state == BackupState::running)
    return fail(Code::conflict, "backup " + unlisted->id + " is being made; wait until it is done");
  if (auto const possible = demand_possible(config_); !possible)
    return fail(possible.error());
  auto lock = catalog_.lock();
  if (!lock)
    return fail(lock.error());
  auto const now = clock_.now();
  model::Backup backup;
  backup.id = id_of(now);
  backup.kind = shown(kind_of(config_));
  backup.begun_at = now;
  std::scoped_lock const guard(mutex_);
  // The one before is over, or it would still be running; the new one cannot end before this is done.
  maker_ = std::jthread([this, now, own = std::move(*lock)](std::stop_token stop) mutable {
    make(std::move(own), now, std::move(stop));
  });
  pthread_setname_np(maker_.native_handle(), "al-backup");
  latest_ = backup;
  return backup;
}

void Service::make(storage::DirectoryLock lock, Timestamp begun_at, std::stop_token stop) {
  auto made = try_to_make(begun_at, std::move(stop));
  auto const id = id_of(begun_at);
  if (made) {
    log::info(
        "a backup is made",
        {{"id", std::string_view(id)}, {"bytes", static_cast<std::int64_t>(made->bytes())}, {"rows", made->rows()}});
  } else {
    log::error("a backup could not be made",
               {{"id", std::string_view(id)}, {"error", std::string_view(made.error().message)}});
  }
  // Whoever sees that it is over may begin the next one.
  {
    auto const released = std::move(lock);
  }
  std::scoped_lock const guard(mutex_);
  if (made) {
    latest_.reset();
  } else {
    latest_->state = BackupState::failed;
    latest_->error = made.error().message;
  }
}

/// What could not be removed afterwards does not make the new one worse.
Result<Manifest> Service::try_to_make(Timestamp begun_at, std::stop_token stop) const {
  Result<Manifest> made = fail(Code::internal, "it could not be made; the server's log says why");
  try {
    catalog_.remove_leftovers();
    made = back_up(config_, catalog_, clock_, {.begun_at = begun_at, .progress = {}, .stop = stop});
    if (made)
      prune(catalog_, static_cast<std::size_t>(config_.integer("backup.keep")));
  } catch (std::exception const& fault) {
    log::error(made ? "old backups could not be removed" : "a backup failed",
               {{"id", std::string_view(id_of(begun_at))}, {"reason", std::string_view(fault.what())}});
  }
  if (!made && stop.stop_requested())
    return fail(Code::unavailable, "the server was stopped before it was done; begin another one");
  return made;
}

}  // namespace al::app::backup
