#include "base/random.h"

#include <math.h>

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct random random_for(uint64_t seed, enum random_purpose purpose, uint64_t epoch,
                         uint64_t sample)
{
    const uint64_t golden = 0x9e3779b97f4a7c15u;
    uint64_t state = mix(seed + golden);
    state = mix(state ^ mix((epoch << 8 | (uint64_t)purpose) + 2 * golden));
    state = mix(state ^ mix(sample + 3 * golden));
    return (struct random){ .state = state };
}

uint64_t random_bits(struct random *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    return mix(random->state);
}

double random_unit(struct random *random)
{
    return (double)(random_bits(random) >> 11) * 0x1p-53;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    /* Reject the short last stretch of 2^64 so that every value is equally likely. */
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound, bits;
    do
        bits = random_bits(random);
    while (bits >= limit);
    return bits % bound;
}

double random_normal(struct random *random)
{
    double radius = sqrt(-2 * log(1 - random_unit(random)));
    return radius * cos(6.283185307179586 * random_unit(random));
}

void random_shuffle(struct random *random, size_t *indices, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)random_below(random, i), kept = indices[i - 1];
        indices[i - 1] = indices[j];
        indices[j] = kept;
    }
}
