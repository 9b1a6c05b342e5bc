/* The end of the network behind the pool, the same for every engine on a CPU: dropout, logits, mean
 * over time. The mean is taken before the product, which is linear. Sums are in float64. */
#ifndef I3D_ENGINE_HEAD_H
#define I3D_ENGINE_HEAD_H

struct head {
    int channels, t, classes; /* features are [count, channels, t] */
    const float *weight;      /* [classes, channels] */
    const float *bias;        /* [classes] */
};

/* logits[n, k] = bias[k] + sum over c of weight[k, c] * mean over t of keep * features[n, c, t].
 * `keep` is laid out as the features; NULL: all 1. */
void head_forward(const struct head *head, int count, const float *features, const float *keep,
                  float *logits);

/* d(loss)/d(logits) [count, classes] -> d(loss)/d(weight, bias, features), overwritten. An output
 * that is NULL is not computed. */
void head_backward(const struct head *head, int count, const float *features, const float *keep,
                   const float *logits_gradient, float *weight_gradient, float *bias_gradient,
                   float *features_gradient);

#endif
