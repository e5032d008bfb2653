#include "data/export.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <system_error>

#include "app/answer.hpp"
#include "app/command.hpp"
#include "app/descriptor.hpp"
#include "app/installation.hpp"
#include "app/progress.hpp"
#include "data/export_restore.hpp"

namespace al::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t written_at_once_bytes = 1 << 16;

// ---- the database ----

/// Where the content is. The schema's owner, who migrates, may be another role than the one that works with it.
storage::MigrationTarget content_target(Config const& config) {
  auto target = migration_target(config);
  if (uses_postgres(config))
    target.postgres_url = database_url(config);
  return target;
}

/// Columns and tables must be those that this program knows: an export would leave out the others without a word.
/// Errors: conflict, not_found.
Result<void> demand_our_schema(Config const& config) {
  auto const target = migration_target(config);
  if (!uses_postgres(config) && !fs::exists(target.sqlite_path))
    return fail(Code::not_found, "there is no database in " + data_directory(config).string() +
                                     "; AGENT_LIGHTNING_DATA or DATABASE_URL say where it is");
  return demand_migrated(target);
}

// ---- where an export goes ----

[[noreturn]] void throw_unwritable(std::string const& what, int error) {
  throw Fault("cannot write " + what + ": " + std::generic_category().message(error));
}

/// A file that appears under its name when it is complete. Until then it is `<name>.partial`, for its owner only; what
/// an export that was killed has left there is written over by the next one.
class OutputFile {
 public:
  explicit OutputFile(fs::path const& path)
      : path_(path), partial_(path.string() + ".partial"), file_(open(partial_)) {}
  ~OutputFile() {
    std::error_code ignored;
    if (!is_complete_)
      fs::remove(partial_, ignored);
  }
  OutputFile(OutputFile const&) = delete;
  OutputFile& operator=(OutputFile const&) = delete;

  void write(std::string_view text) {
    while (!text.empty()) {
      auto const written = ::write(file_.number(), text.data(), text.size());
      if (written < 0 && errno != EINTR)
        throw_unwritable(partial_.string(), errno);
      text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
  }

  /// Makes it last under its name. False when there is such a file by now and `may_replace` is not set.
  bool complete(bool may_replace) {
    if (::fsync(file_.number()) != 0)
      throw_unwritable(partial_.string(), errno);
    unsigned const flags = may_replace ? 0 : RENAME_NOREPLACE;
    if (::renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, path_.c_str(), flags) != 0) {
      if (errno == EEXIST)
        return false;
      throw_unwritable(path_.string(), errno);
    }
    is_complete_ = true;
    Descriptor const directory(::open(fs::absolute(path_).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.number() >= 0)
      ::fsync(directory.number());
    return true;
  }

 private:
  static int open(fs::path const& path) {
    int const number = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (number < 0)
      throw_unwritable(path.string(), errno);
    Descriptor file(number);
    if (::flock(number, LOCK_EX | LOCK_NB) != 0)
      throw Fault("another export is writing " + path.string());
    demand_ours(number, path);
    if (::fchmod(number, 0600) != 0 || ::ftruncate(number, 0) != 0)
      throw_unwritable(path.string(), errno);
    return file.release();
  }

  /// Who put the file there may have kept it open, and one that was renamed meanwhile is a finished export.
  static void demand_ours(int number, fs::path const& path) {
    struct stat opened{};
    struct stat named{};
    if (::fstat(number, &opened) != 0 || ::lstat(path.c_str(), &named) != 0)
      throw_unwritable(path.string(), errno);
    if (opened.st_uid != ::geteuid() || opened.st_ino != named.st_ino || opened.st_dev != named.st_dev)
      throw Fault(path.string() + " is not ours; remove it, or name another file");
  }

  fs::path path_;
  fs::path partial_;
  Descriptor file_;
  bool is_complete_ = false;
};

/// Runs the export; `write` gets it in larger pieces.
data::ExportSummary run_export(Workplace& workplace, Console::Options const& options,
                               std::function<void(std::string_view)> const& write) {
  auto const session = storage::open_snapshot(content_target(workplace.config));
  auto const total = options.is_terminal ? data::count_export(*session) : 0;
  Progress progress(std::cerr, options, static_cast<std::uintmax_t>(total));
  std::string buffer;
  auto const gather = [&](std::string_view line) {
    buffer += line;
    if (buffer.size() < written_at_once_bytes)
      return;
    write(buffer);
    buffer.clear();
  };
  auto const show = [&](std::int64_t rows, std::string_view section) {
    progress.show(static_cast<std::uintmax_t>(rows), section);
  };
  auto summary = data::write_export(*session, gather, show);
  write(buffer);
  return summary;
}

// ---- what was done ----

void print_summary(Console& console, data::ExportSummary const& summary, std::string const& file,
                   std::string_view done) {
  auto const& sections = data::export_sections();
  if (console.json()) {
    json::object rows;
    for (std::size_t i = 0; i < sections.size(); ++i)
      rows[sections[i].name] = summary.rows[i];
    console.print(json::serialize(json::object{
        {"file", file}, {"tenants", summary.tenants}, {"rows", std::move(rows)}, {"sha256", summary.sha256}}));
    return;
  }
  Table table({"SECTION", "ROWS"});
  for (std::size_t i = 0; i < sections.size(); ++i)
    table.add({{std::string(sections[i].name)}, {std::to_string(summary.rows[i])}});
  console.print(table.text(console));
  console.print("\n" + std::string(done) + " " + std::to_string(summary.total()) + " rows of " +
                std::to_string(summary.tenants) + (summary.tenants == 1 ? " tenant" : " tenants") + ".");
}

struct ExportWish {
  std::string output;
  bool may_replace = false;
};

Error file_is_there(std::string const& name) {
  return {Code::conflict, printable(name) + " is there already; --force replaces it"};
}

int export_to_file(Workplace& workplace, ExportWish const& wish) {
  auto& console = workplace.console;
  std::error_code ignored;
  if (fs::is_directory(wish.output, ignored))
    return report(console, {Code::invalid, printable(wish.output) + " is a directory; name a file in it"}, exit_usage);
  if (!wish.may_replace && fs::exists(wish.output, ignored))
    return report(console, file_is_there(wish.output), exit_usage);
  OutputFile file(wish.output);
  auto const options = progress_options(console);
  auto const summary = run_export(workplace, options, [&](std::string_view text) { file.write(text); });
  if (!file.complete(wish.may_replace))
    return report(console, file_is_there(wish.output));
  print_summary(console, summary, wish.output, "Exported");
  return exit_ok;
}

int export_all(Workplace& workplace, ExportWish const& wish) {
  auto& console = workplace.console;
  if (auto const ours = demand_our_schema(workplace.config); !ours)
    return report(console, ours.error());
  if (!wish.output.empty() && wish.output != "-")
    return export_to_file(workplace, wish);
  auto options = progress_options(console);
  options.is_terminal = options.is_terminal && !console.options().is_terminal;  // else both would be on one
  run_export(workplace, options, [&](std::string_view text) {
    std::cout << text;
    console.flush();
  });
  return exit_ok;
}

// ---- restore ----

/// Shows how much of a file was read.
data::ReadProgress shown_on(Progress& progress, std::string label) {
  return [&progress, label = std::move(label)](std::uint64_t bytes, std::string_view section) {
    progress.show(bytes, label + std::string(section));
  };
}

/// Errors: those of verify_export().
Result<void> check_file(Console const& console, fs::path const& file) {
  std::ifstream in(file, std::ios::binary);
  Progress progress(std::cerr, progress_options(console), fs::file_size(file));
  auto const verified = data::verify_export(in, shown_on(progress, "checking "));
  if (!verified)
    return fail(verified.error());
  return {};
}

/// A database of an older version with something in it is somebody's: it is refused as it is, not migrated first.
Result<void> demand_unused(Config const& config) {
  auto const target = content_target(config);
  if (!uses_postgres(config) && !fs::exists(target.sqlite_path))
    return {};
  auto const states = storage::migration_status(migration_target(config));
  if (std::ranges::none_of(states, &storage::MigrationState::applied))
    return {};
  return data::demand_empty(*storage::open_load(target));
}

/// `bytes` is the size of what comes; 0 when that is not known.
Result<data::ExportSummary> load(Workplace& workplace, std::istream& in, std::uintmax_t bytes) {
  auto const& config = workplace.config;
  make_data_directory(config);
  auto const lock = lock_data_directory(config);
  if (!lock)
    return fail(lock.error());
  if (auto const unused = demand_unused(config); !unused)
    return fail(unused.error());
  migrate(config);
  if (auto const ours = demand_our_schema(config); !ours)
    return fail(ours.error());
  auto const session = storage::open_load(content_target(config));
  Progress progress(std::cerr, progress_options(workplace.console), bytes);
  auto const show = bytes == 0 ? data::ReadProgress{} : shown_on(progress, "writing ");
  return data::restore_export(in, *session, show);
}

/// Looks at the first bytes only.
bool is_gzip(std::istream& in) {
  bool const is_it = in.get() == 0x1f && in.get() == 0x8b;
  in.clear();
  in.seekg(0);
  return is_it;
}

}  // namespace

