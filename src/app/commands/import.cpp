#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "app/answer.hpp"
#include "app/command.hpp"
#include "app/knowledge_files.hpp"
#include "app/progress.hpp"

namespace al::app {
namespace {

/// More faults than this are not read on a terminal; --json and a pipe get them all.
constexpr std::size_t faults_shown_max = 100;

/// Something that was not imported.
struct Omission {
  std::optional<std::int64_t> position;  ///< in the file, from 0; none: the whole file, or the rest of it
  std::string reason;
};

struct FileReport {
  std::string name;
  std::int64_t items = 0;
  std::int64_t imported = 0;
  std::int64_t merged = 0;
  std::int64_t skipped = 0;
  std::int64_t faulty = 0;
  std::string created_agent;  ///< empty when it was there
  bool is_taken = false;      ///< it was read, and the server took what there was to send
  std::vector<Omission> faults;
  std::vector<Omission> left_out;  ///< of the skipped: new, but under an id that someone deleted here
};

std::int64_t number_of(json::value const& object, std::string_view key) {
  auto const& member = member_of(object, key);
  return member.is_int64() ? member.get_int64() : 0;
}

/// These concern every request, so it makes no sense to go on.
bool ends_the_run(Code code) {
  return code != Code::invalid && code != Code::bad_request && code != Code::conflict && code != Code::not_found &&
         code != Code::payload_too_large;
}

/// Imports a directory, file after file.
class Import {
 public:
  Import(Workplace& workplace, std::filesystem::path directory)
      : console_(workplace.console), client_(workplace.config), directory_(std::move(directory)) {}

  int run();

 private:
  void import_file(KnowledgeFile const&, Progress&);
  void send(FileReport&, AgentId const&, std::vector<std::string_view> const& items, KnowledgeFile const&, Progress&);
  void note_reply(FileReport&, AgentId const&, ImportChunk const&, json::value const& reply);
  [[nodiscard]] FileReport total() const;
  void print_text() const;
  void print_omissions(std::string_view title, Tone, std::vector<Omission> FileReport::*) const;
  void print_json() const;

