/* The commands of the program: one file cmd_<name>.c each, one row each in i3d.c. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "option.h"

#include <stdio.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
    const char *name;      /* "frames" */
    const char *arguments; /* "VIDEOS DST" */
    const char *summary;   /* one line */
    const char *text;      /* paragraphs for the help and the man page: what it reads and writes */
    const char *example;   /* command lines */
    int least, most;       /* how many arguments; most -1: any number */
    int (*run)(const struct options *options);
    bool hidden; /* not in the list of commands: for scripts and builds */
};

/* Ends with a row whose name is NULL. */
extern const struct command command_table[];
const struct command *command_find(const char *name); /* or NULL */

/* The name of the one that runs. */
extern const char *command_now;

/* Every non-hidden command, or one with its options, for people. */
void help_print_all(FILE *stream);
void help_print(const struct command *command, FILE *stream);
/* Prints that there is no such command, with the nearest one, on stderr; returns EXIT_USAGE. */
int help_unknown(const char *name);

/* Prints "i3d: <i3d_error()>" on stderr and returns EXIT_FAILED, or EXIT_USAGE after
 * options_refuse(); for the last line of a command. */
int command_failed(void);
/* The same from a status: I3D_OK gives EXIT_OK; a lack of memory also names the options of this
 * command that ask for less. */
int command_result(i3d_status status);

/* The last word of a command that could not do `failed` of `all`: that so many `what` were left
 * out, and what to do then. EXIT_OK if it is none. */
#define NAMELESS "videos have names that no annotation can hold", "rename them to UTF-8"
int command_left_out(size_t failed, size_t all, const char *what, const char *way_out);

int cmd_frames(const struct options *options);
int cmd_flow(const struct options *options);
int cmd_flow_error(const struct options *options);
int cmd_nframes(const struct options *options);
int cmd_annotate(const struct options *options);
int cmd_prepare(const struct options *options);
int cmd_synth(const struct options *options);
int cmd_train(const struct options *options);
int cmd_eval(const struct options *options);
int cmd_predict(const struct options *options);
int cmd_bench(const struct options *options);
int cmd_convert(const struct options *options);
int cmd_inspect(const struct options *options);
int cmd_inflate(const struct options *options);
int cmd_export(const struct options *options);
int cmd_preprocess(const struct options *options);
int cmd_infer(const struct options *options);
int cmd_postprocess(const struct options *options);
int cmd_doctor(const struct options *options);
int cmd_help(const struct options *options);
int cmd_version(const struct options *options);
int cmd_rank_table(const struct options *options);
int cmd_man(const struct options *options);
int cmd_completion(const struct options *options);

#endif
