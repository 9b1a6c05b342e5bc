#include "train/loss.h"

#include <math.h>
#include <stddef.h>

double loss_cross_entropy(const float *logits, const int32_t *labels, int count, int classes,
                          float *gradient)
{
    double loss = 0;
    for (int n = 0; n < count; n++) {
        const float *row = logits + (size_t)n * (size_t)classes;
        float *row_gradient = gradient + (size_t)n * (size_t)classes;
        double most = row[0], sum = 0;
        for (int c = 1; c < classes; c++)
            most = fmax(most, row[c]);
        for (int c = 0; c < classes; c++)
            sum += exp(row[c] - most);
        for (int c = 0; c < classes; c++)
            row_gradient[c] = (float)(exp(row[c] - most) / sum - (c == labels[n]));
        loss += log(sum) - (row[labels[n]] - most);
    }
    return loss;
}
