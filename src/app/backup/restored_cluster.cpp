#include "app/backup/restored_cluster.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <sstream>

#include "app/program.hpp"
#include "core/fault.hpp"

namespace al::app::backup {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours recovery_max{24};
constexpr std::chrono::minutes stop_max{10};
constexpr std::chrono::milliseconds between_tries{100};

/// The account of the server when we are root, who may not run one.
struct ServerAccount {
  uid_t user;
  gid_t group;
};
ServerAccount server_account() {
  std::array<char, 4096> texts{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r("postgres", &entry, texts.data(), texts.size(), &found) != 0 || found == nullptr)
    throw Fault("PostgreSQL does not run as root, and this system has no account 'postgres'; run this as another user");
  return {.user = entry.pw_uid, .group = entry.pw_gid};
}

void give_to_server(fs::path const& path) {
  if (::geteuid() != 0)
    return;
  auto const account = server_account();
  if (::lchown(path.c_str(), account.user, account.group) != 0)
    throw Fault("cannot give " + path.string() + " to postgres: " + std::generic_category().message(errno));
}

void make_directory(fs::path const& path) {
  if (::mkdir(path.c_str(), S_IRWXU) != 0)
    throw Fault("cannot make " + path.string() + ": " + std::generic_category().message(errno));
  give_to_server(path);
}

void make_file(fs::path const& path, std::string_view text) {
  write_new_file(path, text);
  give_to_server(path);
}

/// The settings and the socket of a server that lives for one recovery. Its directory is the only way to the socket, so
/// everybody who gets there is trusted.
class ServerFolder {
 public:
  ServerFolder() {
    // A path of a socket has at most 107 bytes, and root's own place may be closed to the server's account.
    std::string pattern = "/tmp/agent-lightning-restore-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr)
      throw Fault("cannot make a directory in /tmp: " + std::generic_category().message(errno));
    path_ = pattern;
    make_file(path_ / "postgresql.conf", "");
    make_file(path_ / "pg_hba.conf", "local all all trust\n");
    make_file(path_ / "pg_ident.conf", "");
    give_to_server(path_);
  }
  ~ServerFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ServerFolder(ServerFolder const&) = delete;
  ServerFolder& operator=(ServerFolder const&) = delete;
  [[nodiscard]] fs::path const& path() const { return path_; }

 private:
  fs::path path_;
};

/// Options win over the settings that came with the backup, which are meant for another machine: its archive must not
/// be written to, nor must anybody wait for its standbys.
std::vector<std::string> settings_of(ServerFolder const& folder, RecoveryTarget const& target) {
  auto const& path = folder.path().string();
  std::vector<std::string> out{"config_file=" + path + "/postgresql.conf",
                               "hba_file=" + path + "/pg_hba.conf",
                               "ident_file=" + path + "/pg_ident.conf",
                               "unix_socket_directories=" + path,
                               "port=5432",
                               "listen_addresses=",
                               "ssl=off",
                               "hot_standby=off",
                               "archive_mode=off",
                               "synchronous_standby_names=",
                               "external_pid_file=",
                               "logging_collector=off",
                               "log_destination=stderr",
                               "lc_messages=C",
                               "autovacuum=off"};
  if (target.latest || target.time)
    out.emplace_back("restore_command=false");  // PostgreSQL wants one; the log lies in pg_wal already
  if (target.time) {
    auto moment = to_rfc3339(*target.time);
    moment.replace(moment.size() - 1, 1, "+00");  // it knows no names of zones when it reads this
    out.emplace_back("recovery_target_time=" + moment);
    out.emplace_back("recovery_target_action=promote");
  }
  return out;
}

Error explained(std::string const& said, RecoveryTarget const& target) {
  if (target.time && said.contains("recovery ended before configured recovery target was reached"))
    return {Code::invalid, "the archived log ends before " + to_rfc3339(*target.time) +
                               "; restore to an earlier time, or to all there is with --to latest"};
  return {Code::invalid, "PostgreSQL does not recover from this backup: " + said};
}

/// Asks until the server answers or has ended. Errors: invalid; unavailable.
Result<storage::DatabaseFacts> wait_until_recovered(Program& server, ServerFolder const& folder,
                                                    RecoveryTarget const& target, std::string const& url,
                                                    std::stop_token const& stop) {
  auto const limit = Deadline::after(recovery_max);
  while (limit.left().count() > 0) {
    if (stop.stop_requested())
      return fail(Code::unavailable, "the recovery was broken off");
    if (server.wait(between_tries))
      return fail(explained(server.output(), target));
    try {
      return storage::examine_postgres(url, folder.path());
    } catch (Unavailable const&) {
      continue;
    }
  }
  return fail(Code::internal, "PostgreSQL did not recover within a day: " + server.output());
}

/// "Bytes per WAL segment:                16777216"
std::string value_of(std::string const& report, std::string_view name) {
  std::istringstream lines(report);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name) && line.substr(name.size()).starts_with(':'))
      return line.substr(std::min(line.find_first_not_of(' ', name.size() + 1), line.size()));
  }
  throw Fault("pg_controldata does not say '" + std::string(name) + "'");
}

