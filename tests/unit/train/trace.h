/* Short trainings on made data whose losses another implementation has computed too: the cases, and
 * what both begin with. */
#ifndef TESTS_TRAIN_TRACE_H
#define TESTS_TRAIN_TRACE_H

#include <i3d/train.h>

enum { TRACE_STEPS = 20, TRACE_CLASSES = 5, TRACE_BATCH = 4, TRACE_FRAMES = 8, TRACE_SIZE = 48 };

/* Batches that are trained on in turn. */
enum { TRACE_BATCHES = 4 };

struct trace_case {
    const char *name;
    i3d_stream stream;
    i3d_optimizer optimizer;
    double lr;
    const char *prefixes;
};

enum { TRACE_CASES = 13 };
extern const struct trace_case trace_cases[TRACE_CASES];

/* The network both begin with. */
i3d_status trace_model(const struct trace_case *trace, i3d_model **out);

/* Batch 0 .. TRACE_BATCHES-1: waves, and labels. */
i3d_status trace_batch(const struct trace_case *trace, int index, i3d_batch *out);

/* How it is trained: a batch is split over the processes, and over so many parts of each. */
struct trace_way {
    const char *engine; /* NULL: auto */
    i3d_precision precision;
    i3d_comm *comm; /* NULL: alone */
    bool sync_bn;
    int accumulate; /* 0: 1 */
};

/* Trains and gives each step's loss; and, where `running` is not NULL, the norms of all running
 * means and of all running variances at the end. */
i3d_status trace_run(const struct trace_case *trace, const struct trace_way *way, int steps,
                     double *losses, double running[2]);

/* Writes what the case begins with into `folder`: params.txt (name, offset, shape), params.bin,
 * batches.bin, labels.txt. */
i3d_status trace_dump(const struct trace_case *trace, const char *folder);

#endif
