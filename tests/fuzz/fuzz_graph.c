/* The operators of an exported file, read and run on a small clip; FUZZ_FORMAT names the format. */
#include "checkpoint/format.h"
#include "export/evaluate.h"
#include "fuzz.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t small[4] = { 2, 4, 6, 6 };
    static float clip[2 * 4 * 6 * 6], out[3];
    i3d_weights weights = { 0 };
    struct node_list nodes;
    const struct source source = { "fuzz", { data, size } };
    if (nodes_read(&JOIN(schema_, FUZZ_FORMAT), source.bytes, &nodes) != I3D_OK)
        return 0;
    if (JOIN(weights_, FUZZ_FORMAT).read(&source, &weights) == I3D_OK)
        nodes_evaluate(&nodes, &weights, small, clip, 3, out); /* the seed's classes */
    i3d_weights_clear(&weights);
    nodes_clear(&nodes);
    return 0;
}
