#include "clip/source.h"
#include "base/failure.h"
#include "base/memory.h"
#include "image/image.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static i3d_status open_decoder(struct source *source)
{
    i3d_video_close(source->decoder);
    source->decoder = NULL;
    source->next = 0;
    return i3d_video_open(source->video->path,
                          &(i3d_video_options){ .fps = source->dataset->fps,
                                                .short_side = source->dataset->short_side },
                          &source->decoder);
}

/* Every worker that comes first counts, and all find the same. */
static i3d_status count_frames(struct source *source, long *out)
{
    const i3d_image *frame;
    i3d_status status = open_decoder(source);
    if (status != I3D_OK)
        return status;
    for (*out = 0; (status = i3d_video_next(source->decoder, &frame, NULL)) == I3D_OK; ++*out)
        ;
    if (status != I3D_END)
        return status;
    if (*out == 0)
        return failure(I3D_EFORMAT, "'%s' has no frames", source->video->path);
    atomic_store(&source->video->frames, *out);
    return I3D_OK;
}

i3d_status source_begin(struct source *source, int index, long *frames)
{
    i3d_status status = I3D_OK;
    source->video = &source->dataset->videos[index];
    *frames = atomic_load(&source->video->frames);
    if (*frames == 0)
        status = count_frames(source, frames);
    if (status == I3D_OK && source->dataset->video)
        status = open_decoder(source);
    return status;
}

int source_planes(const struct source *source)
{
    return source->dataset->stream == I3D_FLOW ? 2 : 1;
}

/* The file at `source->path` into memory that is used again for the next. */
static i3d_status load(struct source *source, size_t *bytes)
{
    struct stat about;
    i3d_status status = I3D_OK;
    FILE *stream = fopen(source->path, "rb");
    if (!stream)
        return failure_errno(
            "cannot open '%s', though n_frames promises %ld frames; make the folder "
            "again, or leave such clips out (--skip-bad)",
            source->path, atomic_load(&source->video->frames));
    if (fstat(fileno(stream), &about) != 0 || !S_ISREG(about.st_mode))
        TRY(failure(I3D_EIO, "'%s' is not a file", source->path));
    *bytes = (size_t)about.st_size;
    TRY(memory_grow(&source->jpeg, &source->jpeg_capacity, *bytes + 1, 1));
    if (fread(source->jpeg, 1, *bytes, stream) != *bytes)
        status = failure_errno("cannot read '%s'", source->path);
out:
    fclose(stream);
    return status;
}

static i3d_status read_jpg(struct source *source, long frame, int plane, const i3d_image **out)
{
    static const char *const endings[] = { "x", "y" };
    i3d_status status;
    bool flow = source->dataset->stream == I3D_FLOW;
    const char *folder = source->video->path;
    size_t bytes = strlen(folder) + 64;
    TRY(memory_grow(&source->path, &source->path_capacity, bytes, 1));
    snprintf(source->path, source->path_capacity, "%s/image_%05ld%s.jpg", folder, frame + 1,
             flow ? endings[plane] : "");
    TRY(load(source, &bytes));
    TRY(image_decode(source->jpeg, bytes, flow ? 1 : 3, source->path, &source->image));
    *out = &source->image;
out:
    return status;
}

static i3d_status read_decoded(struct source *source, long frame, const i3d_image **out)
{
    i3d_status status = I3D_OK;
    for (; source->next <= frame && status == I3D_OK; source->next++)
        status = i3d_video_next(source->decoder, out, NULL);
    if (status == I3D_END)
        return failure(I3D_EFORMAT, "'%s' ends before frame %ld; it changed since it was counted",
                       source->video->path, frame);
    return status;
}

i3d_status source_read(struct source *source, long frame, int plane, const i3d_image **out)
{
    return source->dataset->video ? read_decoded(source, frame, out)
                                  : read_jpg(source, frame, plane, out);
}

void source_clear(struct source *source)
{
    i3d_video_close(source->decoder);
    i3d_image_clear(&source->image);
    memory_free(source->jpeg);
    memory_free(source->path);
    *source = (struct source){ 0 };
}
