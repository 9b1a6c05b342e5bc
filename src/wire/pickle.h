/* Python's pickles as data: nothing is ever called. The opcodes of protocols 2 to 5 that
 * dictionaries of tensors need are known (Lib/pickletools.py describes them); any other is refused
 * by its name, and so is a global that the caller does not allow. */
#ifndef I3D_WIRE_PICKLE_H
#define I3D_WIRE_PICKLE_H

#include <i3d/status.h>

#include "wire/bytes.h"

enum pickle_kind {
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INT,
    PICKLE_REAL,
    PICKLE_TEXT, /* str, or bytes */
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_DICT,      /* items: key, value, key, value, ...; an OrderedDict too */
    PICKLE_GLOBAL,    /* module, text: a name that was not looked up */
    PICKLE_CALL,      /* items: the callee, a PICKLE_TUPLE of its arguments; not done */
    PICKLE_PERSISTENT /* items: the id by which the pickle's owner knows an object */
};

/* Lists may be shared and, in a hostile file, hold themselves: a walk must count its steps. */
struct pickle_value {
    enum pickle_kind kind;
    int64_t integer; /* of BOOL and INT */
    double real;
    struct bytes module, text; /* loans from the file */
    struct pickle_value **items;
    size_t count, capacity;
};

struct pickle {
    struct pickle_value **values; /* all of them, the machine's own */
    size_t count, capacity;
};

/* Takes one pickle from the front of `file` and gives its value, which lives as long as `pickle`.
 * `globals`: the allowed ones as "module name", NULL at the end; "torch *Storage" allows all that
 * end so. */
i3d_status pickle_read(struct bytes *file, const char *const globals[], struct pickle *pickle,
                       const struct pickle_value **out);
void pickle_clear(struct pickle *pickle);

bool pickle_is_global(const struct pickle_value *value, const char *module, const char *name);

#endif
