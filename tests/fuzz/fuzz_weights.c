/* One format's reader fed with any bytes; FUZZ_FORMAT names it. What it accepts is well-formed. */
#include <i3d/checkpoint.h>

#include "checkpoint/format.h"
#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    i3d_weights weights = { 0 };
    const struct source source = { "fuzz", { data, size } };
    FUZZ_FORMAT.bid(&source);
    if (FUZZ_FORMAT.read(&source, &weights) == I3D_OK) {
        int channels, classes;
        i3d_weights_describe(&weights, &channels, &classes);
        for (size_t i = 0; i < weights.count; i++) {
            const i3d_tensor *tensor = &weights.tensors[i];
            size_t count = i3d_tensor_count(tensor), bytes;
            if (!shape_bytes(tensor->dtype, tensor->rank, tensor->shape, &bytes))
                abort();
            if (count)
                i3d_tensor_get(tensor, count - 1); /* the sanitizer sees if it is not there */
        }
    }
    i3d_weights_clear(&weights);
    return 0;
}
