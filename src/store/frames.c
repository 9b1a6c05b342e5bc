#include "store/frames.h"
#include "base/failure.h"
#include "base/talk.h"

static void begin(struct frames *frames, const char *path)
{
    i3d_video_close(frames->video);
    frames->video = NULL;
    frames->images = NULL;
    frames->path = path;
    frames->next = 0;
}

i3d_status frames_decode(struct frames *frames, const char *path, const i3d_video_options *options)
{
    begin(frames, path);
    frames->options = *options;
    return i3d_video_open(path, options, &frames->video);
}

i3d_status frames_read(struct frames *frames, const char *path, long count, int planes)
{
    begin(frames, NULL);
    i3d_status status = store_open(&frames->store, path, count, planes);
    frames->path = frames->store.path;
    frames->count = frames->store.frames;
    return status;
}

void frames_lend(struct frames *frames, const i3d_image *images, long count)
{
    begin(frames, NULL);
    frames->images = images;
    frames->count = count;
}

void frames_close(struct frames *frames)
{
    i3d_video_close(frames->video);
    store_close(&frames->store);
    *frames = (struct frames){ 0 };
}

i3d_status frames_seek(struct frames *frames, long number)
{
    i3d_status status = I3D_OK;
    if (!frames->video) {
        frames->next = number;
        return number < frames->count ? I3D_OK : I3D_END;
    }
    if (number < frames->next)
        TRY(frames_decode(frames, frames->path, &frames->options));
    TRY(i3d_video_skip(frames->video, number - frames->next));
    frames->next = number;
out:
    return status;
}

static i3d_status read_store(struct frames *frames, struct frame *out)
{
    i3d_status status = I3D_OK;
    out->planes = frames->store.planes;
    for (int plane = 0; plane < out->planes; plane++)
        TRY(store_read(&frames->store, frames->next, plane, &out->plane[plane]));
out:
    return status;
}

i3d_status frames_next(struct frames *frames, struct frame *out)
{
    i3d_status status;
    *out = (struct frame){ .planes = 1 };
    TRY(check_interrupt());
    if (frames->video)
        TRY(i3d_video_next(frames->video, &out->plane[0], NULL));
    else if (frames->next >= frames->count)
        return I3D_END;
    else if (frames->images)
        out->plane[0] = &frames->images[frames->next];
    else
        TRY(read_store(frames, out));
    frames->next++;
out:
    return status;
}

/* How many there will be; a file can only guess. */
static long expect(const struct frames *frames)
{
    if (!frames->video)
        return frames->count;
    i3d_video_info info = i3d_video_get_info(frames->video);
    return (long)(info.duration * (frames->options.fps > 0 ? frames->options.fps : info.fps));
}

i3d_status frames_each(struct frames *frames, struct video_progress *progress, frames_taker take,
                       void *context)
{
    i3d_status status;
    struct frame frame;
    if (progress)
        video_progress_expect(progress, expect(frames));
    while ((status = frames_next(frames, &frame)) == I3D_OK) {
        TRY(take(frame.plane[0], context));
        if (progress)
            video_progress_frame(progress);
    }
    if (status == I3D_END)
        status = I3D_OK;
out:
    return status;
}
