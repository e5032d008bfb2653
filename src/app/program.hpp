#pragma once
/// Programs that a command needs, started without a shell.

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "app/descriptor.hpp"
#include "core/result.hpp"

namespace al::app {

/// How a program is started.
struct ProgramOptions {
  std::map<std::string, std::string> environment{};  ///< besides ours
  int input = -1;                                    ///< its standard input; -1: nothing to read
  std::string working_directory{};                   ///< empty: ours
  /// As the account `postgres` when we are root: a PostgreSQL server refuses to run as root.
  bool as_server = false;
  std::stop_token stop{};  ///< of run_program(): ends it early
};

/// A running program. It is told to end (SIGINT) when this object or our process ends. Not thread-safe; belongs to the
/// thread that made it, whose end counts as that of the process.
class Program {
 public:
  /// `arguments` begin with the program. Throws Fault when it cannot be started.
  Program(std::vector<std::string> arguments, ProgramOptions const&);
  ~Program();
  Program(Program const&) = delete;
  Program& operator=(Program const&) = delete;

  /// Its exit code, or 128 and the signal that ended it; nothing when it still runs after `limit`.
  [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds limit);
  void signal(int number) const;
  /// The end of what it has said so far, on either stream.
  [[nodiscard]] std::string output() const;

 private:
  std::string name_;
  Descriptor said_;
  pid_t process_ = -1;
  std::optional<int> code_;
};

/// Runs a program to its end; answers what it said. Errors: internal, with what it said, when it fails or takes longer
/// than a day; unavailable, when it was stopped. Throws Fault when it cannot be started.
[[nodiscard]] Result<std::string> run_program(std::vector<std::string> arguments, ProgramOptions const& = {});

/// Becomes the program: answers only by throwing Fault.
[[noreturn]] void become_program(std::vector<std::string> arguments,
                                 std::map<std::string, std::string> const& environment);

}  // namespace al::app
