#include "security/token_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "core/fault.hpp"
#include "http/request_id.hpp"

namespace al::security {
namespace {

constexpr std::size_t token_length_min = 16;
constexpr std::size_t token_length_max = 512;

std::string reason(int error) { return std::generic_category().message(error); }

/// A file descriptor that closes itself.
class File {
 public:
  File(std::filesystem::path const& path, int flags, mode_t mode = 0)
      : descriptor_(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode)) {}
  ~File() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }
  File(File const&) = delete;
  File& operator=(File const&) = delete;
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

void require(bool done, std::string_view what, std::filesystem::path const& path) {
  if (!done)
    throw Fault("cannot " + std::string(what) + " " + path.string() + ": " + reason(errno));
}

/// Makes the rename itself durable.
void sync_directory(std::filesystem::path const& directory) {
  File const opened(directory, O_RDONLY | O_DIRECTORY);
  require(opened.is_open() && ::fsync(opened.descriptor()) == 0, "sync the directory", directory);
}

}  // namespace

std::filesystem::path token_file(std::filesystem::path const& data_directory) { return data_directory / "token"; }

Result<std::string> read_token_file(std::filesystem::path const& file) {
  File const opened(file, O_RDONLY);
  if (!opened.is_open()) {
    auto const code = errno == ENOENT || errno == ENOTDIR ? Code::not_found : Code::forbidden;
    return fail(code, "cannot read the token file " + file.string() + ": " + reason(errno));
  }
  std::array<char, token_length_max + 2> text{};
  auto const length = ::read(opened.descriptor(), text.data(), text.size());
  std::string_view token(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  token = token.substr(0, token.find_last_not_of(" \r\n") + 1);
  if (!check_token(token))
    return fail(Code::invalid, "the token file " + file.string() + " holds no token");
  return std::string(token);
}

void write_token_file(std::filesystem::path const& file, std::string_view token) {
  auto const text = std::string(token) + "\n";
  auto part = file;
  part += "." + std::to_string(::getpid()) + ".part";
  ::unlink(part.c_str());  // a process of this number that died half-way may have left it
  {
    File const opened(part, O_WRONLY | O_CREAT | O_EXCL, 0600);
    require(opened.is_open(), "make", part);
    bool const written = ::fchmod(opened.descriptor(), 0600) == 0 &&
                         ::write(opened.descriptor(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                         ::fsync(opened.descriptor()) == 0;
    require(written, "write", part);
  }
  require(::rename(part.c_str(), file.c_str()) == 0, "replace", file);
  sync_directory(file.has_parent_path() ? file.parent_path() : ".");
}

Result<void> check_token(std::string_view token) {
  if (token.size() < token_length_min) {
    return fail(Code::invalid, "a token needs at least 16 characters");
  }
  if (!http::is_visible_ascii(token, token_length_max)) {
    return fail(Code::invalid, "a token has at most 512 characters, all of them visible ASCII without spaces");
  }
  return {};
}

}  // namespace al::security
