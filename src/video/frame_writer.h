/* The frames of one video on their way to a folder: add them in their order, commit. The folder
 * then holds image_%05d.jpg (1-based) and n_frames, their number in decimal without a newline; it
 * appears whole or not at all. */
#ifndef I3D_VIDEO_FRAME_WRITER_H
#define I3D_VIDEO_FRAME_WRITER_H

#include "base/file.h"
#include "image/image.h"

enum { FRAME_QUALITY = 95 }; /* of JPEG, unless asked otherwise */

struct frame_writer {
    struct folder_writer folder;
    struct jpeg jpeg;
    int quality;
    long frames; /* added so far */
};

/* Starts `folder`, whose parent must exist. */
i3d_status frame_writer_begin(const char *folder, int quality, struct frame_writer *out);
i3d_status frame_writer_add(struct frame_writer *writer, const i3d_image *frame);

/* Writes n_frames and puts the folder in its place. Frees everything, also on failure. */
i3d_status frame_writer_commit(struct frame_writer *writer);

/* Throws everything away; also right after commit and for zeroed memory. */
void frame_writer_discard(struct frame_writer *writer);

/* Writes `folder`/n_frames. */
i3d_status frame_count_write(const char *folder, long frames);

#endif
