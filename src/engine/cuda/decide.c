#include "engine/cuda/plan.h"

#include "base/failure.h"

static i3d_status choose_type(const struct plan_request *request, struct decision *decided)
{
    switch (request->precision) {
    case I3D_PRECISION_F32:
        return I3D_OK;
    case I3D_PRECISION_TF32:
        decided->tf32 = true;
        return I3D_OK;
    case I3D_PRECISION_BF16:
        decided->type = ELEMENT_BF16;
        return I3D_OK;
    case I3D_PRECISION_F16:
        decided->type = ELEMENT_F16;
        decided->scaled = decided->training;
        return I3D_OK;
    default:
        return failure(I3D_EUNSUPPORTED, "the cuda engine has no float64: choose bf16, fp16, tf32, "
                                         "fp32 or the reference engine");
    }
}

static i3d_status check_op(const struct graph *graph, const struct op *op)
{
    bool whole = op->size_out[1] == 1 && op->size_out[2] == 1;
    int ins = op->in ? graph->values[op->in].channels : 0;
    if (op->kind == OP_HEAD)
        return whole ? I3D_OK
                     : failure(I3D_EUNSUPPORTED, "the cuda engine wants a head that pools whole "
                                                 "maps: choose another engine");
    if (op->channels % CHANNEL_BLOCK || op->out_channel % CHANNEL_BLOCK || ins % CHANNEL_BLOCK)
        return failure(I3D_EUNSUPPORTED,
                       "the cuda engine wants channels in multiples of %d at '%s': choose another "
                       "engine",
                       CHANNEL_BLOCK, op->name);
    return I3D_OK;
}

/* Blocks begin where the window does, and those in front of the clip and behind it are in memory as
 * zeroes: the convolution needs no padding, which would not be the same on both sides. */
static struct fold fold_with_border(const struct op *op)
{
    struct fold fold;
    for (int d = 0; d < 3; d++) {
        fold.shift[d] = op->front[d];
        fold.kernel[d] = (op->kernel[d] + 1) / 2;
        fold.front[d] = fold.back[d] = 0;
        fold.size_out[d] = op->size_out[d];
        fold.size_in[d] = op->size_out[d] + fold.kernel[d] - 1;
    }
    return fold;
}

static bool can_fold(const struct op *op)
{
    for (int d = 0; d < 3; d++)
        if (op->stride[d] != 2 || op->kernel[d] < 2)
            return false;
    return op->kind == OP_CONV;
}

static void choose_clip(struct decision *decided)
{
    int channels = decided->graph.values[0].channels, readers = 0;
    const struct op *reader = NULL;
    for (int i = 0; i < decided->graph.op_count; i++) {
        const struct op *op = &decided->graph.ops[i];
        if (op->in == 0 || op->with == 0) {
            readers++;
            reader = op;
        }
    }
    decided->clip_channels = whole_blocks(channels);
    if (readers != 1 || !can_fold(reader))
        return;
    decided->folded = true;
    decided->fold = fold_with_border(reader);
    decided->clip_channels = (8 * channels + 15) / 16 * 16;
}

i3d_status cuda_decide(const struct plan_request *request, struct plan *plan)
{
    struct decision *decided = &plan->decided;
    i3d_status status;
    *decided = (struct decision){ .graph = *request->graph,
                                  .batch = request->batch,
                                  .training = request->purpose == PLAN_TRAINING };
    TRY(choose_type(request, decided));
    for (int i = 0; i < decided->graph.op_count; i++)
        TRY(check_op(&decided->graph, &decided->graph.ops[i]));
    TRY(state_describe(request, &decided->graph, &plan->state));
    passes_choose(&plan->state, decided->ops, decided->wanted);
    choose_clip(decided);
out:
    return status;
}
