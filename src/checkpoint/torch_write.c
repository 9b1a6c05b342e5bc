#include "checkpoint/torch.h"

#include "base/failure.h"

#include "wire/zip.h"

#include <string.h>

/* The opcodes of pickle protocol 2 that a state dict needs, in the order they come. */
static const char begin_dict[] = "\x80\x02}(";
static const char rebuild[] = "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\n";
static const char no_hooks[] = "\x89"
                               "ccollections\nOrderedDict\n)RtR"; /* requires_grad False */
static const char end_dict[] = "u.";

/* A string, BINUNICODE. */
static i3d_status put_text(struct buffer *pickle, const char *text)
{
    i3d_status status = buffer_text(pickle, "X");
    if (status == I3D_OK)
        status = buffer_number(pickle, 4, strlen(text));
    return status == I3D_OK ? buffer_add(pickle, text, strlen(text)) : status;
}

/* A number, LONG1. */
static i3d_status put_number(struct buffer *pickle, int64_t value)
{
    i3d_status status = buffer_add(pickle, "\x8a\x08", 2);
    return status == I3D_OK ? buffer_number(pickle, 8, (uint64_t)value) : status;
}

/* A tuple: MARK, numbers, TUPLE. */
static i3d_status put_numbers(struct buffer *pickle, int count, const int64_t *values)
{
    i3d_status status;
    TRY(buffer_text(pickle, "("));
    for (int i = 0; i < count; i++)
        TRY(put_number(pickle, values[i]));
    TRY(buffer_text(pickle, "t"));
out:
    return status;
}

static i3d_status put_tensor(struct buffer *pickle, const i3d_tensor *tensor, size_t index)
{
    char key[24];
    int64_t strides[I3D_RANK_MAX], stride = 1;
    i3d_status status;
    for (int i = tensor->rank - 1; i >= 0; i--) {
        strides[i] = stride;
        stride *= tensor->shape[i] ? tensor->shape[i] : 1;
    }
    snprintf(key, sizeof key, "%zu", index);
    TRY(put_text(pickle, tensor->name));
    TRY(buffer_add(pickle, rebuild, sizeof rebuild - 1));
    TRY(buffer_text(pickle, "%s\n", torch_storage_name(tensor->dtype)));
    TRY(put_text(pickle, key));
    TRY(put_text(pickle, "cpu"));
    TRY(put_number(pickle, (int64_t)i3d_tensor_count(tensor)));
    TRY(buffer_text(pickle, "tQ"));
    TRY(put_number(pickle, 0)); /* offset */
    TRY(put_numbers(pickle, tensor->rank, tensor->shape));
    TRY(put_numbers(pickle, tensor->rank, strides));
    TRY(buffer_add(pickle, no_hooks, sizeof no_hooks - 1));
out:
    return status;
}

i3d_status write_torch(FILE *stream, const i3d_weights *weights)
{
    static const struct bytes nothing = { 0 };
    struct zip_writer zip = { .stream = stream, .alignment = 64 };
    struct buffer pickle = { 0 };
    i3d_status status;
    TRY(buffer_add(&pickle, begin_dict, sizeof begin_dict - 1));
    for (size_t i = 0; i < weights->count; i++)
        TRY(put_tensor(&pickle, &weights->tensors[i], i));
    TRY(buffer_add(&pickle, end_dict, sizeof end_dict - 1));
    TRY(zip_add(&zip, "archive/data.pkl", nothing, (struct bytes){ pickle.data, pickle.count }));
    TRY(zip_add(&zip, "archive/byteorder", nothing,
                (struct bytes){ (const uint8_t *)"little", 6 }));
    for (size_t i = 0; i < weights->count; i++) {
        const i3d_tensor *tensor = &weights->tensors[i];
        char name[48];
        snprintf(name, sizeof name, "archive/data/%zu", i);
        TRY(zip_add(&zip, name, nothing, (struct bytes){ tensor->data, tensor_bytes(tensor) }));
    }
    TRY(zip_add(&zip, "archive/version", nothing, (struct bytes){ (const uint8_t *)"3\n", 2 }));
    TRY(zip_finish(&zip));
out:
    buffer_clear(&pickle);
    zip_writer_clear(&zip);
    return status;
}
