/* Options in a JSON file: the config a user writes and the record a training leaves. */
#include "nearest.h"
#include "option.h"

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A JSON value as a user would type it. */
static i3d_status as_text(const json_t *value, const char *key, char **out)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return memory_string(json_string_value(value), out);
    case JSON_INTEGER:
        return memory_format(out, "%lld", (long long)json_integer_value(value));
    case JSON_REAL:
        return memory_format(out, "%.17g", json_real_value(value));
    case JSON_TRUE:
    case JSON_FALSE:
        return memory_string(json_is_true(value) ? "true" : "false", out);
    default:
        return failure(I3D_EINVAL, "'%s' is neither text, a number, true nor false", key);
    }
}

/* Some command's option, or a sentence that names the nearest. */
static i3d_status check_known(const char *key)
{
    struct nearest nearest = nearest_to(key);
    for (const struct option_row *row = option_table; row->name; row++) {
        nearest_offer(&nearest, row->name);
        if (strcmp(row->name, key) == 0)
            return I3D_OK;
    }
    if (nearest.best)
        return failure(I3D_EINVAL, "no option is called '%s'; did you mean '%s'?", key,
                       nearest.best);
    return failure(I3D_EINVAL, "no option is called '%s'", key);
}

static i3d_status take(struct options *options, const char *key, const json_t *value)
{
    i3d_status status = I3D_OK;
    char *name = NULL, *text = NULL;
    TRY(memory_string(key, &name));
    for (char *c = name; *c; c++)
        if (*c == '_')
            *c = '-';
    const struct option_row *row = option_find(options->command, name);
    if (!row)
        status = check_known(name);
    if (!row || options->values[row - option_table] || json_is_null(value))
        goto out;
    TRY(as_text(value, key, &text));
    TRY(option_set(options, row, text));
out:
    memory_free(name);
    memory_free(text);
    return status;
}

i3d_status options_read(struct options *options, const char *path)
{
    i3d_status status = I3D_OK;
    json_t *root = NULL;
    uint8_t *text = NULL;
    size_t bytes;
    TRY(file_read(path, &text, &bytes));
    json_error_t error;
    root = json_loadb((const char *)text, bytes, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        TRY(failure(I3D_EFORMAT, "line %d: %s", error.line, error.text));
    if (!json_is_object(root))
        TRY(failure(I3D_EFORMAT, "a config file is one JSON object"));
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value) TRY(take(options, key, value));
out:
    json_decref(root);
    memory_free(text);
    return status == I3D_OK ? status : failure_prefix(status, "config '%s': ", path);
}

static json_t *as_json(const struct option_row *row, const char *value)
{
    if (!value)
        return row->type == OPTION_FLAG ? json_false() : json_null();
    switch (row->type) {
    case OPTION_FLAG:
        return json_boolean(strcmp(value, "true") == 0);
    case OPTION_INT:
        return json_integer(strtol(value, NULL, 10));
    case OPTION_REAL:
        return json_real(strtod(value, NULL));
    case OPTION_TEXT:
    case OPTION_CHOICE:
        break;
    }
    return json_string(value);
}

i3d_status options_write(const struct options *options, const char *path)
{
    i3d_status status = I3D_OK;
    struct file_writer writer = { 0 };
    json_t *root = json_object();
    for (const struct option_row *row = option_table; row->name; row++) {
        if (option_is_common(row) || !option_serves(row, options->command))
            continue;
        if (json_object_set_new(root, row->name, as_json(row, option_value(options, row))) != 0)
            TRY(failure(I3D_EINVAL, "--%s is not UTF-8, so '%s' cannot record it", row->name,
                        path));
    }
    TRY(file_begin(path, &writer));
    json_dumpf(root, writer.stream, JSON_INDENT(4) | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
    fputc('\n', writer.stream);
    TRY(file_commit(&writer));
out:
    file_discard(&writer);
    json_decref(root);
    return status;
}
