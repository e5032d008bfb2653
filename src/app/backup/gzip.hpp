#pragma once
/// Files of a backup: packed by gzip, and measured. Blocking; one thread.

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/result.hpp"

namespace al::app::backup {

struct FileFacts {
  std::uintmax_t bytes = 0;
  std::string sha256;
  bool operator==(FileFacts const&) const = default;
};

/// Of a file as it lies there. Throws Fault.
[[nodiscard]] FileFacts measure(std::filesystem::path const&);

/// Makes the new file `to`, for its owner only and synced. Throws Fault.
void pack(std::filesystem::path const& from, std::filesystem::path const& to);

/// The way back. Errors: invalid, when `from` is damaged. Throws Fault when one of them cannot be read or written.
[[nodiscard]] Result<void> unpack(std::filesystem::path const& from, std::filesystem::path const& to);

/// As many bytes as can be had of a packed file that may be cut off, at most `bytes_max`. Throws Fault.
[[nodiscard]] std::string unpack_beginning(std::filesystem::path const&, std::size_t bytes_max);

/// Makes the new file, for its owner only and synced. Throws Fault.
void write_new_file(std::filesystem::path const&, std::string_view text);

/// Makes what was created, renamed or removed in the directory last. Throws Fault.
void sync_directory(std::filesystem::path const&);

}  // namespace al::app::backup
