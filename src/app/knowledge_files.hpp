#pragma once
/// The files of the prototype's `.agent-knowledge` directory: found, read and cut into requests. Nothing is sent here.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"

namespace al::app {

struct KnowledgeFile {
  std::string name;
  std::uintmax_t bytes = 0;  ///< as the directory says; 0 when it cannot say
};

/// Every *.json directly in `directory`, by name. Errors: not_found, with the reason, when it cannot be listed.
[[nodiscard]] Result<std::vector<KnowledgeFile>> knowledge_files(std::filesystem::path const& directory);

/// The agent that a file's name says. Errors: invalid.
[[nodiscard]] Result<AgentId> agent_of_file(std::string_view name);

inline constexpr std::size_t knowledge_file_bytes_max = 64 << 20;

/// The whole of a file. Links are not followed. Errors: invalid, with the reason: a link, no regular file, too large,
/// not readable.
[[nodiscard]] Result<std::string> read_knowledge_file(std::filesystem::path const&);

/// The texts of a JSON array's elements. Only brackets and strings are looked at, so that a bad element leaves the
/// others readable as long as its brackets and quotes pair up. Errors: invalid, when it is no array as a whole.
[[nodiscard]] Result<std::vector<std::string_view>> cut_array(std::string_view text);

/// One request's worth of a file.
struct ImportChunk {
  std::vector<std::string_view> items;
  std::vector<std::int64_t> positions;  ///< of each in the file, from 0
  std::size_t bytes = 0;
};

/// Why an item is not sent.
struct UnfitItem {
  std::int64_t position = 0;
  std::string reason;
};

struct ImportPlan {
  std::vector<ImportChunk> chunks;
  std::vector<UnfitItem> unfit;
};

struct ImportLimits {
  std::size_t items_max = 200;
  std::size_t chunk_bytes_max = 4 << 20;  ///< a larger item goes alone
  std::size_t item_bytes_max = 15 << 20;  ///< a little less than the server takes
};

/// Puts the items into requests. Those of one id go together, in the order of the file, so that the server sees them
/// side by side.
[[nodiscard]] ImportPlan plan_import(std::vector<std::string_view> const& items, ImportLimits const& limits = {});

/// The body of a request.
[[nodiscard]] std::string import_body(AgentId const&, std::string_view file, ImportChunk const&);

}  // namespace al::app
