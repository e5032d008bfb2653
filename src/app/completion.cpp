#include "app/completion.hpp"

#include <algorithm>
#include <array>
#include <ranges>

namespace al::app {
namespace {

// ---- what the scripts are told about values ----

/// Names of values whose ids a server knows, and what `complete` calls them.
struct IdName {
  std::string_view value;
  std::string_view kind;
};
constexpr std::array<IdName, 4> id_names{
    {{"AGENT", "agent"}, {"TASK", "task"}, {"PROVIDER", "provider"}, {"MODEL", "model"}}};

std::string joined(std::vector<std::string> const& words, std::string_view between) {
  std::string out;
  for (auto const& word : words)
    out.append(out.empty() ? "" : between).append(word);
  return out;
}

/// Where the words for a value come from: `a|b` themselves, `@agent` ids, `/` files, `//` directories, `-` nowhere.
/// Among the choices may be ids as well: `auto|@agent`.
std::string source_of(std::string_view value, std::vector<std::string> const& choices) {
  auto const ids_of = [](std::string_view name) {
    auto const* id = std::ranges::find(id_names, name, &IdName::value);
    return id == id_names.end() ? std::string() : "@" + std::string(id->kind);
  };
  std::string out;
  for (auto const& choice : choices) {
    auto const ids = ids_of(choice);
    out.append(out.empty() ? "" : "|").append(ids.empty() ? choice : ids);
  }
  if (out.empty())
    out = value == "FILE" ? "/" : value == "DIR" ? "//" : ids_of(value);
  return out.empty() ? "-" : out;
}

bool takes_value(Argument const& option) { return !option.value.empty() && !option.value.starts_with('['); }

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (;;) {
    auto const at = text.find(from);
    out += text.substr(0, at);
    if (at == std::string_view::npos)
      return out;
    out += to;
    text.remove_prefix(at + from.size());
  }
}

/// In single quotes, for bash and zsh.
std::string shell_quoted(std::string_view text) { return "'" + replaced(text, "'", R"('\'')") + "'"; }

std::string positional_source(Argument const& positional) {
  auto source = source_of(positional.name(), positional.choices);
  return source + (positional.is_repeated ? "+" : "");
}

// ---- bash ----

constexpr std::string_view bash_head =
    R"sh(# Completion of agent-lightning for bash. For this shell:  eval "$(agent-lightning completion bash)"

# What follows the command $1: its commands, its options (with =WHERE their values come from) and its arguments.
_agent_lightning_facts() {
  commands='' options='' positionals=''
  case $1 in
)sh";

constexpr std::string_view bash_tail = R"sh(  esac
}

# Puts where the value of option $1 comes from into `source`; fails for a flag.
_agent_lightning_source() {
  local entry
  for entry in $options $common $settings; do
    if [[ $entry == "$1="* ]]; then
      source=${entry#*=}
      return 0
    fi
  done
  return 1
}

# Offers each of the words after the first that continues $cur, behind what $1 says.
_agent_lightning_words() {
  local before=$1 word
  shift
  for word; do
    [[ $word == "$cur"* ]] && COMPREPLY+=("$before$word")
  done
}

# Offers values that come from $1, behind what $2 says.
_agent_lightning_offer() {
  local from word rest
  for from in ${1//|/ }; do
    case $from in
      -) ;;
      @*)
        while IFS=$'\t' read -r word rest; do
          _agent_lightning_words "$2" "$word"
        done < <("${COMP_WORDS[0]/#\~/$HOME}" complete "${from#@}" 2>/dev/null)
        ;;
      / | //)
        compopt -o filenames 2>/dev/null
        while IFS= read -r word; do
          COMPREPLY+=("$2$word")
        done < <(if [[ $from == / ]]; then compgen -f -- "$cur"; else compgen -d -- "$cur"; fi)
        ;;
      *) _agent_lightning_words "$2" "$from" ;;
    esac
  done
}

