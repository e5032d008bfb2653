#include "security/master_key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "core/fault.hpp"
#include "core/log.hpp"
#include "security/token_file.hpp"

namespace al::security {
namespace {

constexpr std::string_view variable = "AGENT_LIGHTNING_MASTER_KEY";
constexpr std::size_t file_bytes_max = 256;
constexpr std::size_t suffix_bytes = 8;

std::string reason(int error) { return std::generic_category().message(error); }

Error no_key(std::string const& where) {
  return {.code = Code::invalid,
          .message = where +
                     " holds no key: it needs 32 bytes as base64 or as 64 hexadecimal digits, as `openssl rand "
                     "-base64 32` makes them"};
}

Result<SecretKeyPtr> read_opened(int descriptor, std::string const& path) {
  struct stat info{};
  if (::fstat(descriptor, &info) != 0)
    return fail(Code::forbidden, "cannot read " + path + ": " + reason(errno));
  if ((info.st_mode & 077) != 0)
    return fail(Code::forbidden, "others may read " + path + "; run `chmod 600` on it");
  std::array<char, file_bytes_max> text{};
  auto const length = ::read(descriptor, text.data(), text.size());
  auto key = read_key({text.data(), length > 0 ? static_cast<std::size_t>(length) : 0});
  text.fill('\0');
  if (!key)
    return fail(no_key(path));
  return key;
}

Result<SecretKeyPtr> read_file(std::filesystem::path const& file) {
  int const descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0 && errno == ENOENT)
    return nullptr;
  if (descriptor < 0)
    return fail(Code::forbidden, "cannot read " + file.string() + ": " + reason(errno));
  auto key = read_opened(descriptor, file.string());
  ::close(descriptor);
  return key;
}

/// Makes the new name itself durable.
bool sync_directory(std::filesystem::path const& file) {
  auto const directory = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  int const descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool const done = descriptor >= 0 && ::fsync(descriptor) == 0;
  if (descriptor >= 0)
    ::close(descriptor);
  return done;
}

}  // namespace

std::filesystem::path master_key_file(std::filesystem::path const& data_directory) {
  return data_directory / "master.key";
}

Result<SecretKeyPtr> MasterKey::find() const {
  if (given_.empty())
    return read_file(file_);
  auto key = read_key(given_);
  if (!key)
    return fail(no_key(std::string(variable)));
  return key;
}

// A link refuses to replace, where a rename would: the first of two processes has made the key of both.
Result<SecretKeyPtr> MasterKey::find_or_make() const {
  auto found = find();
  if (!found || *found)
    return found;
  auto text = key_text(SecretKey(random_));
  auto part = file_;
  part += "." + random_.token(suffix_bytes) + ".part";
  write_token_file(part, text);
  wipe(text);
  bool const linked = ::link(part.c_str(), file_.c_str()) == 0;
  auto const error = errno;
  ::unlink(part.c_str());
  if ((!linked && error != EEXIST) || !sync_directory(file_))
    throw Fault("cannot make " + file_.string() + ": " + reason(linked ? errno : error));
  if (linked)
    log::info("the master key was made; keep a copy of the file apart from the database",
              {{"file", std::string_view(file_.native())}});
  return read_file(file_);
}

std::string MasterKey::source() const { return given_.empty() ? file_.string() : std::string(variable); }

}  // namespace al::security
