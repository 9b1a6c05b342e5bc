#include "clip/sampling.h"

static struct span span_from(long begin, long frames, long wanted)
{
    long left = frames - begin;
    return (struct span){ .begin = begin, .count = left < wanted ? left : wanted };
}

struct span span_centre(long frames, long wanted)
{
    long begin = frames / 2 - wanted / 2;
    return span_from(begin > 0 ? begin : 0, frames, wanted);
}

struct span span_random(long frames, long wanted, bool off_by_one, struct random *random)
{
    long last = frames - wanted - off_by_one;
    long begin = last > 0 ? (long)random_below(random, (uint64_t)last + 1) : 0;
    return span_from(begin, frames, wanted);
}

struct span span_even(long frames, long wanted, long k, long clips)
{
    if (clips == 1)
        return span_centre(frames, wanted);
    long last = frames > wanted ? frames - wanted : 0, gaps = clips - 1;
    return span_from((2 * k * last + gaps) / (2 * gaps), frames, wanted);
}
