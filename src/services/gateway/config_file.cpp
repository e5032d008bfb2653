#include "services/gateway/config_file.hpp"

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace al::services::gateway {
namespace {

constexpr std::size_t file_bytes_max = 1 << 20;

}  // namespace

Result<GatewayConfig> ConfigFile::read() {
  if (file_.empty())
    return default_config();
  auto const name = file_.string();
  // Looked at first: what is written while we read is a change.
  read_at_ = look();
  std::ifstream in(file_, std::ios::binary);
  std::string text;
  if (in && read_at_) {
    text.resize(file_bytes_max + 1);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
  }
  if (!read_at_ || in.bad() || !in.is_open())
    return fail(Code::invalid, "the gateway's configuration " + name + " cannot be read (GATEWAY_CONFIG)");
  if (text.size() > file_bytes_max)
    return fail(Code::invalid, "the gateway's configuration " + name + " is larger than 1 MiB (GATEWAY_CONFIG)");
  return read_config(text, name);
}

bool ConfigFile::has_changed() const {
  if (file_.empty())
    return false;
  auto const now = look();
  return now && now != read_at_;
}

std::optional<ConfigFile::Marks> ConfigFile::look() const {
  struct stat facts{};
  if (::stat(file_.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return std::nullopt;
  constexpr std::int64_t second_ns = 1'000'000'000;
  return Marks{.changed_ns = facts.st_mtim.tv_sec * second_ns + facts.st_mtim.tv_nsec,
               .bytes = facts.st_size,
               .number = facts.st_ino,
               .device = facts.st_dev};
}

}  // namespace al::services::gateway
