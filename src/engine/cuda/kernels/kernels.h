/* The engine's own kernels for a card, one launcher each: on the card it puts work on a stream and
 * returns at once; the twin, the same source compiled as C, has done it when it returns. All
 * pointers are the device's (the host's for a twin) unless said otherwise.
 *
 * Activations are [N, t, h, w, C]. Sums are taken in an order that depends on the shapes alone, so
 * a result is the same each time, and the same from a kernel and its twin. Arithmetic is float32
 * whatever the elements' type. A launch that fails shows in cudaGetLastError(). */
#ifndef I3D_ENGINE_CUDA_KERNELS_H
#define I3D_ENGINE_CUDA_KERNELS_H

#include "engine/optimizer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CUstream_st *kernel_stream; /* a cudaStream_t; a twin does not look at it */

enum element { ELEMENT_F32, ELEMENT_BF16, ELEMENT_F16 };

static inline size_t element_bytes(enum element type)
{
    return type == ELEMENT_F32 ? 4 : 2;
}

/* Channels of an activation that one operation reads or writes. Any sizes and places will do; it
 * is fast where channels and pitch are multiples of 8 and data is aligned to 16 bytes. Channels
 * beyond are neither read nor written. Below 2^32 blocks of 8 channels. */
struct view {
    void *data; /* the first channel at the first position */
    enum element type;
    int channels;
    size_t positions; /* N * t * h * w */
    size_t pitch;     /* elements from one position to the next */
};

/* Where a window of a pool or a convolution lies: t, h, w. */
struct window {
    int kernel[3], stride[3], front[3], size_in[3], size_out[3];
};

/* --- Clips and the folded stem ------------------------------------------------------------- */

/* A convolution of stride 2 along t, h, w as one of stride 1: blocks of 2 x 2 x 2 positions become
 * 8 C channels, numbered [dt, dh, dw, c]. Block p along an axis holds the positions
 * 2 p - shift, 2 p - shift + 1; what is outside the clip is 0. */
struct fold {
    int shift[3];
    int kernel[3], front[3], back[3], size_in[3], size_out[3]; /* of the folded convolution */
};

/* Of a window with strides of 2; a kernel of 7 becomes one of 4. */
static inline struct fold fold_window(const struct window *window)
{
    struct fold fold;
    for (int d = 0; d < 3; d++) {
        int shift = window->front[d] & 1;
        fold.shift[d] = shift;
        fold.kernel[d] = (window->kernel[d] + 1) / 2;
        fold.front[d] = (window->front[d] - shift) / 2;
        fold.size_in[d] = (window->size_in[d] + shift + 1) / 2;
        fold.size_out[d] = window->size_out[d];
        fold.back[d] = fold.size_out[d] - 1 + fold.kernel[d] - fold.front[d] - fold.size_in[d];
    }
    return fold;
}

/* Where a clip lies in its frames. */
struct clip_cut {
    int32_t top, left;
    int32_t flip;   /* mirrored left to right */
    int32_t invert; /* bit c: channel c's bytes v become 255 - v (a mirrored horizontal flow) */
};

struct clip_args {
    const void *from;
    bool bytes; /* u8 [count, t, from_h, from_w, channels], which become v / 255 * 2 - 1; otherwise
                   float [count, channels, t, h, w] */
    int from_h, from_w;           /* of bytes */
    const struct clip_cut *cuts;  /* of bytes: [count]; NULL: the corner, not mirrored */
    int count, channels, size[3]; /* clips, of [channels, t, h, w] */
    const struct fold *fold;      /* host memory, read by the launcher; NULL: not folded */
    struct view out; /* dense in positions: [count, t, h, w] or [count, fold.size_in]; its channels
                        beyond the clip's (8 times those if folded) become 0 */
};
void kernel_clip(kernel_stream stream, const struct clip_args *args);

/* --- Weights -------------------------------------------------------------------------------- */

/* A convolution's weights between the graph's layout and the machine's. */
struct weights_job {
    const float *weight; /* [outs, ins, kernel] */
    const float *scale;  /* [outs] it is multiplied by, NULL: 1 */
    void *machine;       /* [machine_outs, machine kernel, machine_ins]; what is beyond is 0 */
    float *gradient;     /* [outs, ins, kernel]; not touched by kernel_weights() */
    const void *machine_gradient; /* as `machine`, float32 */
    int outs, ins, kernel[3];
    int machine_outs, machine_ins; /* >= outs, >= ins (8 ins if folded) */
    int folded; /* the machine's kernel is (kernel + 1) / 2, its channels are [dt, dh, dw, ins] */
    uint32_t first_block; /* set by weights_place() */
};

