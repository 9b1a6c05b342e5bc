/* The frames of one video, one after another, wherever they are: in a file that is decoded, in a
 * store, in memory. Of frames that nobody asks for no pictures are made. */
#ifndef I3D_STORE_FRAMES_H
#define I3D_STORE_FRAMES_H

#include "store/store.h"
#include "store/walk.h"

#include <i3d/video.h>

/* One picture in RGB, or two grey ones, flow's x and y; loans until the next frame. */
struct frame {
    int planes;
    const i3d_image *plane[STORE_PLANES_MOST];
};

/* One a thread, zeroed at first; the functions that open close what was open before. */
struct frames {
    const char *path; /* of a file a loan; NULL: in memory */
    long next;        /* the number of the frame that frames_next() gives */

    i3d_video *video; /* decoded; NULL: from a store or memory */
    i3d_video_options options;
    struct store_reader store;
    const i3d_image *images; /* in memory, [count] */
    long count;              /* in the store or in memory */
};

/* A video file. */
i3d_status frames_decode(struct frames *frames, const char *path, const i3d_video_options *options);

/* A store of `planes` pictures a frame; `count` as in store_open(). */
i3d_status frames_read(struct frames *frames, const char *path, long count, int planes);

/* Pictures in RGB that the caller keeps. */
void frames_lend(struct frames *frames, const i3d_image *images, long count);

void frames_close(struct frames *frames);

/* Goes to frame `number`, so that it is the next. Of a file that is decoded those before it are
 * decoded too, anew if it lies behind. I3D_END if there are not so many. */
i3d_status frames_seek(struct frames *frames, long number);

/* The next frame; I3D_END behind the last. */
i3d_status frames_next(struct frames *frames, struct frame *out);

/* Gives each frame that is left, in RGB, to `take`, and counts it in `progress` (may be NULL). */
typedef i3d_status (*frames_taker)(const i3d_image *frame, void *context);
i3d_status frames_each(struct frames *frames, struct video_progress *progress, frames_taker take,
                       void *context);

#endif
