/// What the SQLite driver does when the disk fails: a layer between SQLite and the operating system counts what is
/// made durable and refuses on demand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <new>
#include <string_view>

#include "storage/database.hpp"
#include "testing/event_loop.hpp"
#include "testing/manual_clock.hpp"
#include "testing/temporary_directory.hpp"

namespace al::storage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What the disk does, read by every thread of the driver.
struct Disk {
  std::atomic<int> log_syncs{0};
  std::atomic<int> log_sync_error{0};  ///< SQLite's code to answer with, 0 for none
  std::atomic<int> log_write_error{0};
  std::atomic<int> data_sync_error{0};
  std::atomic<int> data_read_error{0};
};
Disk disk;  // NOLINT(cppcoreguidelines-interfaces-global-init)

struct File {
  sqlite3_file base;
  sqlite3_file* real;
  bool log;
};
File& as_file(sqlite3_file* file) { return *static_cast<File*>(static_cast<void*>(file)); }
sqlite3_file* real(sqlite3_file* file) { return as_file(file).real; }

int close_file(sqlite3_file* f) {
  return real(f)->pMethods == nullptr ? SQLITE_OK : real(f)->pMethods->xClose(real(f));
}
int read_file(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
  if (!as_file(f).log && disk.data_read_error != 0)
    return disk.data_read_error;
  return real(f)->pMethods->xRead(real(f), to, size, at);
}
int write_file(sqlite3_file* f, void const* from, int size, sqlite3_int64 at) {
  if (as_file(f).log && disk.log_write_error != 0)
    return disk.log_write_error;
  return real(f)->pMethods->xWrite(real(f), from, size, at);
}
int sync_file(sqlite3_file* f, int flags) {
  if (as_file(f).log) {
    ++disk.log_syncs;
    if (disk.log_sync_error != 0)
      return disk.log_sync_error;
  } else if (disk.data_sync_error != 0) {
    return disk.data_sync_error;
  }
  return real(f)->pMethods->xSync(real(f), flags);
}
int truncate_file(sqlite3_file* f, sqlite3_int64 size) { return real(f)->pMethods->xTruncate(real(f), size); }
int file_size(sqlite3_file* f, sqlite3_int64* size) { return real(f)->pMethods->xFileSize(real(f), size); }
int lock(sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); }
int unlock(sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
int reserved(sqlite3_file* f, int* answer) { return real(f)->pMethods->xCheckReservedLock(real(f), answer); }
int control(sqlite3_file* f, int what, void* value) { return real(f)->pMethods->xFileControl(real(f), what, value); }
int sector_size(sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); }
int characteristics(sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
int shm_map(sqlite3_file* f, int region, int size, int extend, void volatile** at) {
  return real(f)->pMethods->xShmMap(real(f), region, size, extend, at);
}
int shm_lock(sqlite3_file* f, int first, int count, int flags) {
  return real(f)->pMethods->xShmLock(real(f), first, count, flags);
}
void shm_barrier(sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); }
int shm_unmap(sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); }

