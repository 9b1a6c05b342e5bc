/* The options: one table, from which the parser, the help, the man pages, the shell completion, the
 * config files and the record beside a checkpoint are made. */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include <i3d/status.h>

#include <stdbool.h>
#include <stddef.h>

enum option_type { OPTION_FLAG, OPTION_INT, OPTION_REAL, OPTION_TEXT, OPTION_CHOICE };

struct option_row {
    const char *name; /* "batch-size"; --batch_size is the same option */
    enum option_type type;
    const char *fallback; /* the default, as a user would type it; NULL: unset */
    double least, most;   /* of OPTION_INT and OPTION_REAL; most INFINITY: no limit; both 0: any */
    const char *choices;  /* of OPTION_CHOICE: "rgb|flow|joint" */
    const char *metavar;  /* "DIR", "N": what the help shows behind the name */
    const char *help;
    const char *commands; /* "train eval": whose option it is; "*": everyone's */
};

/* Ends with a row whose name is NULL. A name may have several rows for different commands. */
extern const struct option_row option_table[];

/* What the user asked for: every option of one command with its value, and the arguments. */
struct options {
    const char *command;
    char **values; /* parallel to option_table; NULL: the default */
    char **arguments;
    size_t argument_count;
};

/* Flags: --name, --no-name, --name=true|false|1|0|yes|no. Unknown names, bad values and values out
 * of range are I3D_EINVAL with the nearest known name or the range. Choices are matched in any
 * case. `argv` begins behind the command. The arguments are loans from `argv`. */
i3d_status options_parse(const char *command, int argc, char **argv, struct options *out);

/* Values from a JSON config file, under those given on the command line. Keys are option names; one
 * that only another command has is passed over, so that a training's record serves its evaluation.
 */
i3d_status options_read(struct options *options, const char *path);
/* Every value in force except those of everyone's options, as JSON with sorted keys, whole or not
 * at all; an option that is unset is null. */
i3d_status options_write(const struct options *options, const char *path);
void options_clear(struct options *options);

/* A name that this command does not have is a bug of ours: asserted. Unset: false, 0, 0 or NULL. */
bool option_flag(const struct options *options, const char *name);
long option_int(const struct options *options, const char *name);
double option_real(const struct options *options, const char *name);
const char *option_text(const struct options *options, const char *name); /* choice too; or NULL */
bool option_given(const struct options *options, const char *name); /* by command line or file */

/* As failure(I3D_EINVAL, ...), for options that are missing or contradict each other: the exit
 * status is then that of wrong usage. */
i3d_status options_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Passes on what a check of nothing but the user's words says: I3D_EINVAL is wrong usage then. */
i3d_status options_judge(i3d_status status);
bool options_refused(void);

/* For those who walk the table. */
bool option_serves(const struct option_row *row, const char *command);
bool option_is_common(const struct option_row *row);
/* The row of `command` with this name, dash and underscore alike; NULL: none. */
const struct option_row *option_find(const char *command, const char *name);
/* What stands for the value in help: the choices, or the metavar. */
const char *option_placeholder(const struct option_row *row);
/* What is in force: the value given, else the row's default; NULL: unset. */
const char *option_value(const struct options *options, const struct option_row *row);
/* Checks `text` against the row and keeps it. */
i3d_status option_set(struct options *options, const struct option_row *row, const char *text);
/* Back to the default. */
void option_unset(struct options *options, const struct option_row *row);

#endif
