/* Random numbers that depend on what they are for, not on when or where they are drawn: a sample's
 * generator is keyed by (seed, epoch, index), so that any number of workers gives the same batches.
 * SplitMix64 (Steele, Lea, Flood 2014). */
#ifndef I3D_BASE_RANDOM_H
#define I3D_BASE_RANDOM_H

#include <stdint.h>
#include <stddef.h>

struct random {
    uint64_t state;
};

/* A generator for one purpose. The same three numbers give the same sequence on every machine. */
struct random random_for(uint64_t seed, uint64_t stream, uint64_t index);

uint64_t random_bits(struct random *random);

/* Uniform in [0, 1), 53 bits. */
double random_unit(struct random *random);

/* Uniform in 0 .. bound-1, without bias; bound > 0. */
uint64_t random_below(struct random *random, uint64_t bound);

/* Standard normal (Box-Muller). */
double random_normal(struct random *random);

/* A uniformly random order of count indices (Fisher-Yates), in place. */
void random_shuffle(struct random *random, size_t *indices, size_t count);

#endif
