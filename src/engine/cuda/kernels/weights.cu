/* Weights of all convolutions between the graph's layout and the machine's. A block has one filter,
 * so that what it reads across stays in its cache. */
#include "engine/cuda/kernels/element.h"

uint32_t weights_place(struct weights_job *jobs, int count)
{
    uint32_t blocks = 0;
    for (int i = 0; i < count; i++) {
        jobs[i].first_block = blocks;
        blocks += (uint32_t)jobs[i].machine_outs;
    }
    return blocks;
}

/* The job of a block, and the filter of it. */
DEVICE const struct weights_job *find_job(const struct weights_args *args, uint32_t block,
                                          uint32_t *filter)
{
    uint32_t number = args->jobs[0].first_block + block, low = 0, high = (uint32_t)args->count;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (args->jobs[middle].first_block <= number)
            low = middle;
        else
            high = middle;
    }
    *filter = number - args->jobs[low].first_block;
    return &args->jobs[low];
}

/* The machine's taps, and where tap [t, h, w] and channel c of the graph are: `tap`, `channel`. */
struct machine {
    uint32_t size[3], ins;
};

DEVICE struct machine machine_of(const struct weights_job *job)
{
    struct machine machine;
    UNROLL
    for (int d = 0; d < 3; d++)
        machine.size[d] = (uint32_t)(job->folded ? (job->kernel[d] + 1) / 2 : job->kernel[d]);
    machine.ins = (uint32_t)job->machine_ins;
    return machine;
}

/* Number `item` [t, h, w, in] of a filter of the machine, from the graph's `filter`. */
DEVICE float gather_weight(const struct weights_job *job, struct machine machine, uint32_t item,
                           const float *filter)
{
    uint32_t in = item % machine.ins, tap = item / machine.ins;
    uint32_t w = tap % machine.size[2], h = tap / machine.size[2] % machine.size[1];
    uint32_t t = tap / machine.size[2] / machine.size[1], ins = (uint32_t)job->ins;
    const int *kernel = job->kernel;
    if (job->folded) {
        uint32_t offset = in / ins;
        t = 2 * t + (offset >> 2);
        h = 2 * h + (offset >> 1 & 1);
        w = 2 * w + (offset & 1);
        in = offset < 8 ? in - offset * ins : ins;
    }
    if (in >= ins || t >= (uint32_t)kernel[0] || h >= (uint32_t)kernel[1] ||
        w >= (uint32_t)kernel[2])
        return 0;
    return filter[((in * (uint32_t)kernel[0] + t) * (uint32_t)kernel[1] + h) * (uint32_t)kernel[2] +
                  w];
}

KERNEL(write_weights, struct weights_args)
{
    PHASE(thread)
    {
        uint32_t out;
        const struct weights_job *job = find_job(&args, BLOCK.x, &out);
        struct machine machine = machine_of(job);
        uint32_t items = machine.size[0] * machine.size[1] * machine.size[2] * machine.ins;
        size_t floats = (size_t)job->ins * (size_t)job->kernel[0] * (size_t)job->kernel[1] *
                        (size_t)job->kernel[2];
        bool real = out < (uint32_t)job->outs;
        float scale = real && job->scale ? job->scale[out] : 1;
        for (uint32_t item = thread; item < items; item += THREADS) {
            float weight = 0;
            if (real)
                weight = gather_weight(job, machine, item, job->weight + out * floats) * scale;
            store1(weight, job->machine, (size_t)out * items + item, args.type);
        }
    }
}

void kernel_weights(kernel_stream stream, const struct weights_args *args)
{
    LAUNCH(write_weights, args->blocks, 1, stream, *args);
}

/* Where number `item` [in, t, h, w] of a filter of the graph is in the machine's. */
DEVICE uint32_t find_item(const struct weights_job *job, struct machine machine, uint32_t item)
{
    uint32_t kernel[3] = { (uint32_t)job->kernel[0], (uint32_t)job->kernel[1],
                           (uint32_t)job->kernel[2] };
    uint32_t w = item % kernel[2], h = item / kernel[2] % kernel[1];
    uint32_t t = item / kernel[2] / kernel[1] % kernel[0];
    uint32_t in = item / kernel[2] / kernel[1] / kernel[0];
    if (job->folded) {
        in += ((t & 1) << 2 | (h & 1) << 1 | (w & 1)) * (uint32_t)job->ins;
        t /= 2;
        h /= 2;
        w /= 2;
    }
    return ((t * machine.size[1] + h) * machine.size[2] + w) * machine.ins + in;
}

KERNEL(read_gradients, struct weights_args)
{
    PHASE(thread)
    {
        uint32_t out;
        const struct weights_job *job = find_job(&args, BLOCK.x, &out);
        if (!job->gradient || out >= (uint32_t)job->outs)
            continue;
        struct machine machine = machine_of(job);
        uint32_t items = machine.size[0] * machine.size[1] * machine.size[2] * machine.ins;
        uint32_t floats = (uint32_t)(job->ins * job->kernel[0] * job->kernel[1] * job->kernel[2]);
        const float *from = (const float *)job->machine_gradient + (size_t)out * items;
        float *to = job->gradient + (size_t)out * floats;
        float unscale = args.unscale ? *args.unscale : 1;
        for (uint32_t item = thread; item < floats; item += THREADS)
            to[item] = from[find_item(job, machine, item)] * unscale;
    }
}

void kernel_weights_back(kernel_stream stream, const struct weights_args *args)
{
    LAUNCH(read_gradients, args->blocks, 1, stream, *args);
}
