/* Annotation files: which videos there are, of which class, for training or for validation. JSON of
 * the original's form:
 *
 *     {"labels": ["brush_hair", ...],
 *      "database": {"<video>": {"subset": "training" | "validation",
 *                               "annotations": {"label": "brush_hair", "segment": [1, 65]}}}} */
#ifndef I3D_CLIP_ANNOTATION_H
#define I3D_CLIP_ANNOTATION_H

#include "base/file.h"

#include <i3d/clip.h>

struct annotated {
    char *name; /* the file's without its last extension */
    int label;  /* index in `labels` */
    i3d_subset subset;
    long frames; /* the segment is [1, frames + 1]; not kept by annotation_read() */
};

struct annotation {
    struct names labels; /* the classes */
    struct annotated *videos;
    size_t count, capacity;
};

/* Everything is checked: types, known labels, names that could leave the folder (I3D_EFORMAT).
 * Videos of other subsets ("testing") are passed over. */
i3d_status annotation_read(const char *path, struct annotation *out);

/* Two videos with one name are I3D_EINVAL, since the name is the key. */
i3d_status annotation_write(const char *path, const struct annotation *annotation);
void annotation_clear(struct annotation *annotation);

/* The label of a class, whatever the case of its letters; -1: there is none. */
int annotation_label(const struct annotation *annotation, const char *class_name);

/* Puts the labels in alphabetical order; before any video is added. */
void annotation_sort_labels(struct annotation *annotation);

/* Adds a video; copies the name. */
i3d_status annotation_add(struct annotation *annotation, const char *name, int label,
                          i3d_subset subset);

/* Fills in the frames of the videos under `root`, which are folders of jpgs with an n_frames file
 * or video files (decoded to be counted, on `jobs` threads, each for `time_limit` seconds at most).
 * Those that are not there, or have no frames, are taken out and named in `missing` as class/video.
 */
i3d_status annotation_locate(struct annotation *annotation, const char *root, int jobs,
                             double time_limit, struct names *missing);

/* "class/video" of each missing one to i3d_log_to(), after `most` of them only how many more. */
void annotation_tell_missing(const struct names *missing, size_t most);

#endif
