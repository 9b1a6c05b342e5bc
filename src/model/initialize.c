#include "base/random.h"
#include "model/model.h"

#include <math.h>

/* He et al. 2015, fan out: keeps the variance of gradients through ReLUs. */
static double he_deviation(const i3d_param *param)
{
    return sqrt(2.0 /
                (double)(param->shape[0] * param->shape[2] * param->shape[3] * param->shape[4]));
}

void i3d_model_initialize(i3d_model *model, uint64_t seed, bool logits_he)
{

    for (size_t p = 0; p < model->param_count; p++) {
        const i3d_param *param = &model->params[p];
        float *data = model->data + param->offset;
        /* Only the logits have a bias; it follows their weight. */
        bool logits = p + 1 < model->param_count && param[1].kind == I3D_PARAM_BIAS;
        double deviation = logits && !logits_he ? .01 : he_deviation(param);
        struct random random = random_for(seed, RANDOM_WEIGHTS, 0, p);
        for (size_t i = 0; i < param->count; i++)
            switch (param->kind) {
            case I3D_PARAM_WEIGHT:
                data[i] = (float)(deviation * random_normal(&random));
                break;
            case I3D_PARAM_GAMMA:
            case I3D_PARAM_VARIANCE:
                data[i] = 1;
                break;
            case I3D_PARAM_BIAS:
            case I3D_PARAM_BETA:
            case I3D_PARAM_MEAN:
                data[i] = 0;
                break;
            }
    }
}