constexpr sqlite3_io_methods methods{
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock,
    .xUnlock = unlock,
    .xCheckReservedLock = reserved,
    .xFileControl = control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

/// While it lives, SQLite opens files through the layer.
class FaultyDisk {
 public:
  FaultyDisk() : system_(sqlite3_vfs_find(nullptr)), layer_(*system_) {
    layer_.zName = "faulty";
    layer_.szOsFile = static_cast<int>(sizeof(File)) + system_->szOsFile;
    layer_.pAppData = system_;
    layer_.xOpen = open;
    sqlite3_vfs_register(&layer_, 1);
  }
  ~FaultyDisk() {
    sqlite3_vfs_register(system_, 1);
    sqlite3_vfs_unregister(&layer_);
    for (auto* fault :
         {&disk.log_syncs, &disk.log_sync_error, &disk.log_write_error, &disk.data_sync_error, &disk.data_read_error}) {
      *fault = 0;
    }
  }
  FaultyDisk(FaultyDisk const&) = delete;
  FaultyDisk& operator=(FaultyDisk const&) = delete;

 private:
  static int open(sqlite3_vfs* layer, char const* name, sqlite3_file* out, int flags, int* out_flags) {
    auto* system = static_cast<sqlite3_vfs*>(layer->pAppData);
    auto* file = ::new (static_cast<void*>(out)) File{};
    file->real = static_cast<sqlite3_file*>(static_cast<void*>(file + 1));
    file->log = (flags & SQLITE_OPEN_WAL) != 0;
    int const code = system->xOpen(system, name, file->real, flags, out_flags);
    file->base.pMethods = file->real->pMethods == nullptr ? nullptr : &methods;
    return code;
  }

  sqlite3_vfs* system_;
  sqlite3_vfs layer_;
};

Statement const create{.name = "create", .text = "CREATE TABLE t (id TEXT PRIMARY KEY, filling TEXT) STRICT"};
Statement const insert{.name = "insert", .text = "INSERT INTO t VALUES ($1, $2)"};
Statement const list{.name = "list", .text = "SELECT id FROM t ORDER BY id"};
Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

class SqliteDisk : public testing::Test {
 protected:
  void SetUp() override {
    open();
    ASSERT_TRUE(loop_.wait(db_->apply({Scope::system(), {{&create, {}}}}, soon())));
  }
  void TearDown() override { db_->close(); }
  void open() {
    db_.reset();
    db_ = open_sqlite({.path = directory_.file("test.db")}, clock_);
  }
  Task<Result<std::vector<Rows>>> inserting(std::string id, std::string filling = {}) {
    return db_->apply({Scope::system(), {{&insert, {std::move(id), std::move(filling)}}}}, soon());
  }
  std::vector<std::string> ids() {
    std::vector<std::string> out;
    for (auto const& row : loop_.wait(db_->read(Scope::system(), list, {}, soon()))) {
      out.push_back(std::get<std::string>(row.at(0)));
    }
    return out;
  }
  /// What a call answers once the database is out of order.
  template <class T>
  void expect_broken(Task<T> call) {
    try {
      loop_.wait(std::move(call));
      ADD_FAILURE() << "nothing was thrown";
    } catch (Unavailable const& fault) {
      EXPECT_THAT(fault.what(), HasSubstr("out of order since: "));
    }
  }
  void expect_everything_broken() {
    expect_broken(inserting("later"));
    expect_broken(db_->read(Scope::system(), list, {}, soon()));
    expect_broken(db_->ping(soon()));
  }

  FaultyDisk layer_;
  TemporaryDirectory directory_;
  EventLoop loop_;
  ManualClock clock_;
  std::unique_ptr<Database> db_;
};

TEST_F(SqliteDisk, EveryCommitIsMadeDurableAndAGroupIsOneCommit) {
  disk.log_syncs = 0;
  ASSERT_TRUE(loop_.wait(inserting("a")));
  auto const alone = disk.log_syncs.load();
  EXPECT_GE(alone, 1);
  disk.log_syncs = 0;
  std::vector<std::future<Result<std::vector<Rows>>>> writes;
  for (int i = 0; i < 200; ++i)
    writes.push_back(loop_.start(inserting(std::to_string(i))));
  for (auto& write : writes)
    EXPECT_TRUE(write.get());
  EXPECT_GE(disk.log_syncs, 1);
  EXPECT_LT(disk.log_syncs, 100);
}

TEST_F(SqliteDisk, RefusedWriteNeedsNoSync) {
  ASSERT_TRUE(loop_.wait(inserting("a")));
  disk.log_syncs = 0;
  EXPECT_FALSE(loop_.wait(inserting("a")));
  EXPECT_EQ(disk.log_syncs, 0);
}

TEST_F(SqliteDisk, FullDiskIsUnavailableUntilThereIsRoom) {
  disk.log_write_error = SQLITE_FULL;
  EXPECT_THROW(std::ignore = loop_.wait(inserting("a")), Unavailable);
  EXPECT_THAT(ids(), testing::IsEmpty());
  disk.log_write_error = SQLITE_IOERR_WRITE;
  EXPECT_THROW(std::ignore = loop_.wait(inserting("a")), Unavailable);
  disk.log_write_error = 0;
  EXPECT_TRUE(loop_.wait(inserting("b")));
  EXPECT_THAT(ids(), ElementsAre("b"));
}

TEST_F(SqliteDisk, LostSyncStopsEverything) {
  ASSERT_TRUE(loop_.wait(inserting("kept")));
  disk.log_sync_error = SQLITE_IOERR_FSYNC;
  EXPECT_THROW(std::ignore = loop_.wait(inserting("lost")), OutcomeUnknown);
  disk.log_sync_error = 0;
  expect_everything_broken();
  db_->close();
  open();
  EXPECT_THAT(ids(), testing::Contains("kept"));
  EXPECT_TRUE(loop_.wait(inserting("after")));
}

TEST_F(SqliteDisk, LostSyncOfTheDatabaseFileStopsEverything) {
  disk.data_sync_error = SQLITE_IOERR_FSYNC;
  // Enough for the log to be moved: what is acknowledged is safe in the log, and no later write may pretend.
  std::string const filling(8'000, 'x');
  bool broken = false;
  for (int i = 0; i < 1'000 && !broken; ++i) {
    try {
      ASSERT_TRUE(loop_.wait(inserting(std::to_string(i), filling)));
    } catch (Unavailable const&) {
      broken = true;
    }
  }
  EXPECT_TRUE(broken);
  disk.data_sync_error = 0;
  expect_everything_broken();
}

TEST_F(SqliteDisk, UnreadablePageFailsTheReadAndPasses) {
  // Large enough not to be in any cache, and closed so that it is not in the log.
  ASSERT_TRUE(loop_.wait(inserting("a", std::string(6'000'000, 'x'))));
  db_->close();
  open();
  Statement const measure{.name = "measure", .text = "SELECT length(filling) FROM t"};
  disk.data_read_error = SQLITE_IOERR_READ;
  EXPECT_THROW(std::ignore = loop_.wait(db_->read(Scope::system(), measure, {}, soon())), Unavailable);
  disk.data_read_error = 0;
  EXPECT_EQ(loop_.wait(db_->read(Scope::system(), measure, {}, soon())).at(0).at(0), Value(std::int64_t{6'000'000}));
}

TEST_F(SqliteDisk, DamageStopsEverything) {
  ASSERT_TRUE(loop_.wait(inserting("a", std::string(6'000'000, 'x'))));
  db_->close();
  open();
  disk.data_read_error = SQLITE_CORRUPT;
  Statement const measure{.name = "measure", .text = "SELECT length(filling) FROM t"};
  EXPECT_THROW(std::ignore = loop_.wait(db_->read(Scope::system(), measure, {}, soon())), Fault);
  disk.data_read_error = 0;
  expect_everything_broken();
}

}  // namespace
}  // namespace al::storage
