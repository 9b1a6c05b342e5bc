/* The kernels on a card beside their twins on the CPU: the same buffers on both sides, drawn from
 * the same numbers. */
#ifndef I3D_ENGINE_CUDA_CHECK_H
#define I3D_ENGINE_CUDA_CHECK_H

#include "engine/cuda/kernels/kernels.h"

enum side { TWIN, CARD, SIDES };

/* What a buffer holds; the first three are enum element. */
enum data { DATA_F32, DATA_BF16, DATA_F16, DATA_BYTES, DATA_I32, DATA_F64, DATA_STRUCTS };

enum { BUFFERS_MAX = 48 };

struct buffer {
    const char *name; /* NULL: not compared */
    enum data data;
    size_t count; /* elements; of structs bytes */
    void *sides[SIDES];
};

/* One kernel on one shape. */
struct trial {
    enum element type;
    const int *shape; /* the case's own numbers */
    enum side side;   /* where a case is run now */
    bool making;      /* buffers are made, nothing is launched */
    bool prepare;     /* also what a kernel needs of another is run */
    int next;         /* buffer that is asked for next */
    struct buffer buffers[BUFFERS_MAX];
    void *twins;  /* the library of twins */
    double moved; /* bytes that the kernel reads and writes at least */
};

/* A case asks for its buffers in the same order each time and launches its kernels with RUN. */
struct check_case {
    const char *name;
    void (*run)(struct trial *trial);
    const int (*shapes)[12]; /* small and odd, compared */
    const int (*large)[12];  /* as in I3D, timed on the card */
    int shape_count, large_count;
    bool typed; /* for each type of element, otherwise once */
};
extern const struct check_case check_cases[];
extern const int check_case_count;

/* Numbers drawn from [low, high), of bytes and integers the whole ones. */
void *trial_draw(struct trial *trial, enum data data, size_t count, double low, double high);

/* What the kernel writes; poisoned before. */
void *trial_output(struct trial *trial, const char *name, enum data data, size_t count);

/* Drawn numbers that the kernel changes. */
void *trial_change(struct trial *trial, const char *name, enum data data, size_t count, double low,
                   double high);

/* Structs that the kernel reads. */
void *trial_put(struct trial *trial, const void *structs, size_t bytes);

/* The kernel's launcher on this side; NULL while buffers are made. */
typedef void (*any_launcher)(void);
any_launcher trial_launcher(const struct trial *trial, const char *name, any_launcher card);

#define RUN(trial, kernel, args)                                                                   \
    do {                                                                                           \
        any_launcher found = trial_launcher(trial, #kernel, (any_launcher)kernel);                 \
        if (found)                                                                                 \
            ((__typeof__(&kernel))found)(NULL, args);                                              \
    } while (0)

#endif
