/* From the words of a command line to checked values. */
#include "nearest.h"
#include "option.h"

#include "base/failure.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool option_is_common(const struct option_row *row)
{
    return strcmp(row->commands, "*") == 0;
}

bool option_serves(const struct option_row *row, const char *command)
{
    if (option_is_common(row))
        return true;
    size_t length = strlen(command);
    for (const char *word = row->commands; *word;) {
        size_t end = strcspn(word, " ");
        if (end == length && strncmp(word, command, length) == 0)
            return true;
        word += end + strspn(word + end, " ");
    }
    return false;
}

/* `length` letters of `text` are `name`, dash and underscore alike. */
static bool same_name(const char *name, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (name[i] == '\0' || (name[i] != text[i] && !(name[i] == '-' && text[i] == '_')))
            return false;
    return name[length] == '\0';
}

static const struct option_row *find(const char *command, const char *text, size_t length)
{
    for (const struct option_row *row = option_table; row->name; row++)
        if (option_serves(row, command) && same_name(row->name, text, length))
            return row;
    return NULL;
}

const struct option_row *option_find(const char *command, const char *name)
{
    return find(command, name, strlen(name));
}

static i3d_status check_flag(const struct option_row *row, const char *text, const char **out)
{
    static const char *const words[][2] = { { "true", "false" }, { "1", "0" }, { "yes", "no" } };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        for (int no = 0; no < 2; no++)
            if (strcasecmp(text, words[i][no]) == 0) {
                *out = words[0][no];
                return I3D_OK;
            }
    return failure(I3D_EINVAL, "--%s is true or false, not '%s'", row->name, text);
}

static i3d_status check_choice(const struct option_row *row, const char *text, char *out,
                               size_t bytes)
{
    for (const char *choice = row->choices; *choice;) {
        size_t end = strcspn(choice, "|");
        if (strlen(text) == end && strncasecmp(choice, text, end) == 0) {
            snprintf(out, bytes, "%.*s", (int)end, choice);
            return I3D_OK;
        }
        choice += end + (choice[end] == '|');
    }
    return failure(I3D_EINVAL, "--%s is one of %s, not '%s'", row->name, row->choices, text);
}

static i3d_status check_number(const struct option_row *row, const char *text)
{
    const char *kind = row->type == OPTION_INT ? "a whole number" : "a number";
    char *end;
    errno = 0;
    double value = row->type == OPTION_INT ? (double)strtol(text, &end, 10) : strtod(text, &end);
    if (end == text || *end || errno || !isfinite(value))
        return failure(I3D_EINVAL, "--%s is %s, not '%s'", row->name, kind, text);
    bool any = row->least == 0 && row->most == 0;
    if (any || (value >= row->least && value <= row->most))
        return I3D_OK;
    if (isinf(row->most))
        return failure(I3D_EINVAL, "--%s is %s of at least %.10g, not '%s'", row->name, kind,
                       row->least, text);
    return failure(I3D_EINVAL, "--%s is %s from %.10g to %.10g, not '%s'", row->name, kind,
                   row->least, row->most, text);
}

i3d_status option_set(struct options *options, const struct option_row *row, const char *text)
{
    i3d_status status;
    char choice[64], *copy = NULL;
    switch (row->type) {
    case OPTION_FLAG:
        TRY(check_flag(row, text, &text));
        break;
    case OPTION_INT:
    case OPTION_REAL:
        TRY(check_number(row, text));
        break;
    case OPTION_CHOICE:
        TRY(check_choice(row, text, choice, sizeof choice));
        text = choice;
        break;
    case OPTION_TEXT:
        break;
    }
    TRY(memory_string(text, &copy));
    option_unset(options, row);
    options->values[row - option_table] = copy;
out:
    return status;
}

void option_unset(struct options *options, const struct option_row *row)
{
    memory_free(options->values[row - option_table]);
    options->values[row - option_table] = NULL;
}

