#include "app/knowledge_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <cerrno>
#include <system_error>
#include <unordered_map>

#include "app/console.hpp"
#include "app/descriptor.hpp"
#include "core/json.hpp"
#include "core/strings.hpp"

namespace al::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view suffix = ".json";
/// In a request an item stands in an array in an object.
constexpr std::size_t depth_max = json::depth_max - 2;
constexpr std::size_t read_bytes = 1 << 20;

std::string why(int error) { return std::generic_category().message(error); }

std::string too_large(std::uintmax_t bytes) {
  return "has " + std::to_string(bytes) + " bytes; at most " + std::to_string(knowledge_file_bytes_max) + " are read";
}

std::size_t depth_of(json::value const& value) {
  std::size_t inner = 0;
  if (auto const* object = value.if_object()) {
    for (auto const& member : *object)
      inner = std::max(inner, depth_of(member.value()));
    return inner + 1;
  }
  if (auto const* array = value.if_array()) {
    for (auto const& element : *array)
      inner = std::max(inner, depth_of(element));
    return inner + 1;
  }
  return 0;
}

/// Walks over the elements of an array whose opening bracket has been read.
class ArrayCutter {
 public:
  explicit ArrayCutter(std::string_view text) : text_(text) {}

  Result<std::vector<std::string_view>> run() {
    for (; at_ < text_.size(); ++at_) {
      char const c = text_[at_];
      if (c == '"') {
        skip_string();
      } else if (c == '[' || c == '{') {
        ++depth_;
      } else if (depth_ > 0) {
        if (c == ']' || c == '}')
          --depth_;
      } else if (c == ',') {
        take();
      } else if (c == ']') {
        return end();
      } else if (c == '}') {
        return fail(Code::invalid, "is no JSON array: a bracket is closed that was never opened");
      }
    }
    return fail(Code::invalid, "is no JSON array: it ends before the array does");
  }

 private:
  /// To the closing quote, or to the end.
  void skip_string() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\')
        ++at_;
    }
  }
  void take() {
    out_.push_back(trimmed(text_.substr(begin_, at_ - begin_), white_space));
    begin_ = at_ + 1;
  }
  Result<std::vector<std::string_view>> end() {
    bool const is_empty = out_.empty() && trimmed(text_.substr(begin_, at_ - begin_), white_space).empty();
    if (!is_empty)
      take();
    if (!trimmed(text_.substr(at_ + 1), white_space).empty()) {
      return fail(Code::invalid, "is no JSON array: something follows its end");
    }
    return std::move(out_);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;
  std::size_t depth_ = 0;
  std::vector<std::string_view> out_;
};

/// An item that can be sent.
struct FitItem {
  std::int64_t position = 0;
  std::string_view text;
  std::size_t rank = 0;  ///< where its id comes first
};

/// The id of the item, empty when it has none: saying so is left to the server. Errors: invalid, when it cannot be
/// sent.
Result<std::string> check_item(std::string_view text, ImportLimits const& limits) {
  if (text.empty())
    return fail(Code::invalid, "is empty: there is a comma too many");
  if (text.size() > limits.item_bytes_max) {
    return fail(Code::invalid, "has " + std::to_string(text.size()) + " bytes; an item has at most " +
                                   std::to_string(limits.item_bytes_max));
  }
  auto const value = json::parse(text);
  if (!value)
    return fail(Code::invalid, "within the item, " + value.error().message);
  if (depth_of(*value) > depth_max) {
    return fail(Code::invalid, "is nested deeper than " + std::to_string(depth_max) + " levels");
  }
  auto const* object = value->if_object();
  auto const* id = object ? object->if_contains("id") : nullptr;
  auto const* id_text = id ? id->if_string() : nullptr;
  return id_text ? std::string(*id_text) : std::string();
}

}  // namespace

