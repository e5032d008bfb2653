#include "app/manual.hpp"

#include <algorithm>
#include <cstdint>

#include "core/config.hpp"

namespace al::app {
namespace {

// ---- roff ----

std::size_t bytes_of(char lead) {
  auto const byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/// A character beyond ASCII by its number, so that the page reads the same whatever locale it is formatted in.
std::string unicode_escape(std::string_view character) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::uint32_t code = static_cast<unsigned char>(character[0]) & (0xFFu >> (character.size() + 1));
  for (char const byte : character.substr(1))
    code = (code << 6) | (static_cast<unsigned char>(byte) & 0x3Fu);
  std::string number;
  for (; code > 0 || number.size() < 4; code >>= 4)
    number.insert(number.begin(), digits[code & 0xF]);
  return "\\[u" + number + "]";
}

/// Text as roff prints it unchanged: no letter of it is a request, an escape or a typographer's quote.
std::string roff(std::string_view text) {
  std::string out;
  bool begins_line = true;
  while (!text.empty()) {
    auto const size = bytes_of(text[0]);
    auto const character = text.substr(0, size);
    text.remove_prefix(character.size());
    char const c = character[0];
    if (begins_line && (c == '.' || c == '\''))
      out += "\\&";
    begins_line = c == '\n';
    switch (c) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      case '\'':
        out += "\\(aq";
        break;
      case '`':
        out += "\\(ga";
        break;
      case '^':
        out += "\\(ha";
        break;
      case '~':
        out += "\\(ti";
        break;
      case '"':
        out += "\\(dq";
        break;
      case ',':
        out += text.starts_with(' ') ? "," : ",\\:";  // a long list may be broken there
        break;
      default:
        out += size == 1 ? std::string(character) : unicode_escape(character);
    }
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }

class Page {
 public:
  void section(std::string_view title) { out_.append(".SH ").append(title).append("\n"); }
  void subsection(std::string_view title) { out_.append(".SS \"").append(roff(title)).append("\"\n"); }
  void line(std::string_view text) { out_.append(text).append("\n"); }
  void paragraph(std::string_view text) { out_.append(".PP\n").append(text).append("\n"); }
  /// A term and what it means, both with their fonts.
  void entry(std::string_view term, std::string_view text) {
    out_.append(".TP\n").append(term).append("\n").append(text.empty() ? "\\&" : text).append("\n");
  }
  /// As it stands: for what is typed.
  void code(std::string_view lines) { out_.append(".PP\n.EX\n").append(roff(lines)).append("\n.EE\n"); }
  /// Neither hyphens nor wide gaps: words here are often names that are copied.
  [[nodiscard]] std::string text() && {
    return ".TH AGENT\\-LIGHTNING 1 \"\" \"agent\\-lightning " AL_VERSION "\"\n.nr HY 0\n.ad l\n" + out_;
  }

