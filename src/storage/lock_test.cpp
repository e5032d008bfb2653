#include "storage/lock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <optional>

#include "testing/temporary_directory.hpp"

namespace al::storage {
namespace {

using testing::HasSubstr;

TEST(DirectoryLock, SecondIsRefusedUntilTheFirstIsGone) {
  TemporaryDirectory directory;
  std::optional<DirectoryLock> first(*DirectoryLock::acquire(directory.path()));
  auto second = DirectoryLock::acquire(directory.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_THAT(second.error().message, HasSubstr("PostgreSQL"));
  EXPECT_THAT(second.error().message, HasSubstr(directory.path().string()));
  EXPECT_THAT(second.error().message, HasSubstr("process " + std::to_string(::getpid())));
  first.reset();
  EXPECT_TRUE(DirectoryLock::acquire(directory.path()));
}

TEST(DirectoryLock, MovesItsRight) {
  TemporaryDirectory directory;
  auto first = DirectoryLock::acquire(directory.path());
  ASSERT_TRUE(first);
  {
    DirectoryLock moved = std::move(*first);
    EXPECT_FALSE(DirectoryLock::acquire(directory.path()));
  }
  EXPECT_TRUE(DirectoryLock::acquire(directory.path()));
}

TEST(DirectoryLock, MakesTheDirectoryForItsOwnerOnly) {
  TemporaryDirectory parent;
  auto const directory = parent.path() / "a" / "b";
  ASSERT_TRUE(DirectoryLock::acquire(directory));
  EXPECT_EQ(std::filesystem::status(directory).permissions(), std::filesystem::perms::owner_all);
}

TEST(DirectoryLock, FaultWhereNoDirectoryCanBe) {
  TemporaryDirectory parent;
  std::ofstream(parent.file("file")) << "in the way";
  EXPECT_THROW((void)DirectoryLock::acquire(parent.path() / "file"), Fault);
}

TEST(DirectoryLock, SurvivesTextOfOthersInTheFile) {
  TemporaryDirectory directory;
  std::ofstream(directory.file("lock")) << "no number, and more than fits into the buffer of thirty-two bytes";
  auto first = DirectoryLock::acquire(directory.path());
  ASSERT_TRUE(first);
  std::ofstream(directory.file("lock")) << "";
  auto second = DirectoryLock::acquire(directory.path());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("another process"));
}

/// A child that takes the lock, says so, and holds it until the parent closes the other pipe or kills it.
class LockedChild {
 public:
  explicit LockedChild(std::filesystem::path const& directory) {
    EXPECT_EQ(::pipe(said_.data()), 0);
    EXPECT_EQ(::pipe(stop_.data()), 0);
    id_ = ::fork();
    if (id_ == 0) {
      ::close(stop_[1]);
      auto lock = DirectoryLock::acquire(directory);
      char word = lock ? 'y' : 'n';
      (void)!::write(said_[1], &word, 1);
      (void)!::read(stop_[0], &word, 1);
      ::_exit(0);
    }
    ::close(said_[1]);
    ::close(stop_[0]);
  }
  ~LockedChild() {
    end(SIGTERM);
    ::close(said_[0]);
    ::close(stop_[1]);
  }
  LockedChild(LockedChild const&) = delete;
  LockedChild& operator=(LockedChild const&) = delete;

  [[nodiscard]] bool has_lock() const {
    char word = 0;
    return ::read(said_[0], &word, 1) == 1 && word == 'y';
  }
  void end(int signal) {
    if (id_ <= 0)
      return;
    ::kill(id_, signal);
    ::waitpid(id_, nullptr, 0);
    id_ = 0;
  }

 private:
  std::array<int, 2> said_{};
  std::array<int, 2> stop_{};
  pid_t id_ = 0;
};

TEST(DirectoryLock, AnotherProcessHoldsItAndAKilledOneDoesNot) {
  TemporaryDirectory directory;
  LockedChild child(directory.path());
  ASSERT_TRUE(child.has_lock());
  EXPECT_FALSE(DirectoryLock::acquire(directory.path()));
  child.end(SIGKILL);
  EXPECT_TRUE(DirectoryLock::acquire(directory.path()));
}

}  // namespace
}  // namespace al::storage
