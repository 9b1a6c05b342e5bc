/* Frames in, clips out: some frames of a video, or their flow, cut, as numbers.
 *
 * A clip is begun with its window and then given the frames it needs, in their order. Clips of one
 * video follow each other; what two of them share is not made twice. */
#ifndef I3D_CLIP_CLIP_H
#define I3D_CLIP_CLIP_H

#include "clip/sampling.h"
#include "clip/transform.h"
#include "flow/motion.h"
#include "store/frames.h"

#include <i3d/clip.h>

i3d_status clip_check(const i3d_clip_options *options); /* I3D_EINVAL: out of range */

/* The window of clip `index` of `clips_per_video` (in training 0) of a video of so many frames;
 * `random` NULL: nothing is. */
struct window clip_window(const i3d_clip_options *options, long frames, int index,
                          struct random *random);

/* One a thread. Allocates only until it has seen the largest picture. */
struct clip_maker {
    const i3d_clip_options *options;   /* a loan */
    const struct motion_options *flow; /* a loan; NULL: frames are taken as they are */
    int channels;
    struct cutter cutter;
    struct motion motion;
    long motion_of; /* the frame it has seen last; -1: none of this video */

    /* The clip in hand. */
    struct window window;
    long next;             /* the first frame of the window that it has not */
    long shared;           /* how many came from the clip before */
    struct random *random; /* a loan; NULL: nothing is */
    bool flip;
    struct cut cut;
    int width, height; /* of the pictures; 0: none seen yet */
    float *out;
};

/* With `flow`, frames in RGB become the flow of I3D_FLOW; without it they must be of `stream`. */
i3d_status clip_maker_create(const i3d_clip_options *options, i3d_stream stream,
                             const struct motion_options *flow, struct clip_maker *out);
void clip_maker_clear(struct clip_maker *maker);

/* The clips from now on are of another video. */
void clip_restart(struct clip_maker *maker);

/* Begins a clip in `out` [C, T, H, W]; all that is random about it comes from `random` (NULL:
 * nothing is), a loan until it is complete. What it shares with the clip before is copied from
 * there, so that memory must still hold that clip; it may be the same memory. */
void clip_begin(struct clip_maker *maker, const struct window *window, struct random *random,
                float *out);

/* The number of the frame that the clip needs next; -1: it is complete. Of flow that can be the
 * frame before the window's first. */
long clip_needs(const struct clip_maker *maker);

/* Takes that frame. */
i3d_status clip_push(struct clip_maker *maker, const struct frame *frame);

/* Gives `makers`, all with clips begun, what they need of `frames` until one of them is complete or
 * more; frames that none needs are passed over. A video that ends too early is I3D_EFORMAT. Open
 * windows end with it instead; I3D_END if no frame was left for them that is not in the clip
 * before.
 */
i3d_status clip_fill(struct frames *frames, struct clip_maker *const makers[], int count);

#endif
