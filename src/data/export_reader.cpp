#include "data/export_reader.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <istream>
#include <optional>

#include "core/fault.hpp"

namespace al::data {

namespace {

constexpr std::size_t piece_bytes = 1 << 16;
/// Far over the largest row: a file without line feeds must not fill the memory.
constexpr std::size_t line_bytes_max = std::size_t{256} << 20;
/// The first line is short; what is longer is no export.
constexpr std::size_t manifest_bytes_max = 4'096;
constexpr std::int64_t lines_per_progress = 1'000;

constexpr std::string_view cut_short =
    "the export ends here without its end mark: it was cut, or never completed; take another copy";
constexpr std::string_view newer =
    "it was made by a newer version of agent-lightning; import it with that one, or a later one";

std::unexpected<Error> wrong(std::string message) { return fail(Code::invalid, std::move(message)); }

/// Cuts a stream into lines, each with its line feed.
class Lines {
 public:
  explicit Lines(std::istream& in) : in_(in) {}

  /// The next line, or an empty view at the end; valid until the next call. Errors: invalid, longer than `bytes_max`.
  Result<std::string_view> next(std::size_t bytes_max) {
    auto searched = begin_;
    while (true) {
      auto const end = buffer_.find('\n', searched);
      if (end != std::string::npos || is_at_end_) {
        auto const size = (end == std::string::npos ? buffer_.size() : end + 1) - begin_;
        auto const line = std::string_view(buffer_).substr(begin_, size);
        begin_ += size;
        bytes_ += size;
        return line;
      }
      if (buffer_.size() - begin_ > bytes_max)
        return wrong("the line is longer than " + std::to_string(bytes_max) + " bytes");
      buffer_.erase(0, std::exchange(begin_, 0));
      searched = buffer_.size();
      fill();
    }
  }

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  void fill() {
    auto const size = buffer_.size();
    buffer_.resize(size + piece_bytes);
    in_.read(buffer_.data() + size, piece_bytes);
    buffer_.resize(size + static_cast<std::size_t>(in_.gcount()));
    is_at_end_ = !in_;
    if (in_.bad())
      throw Fault("the export cannot be read");
  }

