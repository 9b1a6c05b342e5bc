/* Clips as the network wants them: normalised, cut out, mirrored, channels last, folded. */
#include "engine/cuda/kernels/walk.h"

struct clip_job {
    struct clip_args args;
    struct tile tile;
    struct divider frames, height, width, channels; /* of what is written; of the clip */
    uint32_t positions;
    int shift[3];
    bool folded;
};

/* One number of the clip; 0 outside it. */
DEVICE float read_clip(const struct clip_args *args, uint32_t clip, int channel, int t, int h,
                       int w)
{
    const int *size = args->size;
    size_t frame = (size_t)clip * (size_t)size[0] + (size_t)t;
    if (t < 0 || t >= size[0] || h < 0 || h >= size[1] || w < 0 || w >= size[2])
        return 0;
    if (!args->bytes) {
        size_t plane = ((size_t)clip * (size_t)args->channels + (size_t)channel) * (size_t)size[0];
        size_t row = (plane + (size_t)t) * (size_t)size[1] + (size_t)h;
        return ((const float *)args->from)[row * (size_t)size[2] + (size_t)w];
    }
    struct clip_cut cut = { 0, 0, 0, 0 };
    if (args->cuts)
        cut = args->cuts[clip];
    size_t row = frame * (size_t)args->from_h + (size_t)(cut.top + h);
    size_t pixel =
        row * (size_t)args->from_w + (size_t)(cut.left + (cut.flip ? size[2] - 1 - w : w));
    int byte = ((const uint8_t *)args->from)[pixel * (size_t)args->channels + (size_t)channel];
    if (cut.invert >> channel & 1)
        byte = 255 - byte;
    return (float)(2 * byte - 255) / 255;
}

/* Channel `number` of what is written at a position. */
DEVICE float find_number(const struct clip_job *job, uint32_t clip, uint32_t number, int t, int h,
                         int w)
{
    const int *shift = job->shift;
    uint32_t offset = number, channel;
    if (!job->folded)
        return number < (uint32_t)job->args.channels
                   ? read_clip(&job->args, clip, (int)number, t, h, w)
                   : 0;
    channel = split(&offset, &job->channels);
    if (offset >= 8)
        return 0;
    return read_clip(&job->args, clip, (int)channel, 2 * t - shift[0] + (int)(offset >> 2),
                     2 * h - shift[1] + (int)(offset >> 1 & 1),
                     2 * w - shift[2] + (int)(offset & 1));
}

TYPED_KERNEL(write_clip, struct clip_job)
{
    PHASE(thread)
    {
        uint32_t row, octet;
        bool there = tile_place(&args.tile, thread, BLOCK.y, &row, &octet);
        uint32_t position = BLOCK.x * args.tile.rows + row, clip = position;
        if (!there || position >= args.positions)
            continue;
        int w = (int)split(&clip, &args.width), h = (int)split(&clip, &args.height);
        int t = (int)split(&clip, &args.frames);
        struct octet value;
        UNROLL
        for (uint32_t i = 0; i < OCTET; i++)
            value.at[i] = find_number(&args, clip, octet * OCTET + i, t, h, w);
        store8(&value, &args.args.out, position, column_of(args.args.out.channels, wide, octet),
               type);
    }
}

void kernel_clip(kernel_stream stream, const struct clip_args *args)
{
    const int *size = args->fold ? args->fold->size_in : args->size;
    struct clip_job job;
    job.args = *args;
    job.tile = tile_of(args->out.channels);
    job.frames = divider_of((size_t)size[0]);
    job.height = divider_of((size_t)size[1]);
    job.width = divider_of((size_t)size[2]);
    job.channels = divider_of((size_t)args->channels);
    job.positions = (uint32_t)args->out.positions;
    for (int d = 0; d < 3; d++)
        job.shift[d] = args->fold ? args->fold->shift[d] : 0;
    job.folded = args->fold != NULL;
    LAUNCH_TYPED(args->out.type, view_is_wide(&args->out), write_clip,
                 cover(job.positions, job.tile.rows), job.tile.tiles, stream, job);
}
