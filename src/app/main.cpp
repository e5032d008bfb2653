#include <csignal>
#include <string>
#include <vector>

#include "app/cli.hpp"

int main(int argc, char** argv) {
  // Writing to a connection or pipe that is gone is an error to be answered, not a reason to die.
  std::signal(SIGPIPE, SIG_IGN);
  return al::app::run(std::vector<std::string>(argv + 1, argv + argc), al::Config::process_environment());
}
