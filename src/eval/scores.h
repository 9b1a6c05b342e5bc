/* Inside the scores. */
#ifndef I3D_EVAL_SCORES_H
#define I3D_EVAL_SCORES_H

#include <i3d/eval.h>

/* All zero, names NULL. */
i3d_status scores_create(int videos, int classes, i3d_scores *out);

/* The logits of one video. */
float *scores_row(const i3d_scores *scores, int video);

/* Turns the sums of each video's clips into means. */
void scores_average(i3d_scores *scores);

#endif
