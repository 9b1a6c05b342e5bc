/* Scores for tests, from tables. */
#ifndef TESTS_EVAL_MAKE_SCORES_H
#define TESTS_EVAL_MAKE_SCORES_H

#include "test.h"

#include "base/memory.h"
#include "eval/scores.h"

static inline i3d_scores make_scores(int videos, int classes, const char *const *names,
                                     const int *labels, const float *logits)
{
    i3d_scores scores;
    assert_ok(scores_create(videos, classes, &scores));
    for (int v = 0; v < videos; v++) {
        assert_ok(memory_string(names[v], &scores.names[v]));
        scores.labels[v] = labels[v];
        scores.clips[v] = 1;
        memcpy(scores_row(&scores, v), logits + v * classes, (size_t)classes * sizeof *logits);
    }
    for (int c = 0; c < classes; c++)
        assert_ok(memory_format(&scores.class_names[c], "class %c", 'a' + c));
    return scores;
}

#endif