Result<std::vector<KnowledgeFile>> knowledge_files(fs::path const& directory) {
  std::error_code error;
  std::vector<KnowledgeFile> files;
  fs::directory_iterator entries(directory, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    auto name = entries->path().filename().string();
    if (!name.ends_with(suffix))
      continue;
    std::error_code unknown;
    auto const bytes = entries->file_size(unknown);
    files.push_back({std::move(name), unknown ? 0 : bytes});
  }
  if (error)
    return fail(Code::not_found, "cannot list " + directory.string() + ": " + error.message());
  std::ranges::sort(files, {}, &KnowledgeFile::name);
  return files;
}

Result<AgentId> agent_of_file(std::string_view name) {
  auto const stem = name.substr(0, name.size() - std::min(name.size(), suffix.size()));
  if (!is_slug(stem)) {
    return fail(Code::invalid, "its name is no agent's id, which has 1 to 50 lower-case letters, digits, '_' or '-'");
  }
  return AgentId{stem};
}

Result<std::string> read_knowledge_file(fs::path const& path) {
  // Without O_NONBLOCK, opening a pipe would wait for someone to write to it.
  Descriptor const file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.number() < 0) {
    auto const error = errno;
    return fail(Code::invalid, error == ELOOP ? "is a link; links are not followed" : "cannot be read: " + why(error));
  }
  struct stat facts{};
  if (::fstat(file.number(), &facts) != 0)
    return fail(Code::invalid, "cannot be read: " + why(errno));
  if (!S_ISREG(facts.st_mode))
    return fail(Code::invalid, "is no regular file");
  auto const bytes = static_cast<std::uintmax_t>(facts.st_size);
  if (bytes > knowledge_file_bytes_max)
    return fail(Code::invalid, too_large(bytes));
  std::string text;
  for (;;) {
    auto const before = text.size();
    text.resize(before + read_bytes);
    auto const count = ::read(file.number(), text.data() + before, read_bytes);
    auto const error = errno;
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0)
      return text;
    if (count < 0 && error != EINTR)
      return fail(Code::invalid, "cannot be read: " + why(error));
    if (text.size() > knowledge_file_bytes_max)
      return fail(Code::invalid, too_large(text.size()));
  }
}

Result<std::vector<std::string_view>> cut_array(std::string_view text) {
  auto const first = text.find_first_not_of(white_space);
  if (first == std::string_view::npos)
    return fail(Code::invalid, "is no JSON array: it is empty");
  if (text[first] != '[')
    return fail(Code::invalid, "is no JSON array: it does not begin with '['");
  return ArrayCutter(text.substr(first + 1)).run();
}

ImportPlan plan_import(std::vector<std::string_view> const& items, ImportLimits const& limits) {
  ImportPlan plan;
  std::vector<FitItem> fit;
  std::unordered_map<std::string, std::size_t> first_of_id;
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto const position = static_cast<std::int64_t>(i);
    auto id = check_item(items[i], limits);
    if (!id) {
      plan.unfit.push_back({position, std::move(id.error().message)});
    } else {
      auto const rank = id->empty() ? i : first_of_id.try_emplace(std::move(*id), i).first->second;
      fit.push_back({position, items[i], rank});
    }
  }
  std::ranges::sort(fit, {}, [](FitItem const& item) { return std::pair(item.rank, item.position); });
  for (auto const& item : fit) {
    bool const fits = !plan.chunks.empty() && plan.chunks.back().items.size() < limits.items_max &&
                      plan.chunks.back().bytes + item.text.size() <= limits.chunk_bytes_max;
    if (!fits)
      plan.chunks.emplace_back();
    auto& chunk = plan.chunks.back();
    chunk.items.push_back(item.text);
    chunk.positions.push_back(item.position);
    chunk.bytes += item.text.size();
  }
  return plan;
}

std::string import_body(AgentId const& agent, std::string_view file, ImportChunk const& chunk) {
  std::string body = R"({"agent_id":)";
  json::append_string(body, agent.value);
  body += R"(,"file":)";
  json::append_string(body, printable(file));
  body += R"(,"items":[)";
  for (auto const& item : chunk.items) {
    if (!body.ends_with('['))
      body += ',';
    body += item;
  }
  return body + "]}";
}

}  // namespace al::app
