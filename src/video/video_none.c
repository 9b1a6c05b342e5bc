/* In place of all that uses FFmpeg, where it is missing. */
#include <i3d/video.h>

#include "base/failure.h"
#include "video/ffv1.h"
#include "video/pack.h"

static i3d_status none(const char *path)
{
    return failure(I3D_EUNSUPPORTED,
                   "'%s': this program was built without FFmpeg, so it cannot read or write videos",
                   path);
}

i3d_status i3d_video_open(const char *path, const i3d_video_options *options, i3d_video **out)
{
    (void)options;
    *out = NULL;
    return none(path);
}

i3d_video_info i3d_video_get_info(const i3d_video *video)
{
    (void)video;
    return (i3d_video_info){ .codec = "" };
}

i3d_status i3d_video_next(i3d_video *video, const i3d_image **out, double *time)
{
    (void)video, (void)time;
    *out = NULL;
    return none("");
}

void i3d_video_close(i3d_video *video)
{
    (void)video;
}

i3d_status i3d_video_writer_open(const char *path, int width, int height, double fps,
                                 i3d_video_writer **out)
{
    (void)width, (void)height, (void)fps;
    *out = NULL;
    return none(path);
}

i3d_status i3d_video_writer_add(i3d_video_writer *writer, const i3d_image *rgb)
{
    (void)writer, (void)rgb;
    return none("");
}

i3d_status i3d_video_writer_finish(i3d_video_writer *writer)
{
    (void)writer;
    return none("");
}

void i3d_video_writer_close(i3d_video_writer *writer)
{
    (void)writer;
}

const char *i3d_video_library(void)
{
    return NULL;
}

bool i3d_video_can_read(const char *codec)
{
    (void)codec;
    return false;
}

i3d_status ffv1_encoder_create(int width, int height, int channels, struct ffv1_encoder **out)
{
    (void)width, (void)height, (void)channels;
    *out = NULL;
    return none("FFV1");
}

i3d_status ffv1_encode(struct ffv1_encoder *encoder, const i3d_image *image, const uint8_t **data,
                       size_t *bytes)
{
    (void)encoder, (void)image, (void)data, (void)bytes;
    return none("FFV1");
}

void ffv1_encoder_free(struct ffv1_encoder *encoder)
{
    (void)encoder;
}

i3d_status pack_writer_create(const char *path, const struct pack_about *about,
                              struct pack_writer **out)
{
    (void)about;
    *out = NULL;
    return none(path);
}

i3d_status pack_writer_add(struct pack_writer *writer, int plane, const uint8_t *data, size_t bytes)
{
    (void)writer, (void)plane, (void)data, (void)bytes;
    return none("");
}

i3d_status pack_writer_commit(struct pack_writer *writer)
{
    (void)writer;
    return none("");
}

void pack_writer_free(struct pack_writer *writer)
{
    (void)writer;
}

i3d_status pack_reader_open(const char *path, struct pack_reader **out)
{
    *out = NULL;
    return none(path);
}

long pack_reader_frames(const struct pack_reader *reader)
{
    (void)reader;
    return 0;
}

int pack_reader_planes(const struct pack_reader *reader)
{
    (void)reader;
    return 0;
}

i3d_status pack_reader_read(struct pack_reader *reader, long frame, int plane, i3d_image *out)
{
    (void)reader, (void)frame, (void)plane, (void)out;
    return none("");
}

i3d_status pack_reader_missing(struct pack_reader *reader, long *out)
{
    (void)reader, (void)out;
    return none("");
}

void pack_reader_free(struct pack_reader *reader)
{
    (void)reader;
}
