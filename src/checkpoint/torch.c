/* PyTorch's state dicts, in the zip form (since 1.6: NAME/data.pkl and one entry a storage) and in
 * the form before it: pickles of a magic number, a protocol, the machine, the object and the
 * storages' keys, then each storage as its count and its elements. A tensor is a call of
 * torch._utils._rebuild_tensor*(storage, offset, size, stride, ...) in the pickle, its storage a
 * persistent id ("storage", torch.FloatStorage, key, place, count). The pickle is read as data. */
#include "checkpoint/format.h"
#include "checkpoint/torch.h"

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "wire/pickle.h"
#include "wire/zip.h"

#include <string.h>

static const char *const globals[] = {
    "collections OrderedDict",
    "torch._utils _rebuild_tensor",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    "torch *Storage",
    "torch Size",
    NULL,
};

static const char *const storage_names[] = {
    [I3D_F32] = "FloatStorage",     [I3D_F64] = "DoubleStorage", [I3D_F16] = "HalfStorage",
    [I3D_BF16] = "BFloat16Storage", [I3D_I8] = "CharStorage",    [I3D_U8] = "ByteStorage",
    [I3D_I16] = "ShortStorage",     [I3D_I32] = "IntStorage",    [I3D_I64] = "LongStorage",
    [I3D_BOOL] = "BoolStorage",
};

const char *torch_storage_name(i3d_dtype dtype)
{
    return storage_names[dtype];
}

enum { DEPTH_MAX = 16, NAME_BYTES = 1024, STORAGES_MAX = 1 << 14 };

/* A storage's bytes: of a zip's entry, of a place in a legacy file, or of the tensor they were
 * unpacked to. */
struct storage {
    struct bytes key, data;
    uint8_t *made;
};

/* A file being read: where its storages are, and how much more its tensors may hold. A pickle may
 * name one storage again and again; what weights share is little. */
struct reader {
    struct zip zip;
    char prefix[NAME_BYTES]; /* of a zip's entries: "archive/data/" */
    struct storage *storages;
    size_t count, capacity;
    uint64_t budget;
    size_t steps;
    i3d_weights *out;
};

static i3d_status odd(const char *name)
{
    return failure(I3D_EFORMAT, "tensor '%s' is pickled in an unknown way", name);
}

static const struct storage *known_storage(const struct reader *reader, struct bytes key)
{
    for (size_t i = 0; i < reader->count; i++)
        if (bytes_same(reader->storages[i].key, key))
            return &reader->storages[i];
    return NULL;
}

/* The entry of a storage that is not known yet, and room to know it. */
static i3d_status find_entry(struct reader *reader, struct bytes key, const struct zip_entry **out)
{
    char *name = NULL;
    i3d_status status;
    TRY(memory_format(&name, "%s%.*s", reader->prefix, BYTES_TEXT(key)));
    *out = zip_find(&reader->zip, name);
    if (!*out || reader->count == STORAGES_MAX)
        TRY(failure(I3D_EFORMAT, "it lacks the storage '%s', or has too many", name));
    TRY(memory_grow(&reader->storages, &reader->capacity, reader->count + 1,
                    sizeof *reader->storages));
out:
    memory_free(name);
    return status;
}

/* Unpacks a storage that is one tensor straight to it: nothing is held twice. */
static i3d_status unpack_tensor(struct reader *reader, const char *name, const struct view *view,
                                const struct zip_entry *entry, struct bytes key)
{
    i3d_tensor *tensor;
    struct zip_stream *stream = NULL;
    i3d_status status;
    TRY(zip_stream_open(&reader->zip, entry, &stream));
    TRY(i3d_weights_add(reader->out, name, view->dtype, view->rank, view->shape, &tensor));
    TRY(zip_stream_read(stream, tensor->data, entry->size));
    reader->storages[reader->count++] =
        (struct storage){ .key = key, .data = { tensor->data, entry->size } };
out:
    zip_stream_close(stream);
    return status;
}

static i3d_status add_view(struct reader *reader, const char *name, struct view *view, size_t bytes,
                           struct bytes key)
{
    const struct storage *known = known_storage(reader, key);
    struct storage storage = { .key = key };
    const struct zip_entry *entry;
    i3d_status status;
    if (!known) {
        TRY(find_entry(reader, key, &entry));
        if (entry->deflated && view->offset == 0 && bytes == entry->size && view_is_dense(view))
            return unpack_tensor(reader, name, view, entry, key);
        TRY(zip_read(&reader->zip, entry, &storage.data, &storage.made));
        known = &reader->storages[reader->count];
        reader->storages[reader->count++] = storage;
    }
    view->storage = known->data;
    TRY(weights_add_view(reader->out, name, view));
out:
    return status;
}

