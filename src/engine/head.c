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
                            const float *keep, const float *logits_grad, float *weight_grad)
{
    for (int k = 0; k < head->classes; k++)
        for (int c = 0; c < head->channels; c++) {
            double sum = 0;
            for (int n = 0; n < count; n++)
                sum += logits_grad[(size_t)n * (size_t)head->classes + (size_t)k] *
                       mean_kept(head, n, c, features, keep);
            *weight_grad++ = (float)sum;
        }
}

static void backward_bias(const struct head *head, int count, const float *logits_grad,
                          float *bias_grad)
{
    for (int k = 0; k < head->classes; k++) {
        double sum = 0;
        for (int n = 0; n < count; n++)
            sum += logits_grad[(size_t)n * (size_t)head->classes + (size_t)k];
        bias_grad[k] = (float)sum;
    }
}

static void backward_features(const struct head *head, int count, const float *keep,
                              const float *logits_grad, float *features_grad)
{
    size_t channels = (size_t)head->channels, i = 0;
    for (int n = 0; n < count; n++, logits_grad += head->classes)
        for (size_t c = 0; c < channels; c++) {
            double sum = 0;
            for (int k = 0; k < head->classes; k++)
                sum += (double)logits_grad[k] * head->weight[(size_t)k * channels + c];
            for (int t = 0; t < head->t; t++, i++)
                features_grad[i] = (float)(sum / head->t * (keep ? keep[i] : 1));
        }
}

void head_backward(const struct head *head, int count, const float *features, const float *keep,
                   const float *logits_grad, float *weight_grad, float *bias_grad,
                   float *features_grad)
{
    if (weight_grad)
        backward_weight(head, count, features, keep, logits_grad, weight_grad);
    if (bias_grad)
        backward_bias(head, count, logits_grad, bias_grad);
    if (features_grad)
        backward_features(head, count, keep, logits_grad, features_grad);
}
