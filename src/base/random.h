/* Random numbers that depend on what they are for, not on when or where they are drawn: a generator
 * is keyed by (seed, purpose, epoch, sample), so that any number of workers and processes gives the
 * same batches. SplitMix64 (Steele, Lea, Flood 2014). */
#ifndef I3D_BASE_RANDOM_H
#define I3D_BASE_RANDOM_H

#include <stdint.h>
#include <stddef.h>

struct random {
    uint64_t state;
};

/* What random numbers are drawn for. Two purposes never share a sequence. A number once given
 * is kept: splits, videos and fresh weights that are drawn again must be the same. */
enum random_purpose {
    RANDOM_SPLIT = 0,
    RANDOM_LOOKS = 1,  /* of a video of `synth`: what is seen .. */
    RANDOM_COURSE = 2, /* .. and how it moves */
    RANDOM_WEIGHTS = 3,
    RANDOM_ORDER = 4, /* of an epoch's samples */
    RANDOM_CLIP = 5,  /* where a clip begins, its crop, its flip */
    RANDOM_DROPOUT = 6,
    RANDOM_TRIAL = 7, /* inputs that only compare two programs */
};

/* The same four numbers give the same sequence on every machine. Things that have no epoch, or only
 * one of their kind, say 0 there. */
struct random random_for(uint64_t seed, enum random_purpose purpose, uint64_t epoch,
                         uint64_t sample);

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
