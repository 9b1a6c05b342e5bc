#include "engine/head.h"

#include <stddef.h>

static double mean_kept(const struct head *head, int n, int c, const float *features,
                        const float *keep)
{
    size_t begin = ((size_t)n * (size_t)head->channels + (size_t)c) * (size_t)head->t;
    double sum = 0;
    for (int t = 0; t < head->t; t++)
        sum += (double)features[begin + (size_t)t] * (keep ? keep[begin + (size_t)t] : 1);
    return sum / head->t;
}

void head_forward(const struct head *head, int count, const float *features, const float *keep,
                  float *logits)
{
    for (int n = 0; n < count; n++)
        for (int k = 0; k < head->classes; k++) {
            const float *weight = head->weight + (size_t)k * (size_t)head->channels;
            double sum = head->bias[k];
            for (int c = 0; c < head->channels; c++)
                sum += weight[c] * mean_kept(head, n, c, features, keep);
            *logits++ = (float)sum;
        }
}

static void backward_weight(const struct head *head, int count, const float *features,
                            const float *keep, const float *logits_gradient, float *weight_gradient)
{
    for (int k = 0; k < head->classes; k++)
        for (int c = 0; c < head->channels; c++) {
            double sum = 0;
            for (int n = 0; n < count; n++)
                sum += logits_gradient[(size_t)n * (size_t)head->classes + (size_t)k] *
                       mean_kept(head, n, c, features, keep);
            *weight_gradient++ = (float)sum;
        }
}

static void backward_bias(const struct head *head, int count, const float *logits_gradient,
                          float *bias_gradient)
{
    for (int k = 0; k < head->classes; k++) {
        double sum = 0;
        for (int n = 0; n < count; n++)
            sum += logits_gradient[(size_t)n * (size_t)head->classes + (size_t)k];
        bias_gradient[k] = (float)sum;
    }
}

static void backward_features(const struct head *head, int count, const float *keep,
                              const float *logits_gradient, float *features_gradient)
{
    size_t channels = (size_t)head->channels, i = 0;
    for (int n = 0; n < count; n++, logits_gradient += head->classes)
        for (size_t c = 0; c < channels; c++) {
            double sum = 0;
            for (int k = 0; k < head->classes; k++)
                sum += (double)logits_gradient[k] * head->weight[(size_t)k * channels + c];
            for (int t = 0; t < head->t; t++, i++)
                features_gradient[i] = (float)(sum / head->t * (keep ? keep[i] : 1));
        }
}

void head_backward(const struct head *head, int count, const float *features, const float *keep,
                   const float *logits_gradient, float *weight_gradient, float *bias_gradient,
                   float *features_gradient)
{
    if (weight_gradient)
        backward_weight(head, count, features, keep, logits_gradient, weight_gradient);
    if (bias_gradient)
        backward_bias(head, count, logits_gradient, bias_gradient);
    if (features_gradient)
        backward_features(head, count, keep, logits_gradient, features_gradient);
}
