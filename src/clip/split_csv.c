/* A split that a table says. */
#include "clip/split.h"
#include "base/failure.h"
#include "base/memory.h"
#include "wire/text.h"

#include <string.h>

/* Which columns say what; -1: not there. */
struct columns {
    int name, class_name, subset;
    bool files;         /* the names are those of files, with an extension */
    const char *values; /* those of the column `subset` that are for validation, "8,9,10"; NULL: the
                           column says the subset itself */
};

static i3d_status find_columns(const struct table *table, const char *test_where,
                               struct columns *out)
{
    char wanted[64] = "subset";
    *out = (struct columns){ .name = table_column(table, "path"),
                             .class_name = table_column(table, "class") };
    out->files = out->name >= 0;
    if (!out->files)
        out->name = table_column(table, "video");
    if (out->name < 0)
        return failure(I3D_EFORMAT, "it has no column 'path' or 'video'");
    if (test_where) {
        size_t length = strcspn(test_where, "=");
        if (length == 0 || length >= sizeof wanted || test_where[length] != '=')
            return failure(I3D_EINVAL, "'%s' is not 'column=value,value'", test_where);
        snprintf(wanted, sizeof wanted, "%.*s", (int)length, test_where);
        out->values = test_where + length + 1;
    }
    out->subset = table_column(table, wanted);
    if (out->subset < 0)
        return failure(I3D_EFORMAT,
                       "it has no column '%s'; say which videos are for validation: --test-where "
                       "column=value,value",
                       wanted);
    return I3D_OK;
}

static bool is_listed(const char *values, const char *value)
{
    size_t length = strlen(value);
    for (const char *at = values;; at++) {
        size_t end = strcspn(at, ",");
        if (end == length && strncmp(at, value, length) == 0)
            return true;
        at += end;
        if (*at == '\0')
            return false;
    }
}

static i3d_status read_subset(const char *text, const char *values, i3d_subset *out)
{
    *out = I3D_VALIDATION;
    if (is_listed(values ? values : "validation,val,test", text))
        return I3D_OK;
    *out = I3D_TRAINING;
    if (values || is_listed("training,train", text))
        return I3D_OK;
    return failure(I3D_EFORMAT, "the subset '%s' is not training or validation", text);
}

/* Splits "class/video.ext"; the parts lie in `path`, which is changed. */
static i3d_status split_path(char *path, bool file, const char **class_name, const char **name)
{
    char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (slash)
        *slash = '\0';
    if (slash && !*class_name)
        *class_name = path_name(path);
    char *dot = file ? strrchr(*name, '.') : NULL;
    if (dot)
        *dot = '\0';
    if (!*class_name || !**class_name || !**name)
        return failure(I3D_EFORMAT, "the class or the name of the video '%s' is missing", *name);
    return I3D_OK;
}

/* A row once for its label and, when all labels are known, once for its video. */
static i3d_status read_row(const struct table *table, size_t row, const struct columns *columns,
                           bool labels_known, struct annotation *out)
{
    i3d_status status;
    i3d_subset subset;
    char *path = NULL;
    const char *name,
        *class_name = columns->class_name < 0 ? NULL : table_cell(table, row, columns->class_name);
    TRY(memory_string(table_cell(table, row, columns->name), &path));
    TRY(split_path(path, columns->files, &class_name, &name));
    int label = annotation_label(out, class_name);
    if (labels_known) {
        TRY(read_subset(table_cell(table, row, columns->subset), columns->values, &subset));
        TRY(annotation_add(out, name, label, subset));
    } else if (label < 0) {
        TRY(names_add(&out->labels, class_name));
    }
out:
    memory_free(path);
    return status;
}

i3d_status split_read_csv(const char *path, const char *test_where, struct annotation *out)
{
    i3d_status status;
    struct table table;
    struct columns columns;
    TRY(table_read(path, &table));
    status = find_columns(&table, test_where, &columns);
    for (size_t row = 0; row < table.rows && status == I3D_OK; row++)
        status = read_row(&table, row, &columns, false, out);
    annotation_sort_labels(out);
    for (size_t row = 0; row < table.rows && status == I3D_OK; row++)
        status = read_row(&table, row, &columns, true, out);
    if (status == I3D_OK && table.rows == 0)
        status = failure(I3D_EFORMAT, "it has no rows");
    if (status != I3D_OK)
        failure_prefix(status, "'%s': ", path);
out:
    table_clear(&table);
    if (status != I3D_OK)
        annotation_clear(out);
    return status;
}
