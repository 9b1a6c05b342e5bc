/* The weights inside a network graph: ONNX (onnx/onnx.proto) and MindSpore's MINDIR
 * (mindspore/core/proto/mind_ir.proto), which grew from it. Both are
 *
 *     ModelProto { version = 1; GraphProto graph = 7; }
 *     GraphProto { repeated TensorProto weights; }
 *     TensorProto { repeated int64 dims = 1; int32 data_type = 2; string name; bytes raw_data = 9;
 * }
 *
 * with other numbers for what has none here. The version is a number in ONNX, a text in MINDIR.
 * Both have a map of texts as field 14, in which our exports record how the network is to be run.
 */
#include "checkpoint/format.h"

#include "base/failure.h"
#include "base/memory.h"
#include "wire/protobuf.h"

#include <stdlib.h>
#include <string.h>

/* Where the formats differ: the numbers of fields. */
struct numbers {
    uint64_t weights, name;
    uint64_t floats; /* of packed float32 in place of raw_data; 0: none */
};
static const struct numbers onnx = { .weights = 5, .name = 8, .floats = 4 };
static const struct numbers mindir = { .weights = 3, .name = 7 };

struct weight {
    struct bytes name, data;
    uint64_t type;
    int rank;
    int64_t shape[I3D_RANK_MAX];
};

static bool find_dtype(uint64_t type, i3d_dtype *out)
{
    static const struct {
        unsigned type;
        i3d_dtype dtype;
    } types[] = {
        { 1, I3D_F32 }, { 2, I3D_U8 },   { 3, I3D_I8 },   { 5, I3D_I16 },  { 6, I3D_I32 },
        { 7, I3D_I64 }, { 9, I3D_BOOL }, { 10, I3D_F16 }, { 11, I3D_F64 }, { 16, I3D_BF16 },
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].type == type) {
            *out = types[i].dtype;
            return true;
        }
    return false;
}

static i3d_status parse_weight(struct bytes message, const struct numbers *numbers,
                               struct weight *out)
{
    struct protobuf_field field;
    uint64_t size;
    i3d_status status;
    *out = (struct weight){ 0 };
    while ((status = protobuf_next(&message, &field)) == I3D_OK) {
        bool bytes = field.type == PROTOBUF_BYTES;
        if (field.number == 2 && field.type == PROTOBUF_VARINT)
            out->type = field.value;
        else if (field.number == numbers->name && bytes)
            out->name = field.bytes;
        else if (bytes &&
                 (field.number == 9 || (numbers->floats && field.number == numbers->floats)))
            out->data = field.bytes;
        if (field.number != 1)
            continue;
        while (protobuf_number(&field, &size)) {
            if (out->rank == I3D_RANK_MAX || size > INT64_MAX)
                return failure(I3D_EFORMAT, "a weight has an impossible shape");
            out->shape[out->rank++] = (int64_t)size;
        }
    }
    return status == I3D_END ? I3D_OK : status;
}

/* MINDIR puts the graph's name and a colon before a weight's. */
static struct bytes plain_name(struct bytes name, const struct numbers *numbers)
{
    const uint8_t *colon =
        numbers == &mindir && name.count ? memrchr(name.at, ':', name.count) : NULL;
    struct bytes before;
    if (colon)
        bytes_take(&name, (size_t)(colon - name.at) + 1, &before);
    return name;
}

static i3d_status copy_text(struct bytes text, char **out)
{
    if (text.count > 1 << 28)
        return failure(I3D_EFORMAT, "a text of %zu bytes", text.count);
    return memory_format(out, "%.*s", BYTES_TEXT(text));
}

static i3d_status add_weight(struct bytes message, const struct numbers *numbers, i3d_weights *out)
{
    struct weight weight;
    i3d_dtype dtype;
    char *name = NULL;
    i3d_status status;
    TRY(parse_weight(message, numbers, &weight));
    struct bytes plain = plain_name(weight.name, numbers);
    TRY(copy_text(plain, &name));
    if (find_dtype(weight.type, &dtype))
        status = weights_add_data(out, name, dtype, weight.rank, weight.shape, weight.data);
    else
        status = failure(I3D_EUNSUPPORTED, "tensor '%s' is of the type %llu, not known here", name,
                         (unsigned long long)weight.type);
out:
    memory_free(name);
    return status;
}

