/* The network as a table: one row for each end point of the paper. Shapes, operations, parameters
 * and names all follow from it. */
#ifndef I3D_MODEL_UNIT_H
#define I3D_MODEL_UNIT_H

#include <stdbool.h>

enum unit_kind {
    UNIT_CONV,  /* convolution, batch norm, ReLU */
    UNIT_POOL,  /* maximum */
    UNIT_MIXED, /* Inception block: four branches side by side */
    UNIT_ADD,   /* the sum of the last value and an earlier one, ReLU */
    UNIT_HEAD   /* pool over the map, dropout, logits */
};

struct unit {
    enum unit_kind kind;
    const char *name;
    int kernel[3], stride[3]; /* t, h, w; of UNIT_CONV and UNIT_POOL */
    int channels[6];          /* UNIT_CONV: [0]; UNIT_MIXED: b0, b1a, b1b, b2a, b2b, b3b */
    bool no_norm;             /* of UNIT_CONV: a bias in its place */
    bool no_relu;             /* of UNIT_CONV and UNIT_ADD */
    const char *from;         /* of UNIT_ADD: the unit whose value is added */
};

extern const struct unit network_units[];
extern const int network_unit_count;

#endif
