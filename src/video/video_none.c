/* In place of what uses FFmpeg here, where it is missing. */
#include <i3d/video.h>

#include "base/failure.h"

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

i3d_status i3d_video_skip(i3d_video *video, long frames)
{
    (void)video, (void)frames;
    return none("");
}

i3d_status i3d_video_count(const char *path, const i3d_video_options *options, long *out)
{
    (void)options;
    *out = 0;
    return none(path);
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
