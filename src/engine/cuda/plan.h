/* A plan: every operation of the graph as a step, every value with its place in one arena on the
 * card.
 *
 * Values are channels last and as wide as the concatenation they are, so that a branch writes a
 * slice of them in place. A convolution whose norm is frozen, with nothing trained in front of it,
 * has its norm in its weights, and bias and ReLU in its run. Every other one writes a buffer of its
 * own, and the norm behind it writes the value. The first convolution, of stride 2, is one of
 * stride 1 over blocks of 2 x 2 x 2 positions, whose channels fill the card's units. */
#ifndef I3D_ENGINE_CUDA_PLAN_H
#define I3D_ENGINE_CUDA_PLAN_H

#include "base/thread.h"
#include "engine/arena.h"
#include "engine/cuda/convolution.h"
#include "engine/engine.h"
#include "engine/passes.h"
#include "engine/state.h"

enum { CHANNEL_BLOCK = 8, PASSES = 3, STEP_RESULTS = 2 };

/* What was decided before anything was made for it. */
struct decision {
    struct graph graph;
    enum element type;
    bool tf32, scaled; /* scaled: the loss is, by a dynamic factor */
    int batch;
    bool training;
    struct op_decision ops[GRAPH_OPS_MAX];
    bool wanted[GRAPH_VALUES_MAX]; /* its gradient is */
    int clip_channels;             /* of value 0 as it lies in memory */
    bool folded;                   /* value 0 is */
    struct fold fold;
};

struct step {
    const struct op *op;
    const struct op_decision *decided;
    struct convolution *passes[PASSES];
    struct window window;
    int job; /* which of the plan's weights */

    /* Spans of the arena, -1: none. */
    int machine;                         /* weights as the convolution wants them */
    int factors;                         /* of the norm: four arrays of channels */
    int bias, own_bias;                  /* fused: float32, and of the plan's type */
    int raw;                             /* what the convolution gives, then the gradient of that */
    int winner;                          /* of a pool */
    int scratch, backward_scratch;       /* workspaces */
    int machine_gradient, wide_gradient; /* of the weights: of the plan's type, and in float32 */
    int addend;
};

/* Whose machine weights are behind their parameters. */
enum staleness { STALE_NONE, STALE_TRAINED, STALE_ALL };

/* What a step is given, side by side: on the host, pinned, and on the card. */
struct slot {
    struct step_input *input;
    int32_t *labels; /* [batch] */
    float *keep;     /* [batch, channels, t'] of a head */
    float *clip;     /* [batch, C, T, H, W] */
};

/* A pass that was recorded, for so many clips. */
struct pass {
    struct recording *recording;
    int count;
    bool keep_given;
    int runs; /* unrecorded ones, with these */
};

struct plan {
    struct decision decided;
    struct state state; /* with its arrays on the card */
    struct card *card;
    struct convolver *convolver;
    struct step steps[GRAPH_OPS_MAX];
    struct weights_job jobs[GRAPH_OPS_MAX]; /* as on the card */
    int job_count;
    uint32_t job_blocks;

    struct arena arena;
    int values[GRAPH_VALUES_MAX], gradients[GRAPH_VALUES_MAX]; /* spans, -1: none */
    int params, moments[OPTIMIZER_MOMENTS_MAX], parameter_gradients, statistics, jobs_span;
    int slots[CARD_LANES]; /* what steps are given; in inference one */
    int features, kept, kept_gradient, winner, logits, logits_gradient; /* of a head */
    int losses; /* of the clips, and their sum in front, float64 */
    int segments, results, check_scratch, loss_scale;
    struct segments trained, norms, running; /* on the card */

    enum staleness stale;
    int count; /* clips of the last forward() */
    bool keep_given;
    struct slot slot; /* of this step, on the card */
    struct pass forward, backward, whole[CARD_LANES];
    void *ring[CARD_LANES];          /* slots on the host */
    struct team *team;               /* fills them */
    struct step_result *told;        /* [STEP_RESULTS], pinned */
    double told_clips[STEP_RESULTS]; /* their losses are sums over so many */
    long applied, known, looked;     /* steps; those whose result has come; that was looked at */
    int rescaled;                    /* steps in a row that were skipped */
};

