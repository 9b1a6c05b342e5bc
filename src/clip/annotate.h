/* From a rule and the videos that are there to annotation files. */
#ifndef I3D_CLIP_ANNOTATE_H
#define I3D_CLIP_ANNOTATE_H

#include "clip/split.h"

/* All annotations of a rule, held until they are written. */
struct annotate {
    struct split_rule rule;
    struct annotation splits[SPLITS_MOST];
    int count;
    struct names missing;  /* class/video, sorted, each once */
    struct names nameless; /* the same of those that JSON cannot name */
};

/* Reads or draws the splits of the videos under `root`. Videos whose names, or those of
 * their classes, are not UTF-8 are told, named in `nameless` and left out: no annotation can hold
 * them. */
i3d_status annotate_begin(const struct split_rule *rule, const char *root, struct annotate *out);

/* Finds their frames under `root` as annotation_locate() does; those missing are told and named in
 * `missing`, classes without a video are told. */
i3d_status annotate_locate(struct annotate *annotate, const char *root, int jobs,
                           double time_limit);

/* Writes them into a folder, or, if there is one only, to a path that ends in ".json". */
i3d_status annotate_write(const struct annotate *annotate, const char *target);
void annotate_clear(struct annotate *annotate);

#endif