  Console& console_;
  ApiClient client_;
  std::filesystem::path directory_;
  std::vector<FileReport> reports_;
  std::uintmax_t bytes_done_ = 0;
  std::optional<Error> end_;  ///< why the run ended early
};

// ---- doing it ----

int Import::run() {
  auto const files = knowledge_files(directory_);
  if (!files || files->empty()) {
    report(console_, files ? Error{Code::not_found, "there is no *.json file directly in " + directory_.string()}
                           : files.error());
    return exit_usage;
  }
  {
    std::uintmax_t bytes = 0;
    for (auto const& file : *files)
      bytes += file.bytes;
    Progress progress(std::cout, console_.options(), bytes);
    for (auto const& file : *files) {
      progress.show(bytes_done_, file.name);
      auto const before = bytes_done_;
      import_file(file, progress);
      bytes_done_ = before + file.bytes;
      if (end_)
        break;
    }
  }
  bool const is_any_taken = std::ranges::any_of(reports_, &FileReport::is_taken);
  bool const is_all_well = !end_ && std::ranges::all_of(reports_, [](auto const& file) { return file.faults.empty(); });
  bool const has_results = is_any_taken || !end_;
  if (has_results && console_.json())
    print_json();
  if (has_results && !console_.json())
    print_text();
  if (end_) {
    if (is_any_taken)
      end_->message += ". Run it again: what was imported is skipped then";
    report(console_, *end_);
  }
  return is_all_well ? exit_ok : is_any_taken ? exit_failure : exit_usage;
}

void Import::import_file(KnowledgeFile const& file, Progress& progress) {
  auto& out = reports_.emplace_back();
  out.name = file.name;
  auto const skip = [&](Error const& error) { out.faults.push_back({std::nullopt, error.message}); };
  // First of all what it is: a link's name says nothing about a file.
  auto const text = read_knowledge_file(directory_ / file.name);
  if (!text)
    return skip(text.error());
  auto const agent = agent_of_file(file.name);
  if (!agent)
    return skip(agent.error());
  auto const items = cut_array(*text);
  if (!items)
    return skip(items.error());
  out.items = std::ssize(*items);
  send(out, *agent, *items, file, progress);
  std::ranges::sort(out.faults, {}, &Omission::position);
}

void Import::send(FileReport& out, AgentId const& agent, std::vector<std::string_view> const& items,
                  KnowledgeFile const& file, Progress& progress) {
  auto const plan = plan_import(items);
  for (auto const& unfit : plan.unfit)
    out.faults.push_back({unfit.position, unfit.reason});
  out.faulty += std::ssize(plan.unfit);
  out.is_taken = plan.chunks.empty() && plan.unfit.empty();
  for (auto const& chunk : plan.chunks) {
    auto const reply = client_.post("/knowledge/import", import_body(agent, file.name, chunk));
    if (!reply) {
      if (ends_the_run(reply.error().code)) {
        end_ = reply.error();
      } else {
        out.faults.push_back({std::nullopt, reply.error().message});
      }
      return;
    }
    note_reply(out, agent, chunk, *reply->body.root().parsed);
    bytes_done_ += chunk.bytes;
    progress.show(bytes_done_, file.name);
  }
}

void Import::note_reply(FileReport& out, AgentId const& agent, ImportChunk const& chunk, json::value const& reply) {
  out.is_taken = true;
  out.imported += number_of(reply, "imported");
  out.merged += number_of(reply, "merged");
  out.skipped += number_of(reply, "skipped");
  if (text_of(reply, "agent_created") == "true")
    out.created_agent = agent.value;
  auto const add_all = [&](std::string_view key, std::vector<Omission>& to) {
    for (auto const& omission : list_of(reply, key)) {
      auto const sent = static_cast<std::size_t>(number_of(omission, "position"));
      to.push_back({sent < chunk.positions.size() ? std::optional(chunk.positions[sent]) : std::nullopt,
                    text_of(omission, "reason")});
    }
  };
  auto const faults_before = std::ssize(out.faults);
  add_all("faulty", out.faults);
  out.faulty += std::ssize(out.faults) - faults_before;
  add_all("left_out", out.left_out);
}

// ---- telling it ----

FileReport Import::total() const {
  FileReport sum;
  for (auto const& file : reports_) {
    sum.items += file.items;
    sum.imported += file.imported;
    sum.merged += file.merged;
    sum.skipped += file.skipped;
    sum.faulty += file.faulty;
  }
  return sum;
}

void Import::print_text() const {
  Table table({"FILE", "ITEMS", "IMPORTED", "MERGED", "SKIPPED", "FAULTY"});
  auto const add = [&](FileReport const& file, std::string name, Tone tone) {
    auto const number = [](std::int64_t count) { return std::to_string(count); };
    table.add({{std::move(name), tone},
               {number(file.items)},
               {number(file.imported), file.imported > 0 ? Tone::good : Tone::plain},
               {number(file.merged)},
               {number(file.skipped)},
               {number(file.faulty), file.faulty > 0 ? Tone::bad : Tone::plain}});
  };
  std::string created;
  for (auto const& file : reports_) {
    add(file, file.name, file.faults.empty() ? Tone::strong : Tone::caution);
    if (!file.created_agent.empty())
      created.append(created.empty() ? "" : ", ").append(file.created_agent);
  }
  if (reports_.size() > 1)
    add(total(), "total", Tone::faint);
  console_.print(table.text(console_));
  if (!created.empty())
    console_.print("\nNew agents: " + created);
  print_omissions("Left out", Tone::faint, &FileReport::left_out);
  print_omissions("Not imported", Tone::caution, &FileReport::faults);
}

void Import::print_omissions(std::string_view title, Tone tone, std::vector<Omission> FileReport::* list) const {
  auto const width = console_.options().is_terminal ? console_.options().width : std::string::npos;
  std::size_t count = 0;
  for (auto const& file : reports_) {
    for (auto const& omission : file.*list) {
      if (count++ == 0)
        console_.print("\n" + console_.paint(std::string(title), tone) + " (items count from 0):");
      if (console_.options().is_terminal && count > faults_shown_max)
        continue;
      auto const place = omission.position ? ", item " + std::to_string(*omission.position) : std::string();
      console_.print(wrapped(printable(file.name + place + ": " + omission.reason), width, 2));
    }
  }
  if (console_.options().is_terminal && count > faults_shown_max) {
    console_.print("  and " + std::to_string(count - faults_shown_max) + " more; --json lists all of them");
  }
}

json::object counts_of(FileReport const& file) {
  return {{"items", file.items},
          {"imported", file.imported},
          {"merged", file.merged},
          {"skipped", file.skipped},
          {"faulty", file.faulty}};
}

json::array list_json(std::vector<FileReport> const& reports, std::vector<Omission> FileReport::* list) {
  json::array out;
  for (auto const& file : reports) {
    for (auto const& omission : file.*list) {
      json::value const position = omission.position ? json::value(*omission.position) : json::value();
      out.push_back(json::object{{"file", printable(file.name)}, {"position", position}, {"reason", omission.reason}});
    }
  }
  return out;
}

void Import::print_json() const {
  json::array files;
  for (auto const& file : reports_) {
    auto entry = counts_of(file);
    entry["file"] = printable(file.name);
    entry["agent_created"] = !file.created_agent.empty();
    files.push_back(std::move(entry));
  }
  console_.print(json::serialize(json::object{{"files", std::move(files)},
                                              {"total", counts_of(total())},
                                              {"left_out", list_json(reports_, &FileReport::left_out)},
                                              {"faults", list_json(reports_, &FileReport::faults)}}));
}

/// Without a name there is nothing to be restored.
int import_file(Workplace& workplace, std::string const& name) {
  if (!name.empty())
    return restore(workplace, name);
  constexpr auto missing = "name the FILE of an export, or use 'agent-lightning import knowledge DIR'";
  return report(workplace.console, {Code::bad_request, missing}, exit_usage);
}

}  // namespace

void add_import_command(CLI::App& app, Invocation& invocation) {
  auto* imports = app.add_subcommand("import", "Restore an export, or take over what a prototype left behind");
  imports->require_subcommand(0, 1);
  auto file = std::make_shared<std::string>();
  imports->add_option("FILE", *file, "What 'agent-lightning export' wrote; - is standard input");
  imports->footer(
      "The whole file is checked first. It needs an empty database and no running server; tokens are not in it, so\n"
      "'serve' makes a new one. It all comes in, or nothing does.\n"
      "Examples:\n"
      "  agent-lightning import backup.jsonl\n"
      "  zcat backup.jsonl.gz | agent-lightning import -");
  imports->callback([=, &invocation] {
    if (imports->get_subcommands().empty())
      invocation.action = [=](Workplace& workplace) { return import_file(workplace, *file); };
  });

  auto* knowledge = imports->add_subcommand("knowledge", "The *.json files of an .agent-knowledge directory");
  auto directory = std::make_shared<std::string>();
  knowledge->add_option("DIR", *directory, "Where the files are; each is named after its agent")->required();
  knowledge->footer(
      "Running it again changes nothing. Agents that do not exist are created. Of an id that comes twice under one\n"
      "agent the newest item is kept, with the others in its metadata. Links are not followed.\n"
      "Exit codes: 0 all is there, 1 something was faulty or unreadable, 2 nothing could be done.\n"
      "Example:\n  agent-lightning import knowledge .agent-knowledge");
  knowledge->callback([=, &invocation] {
    // A word too many falls through to FILE.
    if (!file->empty())
      throw CLI::ExtrasError("import knowledge", {*file});
    invocation.action = [=](Workplace& workplace) { return Import(workplace, *directory).run(); };
  });
}

}  // namespace al::app