static bool is_call(const struct pickle_value *value, const char *name)
{
    return value->kind == PICKLE_CALL && pickle_is_global(value->items[0], "torch._utils", name);
}

/* A tuple of sizes or strides. */
static bool read_sizes(const struct pickle_value *value, int64_t *out, int *count)
{
    if (value->kind != PICKLE_TUPLE || value->count > I3D_RANK_MAX)
        return false;
    for (size_t i = 0; i < value->count; i++) {
        if (value->items[i]->kind != PICKLE_INT)
            return false;
        out[i] = value->items[i]->integer;
    }
    *count = (int)value->count;
    return true;
}

/* ("storage", torch.FloatStorage, key, place, count, view): what a persistent id says, `view` only
 * in old files: None, or (key, offset, count) of a part of the storage. */
static bool read_id(const struct pickle_value *value, i3d_dtype *dtype, struct bytes *key,
                    int64_t *offset)
{
    const struct pickle_value *id = value->kind == PICKLE_PERSISTENT ? value->items[0] : value;
    *offset = 0;
    if (value->kind != PICKLE_PERSISTENT || id->kind != PICKLE_TUPLE || id->count < 5 ||
        id->items[0]->kind != PICKLE_TEXT || !bytes_equal(id->items[0]->text, "storage") ||
        id->items[1]->kind != PICKLE_GLOBAL || id->items[2]->kind != PICKLE_TEXT ||
        !dtype_find(storage_names, id->items[1]->text, dtype))
        return false;
    *key = id->items[2]->text;
    const struct pickle_value *view = id->count > 5 ? id->items[5] : NULL;
    if (!view || view->kind == PICKLE_NONE)
        return true;
    if (view->kind != PICKLE_TUPLE || view->count != 3 || view->items[1]->kind != PICKLE_INT)
        return false;
    *offset = view->items[1]->integer;
    return true;
}

static i3d_status add_tensor(struct reader *reader, const char *name,
                             const struct pickle_value *call)
{
    const struct pickle_value *arguments = call->items[1];
    struct view view = { 0 };
    struct bytes key;
    int64_t part;
    int strides;
    size_t bytes;
    if (arguments->count < 4 || arguments->items[1]->kind != PICKLE_INT ||
        !read_id(arguments->items[0], &view.dtype, &key, &part) ||
        !read_sizes(arguments->items[2], view.shape, &view.rank) ||
        !read_sizes(arguments->items[3], view.strides, &strides) || strides != view.rank ||
        __builtin_add_overflow(arguments->items[1]->integer, part, &view.offset))
        return odd(name);
    if (!shape_bytes(view.dtype, view.rank, view.shape, &bytes) || bytes > reader->budget)
        return failure(I3D_EFORMAT, "tensor '%s' is larger than the whole file", name);
    reader->budget -= bytes;
    return add_view(reader, name, &view, bytes, key);
}

static i3d_status add_scalar(struct reader *reader, const char *name,
                             const struct pickle_value *value)
{
    bool real = value->kind == PICKLE_REAL;
    i3d_tensor *tensor;
    i3d_status status =
        i3d_weights_add(reader->out, name, real ? I3D_F64 : I3D_I64, 0, NULL, &tensor);
    if (status == I3D_OK)
        memcpy(tensor->data, real ? (const void *)&value->real : &value->integer, 8);
    return status;
}

static i3d_status walk(struct reader *reader, const char *name, const struct pickle_value *value,
                       int depth);

