/* The videos of a data set, root/<class>/<name>.<ext>, and work over all of them. */
#ifndef I3D_STORE_WALK_H
#define I3D_STORE_WALK_H

#include <i3d/status.h>

#include <stddef.h>

struct video_file {
    char *class_name; /* the folder */
    char *name;       /* the file without its last extension: "v.part.1.avi" is "v.part.1" */
    char *path;       /* root/class/file */
};

/* Sorted by class, then by file name. */
struct videos {
    struct video_file *items;
    size_t count, capacity;
};

/* Every file in every class folder; hidden ones, and files directly under the root, are none.
 * Whether they are videos only reading tells. Two files of one class with the same name are
 * I3D_EINVAL, since they would become one output; so is a root without any. */
i3d_status videos_find(const char *root, struct videos *out);

/* Every store (store/store.h) of frames or of flow: the folders root/<class>/<name>, and the files
 * root/<class>/<name>.mkv that have no folder beside them. None at all is I3D_EINVAL. */
i3d_status videos_find_stores(const char *root, struct videos *out);
void videos_clear(struct videos *videos);

/* What the work on one video tells of itself. */
struct video_progress;

/* The number of frames to come; 0: unknown. */
void video_progress_expect(struct video_progress *progress, long frames);

/* One frame more is done. */
void video_progress_frame(struct video_progress *progress);

/* Does one video. What is finished already it answers with I3D_OK and no frame. */
typedef i3d_status (*video_item)(const struct video_file *video, struct video_progress *progress,
                                 void *context);

/* Runs all videos on `jobs` threads (0: one a core), each on its own: one that fails stops no
 * other. Those that failed are told, counted in `failed` and listed in the CSV `failures_path`
 * (columns video, reason), which is removed when there are none. The call itself fails only when it
 * is interrupted or cannot write that file. Progress is shown as `what`, its share to the frame. */
i3d_status videos_run(const struct videos *videos, int jobs, const char *what, video_item item,
                      void *context, const char *failures_path, size_t *failed);

#endif
