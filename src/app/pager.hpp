#pragma once
#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/console.hpp"
#include "app/descriptor.hpp"

namespace al::app {

/// The program and arguments that PAGER names, split on blanks: no shell sees it. Without PAGER it is less; an empty
/// PAGER and a dumb terminal mean none.
[[nodiscard]] std::vector<std::string> pager_command(std::map<std::string, std::string> const& environment);

/// A program that shows text page by page. It has the terminal to itself, with Ctrl-C, until its reader has left: the
/// destructor waits for that. One thread's.
class Pager {
 public:
  /// Null when there is no such program.
  [[nodiscard]] static std::unique_ptr<Pager> start(std::vector<std::string> command);
  ~Pager();
  Pager(Pager const&) = delete;
  Pager& operator=(Pager const&) = delete;

  /// False: the reader has left.
  [[nodiscard]] bool write(std::string_view text);

 private:
  Pager(pid_t process, int input) : process_(process), input_(std::make_unique<Descriptor>(input)) {}
  pid_t process_;
  std::unique_ptr<Descriptor> input_;
};

/// A result that may be longer than the terminal: held back until it is known to be, and then shown by the pager.
/// Without a terminal or a pager it is printed as it comes. One thread's.
class LongOutput {
 public:
  explicit LongOutput(Console& console) : console_(console) {}

  /// Some lines, without the last line feed. False: nobody reads on, the rest need not be made.
  bool print(std::string_view lines);
  /// There is no more. Waits for the reader.
  void finish();

 private:
  Console& console_;
  std::string held_;
  std::unique_ptr<Pager> pager_;
  bool is_direct_ = false;
};

}  // namespace al::app
