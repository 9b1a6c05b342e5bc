#include "option.h"

/* Grouped by what the options are about. An option that several commands share is one row. */
const struct option_row option_table[] = {
    /* everyone */
    { .name = "config",
      .type = OPTION_TEXT,
      .metavar = "FILE",
      .help = "read options from a JSON object, names as keys; the command line comes first",
      .commands = "*" },
    { .name = "json", .type = OPTION_FLAG, .help = "print the result as JSON", .commands = "*" },
    { .name = "quiet",
      .type = OPTION_FLAG,
      .help = "no progress and no remarks on stderr, only errors",
      .commands = "*" },

    { .name = NULL },
};
