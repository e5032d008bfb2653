#pragma once
/// Servers of a test's own, which must be gone when the test's process is gone, however that ends.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace al {

/// A shell script that has a server in its care. First it says the directory that it made, with a file `log`; then it
/// does commands, a line each, and answers "ok" after each one that it did. Its standard input ends when the test's
/// process ends; then it ends the server and removes the directory. It has a session of its own, so that a signal to
/// the tests' process group does not reach it. Blocking; one thread at a time.
class Keeper {
 public:
  /// `server` is for messages. Throws std::system_error.
  Keeper(std::string server, std::vector<std::string> arguments);
  ~Keeper();
  Keeper(Keeper const&) = delete;
  Keeper& operator=(Keeper const&) = delete;

  [[nodiscard]] std::filesystem::path const& directory() const { return directory_; }
  /// Throws std::runtime_error with the server's log when it is not done.
  void command(std::string_view line) const;
  /// As command(), of what the script does by itself.
  void expect_ok(std::string_view what) const;
  [[nodiscard]] std::string log_tail() const;

 private:
  [[nodiscard]] std::string read_line() const;

  std::string server_;
  std::filesystem::path directory_;
  pid_t process_ = -1;
  int to_ = -1;  ///< its standard input
  int from_ = -1;
};

/// A port that was free a moment ago.
[[nodiscard]] std::uint16_t free_port();

/// Starts a program in a session of its own. Negative ends leave the standard streams as they are.
[[nodiscard]] pid_t spawn_program(std::vector<std::string> arguments, int input, int output);

}  // namespace al