/* Names inside a dict or a list go on behind a dot. */
static i3d_status walk_inside(struct reader *reader, const char *name,
                              const struct pickle_value *value, int depth)
{
    char inner[NAME_BYTES];
    bool dict = value->kind == PICKLE_DICT;
    const char *dot = *name ? "." : "";
    i3d_status status = I3D_OK;
    for (size_t i = 0; i + dict < value->count; i += 1 + dict) {
        const struct pickle_value *key = value->items[i];
        int length = 0;
        if (!dict)
            length = snprintf(inner, sizeof inner, "%s%s%zu", name, dot, i);
        else if (key->kind == PICKLE_TEXT)
            length = snprintf(inner, sizeof inner, "%s%s%.*s", name, dot,
                              key->text.count < NAME_BYTES ? (int)key->text.count : NAME_BYTES,
                              (const char *)key->text.at);
        else if (key->kind == PICKLE_INT)
            length = snprintf(inner, sizeof inner, "%s%s%lld", name, dot, (long long)key->integer);
        if (length <= 0 || length >= NAME_BYTES)
            return failure(I3D_EFORMAT, "a key in '%s' is no name, or too long a one", name);
        TRY(walk(reader, inner, value->items[i + dict], depth + 1));
    }
out:
    return status;
}

static i3d_status walk(struct reader *reader, const char *name, const struct pickle_value *value,
                       int depth)
{
    /* A pickle may hold itself, and what it shares may unfold without end. */
    if (depth > DEPTH_MAX || reader->steps-- == 0)
        return failure(I3D_EFORMAT, "its pickle is nested too deeply in '%.100s'", name);
    if (is_call(value, "_rebuild_parameter") && value->items[1]->count > 0)
        value = value->items[1]->items[0];
    if (is_call(value, "_rebuild_tensor") || is_call(value, "_rebuild_tensor_v2"))
        return add_tensor(reader, name, value);
    switch (value->kind) {
    case PICKLE_DICT:
    case PICKLE_LIST:
    case PICKLE_TUPLE:
        return walk_inside(reader, name, value, depth);
    case PICKLE_INT:
    case PICKLE_REAL:
    case PICKLE_BOOL:
        return add_scalar(reader, name, value);
    case PICKLE_NONE:
    case PICKLE_TEXT:
        talk("'%s' is no tensor: left out", name);
        return I3D_OK;
    default:
        return odd(name);
    }
}

/* The object's names; it may be a single tensor, which has none. */
static i3d_status walk_object(struct reader *reader, const struct pickle_value *object)
{
    bool container =
        object->kind == PICKLE_DICT || object->kind == PICKLE_LIST || object->kind == PICKLE_TUPLE;
    return walk(reader, container ? "" : "tensor", object, 0);
}

static void clear(struct reader *reader)
{
    for (size_t i = 0; i < reader->count; i++)
        memory_free(reader->storages[i].made);
    memory_free(reader->storages);
    zip_clear(&reader->zip);
}

static bool ends_with(struct bytes text, const char *tail)
{
    size_t length = strlen(tail);
    return text.count >= length && memcmp(text.at + text.count - length, tail, length) == 0;
}

/* The entry of the pickled object, "NAME/data.pkl". */
static const struct zip_entry *find_object(const struct zip *zip)
{
    for (size_t i = 0; i < zip->count; i++)
        if (ends_with(zip->entries[i].name, "data.pkl"))
            return &zip->entries[i];
    return NULL;
}

static i3d_status check_order(struct reader *reader)
{
    char name[NAME_BYTES + 16];
    struct bytes order;
    uint8_t *made = NULL;
    snprintf(name, sizeof name, "%.*sbyteorder", (int)strlen(reader->prefix) - 5, reader->prefix);
    const struct zip_entry *entry = zip_find(&reader->zip, name);
    if (!entry)
        return I3D_OK;
    i3d_status status = zip_read(&reader->zip, entry, &order, &made);
    if (status == I3D_OK && !bytes_equal(order, "little"))
        status = failure(I3D_EUNSUPPORTED, "it is of a big-endian machine: save it on another");
    memory_free(made);
    return status;
}

static i3d_status read_zip(const struct source *source, struct reader *reader)
{
    struct pickle pickle = { 0 };
    const struct pickle_value *object;
    struct bytes text;
    uint8_t *made = NULL;
    i3d_status status;
    TRY(zip_open(source->bytes, &reader->zip));
    reader->budget = reader->zip.budget;
    const struct zip_entry *entry = find_object(&reader->zip);
    if (!entry || entry->name.count >= NAME_BYTES - 8) {
        status = failure(I3D_EFORMAT, "it has no entry 'data.pkl'");
        goto out;
    }
    snprintf(reader->prefix, sizeof reader->prefix, "%.*sdata/",
             (int)(entry->name.count - strlen("data.pkl")), (const char *)entry->name.at);
    TRY(check_order(reader));
    TRY(zip_read(&reader->zip, entry, &text, &made));
    TRY(pickle_read(&text, globals, &pickle, &object));
    TRY(walk_object(reader, object));
out:
    pickle_clear(&pickle);
    memory_free(made);
    return status;
}

