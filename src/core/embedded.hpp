#pragma once

#include <string_view>

namespace al {

/// One file that the build put into the program: `al_embed` in CMake, then
/// `al::embedded::<symbol>()` from the generated header `embedded/<symbol>.hpp`.
/// Immutable and valid for the life of the process, so any thread may keep the views.
struct EmbeddedFile {
  std::string_view name;  ///< File name without its folder, for example `0001_start.up.sql`.
  std::string_view text;  ///< The bytes as they are in the file, zero bytes included.
};

}  // namespace al
