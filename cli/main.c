/* i3d COMMAND ARGUMENTS OPTIONS: finds the command, checks the words, runs it. */
#include "command.h"
#include "openmp.h"
#include "terminal.h"

#include "comm/launch.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Of several processes that were started with the same words one says what is wrong with them; the
 * others end after it, because with one that fails all are ended. */
static int usage_error(void)
{
    if (launch_rank() == 0)
        terminal_fail(i3d_error());
    else
        sleep(1);
    return EXIT_USAGE;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int check_arguments(const struct command *command, const struct options *options)
{
    size_t count = options->argument_count;
    if (count >= (size_t)command->least && (command->most < 0 || count <= (size_t)command->most))
        return EXIT_OK;
    options_refuse("usage: i3d %s%s%s [OPTIONS], not %zu argument%s; see 'i3d help %s'",
                   command->name, *command->arguments ? " " : "", command->arguments, count,
                   count == 1 ? "" : "s", command->name);
    return command_failed();
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options;
    command_now = command->name;
    if (options_parse(command->name, argc, argv, &options) != I3D_OK)
        return usage_error();
    int code = EXIT_OK;
    if (option_given(&options, "config") &&
        options_read(&options, option_text(&options, "config")) != I3D_OK)
        code = usage_error();
    if (code == EXIT_OK)
        code = check_arguments(command, &options);
    if (code == EXIT_OK) {
        terminal_begin(&options);
        code = command->run(&options);
        terminal_end();
    }
    options_clear(&options);
    return code;
}

/* Results that did not reach their reader (a full disk) are a failure, which is told unless the
 * reader has left. */
static int finish(int code)
{
    bool failed = ferror(stdout) != 0;
    if (fclose(stdout) == 0 && !failed)
        return code;
    if (errno != EPIPE)
        fprintf(stderr, "i3d: cannot write to the standard output: %s\n", strerror(errno));
    return code == EXIT_OK ? EXIT_FAILED : code;
}

int main(int argc, char **argv)
{
    openmp_settle(argv);
    terminal_guard();
    if (argc < 2) {
        help_print_all(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    else if (strcmp(name, "--version") == 0)
        name = "version";

    const struct command *command = command_find(name);
    if (!command)
        return help_unknown(name);
    if (asks_for_help(argc - 2, argv + 2)) {
        help_print(command, stdout);
        return finish(EXIT_OK);
    }
    return finish(run(command, argc - 2, argv + 2));
}
