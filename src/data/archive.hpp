#pragma once
/// Files that rows go to before they leave the database: JSON Lines, compressed with gzip, and beside each a manifest
/// that says what is in it. A file is durable under its name before its manifest is, and the manifest before anything
/// is removed; a file without a manifest is one that a crash left behind, and the next archive replaces it.

#include <boost/describe.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/entity.hpp"

namespace al::data {

/// What `<name>.manifest.json` says of `<name>.jsonl.gz`.
struct ArchiveManifest {
  std::string name{};
  std::string table{};
  std::string partition{};
  std::int64_t rows = 0;
  std::int64_t first_seq = 0;
  std::int64_t last_seq = 0;
  Timestamp until{};
  std::string sha256{};
  bool removed = false;
};
BOOST_DESCRIBE_STRUCT(ArchiveManifest, (), (name, table, partition, rows, first_seq, last_seq, until, sha256, removed))

constexpr auto describe(std::type_identity<ArchiveManifest>) {
  using namespace entity;
  return about("ArchiveManifest", "", "What an archive file holds.",
               field<&ArchiveManifest::name>("Of the file, without .jsonl.gz."),
               field<&ArchiveManifest::table>("Where the rows were."),
               field<&ArchiveManifest::partition>("The partition that was dropped; empty: rows were deleted."),
               field<&ArchiveManifest::rows>("How many."),
               field<&ArchiveManifest::first_seq>("The first one's number."),
               field<&ArchiveManifest::last_seq>("The last one's number."),
               field<&ArchiveManifest::until>("All of them are older than this, UTC."),
               field<&ArchiveManifest::sha256>("Of the compressed file."),
               field<&ArchiveManifest::removed>("The rows have left the database."));
}

/// One file while it is written. It blocks: disks and compression take their time. Everything throws Fault.
class ArchiveFile {
 public:
  /// Makes the directory when it is not there, for its owner only.
  ArchiveFile(std::filesystem::path directory, std::string name);
  /// What was not published is gone.
  ~ArchiveFile();
  ArchiveFile(ArchiveFile const&) = delete;
  ArchiveFile& operator=(ArchiveFile const&) = delete;

  [[nodiscard]] std::string const& name() const { return name_; }
  void write(std::string_view lines);
  /// Makes it last under its name. Answers its SHA-256.
  [[nodiscard]] std::string publish();

 private:
  struct Stream;
  std::filesystem::path const directory_;
  std::string const name_;
  std::unique_ptr<Stream> stream_;
};

/// Makes the manifest last; replaces an older one of the name.
void write_manifest(std::filesystem::path const& directory, ArchiveManifest const&);
/// The manifests of this table whose rows have not left the database yet, by name; none when there is no such
/// directory.
[[nodiscard]] std::vector<ArchiveManifest> pending_manifests(std::filesystem::path const& directory,
                                                             std::string_view table);
/// Forgets that the file was complete, so that it is written anew.
void remove_manifest(std::filesystem::path const& directory, std::string_view name);

}  // namespace al::data
