/* The flow of one video on its way to a store (store/store.h): add frames in their order, commit.
 * There are as many flows as frames, the first all zero motion. */
#ifndef I3D_FLOW_FLOW_WRITER_H
#define I3D_FLOW_FLOW_WRITER_H

#include "store/store.h"

#include <i3d/flow.h>
#include <i3d/image.h>

struct flow_writer_options {
    i3d_flow_options flow;
    struct store_options store; /* motions of -bound..bound pixels become bytes 0..255; 20 */
    bool fields;                /* write image_%05d.flo too, the motion as it is; only to folders */
    int threads;                /* that compute and code together; 1 */
};

/* The default preset, bound and quality, a folder of JPEGs, and one thread. */
struct flow_writer_options flow_writer_defaults(void);

struct flow_worker;
struct flow_bytes;

/* Memory does not grow with the number of frames. */
struct flow_writer {
    struct flow_writer_options options;
    struct store_writer store;
    int width, height;      /* of the first frame; 0 before it */
    long frames;            /* added so far */
    int waiting, capacity;  /* frames in `greys` behind the first, which was the last one before */
    uint8_t *greys;         /* [1 + capacity, height, width] */
    i3d_image grey, scaled; /* of the newest frame */
    struct flow_worker *workers;
    struct flow_bytes *bytes; /* [capacity, 2]: the coded flow of the frames waiting */
};

/* Starts a store at a store_path() whose folder exists. Nothing is kept of `options`. */
i3d_status flow_writer_begin(const char *path, const struct flow_writer_options *options,
                             struct flow_writer *out);

/* The next frame, RGB or grey. The first sets the size; one of another size is scaled to it. */
i3d_status flow_writer_add(struct flow_writer *writer, const i3d_image *frame);

/* Writes what is left and puts the store in its place; I3D_EFORMAT if no frame was added. Frees
 * everything, also on failure. */
i3d_status flow_writer_commit(struct flow_writer *writer);

/* Throws everything away; also right after commit and for zeroed memory. */
void flow_writer_discard(struct flow_writer *writer);

#endif
