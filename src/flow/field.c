#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "flow/flow.h"

#include <math.h>
#include <string.h>

enum { HEADER_BYTES = 12, PIXEL_BYTES = 8 };
static const char magic[] = "PIEH"; /* the float 202021.25, little-endian */
static const float unknown = 1e9f;

static uint32_t little32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static float get_float(const uint8_t *bytes)
{
    uint32_t bits = little32(bytes);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void put32(uint32_t bits, uint8_t *out)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(bits >> 8 * i);
}

static void put_float(float value, uint8_t *out)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put32(bits, out);
}

static i3d_status check_header(const char *path, const uint8_t *data, size_t bytes)
{
    if (bytes < HEADER_BYTES || memcmp(data, magic, 4) != 0)
        return failure(I3D_EFORMAT, "'%s' is not a .flo file: it does not begin with PIEH", path);
    uint32_t width = little32(data + 4), height = little32(data + 8);
    if (width < 1 || height < 1 || width > FLOW_SIDE_MAX || height > FLOW_SIDE_MAX)
        return failure(I3D_EFORMAT, "'%s' says it is %u x %u; a side is 1 to %d", path, width,
                       height, FLOW_SIDE_MAX);
    size_t expected = HEADER_BYTES + (size_t)width * height * PIXEL_BYTES;
    if (bytes != expected)
        return failure(I3D_EFORMAT, "'%s' has %zu bytes; %u x %u pixels need %zu", path, bytes,
                       width, height, expected);
    return I3D_OK;
}

i3d_status field_parse(const char *name, const uint8_t *data, size_t bytes, i3d_field *out)
{
    i3d_status status;
    *out = (i3d_field){ 0 };
    TRY(check_header(name, data, bytes));
    out->width = (int)little32(data + 4);
    out->height = (int)little32(data + 8);
    size_t count = (size_t)out->width * (size_t)out->height;
    TRY(memory_get(count, sizeof(float), &out->u));
    TRY(memory_get(count, sizeof(float), &out->v));
    for (size_t i = 0; i < count; i++) {
        out->u[i] = get_float(data + HEADER_BYTES + i * PIXEL_BYTES);
        out->v[i] = get_float(data + HEADER_BYTES + i * PIXEL_BYTES + 4);
    }
out:
    if (status != I3D_OK)
        i3d_field_clear(out);
    return status;
}

i3d_status i3d_field_read(const char *path, i3d_field *out)
{
    uint8_t *data;
    size_t bytes;
    *out = (i3d_field){ 0 };
    i3d_status status = file_read(path, &data, &bytes);
    if (status == I3D_OK)
        status = field_parse(path, data, bytes, out);
    memory_free(data);
    return status;
}

i3d_status i3d_field_write(const char *path, const i3d_field *field)
{
    uint8_t *data = NULL;
    size_t count = (size_t)field->width * (size_t)field->height;
    i3d_status status;
    TRY(memory_get(HEADER_BYTES + count * PIXEL_BYTES, 1, &data));
    memcpy(data, magic, 4);
    put32((uint32_t)field->width, data + 4);
    put32((uint32_t)field->height, data + 8);
    for (size_t i = 0; i < count; i++) {
        put_float(field->u[i], data + HEADER_BYTES + i * PIXEL_BYTES);
        put_float(field->v[i], data + HEADER_BYTES + i * PIXEL_BYTES + 4);
    }
    TRY(file_write(path, data, HEADER_BYTES + count * PIXEL_BYTES));
out:
    memory_free(data);
    return status;
}

void i3d_field_clear(i3d_field *field)
{
    memory_free(field->u);
    memory_free(field->v);
    *field = (i3d_field){ 0 };
}

static bool known(const i3d_field *field, size_t i)
{
    return fabsf(field->u[i]) <= unknown && fabsf(field->v[i]) <= unknown;
}

i3d_status i3d_field_error(const i3d_field *a, const i3d_field *b, double *out)
{
    double sum = 0;
    size_t count = 0, pixels = (size_t)a->width * (size_t)a->height;
    if (a->width != b->width || a->height != b->height)
        return failure(I3D_EINVAL, "cannot compare a flow of %d x %d with one of %d x %d", a->width,
                       a->height, b->width, b->height);
    for (size_t i = 0; i < pixels; i++)
        if (known(a, i) && known(b, i)) {
            sum += hypot((double)a->u[i] - (double)b->u[i], (double)a->v[i] - (double)b->v[i]);
            count++;
        }
    if (count == 0)
        return failure(I3D_EINVAL, "there is no pixel where both flows are known");
    *out = sum / (double)count;
    return I3D_OK;
}
