/* Which classes are taken for which. */
#ifndef I3D_EVAL_CONFUSION_H
#define I3D_EVAL_CONFUSION_H

#include <i3d/eval.h>

#include <stdio.h>

/* counts[truth * classes + guess] += 1 for each video that was scored. */
void confusion_count(const i3d_scores *scores, int *counts);

/* A table with the classes' names: a row for each truth, a column for each guess. */
void confusion_write_csv(FILE *stream, char *const *names, int classes, const int *counts);

/* The same as a picture: the darker a cell, the larger its part of the row. */
void confusion_write_svg(FILE *stream, char *const *names, int classes, const int *counts);

#endif
