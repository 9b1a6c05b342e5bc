/* Where the pictures of a video are kept, one picture a frame (RGB) or two (grey: flow's x and y):
 *
 *     <video>/image_00001.jpg ...                     and n_frames, their number, without a newline
 *     <video>/image_00001x.jpg image_00001y.jpg ...   and n_frames
 *     <video>.mkv                                     as store/pack.h says
 *
 * A store appears whole or not at all. JPEGs are the same bytes in a folder and in a file. */
#ifndef I3D_STORE_STORE_H
#define I3D_STORE_STORE_H

#include "base/file.h"
#include "image/image.h"

enum store_form { STORE_JPG, STORE_MJPEG, STORE_FFV1 };
enum { STORE_QUALITY = 95, STORE_PLANES_MOST = 2 };

struct store_options {
    enum store_form form;
    int quality;  /* of the JPEGs, 1..100 */
    int planes;   /* pictures a frame: 1 or 2 */
    double bound; /* of flow, which the file's tags tell */
};

/* `folder`/`video` or `folder`/`video`.mkv. */
i3d_status store_path(const char *folder, const char *video, enum store_form form, char **out);

/* ---- coding, on any thread ---- */

/* A picture as it is stored; a loan from its coder until the next picture. */
struct coded {
    const uint8_t *data;
    size_t bytes;
};

/* One a thread, zeroed at first; all pictures are of one size and kind. */
struct store_coder {
    struct jpeg jpeg;
    struct ffv1_encoder *ffv1;
};
i3d_status store_code(struct store_coder *coder, const struct store_options *options,
                      const i3d_image *image, struct coded *out);
void store_coder_clear(struct store_coder *coder);

/* ---- writing ---- */

struct store_writer {
    struct store_options options;
    char *path;
    struct folder_writer folder; /* STORE_JPG */
    struct pack_writer *pack;    /* the others */
    struct store_coder coder;    /* of store_add() */
    long frames;                 /* added so far */
};

/* Starts a store at a store_path() whose folder exists. */
i3d_status store_begin(const char *path, const struct store_options *options,
                       struct store_writer *out);

/* The next frame's pictures, of the size given, in the order of their planes. */
i3d_status store_put(struct store_writer *writer, int width, int height,
                     const struct coded pictures[]);

/* Codes and puts the next frame of one plane. */
i3d_status store_add(struct store_writer *writer, const i3d_image *frame);

/* Puts the store in its place; I3D_EFORMAT if it has no frames. Frees everything, also on failure.
 */
i3d_status store_commit(struct store_writer *writer);

/* Throws everything away; also right after commit and for zeroed memory. */
void store_discard(struct store_writer *writer);

/* Writes `folder`/n_frames. */
i3d_status store_write_count(const char *folder, long frames);

/* ---- reading ---- */

/* The number of frames that a store says it has, without reading them. A missing n_frames is
 * I3D_EIO; one that is no number, or a file that is no store, I3D_EFORMAT. */
i3d_status store_count(const char *path, long *out);

/* One a thread; zeroed at first. */
struct store_reader {
    char *path;
    long frames;
    int planes;
    struct pack_reader *pack;              /* NULL: a folder */
    char *name;                            /* of the newest jpg ... */
    uint8_t *jpeg;                         /* ... and its bytes */
    i3d_image pictures[STORE_PLANES_MOST]; /* the newest of each plane */
    size_t path_capacity, name_capacity, jpeg_capacity;
};

/* Goes to a store, of `planes` pictures a frame, after any other. A folder is believed to have
 * `frames` frames; a file says it itself. */
i3d_status store_open(struct store_reader *reader, const char *path, long frames, int planes);

/* Picture `plane` of frame `frame` (from 0); a loan until the next of that plane. One that is
 * missing or not whole is I3D_EIO or I3D_EFORMAT and is named. */
i3d_status store_read(struct store_reader *reader, long frame, int plane, const i3d_image **out);
void store_close(struct store_reader *reader);

#endif
