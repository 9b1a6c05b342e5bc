/* safetensors (github.com/huggingface/safetensors): the length of a JSON header in 8 bytes, the
 * header {"name": {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}, ..}, the data.
 * The tensors' data lie without gaps; "__metadata__" holds texts. */
#include "checkpoint/format.h"

#include "base/failure.h"
#include "base/memory.h"
#include "wire/buffer.h"
#include "wire/json.h"

#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {
    [I3D_F32] = "F32", [I3D_F64] = "F64",   [I3D_F16] = "F16", [I3D_BF16] = "BF16",
    [I3D_I8] = "I8",   [I3D_U8] = "U8",     [I3D_I16] = "I16", [I3D_I32] = "I32",
    [I3D_I64] = "I64", [I3D_BOOL] = "BOOL",
};

/* `room`: what the tensors before it left of the data; no two share a byte. */
static i3d_status read_entry(const char *name, const json_t *entry, struct bytes data, size_t *room,
                             i3d_weights *out)
{
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    const json_t *sizes = json_object_get(entry, "shape");
    const json_t *offsets = json_object_get(entry, "data_offsets");
    int64_t shape[I3D_RANK_MAX] = { 0 };
    size_t rank = json_array_size(sizes);
    struct bytes content;
    i3d_dtype dtype;
    if (!type || !json_is_array(sizes) || json_array_size(offsets) != 2 || rank > I3D_RANK_MAX)
        return failure(I3D_EFORMAT, "tensor '%s' has no type, shape or place", name);
    if (!dtype_find(type_names, (struct bytes){ (const uint8_t *)type, strlen(type) }, &dtype))
        return failure(I3D_EUNSUPPORTED, "tensor '%s' is of the type '%s', not known here", name,
                       type);
    for (size_t i = 0; i < rank; i++) {
        const json_t *size = json_array_get(sizes, i);
        shape[i] = json_is_integer(size) ? json_integer_value(size) : -1;
    }
    json_int_t begin = json_integer_value(json_array_get(offsets, 0));
    json_int_t end = json_integer_value(json_array_get(offsets, 1));
    if (begin < 0 || end < begin || !bytes_take(&data, (size_t)begin, &content) ||
        !bytes_take(&data, (size_t)(end - begin), &content))
        return failure(I3D_EFORMAT,
                       "tensor '%s' is beyond the file's end; it is cut off: copy it again", name);
    if (content.count > *room)
        return failure(I3D_EFORMAT, "tensor '%s' shares its data with another", name);
    *room -= content.count;
    return weights_add_data(out, name, dtype, (int)rank, shape, content);
}

static i3d_status read_safetensors(const struct source *source, i3d_weights *out)
{
    struct bytes data = source->bytes, text;
    uint64_t length = 0;
    const char *name;
    json_t *header = NULL, *entry;
    i3d_status status;
    if (!bytes_number(&data, 8, &length) || !bytes_take(&data, length, &text))
        return failure(I3D_EFORMAT, "its header of %llu bytes is cut off: copy it again",
                       (unsigned long long)length);
    status = json_parse(text.at, text.count, &header);
    if (status != I3D_OK)
        return failure_prefix(status, "its header is ");
    if (!json_is_object(header))
        status = failure(I3D_EFORMAT, "its header is no JSON object");
    size_t room = data.count;
    json_object_foreach(header, name,
                        entry) if (status == I3D_OK && strcmp(name, "__metadata__") != 0) status =
        read_entry(name, entry, data, &room, out);
    json_decref(header);
    return status;
}

static int bid_safetensors(const struct source *source)
{
    struct bytes data = source->bytes;
    uint64_t length;
    return bytes_number(&data, 8, &length) && length < (100u << 20) && bytes_begin(data, "{\"") ? 50
                                                                                                : 0;
}

static i3d_status add_entry(json_t *header, const i3d_tensor *tensor, size_t begin, size_t end)
{
    json_t *shape = json_array();
    for (int i = 0; i < tensor->rank; i++)
        json_array_append_new(shape, json_integer(tensor->shape[i]));
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", type_names[tensor->dtype], "shape",
                              shape, "data_offsets", (json_int_t)begin, (json_int_t)end);
    if (!entry || json_object_set_new(header, tensor->name, entry) != 0)
        return failure(I3D_ENOMEM, "no memory for a header, or '%s' is not UTF-8", tensor->name);
    return I3D_OK;
}

static i3d_status write_safetensors(FILE *stream, const i3d_weights *weights)
{
    json_t *header = json_pack("{s:{s:s}}", "__metadata__", "format", "pt");
    char *text = NULL;
    struct buffer front = { 0 };
    size_t at = 0;
    i3d_status status = I3D_OK;
    for (size_t i = 0; i < weights->count; i++) {
        size_t bytes = tensor_bytes(&weights->tensors[i]);
        TRY(add_entry(header, &weights->tensors[i], at, at + bytes));
        at += bytes;
    }
    text = json_dumps(header, JSON_COMPACT);
    if (!text) {
        status = failure(I3D_ENOMEM, "no memory for a header");
        goto out;
    }
    /* Blanks behind the header put the data at a multiple of 8. */
    size_t length = strlen(text), padded = (length + 7) / 8 * 8;
    TRY(buffer_number(&front, 8, padded));
    TRY(buffer_text(&front, "%s%*s", text, (int)(padded - length), ""));
    fwrite(front.data, 1, front.count, stream);
    for (size_t i = 0; i < weights->count; i++)
        fwrite(weights->tensors[i].data, 1, tensor_bytes(&weights->tensors[i]), stream);
out:
    free(text);
    json_decref(header);
    buffer_clear(&front);
    return status;
}

const struct format weights_safetensors = {
    "safetensors file", ".safetensors",    bid_safetensors,
    read_safetensors,   write_safetensors, DIALECT_PIERGIAJ
};
