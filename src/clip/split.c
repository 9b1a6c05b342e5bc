/* The official splits of HMDB51 and UCF101, and the choice of a rule. */
#include "clip/split.h"
#include "base/failure.h"
#include "base/memory.h"
#include "wire/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* "video.part.1.avi" -> "video.part.1", in place. */
static void cut_extension(char *file)
{
    char *dot = strrchr(file, '.');
    if (dot && dot != file)
        *dot = '\0';
}

/* Cuts the last word off a line and returns it; NULL if the line has only one. */
static char *cut_last_word(char *line)
{
    char *at = line + strlen(line);
    while (at > line && !isspace((unsigned char)at[-1]))
        at--;
    if (at == line)
        return NULL;
    for (char *end = at - 1; end >= line && isspace((unsigned char)*end); end--)
        *end = '\0';
    return at;
}

static i3d_status read_hmdb51_class(const char *path, int label, struct annotation *out)
{
    i3d_status status;
    char *text = NULL, *line;
    TRY(text_read(path, &text));
    for (char *cursor = text; (line = text_line(&cursor));) {
        const char *mark = cut_last_word(line);
        if (!mark || !strchr("012", *mark) || mark[1])
            TRY(failure(I3D_EFORMAT, "'%s': the line '%s' is not '<video> 0|1|2'", path, line));
        cut_extension(line);
        if (*mark != '0')
            TRY(annotation_add(out, line, label, *mark == '1' ? I3D_TRAINING : I3D_VALIDATION));
    }
out:
    memory_free(text);
    return status;
}

/* The class of "brush_hair_test_split1.txt" as a label, if the file is of this split. */
static i3d_status add_hmdb51_label(const char *file, const char *ending, struct annotation *out)
{
    size_t length = strlen(file), rest = strlen(ending);
    if (length <= rest || strcmp(file + length - rest, ending) != 0)
        return I3D_OK;
    char *name;
    i3d_status status = memory_format(&name, "%.*s", (int)(length - rest), file);
    if (status != I3D_OK)
        return status;
    status = names_add(&out->labels, name);
    memory_free(name);
    return status;
}

i3d_status split_read_hmdb51(const char *folder, int number, struct annotation *out)
{
    i3d_status status;
    struct names files;
    char ending[32], *path = NULL;
    snprintf(ending, sizeof ending, "_test_split%d.txt", number);
    TRY(folder_list(folder, &files));
    for (size_t i = 0; i < files.count; i++)
        TRY(add_hmdb51_label(files.items[i], ending, out));
    if (out->labels.count == 0)
        TRY(failure(I3D_EINVAL,
                    "'%s' has no files '<class>%s'; it should be the folder of HMDB51's "
                    "split files",
                    folder, ending));
    annotation_sort_labels(out);
    for (size_t label = 0; label < out->labels.count; label++) {
        TRY(memory_format(&path, "%s/%s%s", folder, out->labels.items[label], ending));
        TRY(read_hmdb51_class(path, (int)label, out));
        memory_free(path);
        path = NULL;
    }
out:
    memory_free(path);
    names_clear(&files);
    if (status != I3D_OK)
        annotation_clear(out);
    return status;
}

/* classInd.txt: "<number> <class>". */
static i3d_status read_ucf101_labels(const char *folder, struct annotation *out)
{
    i3d_status status;
    char *path = NULL, *text = NULL, *line;
    TRY(path_join(&path, folder, "classInd.txt"));
    TRY(text_read(path, &text));
    for (char *cursor = text; (line = text_line(&cursor));) {
        const char *name = cut_last_word(line);
        if (!name)
            TRY(failure(I3D_EFORMAT, "'%s': the line '%s' is not '<number> <class>'", path, line));
        TRY(names_add(&out->labels, name));
    }
out:
    memory_free(path);
    memory_free(text);
    return status;
}