 private:
  std::string out_;
};

// ---- what the tree says ----

std::string option_term(Argument const& option) {
  std::string out;
  for (auto const& name : option.names)
    out += (out.empty() ? "" : ", ") + bold(name);
  if (option.value.starts_with('['))
    return out + roff(option.value);
  if (!option.value.empty())
    out += " " + (option.choices.empty() ? italic(option.value) : roff(option.value));
  return out;
}

std::string argument_text(Argument const& argument) {
  auto out = roff(argument.doc);
  if (!argument.choices.empty() && argument.value.empty()) {
    std::string list;
    for (auto const& choice : argument.choices)
      list += (list.empty() ? "" : ", ") + choice;
    out += roff(" (" + list + ")");
  }
  if (!out.ends_with('.'))
    out += ".";
  return out + (argument.is_required && argument.names.front().starts_with('-') ? " Required." : "");
}

/// Lines that are indented are typed; the others are said.
void append_footer(Page& page, std::string_view footer) {
  std::string said, typed;
  auto const flush = [&] {
    if (!said.empty())
      page.paragraph(roff(said));
    if (!typed.empty())
      page.code(typed);
    said.clear();
    typed.clear();
  };
  while (!footer.empty()) {
    auto const line = footer.substr(0, footer.find('\n'));
    footer.remove_prefix(std::min(line.size() + 1, footer.size()));
    bool const is_typed = line.starts_with("  ");
    if (line.empty() || (is_typed ? typed.empty() && !said.empty() : !typed.empty()))
      flush();
    auto& part = is_typed ? typed : said;
    if (!line.empty())
      part.append(part.empty() ? "" : "\n").append(line);
  }
  flush();
}

void append_command(Page& page, Command const& command) {
  page.subsection(command.usage());
  page.paragraph(roff(command.doc + (command.doc.ends_with('.') ? "" : ".")));
  for (auto const& positional : command.positionals)
    page.entry(italic(positional.name()), argument_text(positional));
  for (auto const& option : command.options)
    page.entry(option_term(option), argument_text(option));
  append_footer(page, command.footer);
}

// ---- what only the program knows ----

std::string setting_text(Setting const& setting) {
  auto option = "--" + std::string(setting.name);
  std::ranges::replace(option, '_', '-');
  auto out = roff(setting.doc) + " Option " + bold(option);
  if (!setting.choices.empty())
    out += roff(", one of " + std::string(setting.choices));
  out += setting.fallback.empty() ? "" : "; default " + roff(setting.fallback);
  return out + ".";
}

void append_environment(Page& page) {
  page.section("ENVIRONMENT");
  page.paragraph(
      "Every setting is a variable, an option and a key of the YAML file; the option without its dashes, and with "
      "underscores, is the key. A later one of these wins: the YAML file, .env, the environment, the options. "
      "An empty variable counts as not set.");
  for (auto const& setting : settings())
    page.entry(bold(setting.variable), setting_text(setting));
  page.entry(bold("PAGER"), "The program, with its arguments, that shows what is longer than the terminal; " +
                                bold("less -FRX") +
                                " when it is not set, none when it is empty. No shell is started for it.");
  page.entry(bold("NO_COLOR"), "When it is set, and not empty, nothing is coloured.");
}

void append_files(Page& page) {
  page.section("FILES");
  page.entry(italic("agent-lightning.yaml"),
             "Settings, read from the current directory unless " + bold("--config") + " names another file.");
  page.entry(italic(".env"), "Variables, as KEY=VALUE, read from the current directory.");
  page.entry(italic("data/token"), "The token of the first start, for the command line on the same machine.");
  page.entry(italic("data/agent-lightning.db"), "The database, when it is SQLite.");
  page.entry(italic("data/master.key"), "Seals the secrets in the database, unless a variable holds the key.");
}

void append_exit_status(Page& page) {
  page.section("EXIT STATUS");
  page.entry(bold("0"), "It is done.");
  page.entry(bold("1"),
             "It failed, or the result could not be written, or the task that was watched did not complete.");
  page.entry(bold("2"), "A command, an option, its value or a setting was not understood.");
  page.entry(bold("130"), "Ctrl\\-C ended it.");
}

}  // namespace

std::string manual(std::span<Command const> tree) {
  auto const& program = tree.front();
  Page page;
  page.section("NAME");
  page.line("agent\\-lightning \\- runs AI agents: gives them tasks and knowledge, and watches them work");
  page.section("SYNOPSIS");
  page.paragraph(bold("agent-lightning") + " " + italic("COMMAND") + " [" + italic("ARGUMENT") + " ...] [" +
                 italic("OPTION") + " ...]");
  page.section("DESCRIPTION");
  page.paragraph(roff(program.doc));
  page.paragraph(bold("agent-lightning serve") +
                 " starts the platform; most other commands talk to one that runs, at the address in " +
                 bold("AGENT_LIGHTNING_URL") +
                 ", or else where the same settings start it. Results go to standard output, everything else to "
                 "standard error. With " +
                 bold("--json") + " results and errors are JSON, one line each.");
  page.section("OPTIONS");
  page.paragraph("Every command takes these, before or behind its own.");
  for (auto const& option : program.options) {
    if (!option.is_setting)
      page.entry(option_term(option), argument_text(option));
  }
  page.section("COMMANDS");
  for (auto const& command : tree.subspan(1))
    append_command(page, command);
  append_environment(page);
  append_files(page);
  append_exit_status(page);
  page.section("EXAMPLES");
  append_footer(page, program.footer);
  return std::move(page).text();
}

}  // namespace al::app