/* The element type of the storage with this key, as the object's persistent ids tell it. */
static bool storage_type(const struct pickle *pickle, struct bytes key, i3d_dtype *dtype)
{
    struct bytes known;
    int64_t offset;
    for (size_t i = 0; i < pickle->count; i++)
        if (read_id(pickle->values[i], dtype, &known, &offset) && bytes_same(known, key))
            return true;
    return false;
}

/* The storages lie one behind the other in the order of their keys. */
static i3d_status read_storages(struct bytes *file, const struct pickle *pickle,
                                const struct pickle_value *keys, struct reader *reader)
{
    i3d_status status;
    if (keys->kind != PICKLE_LIST || keys->count > STORAGES_MAX)
        return failure(I3D_EFORMAT, "its list of storages is damaged");
    TRY(memory_get(keys->count, sizeof *reader->storages, &reader->storages));
    for (size_t i = 0; i < keys->count; i++) {
        struct storage *storage = &reader->storages[reader->count];
        i3d_dtype dtype;
        uint64_t count;
        storage->key = keys->items[i]->text;
        if (!storage_type(pickle, storage->key, &dtype))
            return failure(I3D_EFORMAT, "its storage '%.*s' belongs to no tensor",
                           BYTES_TEXT(storage->key));
        if (!bytes_number(file, 8, &count) || count > file->count / i3d_dtype_size(dtype) ||
            !bytes_take(file, count * i3d_dtype_size(dtype), &storage->data))
            return failure(I3D_EFORMAT, "its storage '%.*s' is cut off: copy the file again",
                           BYTES_TEXT(storage->key));
        reader->count++;
    }
out:
    return status;
}

/* Takes a pickle that tells nothing we need: the magic number, the protocol, the machine. */
static i3d_status skip_pickle(struct bytes *file)
{
    struct pickle pickle;
    const struct pickle_value *value;
    i3d_status status = pickle_read(file, globals, &pickle, &value);
    if (status == I3D_OK)
        pickle_clear(&pickle);
    return status;
}

/* How a pickle begins, and how one of the number 0x1950a86a20f9469cfc6c does. */
static const char pickle_magic[] = "\x80";
static const char legacy_magic[] = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

static i3d_status read_legacy(const struct source *source, struct reader *reader)
{
    struct bytes file = source->bytes;
    struct pickle objects = { 0 }, keys = { 0 };
    const struct pickle_value *object, *list;
    i3d_status status = I3D_OK;
    if (!bytes_begin(file, legacy_magic))
        return failure(I3D_EFORMAT, "it is a Python pickle, but not one that torch.save() wrote");
    for (int i = 0; i < 3; i++)
        TRY(skip_pickle(&file));
    TRY(pickle_read(&file, globals, &objects, &object));
    TRY(pickle_read(&file, globals, &keys, &list));
    TRY(read_storages(&file, &objects, list, reader));
    TRY(walk_object(reader, object));
out:
    pickle_clear(&objects);
    pickle_clear(&keys);
    return status;
}

static i3d_status read_torch(const struct source *source, i3d_weights *out)
{
    struct reader reader = { .budget = 16 * (uint64_t)source->bytes.count,
                             .steps = source->bytes.count,
                             .out = out };
    i3d_status status = bytes_begin(source->bytes, pickle_magic) ? read_legacy(source, &reader)
                                                                 : read_zip(source, &reader);
    clear(&reader);
    return status;
}

static int bid_torch(const struct source *source)
{
    if (bytes_begin(source->bytes, pickle_magic))
        return bytes_begin(source->bytes, legacy_magic) ? 60 : 5;
    /* The pickle is the archive's first entry, whose name stands behind 26 bytes and two lengths.
     */
    struct bytes file = source->bytes, head, name;
    uint64_t length;
    return bytes_begin(file, "PK\3\4") && bytes_take(&file, 26, &head) &&
                   bytes_number(&file, 2, &length) && bytes_take(&file, 2, &head) &&
                   bytes_take(&file, length, &name) && ends_with(name, "data.pkl")
               ? 60
               : 0;
}

const struct format weights_torch = { "PyTorch file", ".pt .pth",  bid_torch,
                                      read_torch,     write_torch, DIALECT_PIERGIAJ };
