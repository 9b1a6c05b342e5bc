/* Rules that say which video is for training and which for validation. Each fills a zeroed
 * annotation with names, labels and subsets; the frames are found by annotation_locate(). */
#ifndef I3D_CLIP_SPLIT_H
#define I3D_CLIP_SPLIT_H

#include "clip/annotation.h"

/* HMDB51's split `number` (1..3) from `folder`/<class>_test_split<number>.txt, whose lines are
 * "<video>.avi 0|1|2": not used, training, validation. Labels in alphabetical order. */
i3d_status split_read_hmdb51(const char *folder, int number, struct annotation *out);

/* UCF101's split `number` (1..3) from `folder`/{classInd,trainlist0<number>,testlist0<number>}.txt.
 * Labels in the order of classInd.txt. */
i3d_status split_read_ucf101(const char *folder, int number, struct annotation *out);

/* A CSV with a column `path` (of a file: class/video.ext) or `video` (without extension), and where
 * that has no class before a slash a column `class`. The subset is in a column `subset` (training,
 * validation; train, val, test are understood), or follows from `test_where` = "column=a,b,c":
 * those are for validation, the rest for training. Labels in alphabetical order. */
i3d_status split_read_csv(const char *path, const char *test_where, struct annotation *out);

struct split_ratio {
    double training;           /* the part for training, 0 < training < 1 */
    const char *group_pattern; /* POSIX ERE; its first group, matched in a video's name, is the
                                  group, and no group comes to both sides. NULL: each video for
                                  itself */
    uint64_t seed;
};

/* Draws a split of the videos under `root`: at least one video of each class on either side. A
 * class of which that cannot be had is told, and is for training only. */
i3d_status split_draw(const char *root, const struct split_ratio *ratio, struct annotation *out);

/* I3D_EINVAL if it is no such pattern; NULL is fine. */
i3d_status split_pattern_check(const char *pattern);

/* Which rule, from what a user says. */
struct split_rule {
    const char *dataset;    /* "hmdb51", "ucf101", or the name of any other data set */
    const char *source;     /* the folder of the official split files, or a CSV; NULL: drawn */
    const char *test_where; /* of a CSV, or NULL */
    struct split_ratio ratio;
};
enum { SPLITS_MOST = 3 };

/* What cannot be meant is I3D_EINVAL: no split files for a data set that has official splits, a
 * pattern that is none. */
i3d_status split_check(const struct split_rule *rule);
int split_count(const struct split_rule *rule);

/* Split `number`, from 1, of the videos under `root`; and its file's name: hmdb51_1.json,
 * ucf101_01.json, <data set>_1.json. */
i3d_status split_read(const struct split_rule *rule, int number, const char *root,
                      struct annotation *out);
void split_file_name(const struct split_rule *rule, int number, char *out, size_t bytes);

#endif
