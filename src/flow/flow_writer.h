/* The flow of one video on its way to a folder: add frames in their order, commit. The folder then
 * holds image_%05dx.jpg and image_%05dy.jpg (grey, 1-based, as many as frames, the first all zero
 * motion) and n_frames; it appears whole or not at all. */
#ifndef I3D_FLOW_FLOW_WRITER_H
#define I3D_FLOW_FLOW_WRITER_H

#include "base/file.h"

#include <i3d/flow.h>
#include <i3d/image.h>

struct flow_writer_options {
    i3d_flow_options flow;
    double bound; /* motions of -bound..bound pixels become bytes 0..255; 20 */
    int quality;  /* of the JPEGs, 1..100; 95 */
};

/* The default preset, bound and quality. */
struct flow_writer_options flow_writer_defaults(void);

/* One thread at a time; memory does not grow with the number of frames. */
struct flow_writer {
    struct flow_writer_options options;
    struct folder_writer folder;
    long frames; /* added so far */
    i3d_flow *flow;
    i3d_image grey, scaled, bytes;
    float *u, *v; /* of the newest frame, [height, width]; a loan until the next add */
    int width, height;
};

/* Starts `folder`, whose parent must exist. Nothing is kept of `options`. */
i3d_status flow_writer_begin(const char *folder, const struct flow_writer_options *options,
                             struct flow_writer *out);

/* The next frame, RGB or grey. The first sets the size; one of another size is scaled to it. */
i3d_status flow_writer_add(struct flow_writer *writer, const i3d_image *frame);

/* Writes n_frames and puts the folder in its place; I3D_EFORMAT if no frame was added. Frees
 * everything, also on failure. */
i3d_status flow_writer_commit(struct flow_writer *writer);

/* Throws everything away; also right after commit and for zeroed memory. */
void flow_writer_discard(struct flow_writer *writer);

#endif
