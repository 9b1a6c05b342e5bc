#include "wire/npy.h"

#include "base/failure.h"

#include <stdio.h>
#include <stdlib.h>

static const char magic[] = "\x93NUMPY";

static i3d_status damaged(void)
{
    return failure(I3D_EFORMAT, "the array's .npy header is damaged: copy the file again");
}

/* What stands behind `'key':` in the header's text. */
static const char *find_value(const char *text, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "'%s':", key);
    const char *found = strstr(text, quoted);
    return found ? found + strlen(quoted) + strspn(found + strlen(quoted), " ") : NULL;
}

/* "(3, 4)", "(3,)" or "()" */
static bool parse_shape(const char *text, struct npy *out)
{
    if (*text++ != '(')
        return false;
    for (text += strspn(text, " "); *text != ')'; text += strspn(text, ", ")) {
        char *end;
        if (*text < '0' || *text > '9' || out->rank == NPY_RANK_MAX)
            return false;
        out->shape[out->rank++] = strtoll(text, &end, 10);
        text = end;
    }
    return true;
}

i3d_status npy_parse(struct bytes file, struct npy *out)
{
    char text[NPY_HEADER_MAX - 12];
    struct bytes part;
    uint64_t version, length;
    *out = (struct npy){ 0 };
    if (!bytes_begin(file, magic) || !bytes_take(&file, sizeof magic - 1, &part) ||
        !bytes_number(&file, 2, &version) ||
        !bytes_number(&file, (version & 0xff) == 1 ? 2 : 4, &length) || length >= sizeof text ||
        !bytes_take(&file, length, &part))
        return damaged();
    memcpy(text, part.at, part.count);
    text[part.count] = 0;
    const char *type = find_value(text, "descr"), *order = find_value(text, "fortran_order");
    const char *shape = find_value(text, "shape");
    if (!type || !order || !shape || sscanf(type, "'%7[^']'", out->type) != 1 ||
        !parse_shape(shape, out))
        return damaged();
    out->fortran = strncmp(order, "True", 4) == 0;
    out->data = file;
    return I3D_OK;
}

i3d_status npy_header(struct buffer *buffer, const char *type, int rank, const int64_t *shape)
{
    enum { FRONT = 10, MULTIPLE = 64 }; /* the data begin at a multiple */
    struct buffer text = { 0 };
    i3d_status status;
    TRY(buffer_text(&text, "{'descr': '%s', 'fortran_order': False, 'shape': (", type));
    for (int i = 0; i < rank; i++)
        TRY(buffer_text(&text,
                        i + 1 < rank ? "%lld, "
                        : rank == 1  ? "%lld,"
                                     : "%lld",
                        (long long)shape[i]));
    TRY(buffer_text(&text, "), }"));
    size_t whole = (FRONT + text.count + 1 + MULTIPLE - 1) / MULTIPLE * MULTIPLE;
    TRY(buffer_add(buffer, magic, sizeof magic - 1));
    TRY(buffer_number(buffer, 2, 1)); /* version 1.0 */
    TRY(buffer_number(buffer, 2, whole - FRONT));
    TRY(buffer_add(buffer, text.data, text.count));
    TRY(buffer_text(buffer, "%*s\n", (int)(whole - FRONT - text.count - 1), ""));
out:
    buffer_clear(&text);
    return status;
}
