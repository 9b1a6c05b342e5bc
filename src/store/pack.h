/* The pictures of one video in one Matroska file: each a packet of its own and a key frame, 40 ms
 * long whatever the video's rate, so that the n-th is found by its time and the file's duration
 * tells their number. One track of RGB, or two grey ones: flow's x, then its y. Its tags say what
 * it is:
 *
 *     I3D_STORE    rgb | flow
 *     I3D_BOUND    20
 *     I3D_MAPPING  byte = round((motion + bound) * 255 / (2 * bound)) */
#ifndef I3D_STORE_PACK_H
#define I3D_STORE_PACK_H

#include <i3d/image.h>

#include <stdbool.h>

struct pack_about {
    bool lossless; /* FFV1, otherwise JPEG */
    int planes;    /* 1: RGB; 2: flow */
    int width, height;
    double bound; /* of flow */
};

struct pack_writer;
i3d_status pack_writer_create(const char *path, const struct pack_about *about,
                              struct pack_writer **out);

/* The coded picture of the next frame; frames in order, the planes of each in order. */
i3d_status pack_writer_add(struct pack_writer *writer, int plane, const uint8_t *data,
                           size_t bytes);
/* Puts the file in its place. */
i3d_status pack_writer_commit(struct pack_writer *writer);
/* Without a commit before it nothing is left on disk. NULL is fine. */
void pack_writer_free(struct pack_writer *writer);

/* I3D_EFORMAT if it is no such file. */
struct pack_reader;
i3d_status pack_reader_open(const char *path, struct pack_reader **out);
long pack_reader_frames(const struct pack_reader *reader);
int pack_reader_planes(const struct pack_reader *reader);

/* Any frame (from 0), decoded; fastest from one to the next. */
i3d_status pack_reader_read(struct pack_reader *reader, long frame, int plane, i3d_image *out);

/* How many pictures the file lacks, without decoding them. */
i3d_status pack_reader_missing(struct pack_reader *reader, long *out);
void pack_reader_free(struct pack_reader *reader);

#endif