static i3d_status unknown(const char *command, const char *text, size_t length)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(length < 60 ? length : 60), text);
    struct nearest nearest = nearest_to(name);
    for (const struct option_row *row = option_table; row->name; row++)
        if (option_serves(row, command))
            nearest_offer(&nearest, row->name);
    if (nearest.best)
        return failure(I3D_EINVAL, "%s has no option '--%s'; did you mean '--%s'?", command, name,
                       nearest.best);
    return failure(I3D_EINVAL, "%s has no option '--%s'; 'i3d help %s' lists them", command, name,
                   command);
}

/* One word that begins with "--" and, where it needs one, the next as its value. */
static i3d_status parse_option(struct options *options, int argc, char **argv, int *at)
{
    const char *text = argv[*at] + 2, *value = NULL;
    size_t length = strcspn(text, "=");
    if (text[length] == '=')
        value = text + length + 1;

    const struct option_row *row = find(options->command, text, length);
    if (row && row->type == OPTION_FLAG)
        return option_set(options, row, value ? value : "true");
    if (row) {
        if (!value && ++*at < argc)
            value = argv[*at];
        if (!value)
            return failure(I3D_EINVAL, "--%s needs a value: --%s %s", row->name, row->name,
                           option_placeholder(row));
        return option_set(options, row, value);
    }
    if (length > 3 && strncmp(text, "no", 2) == 0 && (text[2] == '-' || text[2] == '_') && !value) {
        row = find(options->command, text + 3, length - 3);
        if (row && row->type == OPTION_FLAG)
            return option_set(options, row, "false");
    }
    return unknown(options->command, text, length);
}

i3d_status options_parse(const char *command, int argc, char **argv, struct options *out)
{
    i3d_status status = I3D_OK;
    size_t rows = 0;
    while (option_table[rows].name)
        rows++;
    struct options options = { .command = command };
    TRY(memory_get(rows, sizeof *options.values, &options.values));
    TRY(memory_get((size_t)argc, sizeof *options.arguments, &options.arguments));
    bool ended = false;
    for (int i = 0; i < argc; i++) {
        if (!ended && strcmp(argv[i], "--") == 0)
            ended = true;
        else if (!ended && strncmp(argv[i], "--", 2) == 0)
            TRY(parse_option(&options, argc, argv, &i));
        else if (!ended && argv[i][0] == '-' && argv[i][1])
            TRY(failure(I3D_EINVAL, "'%s' is not an option: options begin with '--'", argv[i]));
        else
            options.arguments[options.argument_count++] = argv[i];
    }
    *out = options;
    return I3D_OK;
out:
    options_clear(&options);
    return status;
}

void options_clear(struct options *options)
{
    for (size_t i = 0; options->values && option_table[i].name; i++)
        memory_free(options->values[i]);
    memory_free(options->values);
    memory_free(options->arguments);
    *options = (struct options){ 0 };
}

const char *option_placeholder(const struct option_row *row)
{
    return row->type == OPTION_CHOICE ? row->choices : row->metavar;
}

const char *option_value(const struct options *options, const struct option_row *row)
{
    const char *value = options->values[row - option_table];
    return value ? value : row->fallback;
}

const char *option_text(const struct options *options, const char *name)
{
    const struct option_row *row = option_find(options->command, name);
    assert(row);
    return option_value(options, row);
}

bool option_flag(const struct options *options, const char *name)
{
    const char *value = option_text(options, name);
    return value && strcmp(value, "true") == 0;
}

long option_int(const struct options *options, const char *name)
{
    const char *value = option_text(options, name);
    return value ? strtol(value, NULL, 10) : 0;
}

double option_real(const struct options *options, const char *name)
{
    const char *value = option_text(options, name);
    return value ? strtod(value, NULL) : 0;
}

bool option_given(const struct options *options, const char *name)
{
    const struct option_row *row = option_find(options->command, name);
    assert(row);
    return options->values[row - option_table] != NULL;
}

static bool refused;

i3d_status options_refuse(const char *format, ...)
{
    char sentence[2 * PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    return options_judge(failure(I3D_EINVAL, "%s", sentence));
}

i3d_status options_judge(i3d_status status)
{
    refused = refused || status == I3D_EINVAL;
    return status;
}

bool options_refused(void)
{
    return refused;
}
