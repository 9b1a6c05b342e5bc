/* The index of a TensorFlow bundle, whose data lie in other files. */
#include "checkpoint/tensorflow.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bundle bundle;
    if (bundle_parse((struct bytes){ data, size }, &bundle) == I3D_OK)
        bundle_clear(&bundle);
    return 0;
}