/* Before the jobs go to the device; returns how many blocks all of them take. */
uint32_t weights_place(struct weights_job *jobs, int count);

struct weights_args {
    const struct weights_job *jobs; /* any that were placed together and stand side by side */
    int count;
    uint32_t blocks;      /* of these */
    enum element type;    /* of `machine` */
    const float *unscale; /* gradients are multiplied by it; NULL: 1 */
};
void kernel_weights(kernel_stream stream, const struct weights_args *args);
void kernel_weights_back(kernel_stream stream, const struct weights_args *args);

/* --- Batch norm or bias, and ReLU ------------------------------------------------------------ */

/* y = (x - mean) * scale + shift; each [channels]. */
struct norm_factors {
    float *mean;
    float *inverse; /* 1 / sqrt(variance + epsilon) */
    float *scale;   /* gamma * inverse */
    float *shift;   /* beta */
};

/* The factors of a norm with running statistics; without a gamma of a bias: mean 0, inverse and
 * scale 1, shift `beta`. */
struct factors_args {
    int channels;
    const float *gamma, *beta, *mean, *variance;
    float epsilon;
    struct norm_factors out; /* those that are NULL are not wanted */
    float *bias; /* beta - mean * scale, for weights multiplied by scale; NULL: not wanted */
};
void kernel_factors(kernel_stream stream, const struct factors_args *args);

/* The factors of a norm with the statistics of the batch. */
struct statistics_args {
    struct view in;
    void *workspace; /* norm_workspace() bytes, aligned to 16 */
    const float *gamma, *beta;
    float epsilon;
    struct norm_factors out;
    float *mean, *variance; /* what is told, the variance unbiased; NULL: not wanted */
};
void kernel_statistics(kernel_stream stream, const struct statistics_args *args);

/* Of kernel_statistics() and kernel_norm_backward(). */
size_t norm_workspace(size_t positions, int channels);

/* out = (in - mean) * scale + shift, with `relu` at least 0; a NaN goes through. out may be in. */
struct norm_args {
    struct view in, out; /* of one type */
    struct norm_factors factors;
    bool relu;
};
void kernel_norm(kernel_stream stream, const struct norm_args *args);

/* With g = out_gradient where the ReLU let it through (found out from `in` again):
 * beta_gradient = sum g, gamma_gradient = sum g (in - mean) inverse, and
 * in_gradient = scale (g - mean(g) - (in - mean) inverse^2 mean(g (in - mean))), without the two
 * means if `frozen`. Views of one type; in_gradient may be `in` or out_gradient. */
struct norm_backward_args {
    struct view in, out_gradient, in_gradient; /* in_gradient.data NULL: not wanted */
    struct norm_factors factors;
    bool relu, frozen;
    void *workspace;                       /* norm_workspace() bytes, aligned to 16 */
    float *gamma_gradient, *beta_gradient; /* NULL: not wanted */
    const float *unscale;                  /* these two are multiplied by it; NULL: 1 */
};
void kernel_norm_backward(kernel_stream stream, const struct norm_backward_args *args);

/* --- Maximum pool ---------------------------------------------------------------------------- */

struct pool_args {
    struct window window; /* of up to 255 taps */
    int count;
    struct view in, out; /* of one type */
    uint8_t *winner; /* pool_winner_bytes(out), aligned to 8, for the way back; NULL: not wanted */
};
void kernel_pool(kernel_stream stream, const struct pool_args *args);

static inline size_t pool_winner_bytes(const struct view *out)
{
    return out->positions * (((size_t)out->channels + 7) / 8 * 8);
}

struct pool_backward_args {
    struct window window;
    int count;
    const uint8_t *winner;
    struct view out_gradient, in_gradient; /* of one type */
    bool add; /* to what is in in_gradient, otherwise it is overwritten */
};
void kernel_pool_backward(kernel_stream stream, const struct pool_backward_args *args);

/* --- Sums, copies, layouts ------------------------------------------------------------------- */

enum { SUM_MAX = 4 };

/* out = in[0] + ... + in[count - 1], with `relu` at least 0; out may be one of them. With a mask
 * in[0] counts only where the mask is > 0. */
struct sum_args {
    int count;                          /* 1 to SUM_MAX */
    struct view in[SUM_MAX], out, mask; /* of one type; mask.data NULL: none */
    bool relu;
};
void kernel_sum(kernel_stream stream, const struct sum_args *args);

/* From any type to any. */
struct copy_args {
    struct view in, out;
};
void kernel_copy(kernel_stream stream, const struct copy_args *args);

