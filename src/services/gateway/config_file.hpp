#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>

#include "services/gateway/config.hpp"

namespace al::services::gateway {

/// The file of `gateway.config`, looked at again and again. One thread.
class ConfigFile {
 public:
  /// An empty name: the built-in configuration, which never changes.
  explicit ConfigFile(std::filesystem::path file) : file_(std::move(file)) {}

  /// Errors: invalid, with every mistake, or because the file cannot be read.
  [[nodiscard]] Result<GatewayConfig> read();
  /// Whether the file is another one than at the last read(): another time, length or file. Writers that replace a file
  /// leave none for a moment; that is no change.
  [[nodiscard]] bool has_changed() const;

 private:
  struct Marks {
    std::int64_t changed_ns;
    std::int64_t bytes;
    std::uint64_t number;
    std::uint64_t device;
    bool operator==(Marks const&) const = default;
  };
  [[nodiscard]] std::optional<Marks> look() const;

  std::filesystem::path file_;
  std::optional<Marks> read_at_{};
};

}  // namespace al::services::gateway
