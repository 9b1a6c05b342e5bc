/* The tables as completion scripts. Each shell is given, for a command, its options, and for an
 * option of choices, the choices; everywhere else it completes file names. */
#include "command.h"

#include <string.h>

static void print_commands(void)
{
    for (const struct command *command = command_table; command->name; command++)
        if (!command->hidden)
            printf(" %s", command->name);
}

static void print_choices(const char *choices)
{
    for (const char *c = choices; *c; c++)
        putchar(*c == '|' ? ' ' : *c);
}

static void print_bash_command(const struct command *command)
{
    printf("    %s)\n        case $previous in\n", command->name);
    for (const struct option_row *row = option_table; row->name; row++)
        if (row->type == OPTION_CHOICE && option_serves(row, command->name)) {
            printf("        --%s) words='", row->name);
            print_choices(row->choices);
            puts("' ;;");
        }
    fputs("        *) [[ $word == -* ]] && words='--help", stdout);
    for (const struct option_row *row = option_table; row->name; row++)
        if (option_serves(row, command->name))
            printf(" --%s", row->name);
    puts("' ;;\n        esac ;;");
}

static void print_bash(void)
{
    puts("# bash completion for i3d\n"
         "_i3d()\n{\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words=\n"
         "    COMPREPLY=()\n"
         "    case $COMP_CWORD:${COMP_WORDS[1]} in");
    fputs("    1:*) words='", stdout);
    print_commands();
    fputs("' ;;\n    2:help) words='", stdout);
    print_commands();
    puts("' ;;\n    esac\n    [[ $COMP_CWORD -gt 1 ]] && case ${COMP_WORDS[1]} in");
    for (const struct command *command = command_table; command->name; command++)
        if (!command->hidden)
            print_bash_command(command);
    puts("    esac\n"
         "    [[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
         "}\n"
         "complete -o bashdefault -o default -F _i3d i3d");
}

/* In single quotes, with what _arguments and zsh would take as their own made plain. */
static void print_zsh_text(const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c == '\'')
            fputs("'\\''", stdout);
        else if (strchr("[]:\\", *c))
            printf("\\%c", *c);
        else
            putchar(*c);
    }
}

static void print_zsh_command(const struct command *command)
{
    printf("    %s)\n        _arguments \\\n", command->name);
    for (const struct option_row *row = option_table; row->name; row++) {
        if (!option_serves(row, command->name))
            continue;
        printf("            '--%s[", row->name);
        print_zsh_text(row->help);
        putchar(']');
        if (row->type == OPTION_CHOICE) {
            printf(":%s:(", row->name);
            print_choices(row->choices);
            putchar(')');
        } else if (row->type == OPTION_TEXT) {
            printf(":%s:_files", row->metavar);
        } else if (row->type != OPTION_FLAG) {
            printf(":%s: ", row->metavar);
        }
        puts("' \\");
    }
    puts("            '*:file:_files' ;;");
}

static void print_zsh(void)
{
    puts("#compdef i3d\n"
         "_i3d()\n{\n"
         "    if ((CURRENT == 2)); then\n"
         "        local -a commands=(");
    for (const struct command *command = command_table; command->name; command++)
        if (!command->hidden) {
            printf("            '%s:", command->name);
            print_zsh_text(command->summary);
            puts("'");
        }
    puts("        )\n"
         "        _describe command commands\n"
         "        return\n"
         "    fi\n"
         "    local command=${words[2]}\n"
         "    shift words\n"
         "    ((CURRENT--))\n"
         "    case $command in");
    for (const struct command *command = command_table; command->name; command++)
        if (!command->hidden)
            print_zsh_command(command);
    puts("    esac\n}\n_i3d \"$@\"");
}

static void print_fish_text(const char *text)
{
    for (const char *c = text; *c; c++)
        printf("%s%c", *c == '\'' || *c == '\\' ? "\\" : "", *c);
}

static void print_fish(void)
{
    puts("# fish completion for i3d");
    for (const struct command *command = command_table; command->name; command++) {
        if (command->hidden)
            continue;
        printf("complete -c i3d -n __fish_use_subcommand -f -a %s -d '", command->name);
        print_fish_text(command->summary);
        puts("'");
        for (const struct option_row *row = option_table; row->name; row++) {
            if (!option_serves(row, command->name))
                continue;
            printf("complete -c i3d -n '__fish_seen_subcommand_from %s' -l %s%s", command->name,
                   row->name, row->type == OPTION_FLAG ? "" : " -r");
            if (row->type == OPTION_CHOICE) {
                fputs(" -f -a '", stdout);
                print_choices(row->choices);
                putchar('\'');
            }
            fputs(" -d '", stdout);
            print_fish_text(row->help);
            puts("'");
        }
    }
}

int cmd_completion(const struct options *options)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = { { "bash", print_bash }, { "zsh", print_zsh }, { "fish", print_fish } };
    const char *name = options->arguments[0];
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++)
        if (strcmp(shells[i].name, name) == 0) {
            shells[i].print();
            return EXIT_OK;
        }
    fprintf(stderr, "i3d: no completion for '%s'; bash, zsh and fish have one\n", name);
    return EXIT_USAGE;
}