/* PyTorch's exporter folds norms, and calls what comes of a weight "onnx::Conv_12". The node that
 * reads it still says where it is: "/Mixed_3b/b0/conv3d/Conv" has Mixed_3b.b0.conv3d.weight and
 * .bias. */
static const char made_up[] = "onnx::";
enum { NAMED_MOST = 4096 }; /* more weights than any I3D has: not looked through again and again */

static i3d_status rename_weight(struct bytes old, struct bytes path, const char *tail,
                                i3d_weights *out)
{
    i3d_status status;
    char *was = NULL, *name = NULL;
    TRY(memory_format(&was, "%.*s", BYTES_TEXT(old)));
    TRY(memory_format(&name, "%.*s%s", BYTES_TEXT(path), tail));
    for (char *at = name; *at; at++)
        if (*at == '/')
            *at = '.';
    const i3d_tensor *found = i3d_weights_find(out, was);
    if (found) {
        i3d_tensor *tensor = &out->tensors[found - out->tensors];
        memory_free(tensor->name);
        tensor->name = name;
        name = NULL;
    }
out:
    memory_free(was);
    memory_free(name);
    return status;
}

/* NodeProto { input = 1; name = 3; op_type = 4; } */
static i3d_status read_names(struct bytes node, i3d_weights *out)
{
    struct protobuf_field field;
    struct bytes inputs[3] = { { 0 } }, path = { 0 }, first;
    int input_count = 0;
    i3d_status status;
    bool conv = false;
    while ((status = protobuf_next(&node, &field)) == I3D_OK) {
        if (field.type == PROTOBUF_BYTES && field.number == 1 && input_count < 3)
            inputs[input_count++] = field.bytes;
        if (field.type == PROTOBUF_BYTES && field.number == 3)
            path = field.bytes;
        if (field.type == PROTOBUF_BYTES && field.number == 4)
            conv = bytes_equal(field.bytes, "Conv");
    }
    const uint8_t *last = path.count ? memrchr(path.at, '/', path.count) : NULL;
    if (status != I3D_END || !conv || !last || last == path.at || *path.at != '/')
        return status == I3D_END ? I3D_OK : status;
    path.count = (size_t)(last - path.at);
    bytes_take(&path, 1, &first);
    status = I3D_OK;
    for (int i = 1; i < input_count && status == I3D_OK; i++)
        if (bytes_begin(inputs[i], made_up))
            status = rename_weight(inputs[i], path, i == 1 ? ".weight" : ".bias", out);
    return status;
}

static i3d_status read_graph(struct bytes message, const struct numbers *numbers, i3d_weights *out)
{
    struct bytes again = message;
    struct protobuf_field field;
    i3d_status status;
    while ((status = protobuf_next(&message, &field)) == I3D_OK)
        if (field.number == numbers->weights && field.type == PROTOBUF_BYTES)
            TRY(add_weight(field.bytes, numbers, out));
    if (numbers != &onnx || out->count > NAMED_MOST)
        goto out;
    while ((status = protobuf_next(&again, &field)) == I3D_OK)
        if (field.number == 1 && field.type == PROTOBUF_BYTES)
            TRY(read_names(field.bytes, out));
out:
    return status == I3D_END ? I3D_OK : status;
}

static i3d_status add_number(i3d_weights *weights, const char *name, double value)
{
    i3d_tensor *tensor;
    i3d_status status = i3d_weights_add(weights, name, I3D_F64, 0, NULL, &tensor);
    if (status == I3D_OK)
        *(double *)tensor->data = value;
    return status;
}

/* A text that is one of two words is the word's number. */
static i3d_status parse_note(const char *key, const char *text, const char *const words[2],
                             double *out)
{
    char *end;
    for (int w = 0; words[0] && w < 2; w++)
        if (strcmp(text, words[w]) == 0) {
            *out = w;
            return I3D_OK;
        }
    *out = strtod(text, &end);
    if (words[0] || end == text || *end)
        return failure(I3D_EFORMAT, "it records %s = '%.40s', which means nothing", key, text);
    return I3D_OK;
}