/* float [count, channels, map] and the view [count, map, channels]. */
struct layout_args {
    int count;
    size_t map;
    float *floats;
    struct view view;
    const float *scale; /* of kernel_pack(): what is packed is multiplied by it; NULL: 1 */
};
void kernel_pack(kernel_stream stream, const struct layout_args *args);   /* floats -> view */
void kernel_unpack(kernel_stream stream, const struct layout_args *args); /* view -> floats */

/* --- Head: engine/head.h with its pool ------------------------------------------------------- */

struct head_args {
    int count, channels, classes;
    int t, map;   /* of the pool's input: frames, positions of a frame */
    int window;   /* frames under the pool's window, whose map is the whole one: t' = t - window + 1
                   */
    bool maximum; /* otherwise the mean */
    struct view in;    /* the pool's input [count, t, map, channels] */
    float *features;   /* [count, channels, t'] */
    int32_t *winner;   /* as features, of a maximum that is trained through; NULL: not wanted */
    const float *keep; /* as features; NULL: all 1 */
    float *kept;       /* [count, channels]: mean over t' of keep * features */
    const float *weight, *bias; /* [classes, channels], [classes] */
    float *logits;              /* [count, classes] */

    /* Backward. */
    const float *logits_gradient;           /* [count, classes] */
    float *weight_gradient, *bias_gradient; /* NULL: not wanted */
    float *kept_gradient;                   /* [count, channels]; NULL: in_gradient is not wanted */
    const float *scale;                     /* kept_gradient is multiplied by it; NULL: 1 */
    struct view in_gradient;
    bool add; /* to what is in in_gradient */
};
void kernel_head(kernel_stream stream, const struct head_args *args); /* in -> features, logits */
void kernel_head_backward(kernel_stream stream, const struct head_args *args);

/* train/loss.h: softmax cross-entropy, summed over clips. */
struct loss_args {
    int count, classes;
    const float *logits;   /* [count, classes] */
    const int32_t *labels; /* [count] */
    float *gradient;       /* [count, classes] */
    double *losses;        /* [count], of each clip */
    double *loss;          /* [1], their sum */
};
void kernel_loss(kernel_stream stream, const struct loss_args *args);

/* --- A step of the optimizer ----------------------------------------------------------------- */

/* Floats of one parameter, or of the statistics of a norm. */
struct segment {
    size_t at, count;     /* in its array */
    size_t other;         /* where the moments are; of running statistics where the batch's are */
    int32_t param;        /* whose, for struct step_result */
    int32_t decayed;      /* weight decay is for it */
    uint32_t first_block; /* set by segments_place() */
};

/* Before the segments go to the device; returns how many blocks they take. */
uint32_t segments_place(struct segment *segments, int count);

struct segments {
    const struct segment *list;
    int count;
    uint32_t blocks;
};

/* What the host tells of a step, written before it. */
struct step_input {
    int64_t step;
    struct optimizer_factors factors;
    float clips, bn_momentum;
    double loss;
};

/* What became of it: struct applied of engine.h. */
struct step_result {
    int64_t step;
    double loss, gradient_norm;
    int32_t skipped,
        param; /* param: -1, or the first whose gradient or statistics are not finite */
};

/* Dynamic loss scale: doubled after 2000 good steps, halved (1 at least) by one that is not. */
struct loss_scale {
    float scale, unscale; /* unscale = 1 / scale */
    int32_t good;         /* steps since it was changed */
};

/* Whether gradients, statistics and loss are finite, and the norm of the mean gradient. */
struct check_args {
    const float *gradients, *statistics;
    struct segments params, norms; /* of gradients; of statistics: [2 channels] of a norm each */
    const struct step_input *input;
    const double *loss;       /* the step's; NULL: the input's */
    double *workspace;        /* [params.blocks + norms.blocks] */
    struct loss_scale *scale; /* adapted; NULL: there is none */
    struct step_result *out;
};
void kernel_check(kernel_stream stream, const struct check_args *args);

/* engine/optimizer.h's rules and the running statistics, unless `result` says that the step is
 * skipped. */
struct step_args {
    i3d_optimizer optimizer;
    struct segments params, running; /* running: means and variances, in `params_data` too */
    float *params_data;
    const float *gradients, *statistics;
    float *moments[OPTIMIZER_MOMENTS_MAX];
    const struct step_input *input;
    const struct step_result *result;
};
void kernel_step(kernel_stream stream, const struct step_args *args);

#ifdef __cplusplus
}
#endif
#endif
