/* The tables as manual pages, in man(7)'s macros. */
#include "command.h"

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"

#include <i3d/version.h>

#include <ctype.h>
#include <string.h>

/* Text with what roff would take as its own made plain; `upper` for headings. */
static void print_plain(FILE *stream, const char *text, bool upper)
{
    bool line_begins = true;
    for (const char *c = text; *c; c++) {
        if (line_begins && (*c == '.' || *c == '\''))
            fputs("\\&", stream);
        line_begins = *c == '\n';
        if (*c == '\\')
            fputs("\\e", stream);
        else if (*c == '-')
            fputs("\\-", stream);
        else if (*c == '\'')
            fputs("\\(aq", stream);
        else
            fputc(upper ? toupper((unsigned char)*c) : *c, stream);
    }
}

static void print_title(FILE *stream, const char *name)
{
    fputs(".TH ", stream);
    print_plain(stream, name, true);
    fputs(" 1 \"\" \"i3d " I3D_VERSION "\" \"User Commands\"\n", stream);
}

/* A macro of one argument line: ".B text". */
static void print_line(FILE *stream, const char *macro, const char *text)
{
    fprintf(stream, "%s\n", macro);
    print_plain(stream, text, false);
    fputc('\n', stream);
}

static void print_option(FILE *stream, const struct option_row *row)
{
    bool flag = row->type == OPTION_FLAG;
    fputs(".TP\n.B \\-\\-", stream);
    print_plain(stream, row->name, false);
    if (!flag) {
        fputs(" \\fI", stream);
        print_plain(stream, option_placeholder(row), false);
        fputs("\\fR", stream);
    }
    fputc('\n', stream);
    print_plain(stream, row->help, false);
    if (row->fallback && *row->fallback) {
        fputs(" (default: ", stream);
        print_plain(stream, row->fallback, false);
        fputc(')', stream);
    }
    fputc('\n', stream);
}

static void print_example(FILE *stream, const char *example)
{
    fputs(".SH EXAMPLE\n.nf\n", stream);
    print_plain(stream, example, false);
    fputs("\n.fi\n", stream);
}

static void print_exit_status(FILE *stream)
{
    fputs(".SH EXIT STATUS\n0: done; 1: failed, the reason is on standard error; "
          "2: the command line is wrong.\n",
          stream);
}

static void print_command(FILE *stream, const struct command *command)
{
    char page[64];
    snprintf(page, sizeof page, "i3d-%s", command->name);
    print_title(stream, page);
    fputs(".SH NAME\n", stream);
    print_plain(stream, page, false);
    fputs(" \\- ", stream);
    print_plain(stream, command->summary, false);
    fputs("\n.SH SYNOPSIS\n.B i3d ", stream);
    print_plain(stream, command->name, false);
    fputs("\n", stream);
    if (*command->arguments)
        print_line(stream, ".I", command->arguments);
    fputs("[\\fIOPTIONS\\fR]\n", stream);
    print_line(stream, ".SH DESCRIPTION", command->text);
    fputs(".SH OPTIONS\n", stream);
    for (int common = 0; common < 2; common++)
        for (const struct option_row *row = option_table; row->name; row++)
            if (option_serves(row, command->name) && option_is_common(row) == common)
                print_option(stream, row);
    print_example(stream, command->example);
    print_exit_status(stream);
    fputs(".SH SEE ALSO\n.BR i3d (1)\n", stream);
}

static void print_program(FILE *stream, const struct command *unused)
{
    (void)unused;
    print_title(stream, "i3d");
    fputs(".SH NAME\ni3d \\- two\\-stream I3D video action recognition\n"
          ".SH SYNOPSIS\n.B i3d\n.I COMMAND\n[\\fIARGUMENTS\\fR] [\\fIOPTIONS\\fR]\n"
          ".SH DESCRIPTION\n"
          "Turns videos into frames, TV\\-L1 flow, trained two\\-stream I3D networks, accuracies "
          "and predictions. Results go to standard output, remarks to standard error.\n"
          ".SH COMMANDS\n",
          stream);
    for (const struct command *command = command_table; command->name; command++) {
        if (command->hidden)
            continue;
        fprintf(stream, ".TP\n.BR i3d\\-%s (1)\n", command->name);
        print_plain(stream, command->summary, false);
        fputc('\n', stream);
    }
    print_exit_status(stream);
}

static i3d_status write_page(const char *folder, const char *page,
                             void (*print)(FILE *, const struct command *),
                             const struct command *command)
{
    i3d_status status;
    char *path = NULL;
    struct file_writer writer = { 0 };
    TRY(path_join(&path, folder, page));
    TRY(file_begin(path, &writer));
    print(writer.stream, command);
    TRY(file_commit(&writer));
out:
    file_discard(&writer);
    memory_free(path);
    return status;
}

int cmd_man(const struct options *options)
{
    i3d_status status;
    const char *folder = options->arguments[0];
    TRY(folder_make(folder));
    TRY(write_page(folder, "i3d.1", print_program, NULL));
    for (const struct command *command = command_table; command->name; command++) {
        char page[64];
        snprintf(page, sizeof page, "i3d-%s.1", command->name);
        if (!command->hidden)
            TRY(write_page(folder, page, print_command, command));
    }
out:
    return command_result(status);
}
