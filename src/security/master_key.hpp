#pragma once
#include <filesystem>
#include <string>

#include "core/result.hpp"
#include "security/secret_key.hpp"

namespace al::security {

/// Where a data directory keeps its master key, when no variable sets one.
[[nodiscard]] std::filesystem::path master_key_file(std::filesystem::path const& data_directory);

/// The key that opens all others: AGENT_LIGHTNING_MASTER_KEY, or else the file. It is never in the database and never
/// in a backup of it. Thread-safe.
class MasterKey {
 public:
  /// `given` is the variable's value, or empty.
  MasterKey(std::string given, std::filesystem::path const& data_directory, Random& random)
      : given_(std::move(given)), file_(master_key_file(data_directory)), random_(random) {}
  ~MasterKey() { wipe(given_); }
  MasterKey(MasterKey const&) = delete;
  MasterKey& operator=(MasterKey const&) = delete;

  /// Null when there is none yet. Errors: invalid (what is there is no key), forbidden (we may not read the file, or
  /// others may).
  [[nodiscard]] Result<SecretKeyPtr> find() const;

  /// find(), or a new one in the file (0600), on disk before this returns. Of processes that share the directory all
  /// get the same. Errors: as find(). Throws Fault when the file cannot be written.
  [[nodiscard]] Result<SecretKeyPtr> find_or_make() const;

  /// "AGENT_LIGHTNING_MASTER_KEY", or the file, for messages.
  [[nodiscard]] std::string source() const;
  [[nodiscard]] std::filesystem::path const& file() const { return file_; }

 private:
  std::string given_;
  std::filesystem::path file_;
  Random& random_;
};

}  // namespace al::security