/* The notes of an export (export/notes.c) as tensors, under the names they have in a checkpoint. */
static i3d_status add_note(const char *key, const char *text, double size[2], i3d_weights *out)
{
    static const struct {
        const char *key, *name; /* without a name: height and width, one number if they agree */
        const char *words[2];
    } known[] = {
        { "i3d.height", NULL, { NULL } },
        { "i3d.width", NULL, { NULL } },
        { "i3d.head", "i3d.head", { "avg", "max" } },
        { "i3d.bn_epsilon", "i3d.bn_epsilon", { NULL } },
        { "i3d.frames", "i3d.frames", { NULL } },
        { "i3d.resize", "i3d.resize", { NULL } },
        { "i3d.channels", "i3d.bgr", { "r,g,b", "b,g,r" } },
    };
    i3d_status status = I3D_OK;
    double value;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        bool flow = strcmp(text, "x,y") == 0; /* which has no colours */
        if (strcmp(key, known[i].key) != 0 || flow)
            continue;
        TRY(parse_note(key, text, known[i].words, &value));
        if (known[i].name)
            TRY(add_number(out, known[i].name, value));
        else
            size[i] = value;
    }
    if (strcmp(key, "i3d.labels") == 0) {
        char *lines = NULL;
        TRY(memory_format(&lines, "%s\n", text));
        int64_t count = (int64_t)strlen(lines);
        status = weights_add_data(out, key, I3D_U8, 1, &count,
                                  (struct bytes){ (uint8_t *)lines, (size_t)count });
        memory_free(lines);
    }
out:
    return status;
}

/* { key = 1; value = 2; } */
static i3d_status read_note(struct bytes message, double size[2], i3d_weights *out)
{
    struct protobuf_field field;
    struct bytes key = { 0 }, value = { 0 };
    char *name = NULL, *text = NULL;
    i3d_status status;
    while ((status = protobuf_next(&message, &field)) == I3D_OK)
        if (field.type == PROTOBUF_BYTES && (field.number == 1 || field.number == 2))
            *(field.number == 1 ? &key : &value) = field.bytes;
    if (status != I3D_END)
        goto out;
    TRY(copy_text(key, &name));
    TRY(copy_text(value, &text));
    TRY(add_note(name, text, size, out));
out:
    memory_free(name);
    memory_free(text);
    return status;
}

static i3d_status read_model(const struct source *source, const struct numbers *numbers,
                             i3d_weights *out)
{
    struct bytes message = source->bytes;
    struct protobuf_field field;
    double size[2] = { 0 };
    i3d_status status;
    while ((status = protobuf_next(&message, &field)) == I3D_OK) {
        if (field.number == 7 && field.type == PROTOBUF_BYTES)
            TRY(read_graph(field.bytes, numbers, out));
        else if (field.number == 14 && field.type == PROTOBUF_BYTES)
            TRY(read_note(field.bytes, size, out));
    }
    if (status == I3D_END)
        status = size[0] > 0 && size[0] == size[1] ? add_number(out, "i3d.size", size[0]) : I3D_OK;
out:
    return status;
}

static i3d_status read_onnx(const struct source *source, i3d_weights *out)
{
    return read_model(source, &onnx, out);
}

static i3d_status read_mindir(const struct source *source, i3d_weights *out)
{
    return read_model(source, &mindir, out);
}

/* The version comes first, a small number, then one of the model's texts or its graph. */
static int bid_onnx(const struct source *source)
{
    struct bytes file = source->bytes;
    uint64_t key, version, next;
    return bytes_varint(&file, &key) && key == (1 << 3 | PROTOBUF_VARINT) &&
                   bytes_varint(&file, &version) && version < 64 && bytes_varint(&file, &next) &&
                   next >> 3 >= 2 && next >> 3 <= 25 && (next & 7) != 7
               ? 30
               : 0;
}

static int bid_mindir(const struct source *source)
{
    struct bytes file = source->bytes, version;
    uint64_t key, length;
    if (!bytes_varint(&file, &key) || key != (1 << 3 | PROTOBUF_BYTES) ||
        !bytes_varint(&file, &length) || length == 0 || length > 16 ||
        !bytes_take(&file, length, &version))
        return 0;
    for (size_t i = 0; i < length; i++)
        if (!strchr("0123456789.", version.at[i]) || !version.at[i])
            return 0;
    return 30;
}

const struct format weights_onnx = { "ONNX model", NULL, bid_onnx,
                                     read_onnx,    NULL, DIALECT_MINDSPORE };
const struct format weights_mindir = { "MINDIR model", NULL, bid_mindir,
                                       read_mindir,    NULL, DIALECT_MINDSPORE };
