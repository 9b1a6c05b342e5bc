#include "engine/cpu/plan.h"

#include "base/failure.h"
#include "base/talk.h"
#include "engine/cpu/primitive.h"

static i3d_status choose_kernels(const struct plan_request *request, struct decision *decided)
{
    bool bf16 = request->precision == I3D_PRECISION_BF16;
    decided->isa = isa_best();
    decided->kernels = isa_kernels(decided->isa, bf16);
    if (!bf16 && request->precision != I3D_PRECISION_F32)
        return failure(I3D_EUNSUPPORTED,
                       "the cpu engine has no fp16, tf32 or float64, the first two of which need a "
                       "card: choose --precision fp32 or another "
                       "engine");
    if (!decided->kernels)
        return failure(I3D_EUNSUPPORTED,
                       "bfloat16 needs a CPU with AVX-512, which this one lacks: choose fp32");
    if (bf16 && !device_has_bf16())
        talk("this CPU has no bfloat16 instructions: fp32 is likely faster");
    return I3D_OK;
}

/* Branches of a concatenation begin at whole blocks; a clip of others is read by convolutions. */
static i3d_status check_op(const struct plan *plan, const struct op *op)
{
    int lanes = plan->decided.kernels->lanes;
    if (op->kind == OP_ADD || (op->kind == OP_CONV && !(op->norm && op->relu)))
        return failure(I3D_EUNSUPPORTED,
                       "the cpu engine has only convolutions with norm and ReLU, and no sums, "
                       "unlike '%s': choose the reference engine",
                       op->name);
    bool reads = op->kind == OP_CONV || !is_row_major(plan, op->in);
    if (!reads || op->out_channel % lanes)
        return failure(I3D_EUNSUPPORTED,
                       "the cpu engine wants channels in multiples of %d at '%s': choose the "
                       "reference engine",
                       lanes, op->name);
    return I3D_OK;
}

i3d_status plan_decide(const struct plan_request *request, struct plan *plan)
{
    bool training = request->purpose == PLAN_TRAINING;
    struct decision *decided = &plan->decided;
    i3d_status status;
    *decided = (struct decision){ .graph = *request->graph,
                                  .batch = request->batch,
                                  .samples = training ? request->batch : 1,
                                  .threads = request->threads,
                                  .training = training };
    TRY(choose_kernels(request, decided));
    for (int i = 0; i < decided->graph.op_count; i++)
        TRY(check_op(plan, &decided->graph.ops[i]));
    TRY(state_describe(request, &decided->graph, &plan->state));
    passes_choose(&plan->state, decided->ops, decided->wanted);
out:
    return status;
}
