#include "app/backup/wal_archive.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <map>

#include "core/fault.hpp"

namespace al::app::backup {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view packed_suffix = ".gz";
constexpr std::string_view partial_suffix = ".gz.partial";
/// What prepare() sets aside.
constexpr std::string_view kept_suffix = ".gz.partial.kept";
constexpr std::string_view history_suffix = ".history.gz";
constexpr std::size_t history_bytes_max = 1 << 20;
constexpr std::size_t name_length = 24;
constexpr std::uint64_t log_file_bytes = std::uint64_t{1} << 32;  ///< what the middle part of a name counts

std::optional<std::uint64_t> hexadecimal(std::string_view text) {
  std::uint64_t out = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return out;
}

std::vector<fs::path> files_in(fs::path const& directory) {
  std::vector<fs::path> out;
  std::error_code error;
  for (auto const& entry : fs::directory_iterator(directory, error))
    out.push_back(entry.path());
  if (error && error != std::errc::no_such_file_or_directory)
    throw Fault("cannot read " + directory.string() + ": " + error.message());
  return out;
}

/// The segment's name without what follows it, when that is `suffix`; else nothing.
std::string base_of(fs::path const& file, std::string_view suffix) {
  auto const name = file.filename().string();
  return name.ends_with(suffix) && name.size() == name_length + suffix.size() ? name.substr(0, name_length)
                                                                              : std::string();
}

void replace_file(fs::path const& file, std::string_view text) {
  std::error_code ignored;
  fs::remove(file, ignored);
  write_new_file(file, text);
}

/// Unpacks a segment that is complete. Errors: invalid.
Result<std::string> whole_segment(fs::path const& file, std::uint64_t segment_bytes) {
  auto content = unpack_beginning(file, segment_bytes);
  if (content.size() != segment_bytes)
    return fail(Code::invalid, file.string() + " is damaged: it holds " + std::to_string(content.size()) +
                                   " bytes instead of " + std::to_string(segment_bytes));
  return content;
}

/// How much of segment `number` a base backup that ends at `end` has itself.
std::uint64_t held_by_base(std::uint64_t number, LogPosition const& log) {
  auto const begin = number * log.segment_bytes;
  return log.end <= begin ? 0 : std::min(log.end - begin, log.segment_bytes);
}

}  // namespace

std::optional<Segment> parse_segment(std::string_view name, std::uint64_t segment_bytes) {
  if (name.size() != name_length || segment_bytes == 0)
    return std::nullopt;
  auto const timeline = hexadecimal(name.substr(0, 8));
  auto const high = hexadecimal(name.substr(8, 8));
  auto const low = hexadecimal(name.substr(16, 8));
  auto const in_each = log_file_bytes / segment_bytes;
  if (!timeline || !high || !low || *low >= in_each)
    return std::nullopt;
  return Segment{static_cast<std::uint32_t>(*timeline), *high * in_each + *low};
}

std::optional<std::uint64_t> parse_position(std::string_view text) {
  auto const slash = text.find('/');
  if (slash == std::string_view::npos)
    return std::nullopt;
  auto const high = hexadecimal(text.substr(0, slash));
  auto const low = hexadecimal(text.substr(slash + 1));
  if (!high || !low || *high >= log_file_bytes || *low >= log_file_bytes)
    return std::nullopt;
  return *high * log_file_bytes + *low;
}

std::optional<std::uint64_t> find_gap(std::uint64_t first, std::vector<std::uint64_t> segments) {
  std::ranges::sort(segments);
  for (auto const segment : segments) {
    if (segment > first)
      return first;
    if (segment == first)
      ++first;
  }
  return std::nullopt;
}

void WalArchive::prepare() const {
  if (::mkdir(directory_.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    throw Fault("cannot make " + directory_.string() + ": " + std::generic_category().message(errno));
  for (auto const& file : files_in(directory_)) {
    if (base_of(file, partial_suffix).empty())
      continue;
    auto const kept = file.string() + ".kept";
    std::error_code error;
    bool const is_longer = !fs::exists(kept) || fs::file_size(file) > fs::file_size(kept);
    is_longer ? fs::rename(file, kept, error) : static_cast<void>(fs::remove(file, error));
    if (error)
      throw Fault("cannot set " + file.string() + " aside: " + error.message());
  }
  sync_directory(directory_);
}

Result<void> WalArchive::unpack_into(fs::path const& pg_wal, LogPosition const& log) const {
  auto const first_needed = log.begin / log.segment_bytes;
  auto const first_after = log.end / log.segment_bytes;
  std::vector<std::uint64_t> numbers;
  std::map<std::string, std::string> unfinished;  // the longest of what there is of a segment
  for (auto const& file : files_in(directory_)) {
    if (file.filename().string().ends_with(history_suffix))
      replace_file(pg_wal / file.stem(), unpack_beginning(file, history_bytes_max));
    for (auto const suffix : {packed_suffix, partial_suffix, kept_suffix}) {
      auto const name = base_of(file, suffix);
      auto const segment = parse_segment(name, log.segment_bytes);
      if (!segment || segment->number < first_needed)
        continue;
      numbers.push_back(segment->number);
      if (suffix == packed_suffix) {
        auto const content = whole_segment(file, log.segment_bytes);
        if (!content)
          return fail(content.error());
        replace_file(pg_wal / name, *content);
        continue;
      }
      auto content = unpack_beginning(file, log.segment_bytes);
      if (auto& longest = unfinished[name]; content.size() > longest.size())
        longest = std::move(content);
    }
  }
  std::erase_if(numbers, [&](std::uint64_t number) { return number < first_after; });
  if (auto const gap = find_gap(first_after, numbers))
    return fail(Code::invalid, "the archive " + directory_.string() + " lacks segment " + std::to_string(*gap) +
                                   " of the log, so what came after it cannot be restored; a newer base backup can");
  for (auto& [name, content] : unfinished) {
    bool const is_finished = fs::exists(directory_ / (name + std::string(packed_suffix)));
    auto const number = parse_segment(name, log.segment_bytes)->number;
    if (is_finished || content.empty() || content.size() < held_by_base(number, log))
      continue;
    content.resize(log.segment_bytes);  // PostgreSQL takes whole segments only; it finds the end by itself
    replace_file(pg_wal / name, content);
  }
  return {};
}

std::size_t WalArchive::remove_before(LogPosition const& oldest) const {
  std::size_t count = 0;
  for (auto const& file : files_in(directory_)) {
    for (auto const suffix : {packed_suffix, partial_suffix, kept_suffix}) {
      auto const segment = parse_segment(base_of(file, suffix), oldest.segment_bytes);
      if (!segment || segment->number >= oldest.begin / oldest.segment_bytes)
        continue;
      std::error_code error;
      fs::remove(file, error);
      if (error)
        throw Fault("cannot remove " + file.string() + ": " + error.message());
      ++count;
    }
  }
  return count;
}

}  // namespace al::app::backup
