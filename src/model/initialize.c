#include "base/random.h"
#include "model/model.h"

#include <math.h>

/* He et al. 2015, fan out: keeps the variance of gradients through ReLUs. */
static double he_deviation(const i3d_param *param)
{
    return sqrt(2.0 /
                (double)(param->shape[0] * param->shape[2] * param->shape[3] * param->shape[4]));
}

static void draw_weight(i3d_model *model, uint64_t seed, int index, double deviation)
{
    const i3d_param *param = &model->params[index];
    struct random random = random_for(seed, RANDOM_WEIGHTS, 0, (uint64_t)index);
    for (size_t i = 0; i < param->count; i++)
        model->data[param->offset + i] = (float)(deviation * random_normal(&random));
}

void i3d_model_initialize(i3d_model *model, uint64_t seed, bool logits_he)
{
    const struct graph *graph = &model->graph;
    model_reset(model);
    for (int i = 0; i < graph->op_count; i++) {
        const struct op *op = &graph->ops[i];
        const i3d_param *weight = graph_param(graph, op, I3D_PARAM_WEIGHT);
        bool he = op->kind != OP_HEAD || logits_he;
        if (weight)
            draw_weight(model, seed, op->params[I3D_PARAM_WEIGHT], he ? he_deviation(weight) : .01);
    }
}
