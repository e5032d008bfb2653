#pragma once
#include <filesystem>
#include <utility>

#include "core/fault.hpp"
#include "core/result.hpp"

namespace al::storage {

/// The right of one process to use a data directory, for as long as this object lives. The kernel takes it back when
/// the process dies, however it dies, so a crash leaves nothing to clean up. Not for network file systems.
class DirectoryLock {
 public:
  /// Takes the file `lock` in `directory`, which it makes (only the owner may enter) when it is not there. Never waits.
  /// Errors: conflict, when another process, or another lock of this one, has it; the message names the remedy.
  /// Throws Fault when the directory cannot be made or written.
  [[nodiscard]] static Result<DirectoryLock> acquire(std::filesystem::path const& directory);

  ~DirectoryLock();
  DirectoryLock(DirectoryLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  DirectoryLock(DirectoryLock const&) = delete;
  DirectoryLock& operator=(DirectoryLock const&) = delete;

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace al::storage