void remove_tree(fs::path const& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error)
    throw Fault("cannot remove " + path.string() + ": " + error.message());
}

}  // namespace

RestoredCluster::RestoredCluster(fs::path directory, fs::path programs, std::stop_token stop)
    : directory_(std::move(directory)), programs_(std::move(programs)), stop_(std::move(stop)) {
  remove_tree(directory_);
  make_directory(directory_);
  if (!run_program({"test", "-x", directory_.string()}, {.as_server = true}))
    throw Fault("PostgreSQL does not run as root, and its account 'postgres' may not enter " + directory_.string() +
                "; run this as another user, or let others pass through the directories above it (chmod o+x)");
}

RestoredCluster::~RestoredCluster() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

Result<void> RestoredCluster::unpack_tar(fs::path const& file, fs::path const& to) const {
  Descriptor const input(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (input.number() < 0)
    throw Fault("cannot read " + file.string() + ": " + std::generic_category().message(errno));
  auto const done =
      run_program({"tar", "--extract", "--gzip", "--file=-"},
                  {.input = input.number(), .working_directory = to.string(), .as_server = true, .stop = stop_});
  if (!done)
    return fail(Code::invalid, file.filename().string() + " cannot be unpacked: " + done.error().message);
  return {};
}

Result<ClusterFacts> RestoredCluster::unpack(fs::path const& from) {
  if (auto const done = unpack_tar(from / "base.tar.gz", directory_); !done)
    return fail(done.error());
  if (auto const done = unpack_tar(from / "pg_wal.tar.gz", directory_ / "pg_wal"); !done)
    return fail(done.error());
  fs::copy_file(from / "backup_manifest", directory_ / "backup_manifest");
  give_to_server(directory_ / "backup_manifest");
  ProgramOptions const options{
      .environment = {{"LC_ALL", "C"}}, .working_directory = directory_.string(), .as_server = true, .stop = stop_};
  if (auto const checked = run_program({program("pg_verifybackup"), "--quiet", "."}, options); !checked)
    return fail(Code::invalid, "the backup is damaged: " + checked.error().message);
  auto const report = run_program({program("pg_controldata"), "-D", "."}, options);
  if (!report)
    return fail(report.error());
  ClusterFacts facts{.system_id = value_of(*report, "Database system identifier")};
  auto const bytes = value_of(*report, "Bytes per WAL segment");
  std::from_chars(bytes.data(), bytes.data() + bytes.size(), facts.segment_bytes);
  if (facts.segment_bytes == 0)
    throw Fault("pg_controldata names no size of a WAL segment");
  return facts;
}

Result<void> RestoredCluster::add_log(WalArchive const& archive, LogPosition const& log) {
  auto const pg_wal = directory_ / "pg_wal";
  if (auto const added = archive.unpack_into(pg_wal, log); !added)
    return added;
  for (auto const& entry : fs::directory_iterator(pg_wal))
    give_to_server(entry.path());
  make_file(directory_ / "recovery.signal", "");
  return {};
}

Result<storage::DatabaseFacts> RestoredCluster::recover(RecoveryTarget const& target, std::string const& content_url) {
  ServerFolder const folder;
  std::vector<std::string> arguments{program("postgres"), "-D", directory_.string()};
  for (auto const& setting : settings_of(folder, target))
    arguments.insert(arguments.end(), {"-c", setting});
  Program server(arguments, {.environment = {{"LC_ALL", "C"}}, .working_directory = "/", .as_server = true});
  auto facts = wait_until_recovered(server, folder, target, content_url, stop_);
  server.signal(SIGINT);  // a fast shutdown, which leaves nothing to recover
  if (facts && server.wait(stop_max) != 0)
    return fail(Code::internal, "PostgreSQL did not stop in order: " + server.output());
  return facts;
}

void RestoredCluster::keep_as(fs::path const& name) {
  std::error_code error;
  fs::rename(directory_, name, error);
  if (error)
    throw Fault("cannot rename " + directory_.string() + ": " + error.message());
  sync_directory(name.parent_path());
}

}  // namespace al::app::backup