int restore(Workplace& workplace, std::string const& name) {
  auto& console = workplace.console;
  std::ifstream opened;
  std::uintmax_t bytes = 0;
  if (name != "-") {
    std::error_code ignored;
    if (fs::is_directory(name, ignored)) {
      return report(
          console,
          {Code::invalid, printable(name) + " is a directory; 'agent-lightning import knowledge DIR' takes the "
                                            "knowledge files of one"},
          exit_usage);
    }
    opened.open(name, std::ios::binary);
    if (!opened)
      return report(console, {Code::not_found, "cannot read " + printable(name)}, exit_usage);
    // What comes through a pipe can be read once only; there the transaction is what undoes it.
    if (fs::is_regular_file(name, ignored)) {
      if (is_gzip(opened)) {
        return report(console,
                      {Code::invalid,
                       printable(name) + " is compressed; zcat " + printable(name) + " | agent-lightning import -"},
                      exit_usage);
      }
      bytes = fs::file_size(name);
      if (auto const sound = check_file(console, name); !sound)
        return report(console, {sound.error().code, printable(name) + ", " + sound.error().message});
    }
  }
  auto const summary = load(workplace, name == "-" ? std::cin : opened, bytes);
  if (!summary)
    return report(console, summary.error());
  print_summary(console, *summary, name, "Imported");
  return exit_ok;
}

void add_export_command(CLI::App& app, Invocation& invocation) {
  auto* exports = app.add_subcommand(
      "export", "Write everything into one file: agents, tasks, knowledge, providers, conversations, usage, events");
  auto wish = std::make_shared<ExportWish>();
  exports->add_option("-o,--output", wish->output, "Where to; standard output when left out")->type_name("FILE");
  exports->add_flag("--force", wish->may_replace, "Replace the file when it is there");
  exports->footer(
      "It is JSON Lines: one moment of the whole database, also while a server runs. Tokens and keys are not in it.\n"
      "'agent-lightning import FILE' restores it into an empty database, SQLite or PostgreSQL.\n"
      "Examples:\n"
      "  agent-lightning export --output backup.jsonl\n"
      "  agent-lightning export | gzip > backup.jsonl.gz");
  exports->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return export_all(workplace, *wish); }; });
}

}  // namespace al::app
