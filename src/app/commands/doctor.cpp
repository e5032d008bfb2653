#include "app/doctor.hpp"

#include <algorithm>

#include "app/command.hpp"
#include "core/json.hpp"

namespace al::app {
namespace {

std::string_view name_of(Finding::Level level) {
  switch (level) {
    case Finding::Level::ok:
      return "ok";
    case Finding::Level::warning:
      return "warning";
    case Finding::Level::error:
      return "error";
  }
  return "";
}

Tone tone_of(Finding::Level level) {
  switch (level) {
    case Finding::Level::ok:
      return Tone::good;
    case Finding::Level::warning:
      return Tone::caution;
    case Finding::Level::error:
      return Tone::bad;
  }
  return Tone::plain;
}

std::string as_json(std::vector<Finding> const& findings, bool is_sound) {
  std::string out = std::string("{\"ok\":") + (is_sound ? "true" : "false") + ",\"findings\":[";
  for (auto const& finding : findings) {
    out.append(&finding == findings.data() ? "" : ",").append("{\"level\":\"").append(name_of(finding.level));
    out += "\",\"subject\":";
    json::append_string(out, printable(finding.subject));
    out += ",\"message\":";
    json::append_string(out, printable(finding.message));
    out += ",\"remedy\":";
    json::append_string(out, printable(finding.remedy));
    out += '}';
  }
  return out + "]}";
}

int run_doctor(Workplace& workplace) {
  auto& console = workplace.console;
  auto const findings = examine(workplace.config);
  bool const is_sound =
      std::ranges::none_of(findings, [](auto const& finding) { return finding.level == Finding::Level::error; });
  if (console.json()) {
    console.print(as_json(findings, is_sound));
    return is_sound ? exit_ok : exit_failure;
  }
  for (auto const& finding : findings) {
    auto level = std::string(name_of(finding.level));
    level.resize(9, ' ');
    auto subject = finding.subject;
    subject.resize(std::max<std::size_t>(subject.size() + 1, 24), ' ');
    console.print(console.paint(level, tone_of(finding.level)) + subject + printable(finding.message));
    if (!finding.remedy.empty())
      console.print("         " + console.paint("→ " + finding.remedy, Tone::strong));
  }
  return is_sound ? exit_ok : exit_failure;
}

}  // namespace

void add_doctor_command(CLI::App& app, Invocation& invocation) {
  auto* command =
      app.add_subcommand("doctor", "Look for what keeps this installation from working, and how to mend it");
  command->callback([&invocation] { invocation.action = run_doctor; });
}

}  // namespace al::app
