#include "clip/sampling.h"

static struct window window_from(long begin, long frames, long wanted)
{
    long left = frames - begin;
    return (struct window){ .begin = begin, .count = left < wanted ? left : wanted };
}

struct window window_centre(long frames, long wanted)
{
    long begin = frames / 2 - wanted / 2;
    return window_from(begin > 0 ? begin : 0, frames, wanted);
}

struct window window_random(long frames, long wanted, bool off_by_one, struct random *random)
{
    long last = frames - wanted - off_by_one;
    long begin = last > 0 ? (long)random_below(random, (uint64_t)last + 1) : 0;
    return window_from(begin, frames, wanted);
}

struct window window_even(long frames, long wanted, long k, long clips)
{
    if (clips == 1)
        return window_centre(frames, wanted);
    long last = frames > wanted ? frames - wanted : 0, gaps = clips - 1;
    return window_from((2 * k * last + gaps) / (2 * gaps), frames, wanted);
}

struct window window_sliding(long wanted, long stride, long k)
{
    return (struct window){ .begin = k * stride, .count = wanted, .open = true };
}
