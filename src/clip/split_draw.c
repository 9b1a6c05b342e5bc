/* A split drawn at random, by groups. */
#include "clip/split.h"
#include "base/failure.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/talk.h"
#include "clip/layout.h"

#include <regex.h>
#include <string.h>

struct draw {
    struct annotation *annotation;
    size_t *groups; /* [videos]: the group of each, as the index of its first video */
    size_t *order;  /* [videos]: the order in which groups are offered to validation */
    size_t *training, *validation; /* [classes]: videos on either side */
    size_t *moved;                 /* [classes]: videos of the group at hand */
};

static i3d_status add_entry(struct annotation *out, const char *folder, const char *entry,
                            int label)
{
    i3d_status status;
    char *path = NULL, *name = NULL;
    TRY(path_join(&path, folder, entry));
    TRY(memory_string(entry, &name));
    char *dot = strrchr(name, '.');
    if (dot && !file_is_folder(path))
        *dot = '\0';
    TRY(annotation_add(out, name, label, I3D_TRAINING));
out:
    memory_free(path);
    memory_free(name);
    return status;
}

/* Every video under the root; folders without one are no class. */
static i3d_status list_videos(const char *root, struct annotation *out)
{
    i3d_status status;
    struct names classes, entries = { 0 };
    char *folder = NULL;
    TRY(folder_list(root, &classes));
    for (size_t i = 0; i < classes.count; i++) {
        TRY(path_join(&folder, root, classes.items[i]));
        if (file_is_folder(folder))
            TRY(folder_list(folder, &entries));
        if (entries.count)
            TRY(names_add(&out->labels, classes.items[i]));
        for (size_t k = 0; k < entries.count; k++)
            TRY(add_entry(out, folder, entries.items[k], (int)out->labels.count - 1));
        names_clear(&entries);
        memory_free(folder);
        folder = NULL;
    }
    if (out->count == 0)
        status =
            failure(I3D_EINVAL, "no videos in '%s'; they are looked for as '%s/<class>/<video>'",
                    root, root);
out:
    names_clear(&classes);
    names_clear(&entries);
    memory_free(folder);
    return status;
}

static i3d_status compile(const char *pattern, regex_t *out)
{
    char reason[128];
    int code = regcomp(out, pattern, REG_EXTENDED);
    if (code != 0) {
        regerror(code, out, reason, sizeof reason);
        return failure(I3D_EINVAL, "the group pattern '%s' is no regular expression: %s", pattern,
                       reason);
    }
    if (out->re_nsub > 0)
        return I3D_OK;
    regfree(out);
    return failure(I3D_EINVAL, "the group pattern '%s' has no group in parentheses", pattern);
}

i3d_status split_pattern_check(const char *pattern)
{
    regex_t regex;
    i3d_status status = pattern ? compile(pattern, &regex) : I3D_OK;
    if (pattern && status == I3D_OK)
        regfree(&regex);
    return status;
}

/* The part of each name that the pattern's first group matches, into `out` [videos]. */
static i3d_status match_groups(const struct annotation *annotation, const char *pattern,
                               struct names *out)
{
    regex_t regex;
    regmatch_t match[2];
    char *part = NULL;
    i3d_status status = compile(pattern, &regex);
    if (status != I3D_OK)
        return status;
    for (size_t i = 0; i < annotation->count; i++) {
        const char *name = annotation->videos[i].name;
        if (regexec(&regex, name, 2, match, 0) != 0 || match[1].rm_so < 0)
            TRY(failure(I3D_EINVAL, "the video '%s' does not match the group pattern '%s'", name,
                        pattern));
        TRY(memory_format(&part, "%.*s", (int)(match[1].rm_eo - match[1].rm_so),
                          name + match[1].rm_so));
        TRY(names_add(out, part));
        memory_free(part);
        part = NULL;
    }
out:
    memory_free(part);
    regfree(&regex);
    return status;
}

static i3d_status find_groups(struct draw *draw, const char *pattern)
{
    struct names parts = { 0 };
    i3d_status status = I3D_OK;
    if (pattern)
        status = match_groups(draw->annotation, pattern, &parts);
    for (size_t i = 0; i < draw->annotation->count && status == I3D_OK; i++) {
        size_t first = pattern ? 0 : i;
        while (first < i && strcmp(parts.items[first], parts.items[i]) != 0)
            first++;
        draw->groups[i] = first;
    }
    names_clear(&parts);
    return status;
}

/* Whether a group can go to validation: every class keeps a video for training. */
static bool can_move(struct draw *draw, size_t group)
{
    const struct annotation *annotation = draw->annotation;
    bool can = true;
    memset(draw->moved, 0, annotation->labels.count * sizeof *draw->moved);
    for (size_t i = group; i < annotation->count; i++)
        if (draw->groups[i] == group)
            draw->moved[annotation->videos[i].label]++;
    for (size_t c = 0; c < annotation->labels.count; c++)
        can = can && (draw->moved[c] == 0 || draw->moved[c] < draw->training[c]);
    return can;
}

static void move(struct draw *draw, size_t group)
{
    for (size_t i = group; i < draw->annotation->count; i++) {
        struct annotated *video = &draw->annotation->videos[i];
        if (draw->groups[i] != group)
            continue;
        video->subset = I3D_VALIDATION;
        draw->training[video->label]--;
        draw->validation[video->label]++;
    }
}

/* Moves groups to validation until each class has its part there. */
static void draw_groups(struct draw *draw, double training)
{
    const struct annotation *annotation = draw->annotation;
    for (size_t c = 0; c < annotation->labels.count; c++) {
        double wanted = (1 - training) * (double)(draw->training[c] + draw->validation[c]);
        for (size_t k = 0; k < annotation->count; k++) {
            const struct annotated *video = &annotation->videos[draw->order[k]];
            double have = (double)draw->validation[c];
            if (have > 0 && have + .5 > wanted)
                break;
            if ((size_t)video->label != c || video->subset == I3D_VALIDATION)
                continue;
            size_t group = draw->groups[draw->order[k]];
            if (can_move(draw, group))
                move(draw, group);
        }
        if (draw->validation[c] == 0)
            talk("the class '%s' has no group to spare for validation: training only",
                 annotation->labels.items[c]);
    }
}

i3d_status split_draw(const char *root, const struct split_ratio *ratio, struct annotation *out)
{
    i3d_status status;
    struct draw draw = { .annotation = out };
    if (!(ratio->training > 0 && ratio->training < 1))
        return failure(I3D_EINVAL, "the ratio %g is not between 0 and 1", ratio->training);
    TRY(list_videos(root, out));
    TRY(memory_get(out->count, sizeof *draw.groups, &draw.groups));
    TRY(memory_get(out->count, sizeof *draw.order, &draw.order));
    TRY(memory_get(out->labels.count, sizeof *draw.training, &draw.training));
    TRY(memory_get(out->labels.count, sizeof *draw.validation, &draw.validation));
    TRY(memory_get(out->labels.count, sizeof *draw.moved, &draw.moved));
    TRY(find_groups(&draw, ratio->group_pattern));
    for (size_t i = 0; i < out->count; i++) {
        draw.order[i] = i;
        draw.training[out->videos[i].label]++;
    }
    struct random random = random_for(ratio->seed, RANDOM_SPLIT, 0, 0);
    random_shuffle(&random, draw.order, out->count);
    draw_groups(&draw, ratio->training);
out:
    memory_free(draw.groups);
    memory_free(draw.order);
    memory_free(draw.training);
    memory_free(draw.validation);
    memory_free(draw.moved);
    if (status != I3D_OK)
        annotation_clear(out);
    return status;
}
