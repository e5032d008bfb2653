#include "storage/lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

namespace al::storage {
namespace {

[[noreturn]] void throw_fault(std::string const& what, int error) {
  throw Fault(what + ": " + std::generic_category().message(error));
}

/// The owner writes its process id into the file; it is for people, and may be missing for a moment.
std::string owner(int descriptor) {
  std::array<char, 32> text{};
  auto const length = ::pread(descriptor, text.data(), text.size(), 0);
  std::string_view digits(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  digits = digits.substr(0, digits.find_first_not_of("0123456789"));
  return digits.empty() ? "another process" : "process " + std::string(digits);
}

void write_owner(int descriptor, std::string const& file) {
  auto const text = std::to_string(::getpid()) + "\n";
  auto const length = static_cast<ssize_t>(text.size());
  if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, text.data(), text.size(), 0) != length) {
    throw_fault("cannot write " + file, errno);
  }
}

}  // namespace

Result<DirectoryLock> DirectoryLock::acquire(std::filesystem::path const& directory) {
  std::error_code error;
  if (std::filesystem::create_directories(directory, error)) {
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
  }
  if (error)
    throw Fault("cannot make the directory " + directory.string() + ": " + error.message());

  auto const file = (directory / "lock").string();
  int const descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0)
    throw_fault("cannot open " + file, errno);
  DirectoryLock lock(descriptor);
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR)
      continue;
    if (errno != EWOULDBLOCK)
      throw_fault("cannot lock " + file, errno);
    return fail(Code::conflict, owner(descriptor) + " uses the data directory " + directory.string() +
                                    " already. Stop it first, or use PostgreSQL, which several processes can share: " +
                                    "set DATABASE_URL=postgresql://…");
  }
  write_owner(descriptor, file);
  return lock;
}

DirectoryLock::~DirectoryLock() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

}  // namespace al::storage
