#include "data/archive.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "core/fault.hpp"
#include "data/export_format.hpp"

namespace al::data {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view manifest_ending = ".manifest.json";
/// zlib's word for a gzip header around its usual window.
constexpr int gzip_window_bits = 15 + 16;
constexpr int memory_level = 8;

[[noreturn]] void throw_unwritable(fs::path const& path, int error) {
  throw Fault("cannot write " + path.string() + ": " + std::generic_category().message(error));
}

/// A file that appears under its name when it is complete.
class DurableFile {
 public:
  explicit DurableFile(fs::path path)
      : path_(std::move(path)),
        partial_(path_.string() + ".partial"),
        descriptor_(::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    if (descriptor_ < 0)
      throw_unwritable(partial_, errno);
  }
  ~DurableFile() {
    ::close(descriptor_);
    std::error_code ignored;
    if (!is_complete_)
      fs::remove(partial_, ignored);
  }
  DurableFile(DurableFile const&) = delete;
  DurableFile& operator=(DurableFile const&) = delete;

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      auto const written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR)
        throw_unwritable(partial_, errno);
      bytes.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
  }

  void complete() {
    if (::fsync(descriptor_) != 0)
      throw_unwritable(partial_, errno);
    if (::rename(partial_.c_str(), path_.c_str()) != 0)
      throw_unwritable(path_, errno);
    is_complete_ = true;
    sync_directory();
  }

 private:
  /// Else the name may be gone after a power cut, and the rows with it.
  void sync_directory() const {
    auto const directory = path_.parent_path();
    int const opened = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int const error = opened < 0 || ::fsync(opened) != 0 ? errno : 0;
    if (opened >= 0)
      ::close(opened);
    if (error != 0)
      throw_unwritable(directory, error);
  }

  fs::path path_;
  fs::path partial_;
  int descriptor_;
  bool is_complete_ = false;
};

fs::path made(fs::path directory) {
  std::error_code error;
  if (fs::create_directories(directory, error))
    fs::permissions(directory, fs::perms::owner_all, error);
  if (error)
    throw Fault("cannot make the archive directory " + directory.string() + ": " + error.message());
  return directory;
}

fs::path manifest_path(fs::path const& directory, std::string_view name) {
  return directory / (std::string(name) + std::string(manifest_ending));
}

ArchiveManifest read_manifest(fs::path const& path) {
  std::ifstream file(path);
  auto const source = json::Source::from(std::string(std::istreambuf_iterator<char>(file), {}));
  auto manifest = source ? entity::from_json<ArchiveManifest>(source->root(), entity::Mode::stored)
                         : Result<ArchiveManifest>(fail(source.error()));
  if (!manifest)
    throw Fault("cannot read " + path.string() + ": " + manifest.error().message +
                "; move it and its archive to another place");
  return std::move(*manifest);
}

}  // namespace

struct ArchiveFile::Stream {
  explicit Stream(fs::path path) : file(std::move(path)) {
    if (::deflateInit2(&zlib, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window_bits, memory_level, Z_DEFAULT_STRATEGY) !=
        Z_OK)
      throw Fault("cannot compress: no memory");
  }
  ~Stream() { ::deflateEnd(&zlib); }
  Stream(Stream const&) = delete;
  Stream& operator=(Stream const&) = delete;

  void deflate(std::string_view bytes, int flush) {
    std::array<char, 1 << 16> out{};
    // zlib reads what it is given, although its type does not say so.
    zlib.next_in = static_cast<Bytef*>(static_cast<void*>(const_cast<char*>(bytes.data())));
    zlib.avail_in = static_cast<uInt>(bytes.size());
    do {
      zlib.next_out = static_cast<Bytef*>(static_cast<void*>(out.data()));
      zlib.avail_out = static_cast<uInt>(out.size());
      ::deflate(&zlib, flush);
      std::string_view const made(out.data(), out.size() - zlib.avail_out);
      checksum.add(made);
      file.write(made);
    } while (zlib.avail_out == 0);
  }

  DurableFile file;
  Checksum checksum;
  z_stream zlib{};
};

ArchiveFile::ArchiveFile(fs::path directory, std::string name)
    : directory_(made(std::move(directory))),
      name_(std::move(name)),
      stream_(std::make_unique<Stream>(directory_ / (name_ + ".jsonl.gz"))) {}

ArchiveFile::~ArchiveFile() = default;

void ArchiveFile::write(std::string_view lines) { stream_->deflate(lines, Z_NO_FLUSH); }

std::string ArchiveFile::publish() {
  stream_->deflate({}, Z_FINISH);
  stream_->file.complete();
  return stream_->checksum.take();
}

void write_manifest(fs::path const& directory, ArchiveManifest const& manifest) {
  DurableFile file(manifest_path(directory, manifest.name));
  file.write(entity::to_json(manifest) + "\n");
  file.complete();
}

std::vector<ArchiveManifest> pending_manifests(fs::path const& directory, std::string_view table) {
  std::vector<ArchiveManifest> pending;
  std::error_code error;
  fs::directory_iterator const files(directory, error);
  if (error && error != std::errc::no_such_file_or_directory)
    throw Fault("cannot read the archive directory " + directory.string() + ": " + error.message());
  for (auto const& entry : files) {
    if (!entry.path().filename().string().ends_with(manifest_ending))
      continue;
    auto manifest = read_manifest(entry.path());
    if (manifest.table == table && !manifest.removed)
      pending.push_back(std::move(manifest));
  }
  std::ranges::sort(pending, {}, &ArchiveManifest::name);
  return pending;
}

void remove_manifest(fs::path const& directory, std::string_view name) {
  std::error_code error;
  fs::remove(manifest_path(directory, name), error);
  if (error)
    throw Fault("cannot remove the manifest of " + std::string(name) + ": " + error.message());
}

}  // namespace al::data