/* trainlist and testlist: "<class>/<video>.avi [<number>]". */
static i3d_status read_ucf101_list(const char *path, i3d_subset subset, struct annotation *out)
{
    i3d_status status;
    char *text = NULL, *line;
    TRY(text_read(path, &text));
    for (char *cursor = text; (line = text_line(&cursor));) {
        char *slash = strchr(line, '/');
        if (!slash)
            TRY(failure(I3D_EFORMAT, "'%s': the line '%s' is not '<class>/<video>'", path, line));
        *slash = '\0';
        char *space = strrchr(slash + 1, ' ');
        if (space && space[1 + strspn(space + 1, "0123456789")] == '\0')
            cut_last_word(slash + 1);
        cut_extension(slash + 1);
        int label = annotation_label(out, line);
        if (label < 0)
            TRY(failure(I3D_EFORMAT, "'%s': the class '%s' is not in classInd.txt", path, line));
        TRY(annotation_add(out, slash + 1, label, subset));
    }
out:
    memory_free(text);
    return status;
}

i3d_status split_read_ucf101(const char *folder, int number, struct annotation *out)
{
    static const char *const lists[] = {
        [I3D_TRAINING] = "trainlist", [I3D_VALIDATION] = "testlist"
    };
    i3d_status status;
    char *path = NULL;
    TRY(read_ucf101_labels(folder, out));
    for (int subset = I3D_TRAINING; subset <= I3D_VALIDATION; subset++) {
        TRY(memory_format(&path, "%s/%s%02d.txt", folder, lists[subset], number));
        TRY(read_ucf101_list(path, (i3d_subset)subset, out));
        memory_free(path);
        path = NULL;
    }
out:
    memory_free(path);
    if (status != I3D_OK)
        annotation_clear(out);
    return status;
}

enum { HMDB51, UCF101, OTHER };

static int kind(const struct split_rule *rule)
{
    if (strcmp(rule->dataset, "hmdb51") == 0)
        return HMDB51;
    return strcmp(rule->dataset, "ucf101") == 0 ? UCF101 : OTHER;
}

i3d_status split_check(const struct split_rule *rule)
{
    const char *name = rule->dataset;
    if (*name == '\0' || *name == '.' || strchr(name, '/'))
        return failure(I3D_EINVAL, "'%s' is not a data set's name", name);
    if (kind(rule) != OTHER && !rule->source)
        return failure(I3D_EINVAL,
                       "%s has official splits: give the folder of their files (--split DIR)",
                       name);
    if (rule->test_where && kind(rule) != OTHER)
        return failure(I3D_EINVAL, "%s has official splits: leave --test-where '%s' out", name,
                       rule->test_where);
    if (rule->test_where && !rule->source)
        return failure(I3D_EINVAL, "'%s' names a column of a CSV: give one (--split CSV)",
                       rule->test_where);
    if (rule->test_where && strcspn(rule->test_where, "=") + 1 >= strlen(rule->test_where))
        return failure(I3D_EINVAL, "'%s' is not 'column=value,value'", rule->test_where);
    return split_pattern_check(rule->ratio.group_pattern);
}

int split_count(const struct split_rule *rule)
{
    return kind(rule) == OTHER ? 1 : SPLITS_MOST;
}

i3d_status split_read(const struct split_rule *rule, int number, const char *root,
                      struct annotation *out)
{
    if (kind(rule) == HMDB51)
        return split_read_hmdb51(rule->source, number, out);
    if (kind(rule) == UCF101)
        return split_read_ucf101(rule->source, number, out);
    if (rule->source)
        return split_read_csv(rule->source, rule->test_where, out);
    return split_draw(root, &rule->ratio, out);
}

void split_file_name(const struct split_rule *rule, int number, char *out, size_t bytes)
{
    snprintf(out, bytes, kind(rule) == UCF101 ? "%s_%02d.json" : "%s_%d.json", rule->dataset,
             number);
}