static inline const struct op *last_op(const struct plan *plan)
{
    return &plan->decided.graph.ops[plan->decided.graph.op_count - 1];
}

/* The one operation that reads a folded clip, over blocks of 2 x 2 x 2 of its positions. */
static inline bool is_folded(const struct plan *plan, const struct op *op)
{
    return plan->decided.folded && op->in == 0;
}

static inline bool has_head(const struct plan *plan)
{
    return last_op(plan)->kind == OP_HEAD;
}

static inline int whole_blocks(int channels)
{
    return (channels + CHANNEL_BLOCK - 1) / CHANNEL_BLOCK * CHANNEL_BLOCK;
}

static inline void *span_at(const struct plan *plan, int span)
{
    return arena_at(&plan->arena, span);
}

/* Elements of a convolution's weights as the machine wants them. */
static inline size_t machine_weights(const struct weights_job *job)
{
    size_t weights = (size_t)job->machine_outs * (size_t)job->machine_ins;
    for (int d = 0; d < 3; d++)
        weights *= (size_t)(job->folded ? (job->kernel[d] + 1) / 2 : job->kernel[d]);
    return weights;
}

/* Channels of a value or its gradient, of `count` clips. */
struct view value_view(const struct plan *plan, int value, int channel, int channels, int count);
struct view gradient_view(const struct plan *plan, int value, int channel, int channels, int count);
/* The buffer of a convolution. */
struct view raw_view(const struct plan *plan, const struct step *step, int count);
struct norm_factors step_factors(const struct plan *plan, const struct step *step);
struct head_args head_arguments(const struct plan *plan, const struct op *op, int count);
size_t value_positions(const struct plan *plan, int value); /* of one clip, in memory */
int value_pitch(const struct plan *plan, int value);

/* Where the parts of a slot are in `memory`, which may be NULL; its bytes for so many clips. */
size_t slot_carve(const struct plan *plan, void *memory, int count, struct slot *out);

/* decide.c */
i3d_status cuda_decide(const struct plan_request *request, struct plan *plan);
/* layout.c: gives everything its span of the arena. */
i3d_status cuda_lay_out(struct plan *plan);
/* place.c: takes the memory for that, and writes what is in it from the start. */
i3d_status cuda_place(struct plan *plan);
/* plan.c. The plan takes over card and convolver, also when it fails. */
i3d_status cuda_plan_create(const struct plan_request *request, struct card *card,
                            struct convolver *convolver, struct plan **out);
i3d_status cuda_upload(struct plan *plan, enum plan_array array, struct range range,
                       const float *from);
i3d_status cuda_download(struct plan *plan, enum plan_array array, struct range range, float *to);
struct array cuda_array(struct plan *plan, enum plan_array array);
i3d_status cuda_read_value(struct plan *plan, int index, float *out);
size_t cuda_memory(const struct plan *plan);
void cuda_plan_free(struct plan *plan);

/* forward.c, backward.c, apply.c: as in engine.h. The run functions do what lies between the copies
 * from and to the host. */
i3d_status cuda_forward(struct plan *plan, int count, const float *input, const float *keep,
                        float *logits);
i3d_status cuda_run_forward(struct plan *plan);
i3d_status cuda_profile(struct plan *plan, int count, const float *input, float *logits,
                        struct op_time *times);
i3d_status cuda_load_changed(struct plan *plan);
i3d_status cuda_backward(struct plan *plan, const float *logits_gradient,
                         const struct ready *ready);
i3d_status cuda_run_backward(struct plan *plan);

i3d_status cuda_step(struct plan *plan, int count, const float *input, const int *labels,
                     const float *keep, const struct update *update);
i3d_status cuda_apply(struct plan *plan, const struct update *update);
i3d_status cuda_applied(struct plan *plan, struct applied *out);

/* One operation of it; for programs that measure. */
i3d_status cuda_run_step(const struct plan *plan, int i);
i3d_status cuda_run_step_back(const struct plan *plan, int i);

/* Runs a pass: the first time as it is, the second time recorded, then replayed. */
i3d_status cuda_run_pass(struct plan *plan, struct pass *pass,
                         i3d_status (*run)(struct plan *plan));

#endif