_agent_lightning() {
  local IFS=$' \t\n' cur=${COMP_WORDS[COMP_CWORD]} path='' option='' source='' count=0 i word
  local commands options positionals common settings
  COMPREPLY=()
  _agent_lightning_facts settings
  settings=$options
  _agent_lightning_facts ''
  common=$options
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    if [[ -n $option ]]; then
      [[ $word == '=' ]] || option=''
    elif [[ $word == '=' ]]; then
      ((++i)) # the value of a flag
    elif [[ $word == -* ]]; then
      [[ $word != *=* ]] && _agent_lightning_source "$word" && option=$word
    elif [[ " $commands " == *" $word "* ]]; then
      path+=${path:+ }$word
      count=0
      _agent_lightning_facts "$path"
    else
      ((++count))
    fi
  done
  ((i > COMP_CWORD)) && return
  if [[ -n $option ]]; then
    [[ $cur == '=' ]] && cur=''
    _agent_lightning_source "$option" && _agent_lightning_offer "$source" ''
  elif [[ $cur == --*=* ]]; then
    option=${cur%%=*} cur=${cur#*=}
    _agent_lightning_source "$option" && _agent_lightning_offer "$source" "$option="
  elif [[ $cur == -* ]]; then
    [[ $cur == --?* ]] || settings=''
    for word in $options $common $settings; do
      _agent_lightning_words '' "${word%%=*}"
    done
  else
    _agent_lightning_words '' $commands
    local sources=($positionals)
    local last=$((${#sources[@]} - 1))
    if ((count <= last)); then
      _agent_lightning_offer "${sources[count]%+}" ''
    elif ((last >= 0)) && [[ ${sources[last]} == *+ ]]; then
      _agent_lightning_offer "${sources[last]%+}" ''
    fi
  fi
}
complete -F _agent_lightning agent-lightning
)sh";

/// "--json --config=/", of the options that are settings or of those that are not.
std::string bash_options(Command const& command, bool are_settings) {
  std::string out;
  for (auto const& option : command.options) {
    if (option.is_setting != are_settings)
      continue;
    for (auto const& name : option.names) {
      out.append(out.empty() ? "" : " ").append(name);
      if (takes_value(option))
        out.append("=").append(source_of(option.value, option.choices));
    }
  }
  return out;
}

std::string bash_script(std::span<Command const> tree) {
  std::string out(bash_head);
  for (auto const& command : tree) {
    std::string commands, positionals;
    for (auto const& sub : command.commands)
      commands.append(commands.empty() ? "" : " ").append(sub.name);
    for (auto const& positional : command.positionals)
      positionals.append(positionals.empty() ? "" : " ").append(positional_source(positional));
    out += "    " + shell_quoted(command.path) + ")\n";
    out += "      commands=" + shell_quoted(commands) +
           "\n      options=" + shell_quoted(bash_options(command, false)) +
           "\n      positionals=" + shell_quoted(positionals) + "\n      ;;\n";
  }
  out += "    settings) options=" + shell_quoted(bash_options(tree.front(), true)) + " ;;\n";
  return out.append(bash_tail);
}

// ---- zsh ----

constexpr std::string_view zsh_head = R"sh(#compdef agent-lightning
# Completion of agent-lightning for zsh. For this shell, after compinit:  eval "$(agent-lightning completion zsh)"

# What follows the command $1: its commands and options, each with what it is, where the values of its options come
# from, and its arguments.
_agent-lightning-facts() {
  subs=() opts=() froms=() args=()
  case $1 in
)sh";

constexpr std::string_view zsh_tail = R"sh(  esac
}

# Offers values that come from $1.
_agent-lightning-offer() {
  local from
  local -a ids
  for from in "${(@s:|:)1}"; do
    case $from in
      ('' | -) _message 'a value' ;;
      (@*)
        ids=("${(@f)$("${(Q)words[1]/#\~/$HOME}" complete "${from#@}" 2>/dev/null)}")
        ids=("${(@)ids:#}")
        ids=("${(@)ids//:/\\:}")
        ids=("${(@)ids/$'\t'/:}")
        _describe "${from#@}" ids
        ;;
      (/) _files ;;
      (//) _files -/ ;;
      (*) compadd -- "$from" ;;
    esac
  done
}

_agent-lightning() {
  local here='' option='' word i count=0
  local -a subs opts args common settings names
  local -A froms common_froms
  _agent-lightning-facts settings
  settings=("${opts[@]}")
  common_froms=("${(@kv)froms}")
  _agent-lightning-facts ''
  common=("${opts[@]}")
  common_froms+=("${(@kv)froms}")
  for ((i = 2; i < CURRENT; ++i)); do
    word=${words[i]}
    names=("${(@)subs%%:*}")
    if [[ -n $option ]]; then
      option=''
    elif [[ $word == -* ]]; then
      [[ -n ${froms[$word]}${common_froms[$word]} ]] && option=$word
    elif ((${names[(Ie)$word]})); then
      here+=${here:+ }$word
      count=0
      _agent-lightning-facts "$here"
    else
      ((++count))
    fi
  done
  if [[ -n $option ]]; then
    _agent-lightning-offer "${froms[$option]:-${common_froms[$option]}}"
  elif [[ ${words[CURRENT]} == --*=* ]]; then
    option=${words[CURRENT]%%=*}
    compset -P '*='
    _agent-lightning-offer "${froms[$option]:-${common_froms[$option]}}"
  elif [[ ${words[CURRENT]} == -* ]]; then
    opts+=("${common[@]}")
    [[ ${words[CURRENT]} == --?* ]] && opts+=("${settings[@]}")
    _describe -o option opts
  elif ((${#subs})); then
    _describe command subs
  elif ((count < ${#args})); then
    _agent-lightning-offer "${args[count + 1]%+}"
  elif [[ ${args[-1]} == *+ ]]; then
    _agent-lightning-offer "${args[-1]%+}"
  fi
}

if [[ ${funcstack[1]} == _agent-lightning ]]; then
  _agent-lightning "$@"
else
  compdef _agent-lightning agent-lightning
fi
)sh";

/// A word and what it is, as _describe takes them.
std::string described(std::string_view word, std::string_view doc) {
  return shell_quoted(replaced(word, ":", "\\:") + ":" + std::string(doc));
}

void append_zsh_options(std::string& out, Command const& command, bool are_settings) {
  std::string options, sources;
  for (auto const& option : command.options) {
    if (option.is_setting != are_settings)
      continue;
    for (auto const& name : option.names) {
      options += "\n        " + described(name, option.doc);
      if (takes_value(option))
        sources += "\n        " + shell_quoted(name) + " " + shell_quoted(source_of(option.value, option.choices));
    }
  }
  out += "      opts=(" + options + "\n      )\n      froms=(" + sources + "\n      )\n";
}

std::string zsh_script(std::span<Command const> tree) {
  std::string out(zsh_head);
  for (auto const& command : tree) {
    out += "    (" + shell_quoted(command.path) + ")\n      subs=(";
    for (auto const& sub : command.commands)
      out += "\n        " + described(sub.name, sub.doc);
    out += "\n      )\n";
    append_zsh_options(out, command, false);
    out += "      args=(";
    for (auto const& positional : command.positionals)
      out += shell_quoted(positional_source(positional)) + (&positional == &command.positionals.back() ? "" : " ");
    out += ")\n      ;;\n";
  }
  out += "    (settings)\n";
  append_zsh_options(out, tree.front(), true);
  return out.append("      ;;\n").append(zsh_tail);
}

// ---- fish ----

constexpr std::string_view fish_head =
    R"sh(# Completion of agent-lightning for fish. For this shell:  agent-lightning completion fish | source

# Whether the words so far reach the command $argv[1]: with $argv[2] arguments behind it when that is given, or more
# when $argv[3] is given too.
function __agent_lightning_at
    set -l here
    set -l count 0
    set -l is_value 0
    set -l tokens (commandline -opc)
    for token in $tokens[2..-1]
        if test $is_value = 1
            set is_value 0
        else if string match -q -- '-*' $token
            contains -- $token $__agent_lightning_valued; and set is_value 1
        else if test $count = 0; and contains -- (string trim -- "$here $token") $__agent_lightning_commands
            set here (string trim -- "$here $token")
        else
            set count (math $count + 1)
        end
    end
    test "$here" = "$argv[1]"; or return 1
    set -q argv[2]; or return 0
    test $count = $argv[2]; or begin
        set -q argv[3]; and test $count -gt $argv[2]
    end
end
function __agent_lightning_typing
    string match -q -- '--?*' (commandline -ct)
end
)sh";

/// In single quotes, in which fish knows two escapes.
std::string fish_quoted(std::string_view text) {
  return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

/// The part of `complete` that says what a value may be.
std::string fish_values(std::string const& source) {
  if (source == "-")
    return " -x";
  if (source == "/")
    return " -r -F";
  if (source == "//")
    return " -x -a '(__fish_complete_directories (commandline -ct))'";
  std::string words;
  for (auto const part : std::views::split(source, '|')) {
    std::string const word{std::string_view(part)};
    words += words.empty() ? "" : " ";
    words += word.starts_with('@') ? "(agent-lightning complete " + word.substr(1) + " 2>/dev/null)" : word;
  }
  return " -x -a " + fish_quoted(words);
}

std::string fish_condition(Command const& command, std::string_view more = "") {
  return " -n " + fish_quoted("__agent_lightning_at " + fish_quoted(command.path) + std::string(more));
}

void append_fish_options(std::string& out, Command const& command) {
  for (auto const& option : command.options) {
    out += "complete -c agent-lightning";
    if (!command.path.empty())
      out += fish_condition(command);
    if (option.is_setting)
      out += " -n __agent_lightning_typing";
    for (auto const& name : option.names)
      out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    if (takes_value(option))
      out += fish_values(source_of(option.value, option.choices));
    out += " -d " + fish_quoted(option.doc) + "\n";
  }
}

std::string fish_script(std::span<Command const> tree) {
  std::string commands, valued;
  for (auto const& command : tree) {
    if (!command.path.empty())
      commands += " " + fish_quoted(command.path);
    for (auto const& option : command.options) {
      if (takes_value(option))
        valued += " " + joined(option.names, " ");
    }
  }
  std::string out(fish_head);
  out += "set -g __agent_lightning_commands" + commands + "\nset -g __agent_lightning_valued" + valued + "\n";
  out += "complete -c agent-lightning -e\ncomplete -c agent-lightning -f\n";
  for (auto const& command : tree) {
    for (auto const& sub : command.commands)
      out += "complete -c agent-lightning" + fish_condition(command, " 0") + " -a " + fish_quoted(sub.name) + " -d " +
             fish_quoted(sub.doc) + "\n";
    append_fish_options(out, command);
    std::size_t count = 0;
    for (auto const& positional : command.positionals) {
      auto const source = source_of(positional.name(), positional.choices);
      auto const where = " " + std::to_string(count++) + (positional.is_repeated ? " more" : "");
      if (source != "-")
        out += "complete -c agent-lightning" + fish_condition(command, where) + fish_values(source) + "\n";
    }
  }
  return out;
}

}  // namespace

std::string completion_script(Shell shell, std::span<Command const> tree) {
  switch (shell) {
    case Shell::bash:
      return bash_script(tree);
    case Shell::zsh:
      return zsh_script(tree);
    case Shell::fish:
      return fish_script(tree);
  }
  return {};
}

}  // namespace al::app
