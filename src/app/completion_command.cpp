// SPDX-License-Identifier: Apache-2.0
// imago completion bash
#include <fmt/ranges.h>

#include "app/command.hpp"

namespace imago::app {
namespace {

/// What knows the workspace's names is the program itself; its lists are quick enough for a key press.
constexpr std::string_view kFunctions = R"bash(# Tab completion of imago for bash:  source <(imago completion bash)
_imago_names() { "${COMP_WORDS[0]}" $1 list $2 2>/dev/null | awk 'NR > 1 { print $1 }' | sort -u; }

_imago() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} path="" word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    [[ " $(_imago_commands "$path") " == *" $word "* ]] && path="${path:+$path }$word"
  done
  local words
  case $prev in
    -d | --data) words=$(_imago_names data) ;;
    -m | --model) words=$(_imago_names models) ;;
    -r | --recipe) words=$(_imago_names recipes) ;;
    *)
      words="$(_imago_commands "$path") $(_imago_options "$path")"
      case $path in
        "data show" | "data check" | "data export" | "data diff") words+=" $(_imago_names data)" ;;
        predict | evaluate | compare | explain | models\ [a-hj-z]*) words+=" $(_imago_names models)" ;;
        "models import") words+=" $(_imago_names models --shipped)" ;;
        "recipes show") words+=" $(_imago_names recipes)" ;;
        "runs show" | "runs compare" | "runs export") words+=" $(_imago_names runs)" ;;
      esac
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _imago imago
)bash";

struct Lists {
  std::string commands;
  std::string options;
};

void add_cases(CLI::App& app, const std::string& path, Lists& lists) {
  std::vector<std::string> options;
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames()) options.push_back("--" + name);
  std::vector<std::string> commands;
  for (auto* command : app.get_subcommands([](const CLI::App* sub) { return !sub->get_name().empty(); })) {
    if (command->get_group().empty()) continue;  // hidden: for other programs
    commands.push_back(command->get_name());
    add_cases(*command, path.empty() ? command->get_name() : path + " " + command->get_name(), lists);
  }
  lists.options += fmt::format("    \"{}\") echo \"{}\" ;;\n", path, fmt::join(options, " "));
  if (!commands.empty()) lists.commands += fmt::format("    \"{}\") echo \"{}\" ;;\n", path, fmt::join(commands, " "));
}

std::string script(CLI::App& app) {
  Lists lists;
  add_cases(app, "", lists);
  return fmt::format(
      "{}\n_imago_commands() {{\n  case $1 in\n{}  esac\n}}\n\n_imago_options() {{\n  case $1 in\n{}  esac\n}}\n",
      kFunctions, lists.commands, lists.options);
}

}  // namespace

void add_completion_commands(CLI::App& app, Context& context) {
  auto* completion = app.add_subcommand("completion", "Tab completion for a shell");
  completion->require_subcommand(1);
  auto* bash = completion->add_subcommand("bash", "Print the script that bash reads");
  bash->footer("Example:\n  source <(imago completion bash)");
  bash->callback([&app, &context] {
    context.action = [&app]() -> Result<void> {
      fmt::print("{}", script(app));
      return {};
    };
  });
}

}  // namespace imago::app
