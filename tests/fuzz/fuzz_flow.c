/* .flo files. */
#include "flow/flow.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    i3d_field field;
    double error;
    if (field_parse("input", data, size, &field) == I3D_OK)
        i3d_field_error(&field, &field, &error);
    i3d_field_clear(&field);
    return 0;
}
