/* The tables as text for people. */
#include "command.h"
#include "nearest.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 90 };

/* Prints `text` in lines of at most WIDTH letters, each behind `margin` blanks; the cursor stands
 * at `column`. A newline in the text is one in the output. */
static void print_wrapped(FILE *stream, const char *text, int margin, int column)
{
    while (*text) {
        int word = (int)strcspn(text, " \n");
        if (column > margin && column + 1 + word > WIDTH) {
            fputc('\n', stream);
            column = 0;
        }
        fprintf(stream, "%*s", column < margin ? margin - column : column > margin, "");
        column = (column < margin ? margin : column + (column > margin)) + word;
        fprintf(stream, "%.*s", word, text);
        text += word;
        if (*text == '\n') {
            fputc('\n', stream);
            column = 0;
        }
        text += *text != '\0';
    }
    fputc('\n', stream);
}

void help_print_all(FILE *stream)
{
    fprintf(stream, "usage: i3d COMMAND [ARGUMENTS] [OPTIONS]\n\n"
                    "Two-stream I3D video action recognition.\n\n");
    for (const struct command *command = command_table; command->name; command++)
        if (!command->hidden)
            fprintf(stream, "  %-12s %s\n", command->name, command->summary);
    fprintf(stream, "\n'i3d help COMMAND' explains a command and its options.\n");
}

static void print_option(const struct option_row *row, FILE *stream)
{
    enum { MARGIN = 30 };
    char head[128], text[1024];
    bool flag = row->type == OPTION_FLAG;
    bool on = flag && row->fallback && strcmp(row->fallback, "true") == 0;
    int column = snprintf(head, sizeof head, "  --%s%s%s%s", on ? "[no-]" : "", row->name,
                          flag ? "" : " ", flag ? "" : option_placeholder(row));
    int used = snprintf(text, sizeof text, "%s", row->help);
    if (row->fallback && !flag && used < (int)sizeof text)
        snprintf(text + used, sizeof text - (size_t)used, " [%s]", row->fallback);
    fputs(head, stream);
    if (column >= MARGIN) {
        fputc('\n', stream);
        column = 0;
    }
    print_wrapped(stream, text, MARGIN, column);
}

void help_print(const struct command *command, FILE *stream)
{
    fprintf(stream, "usage: i3d %s%s%s [OPTIONS]\n\n", command->name,
            *command->arguments ? " " : "", command->arguments);
    print_wrapped(stream, command->text, 0, 0);
    for (int common = 0; common < 2; common++) {
        bool titled = false;
        for (const struct option_row *row = option_table; row->name; row++) {
            if (!option_serves(row, command->name) || option_is_common(row) != common)
                continue;
            if (!titled)
                fprintf(stream, "\n%s\n", common ? "Common options:" : "Options:");
            titled = true;
            print_option(row, stream);
        }
    }
    fprintf(stream, "\nExample:\n");
    print_wrapped(stream, command->example, 2, 0);
}

int help_unknown(const char *name)
{
    struct nearest nearest = nearest_to(name);
    for (const struct command *command = command_table; command->name; command++)
        nearest_offer(&nearest, command->name);
    if (nearest.best)
        options_refuse("no command is called '%s'; did you mean '%s'?", name, nearest.best);
    else
        options_refuse("no command is called '%s'; 'i3d help' lists them", name);
    return command_failed();
}

int cmd_help(const struct options *options)
{
    if (options->argument_count == 0) {
        help_print_all(stdout);
        return EXIT_OK;
    }
    const struct command *command = command_find(options->arguments[0]);
    if (!command)
        return help_unknown(options->arguments[0]);
    help_print(command, stdout);
    return EXIT_OK;
}