  std::istream& in_;
  std::string buffer_;
  std::size_t begin_ = 0;  ///< of what is still to be handed out
  std::uint64_t bytes_ = 0;
  bool is_at_end_ = false;
};

std::string text_at(json::Input in, std::string_view key) {
  auto const found = json::member(in, key);
  auto const* text = found.parsed == nullptr ? nullptr : found.parsed->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

std::optional<std::int64_t> number_at(json::Input in, std::string_view key) {
  auto const found = json::member(in, key);
  auto const* number = found.parsed == nullptr ? nullptr : found.parsed->if_int64();
  return number == nullptr ? std::nullopt : std::optional(*number);
}

class Reader {
 public:
  Reader(std::istream& in, ExportVisitor& visitor, ReadProgress const& progress)
      : lines_(in), visitor_(visitor), progress_(progress) {}

  Result<ExportSummary> run() {
    auto done = read_all();
    if (!done) {
      done.error().message = "line " + std::to_string(line_) + ": " + done.error().message;
      return fail(std::move(done.error()));
    }
    return summary_;
  }

 private:
  Result<void> read_all() {
    if (auto ok = read_manifest(); !ok)
      return ok;
    while (!is_complete_) {
      auto const line = next_line(line_bytes_max);
      if (!line)
        return fail(line.error());
      if (!line->ends_with('\n'))
        return wrong(std::string(cut_short));
      if (auto ok = take_line(*line); !ok)
        return ok;
    }
    auto const rest = next_line(line_bytes_max);
    return rest && rest->empty() ? Result<void>{} : wrong("something follows the end mark");
  }

  Result<std::string_view> next_line(std::size_t bytes_max) {
    ++line_;
    return lines_.next(bytes_max);
  }

  Result<void> read_manifest() {
    auto const line = next_line(manifest_bytes_max);
    auto const parsed = line ? parse_line(*line) : Result<json::value>(fail(line.error()));
    json::Input const root{parsed ? &*parsed : nullptr, line ? *line : std::string_view{}};
    auto const manifest = json::member(root, "manifest");
    if (text_at(manifest, "format") != export_format)
      return wrong("this is no export of agent-lightning");
    if (number_at(manifest, "format_version") != export_format_version)
      return wrong(std::string(newer));
    all_.add(*line);
    return {};
  }

  Result<void> take_line(std::string_view line) {
    auto const parsed = parse_line(line);
    if (!parsed)
      return fail(parsed.error());
    auto const members = json::members({&*parsed, line.substr(0, line.size() - 1)});
    if (members.size() != 1)
      return wrong("is no object with one member");
    auto const& [key, value] = members.front();
    if (key == "complete")
      return complete(value);
    auto done = key == "end" ? end_section(value) : take_row(key, value, line);
    all_.add(line);
    return done;
  }

  Result<void> take_row(std::string_view key, json::Input in, std::string_view line) {
    if (key == tenant_section().name)
      return begin_tenant(in);
    auto const at = find_section(key);
    if (!at)
      return fail(at.error());
    if (auto ok = open_section(*at); !ok)
      return ok;
    auto const& section = export_sections()[*at];
    auto values = read_row(section, in);
    if (!values)
      return wrong(std::string(section.name) + ": " + values.error().message);
    of_section_.add(line);
    ++rows_;
    if (progress_ && line_ % lines_per_progress == 0)
      progress_(lines_.bytes(), section.name);
    return visitor_.take_row(section, std::move(*values), in, line_);
  }

  Result<void> begin_tenant(json::Input in) {
    if (is_open_)
      return wrong(unended());
    auto values = read_row(tenant_section(), in);
    if (!values)
      return wrong("tenant: " + values.error().message);
    if (!is_slug(std::get<std::string>(values->front())))
      return wrong("tenant: id is no tenant's");
    is_in_tenant_ = true;
    section_ = 0;
    ++summary_.tenants;
    return visitor_.begin_tenant(std::move(*values));
  }

  static Result<std::size_t> find_section(std::string_view name) {
    auto const found = std::ranges::find(export_sections(), name, &ExportSection::name);
    if (found != export_sections().end())
      return static_cast<std::size_t>(found - export_sections().begin());
    return wrong("this program knows no section '" + std::string(name.substr(0, 64)) + "'; " + std::string(newer));
  }

  /// A section's lines stand together, and in the order of the sections.
  Result<void> open_section(std::size_t at) {
    if (!is_in_tenant_)
      return wrong("it belongs to no tenant");
    if (is_open_ && at != section_)
      return wrong(unended());
    if (at < section_)
      return wrong("the section '" + std::string(export_sections()[at].name) + "' is not in its place");
    section_ = at;
    is_open_ = true;
    return {};
  }

  Result<void> end_section(json::Input in) {
    auto const at = find_section(text_at(in, "section"));
    if (!at)
      return fail(at.error());
    if (auto ok = open_section(*at); !ok)
      return ok;
    if (number_at(in, "rows") != rows_)
      return wrong(changed(*at) + ": there are " + std::to_string(rows_) + " rows");
    if (text_at(in, "sha256") != of_section_.take())
      return wrong(changed(*at) + ": their checksum is another one");
    summary_.rows[*at] += std::exchange(rows_, 0);
    is_open_ = false;
    ++section_;
    return visitor_.end_section();
  }

  Result<void> complete(json::Input in) {
    if (is_open_)
      return wrong(unended());
    summary_.sha256 = all_.take();
    bool is_equal = text_at(in, "sha256") == summary_.sha256 && number_at(in, "tenants") == summary_.tenants;
    std::int64_t total = 0;
    for (auto const& [name, rows] : json::members(json::member(in, "rows"))) {
      auto const at = find_section(name);
      auto const* count = rows.parsed->if_int64();
      is_equal = is_equal && at && count != nullptr && *count == summary_.rows[*at];
      total += count == nullptr ? 0 : *count;
    }
    if (!is_equal || total != summary_.total())
      return wrong("the export was changed after it was made: the end mark is that of another one; take another copy");
    is_complete_ = true;
    return {};
  }

  [[nodiscard]] std::string unended() const {
    return "the section '" + std::string(export_sections()[section_].name) + "' before it has no end";
  }

  [[nodiscard]] static std::string changed(std::size_t at) {
    return "the lines of '" + std::string(export_sections()[at].name) +
           "' before it were changed after they were written; take another copy";
  }

  Lines lines_;
  ExportVisitor& visitor_;
  ReadProgress const& progress_;
  Checksum all_;
  Checksum of_section_;
  ExportSummary summary_;
  std::int64_t line_ = 0;
  std::int64_t rows_ = 0;    ///< of the open section
  std::size_t section_ = 0;  ///< the open one, or the first that may come
  bool is_open_ = false;     ///< its end is still to come
  bool is_in_tenant_ = false;
  bool is_complete_ = false;
};

class Nobody final : public ExportVisitor {
 public:
  Result<void> begin_tenant(Values) override { return {}; }
  Result<void> take_row(ExportSection const&, Values, json::Input, std::int64_t) override { return {}; }
  Result<void> end_section() override { return {}; }
};

}  // namespace

Result<ExportSummary> read_export(std::istream& in, ExportVisitor& visitor, ReadProgress const& progress) {
  return Reader(in, visitor, progress).run();
}

Result<ExportSummary> verify_export(std::istream& in, ReadProgress const& progress) {
  Nobody nobody;
  return read_export(in, nobody, progress);
}

}  // namespace al::data
