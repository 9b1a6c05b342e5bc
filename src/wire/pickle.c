#include "wire/pickle.h"

#include "base/failure.h"
#include "base/memory.h"

#include <string.h>

/* The opcodes that are known, in protocol order. */
enum {
    MARK = '(',
    STOP = '.',
    POP = '0',
    POP_MARK = '1',
    BINFLOAT = 'G',
    BININT = 'J',
    BININT1 = 'K',
    BININT2 = 'M',
    NONE = 'N',
    BINPERSID = 'Q',
    REDUCE = 'R',
    BINSTRING = 'T',
    SHORT_BINSTRING = 'U',
    BINUNICODE = 'X',
    BINBYTES = 'B',
    SHORT_BINBYTES = 'C',
    EMPTY_LIST = ']',
    APPEND = 'a',
    BUILD = 'b',
    GLOBAL = 'c',
    APPENDS = 'e',
    BINGET = 'h',
    LONG_BINGET = 'j',
    BINPUT = 'q',
    LONG_BINPUT = 'r',
    SETITEM = 's',
    TUPLE = 't',
    EMPTY_TUPLE = ')',
    SETITEMS = 'u',
    EMPTY_DICT = '}',
    PROTO = 0x80,
    TUPLE1 = 0x85,
    TUPLE2 = 0x86,
    TUPLE3 = 0x87,
    NEWTRUE = 0x88,
    NEWFALSE = 0x89,
    LONG1 = 0x8a,
    SHORT_BINUNICODE = 0x8c,
    BINUNICODE8 = 0x8d,
    STACK_GLOBAL = 0x93,
    MEMOIZE = 0x94,
    FRAME = 0x95
};

/* What the other opcodes are called, for the sentence that refuses them. */
static const struct {
    int code;
    const char *name;
} refused[] = {
    { '2', "DUP" },          { 'F', "FLOAT" },
    { 'I', "INT" },          { 'L', "LONG" },
    { 'P', "PERSID" },       { 'S', "STRING" },
    { 'V', "UNICODE" },      { 'd', "DICT" },
    { 'g', "GET" },          { 'i', "INST" },
    { 'l', "LIST" },         { 'o', "OBJ" },
    { 'p', "PUT" },          { 0x81, "NEWOBJ" },
    { 0x82, "EXT1" },        { 0x83, "EXT2" },
    { 0x84, "EXT4" },        { 0x8b, "LONG4" },
    { 0x8e, "BINBYTES8" },   { 0x8f, "EMPTY_SET" },
    { 0x90, "ADDITEMS" },    { 0x91, "FROZENSET" },
    { 0x92, "NEWOBJ_EX" },   { 0x96, "BYTEARRAY8" },
    { 0x97, "NEXT_BUFFER" }, { 0x98, "READONLY_BUFFER" },
};

/* Every value on the stack is in the pickle's list; NULL is a mark. */
struct machine {
    struct bytes in;
    const char *const *globals;
    struct pickle *pickle;
    struct pickle_value **stack;
    size_t depth, capacity;
    struct pickle_value **memo; /* by number; NULL: nothing is there */
    size_t memo_count, memo_capacity;
    size_t copies; /* pairs that OrderedDicts may still copy: no more than the file could write */
};

static i3d_status cut_off(void)
{
    return failure(I3D_EFORMAT, "its pickle is cut off or damaged: copy the file again");
}

static i3d_status push(struct machine *machine, struct pickle_value *value)
{
    i3d_status status = memory_grow(&machine->stack, &machine->capacity, machine->depth + 1,
                                    sizeof *machine->stack);
    if (status == I3D_OK)
        machine->stack[machine->depth++] = value;
    return status;
}

static i3d_status push_new(struct machine *machine, struct pickle_value value)
{
    struct pickle *pickle = machine->pickle;
    struct pickle_value *made = NULL;
    i3d_status status;
    TRY(memory_grow(&pickle->values, &pickle->capacity, pickle->count + 1, sizeof *pickle->values));
    TRY(memory_get(1, sizeof *made, &made));
    *made = value;
    pickle->values[pickle->count++] = made;
    TRY(push(machine, made));
out:
    return status;
}

static i3d_status push_number(struct machine *machine, size_t size)
{
    uint64_t number;
    if (!bytes_number(&machine->in, size, &number))
        return cut_off();
    int64_t integer = size == 4 ? (int32_t)number : (int64_t)number;
    return push_new(machine, (struct pickle_value){ .kind = PICKLE_INT, .integer = integer });
}

/* A two's complement number of up to 8 bytes; longer ones are no sizes: they become INT64_MAX. */
static i3d_status push_long(struct machine *machine)
{
    uint64_t length, number = 0;
    struct bytes digits;
    if (!bytes_number(&machine->in, 1, &length) || !bytes_take(&machine->in, length, &digits))
        return cut_off();
    bool negative = length && digits.at[length - 1] & 0x80;
    if (length > 8)
        number = negative ? (uint64_t)INT64_MIN : INT64_MAX;
    else if (length && bytes_number(&digits, length, &number) && negative && length < 8)
        number |= UINT64_MAX << 8 * length;
    return push_new(machine,
                    (struct pickle_value){ .kind = PICKLE_INT, .integer = (int64_t)number });
}

static i3d_status push_real(struct machine *machine)
{
    uint64_t bits = 0, byte;
    struct pickle_value value = { .kind = PICKLE_REAL };
    for (int i = 0; i < 8; i++) { /* big-endian */
        if (!bytes_number(&machine->in, 1, &byte))
            return cut_off();
        bits = bits << 8 | byte;
    }
    memcpy(&value.real, &bits, sizeof bits);
    return push_new(machine, value);
}

static i3d_status push_text(struct machine *machine, size_t length_bytes)
{
    uint64_t length;
    struct pickle_value value = { .kind = PICKLE_TEXT };
    if (!bytes_number(&machine->in, length_bytes, &length) ||
        !bytes_take(&machine->in, length, &value.text))
        return cut_off();
    return push_new(machine, value);
}

static i3d_status pop(struct machine *machine, struct pickle_value **out)
{
    *out = NULL;
    if (machine->depth == 0 || !machine->stack[machine->depth - 1])
        return cut_off();
    *out = machine->stack[--machine->depth];
    return I3D_OK;
}

/* How many values are above the last mark. */
static i3d_status count_to_mark(const struct machine *machine, size_t *out)
{
    *out = 0;
    for (size_t i = machine->depth; i-- > 0;)
        if (!machine->stack[i]) {
            *out = machine->depth - i - 1;
            return I3D_OK;
        }
    return cut_off();
}

static i3d_status append(struct pickle_value *value, struct pickle_value *const *items,
                         size_t count)
{
    i3d_status status =
        memory_grow(&value->items, &value->capacity, value->count + count, sizeof *value->items);
    if (status != I3D_OK)
        return status;
    if (count)
        memcpy(value->items + value->count, items, count * sizeof *items);
    value->count += count;
    return I3D_OK;
}

/* Replaces the `count` top values, and a mark under them, by one that holds them. */
static i3d_status gather(struct machine *machine, enum pickle_kind kind, size_t count, bool marked)
{
    i3d_status status;
    struct pickle_value *made;
    if (count > machine->depth)
        return cut_off();
    for (size_t i = machine->depth - count; i < machine->depth; i++)
        if (!machine->stack[i])
            return cut_off();
    TRY(push_new(machine, (struct pickle_value){ .kind = kind }));
    TRY(pop(machine, &made));
    TRY(append(made, machine->stack + machine->depth - count, count));
    machine->depth -= count + marked;
    TRY(push(machine, made));
out:
    return status;
}

/* Moves the `count` top values, and a mark under them, into the list or dict below. */
static i3d_status extend(struct machine *machine, enum pickle_kind kind, size_t count, bool marked)
{
    size_t below = count + marked + 1;
    struct pickle_value *target =
        below <= machine->depth ? machine->stack[machine->depth - below] : NULL;
    if (!target || target->kind != kind || (kind == PICKLE_DICT && count % 2))
        return cut_off();
    for (size_t i = machine->depth - count; i < machine->depth; i++)
        if (!machine->stack[i])
            return cut_off();
    i3d_status status = append(target, machine->stack + machine->depth - count, count);
    machine->depth -= count + marked;
    return status;
}

static bool allowed(const char *const globals[], const struct pickle_value *value)
{
    for (; *globals; globals++) {
        const char *name = strchr(*globals, ' ') + 1;
        struct bytes module = { (const uint8_t *)*globals, (size_t)(name - *globals - 1) };
        struct bytes text = value->text;
        if (!bytes_same(module, value->module))
            continue;
        if (*name == '*' && text.count >= strlen(name + 1)) {
            name++;
            text.at += text.count - strlen(name);
            text.count = strlen(name);
        }
        if (bytes_equal(text, name))
            return true;
    }
    return false;
}

static i3d_status push_global(struct machine *machine, struct bytes module, struct bytes name)
{
    struct pickle_value value = { .kind = PICKLE_GLOBAL, .module = module, .text = name };
    if (!allowed(machine->globals, &value))
        return failure(I3D_EFORMAT,
                       "its pickle wants '%.*s.%.*s', which weights do not need: refused; save the "
                       "state_dict alone",
                       (int)(module.count < 100 ? module.count : 100), (const char *)module.at,
                       (int)(name.count < 100 ? name.count : 100), (const char *)name.at);
    return push_new(machine, value);
}

static bool take_line(struct bytes *in, struct bytes *out)
{
    const uint8_t *end = in->count ? memchr(in->at, '\n', in->count) : NULL;
    struct bytes newline;
    return end && bytes_take(in, (size_t)(end - in->at), out) && bytes_take(in, 1, &newline);
}

static i3d_status global(struct machine *machine)
{
    struct bytes module, name;
    if (!take_line(&machine->in, &module) || !take_line(&machine->in, &name))
        return cut_off();
    return push_global(machine, module, name);
}

static i3d_status stack_global(struct machine *machine)
{
    struct pickle_value *module, *name;
    i3d_status status;
    TRY(pop(machine, &name));
    TRY(pop(machine, &module));
    if (module->kind != PICKLE_TEXT || name->kind != PICKLE_TEXT)
        return cut_off();
    TRY(push_global(machine, module->text, name->text));
out:
    return status;
}

/* OrderedDict(), or Python 2's OrderedDict([[key, value], ...]), becomes a dict. */
static i3d_status make_ordered_dict(struct machine *machine, const struct pickle_value *arguments)
{
    i3d_status status;
    TRY(push_new(machine, (struct pickle_value){ .kind = PICKLE_DICT }));
    struct pickle_value *dict = machine->stack[machine->depth - 1];
    const struct pickle_value *pairs = arguments->count ? arguments->items[0] : NULL;
    for (size_t i = 0; pairs && i < pairs->count; i++) {
        const struct pickle_value *pair = pairs->items[i];
        if (pairs->kind != PICKLE_LIST || pair->kind != PICKLE_LIST || pair->count != 2 ||
            machine->copies-- == 0)
            return cut_off();
        TRY(append(dict, pair->items, 2));
    }
out:
    return status;
}

static i3d_status reduce(struct machine *machine)
{
    struct pickle_value *callee, *arguments;
    i3d_status status;
    TRY(pop(machine, &arguments));
    TRY(pop(machine, &callee));
    if (callee->kind != PICKLE_GLOBAL || arguments->kind != PICKLE_TUPLE)
        return cut_off();
    if (pickle_is_global(callee, "collections", "OrderedDict"))
        return make_ordered_dict(machine, arguments);
    TRY(push(machine, callee));
    TRY(push(machine, arguments));
    TRY(gather(machine, PICKLE_CALL, 2, false));
out:
    return status;
}

/* Picklers number what they put from 0 or 1 on, so no number is larger than what there is. */
static i3d_status put(struct machine *machine, uint64_t number)
{
    i3d_status status;
    if (machine->depth == 0 || !machine->stack[machine->depth - 1] ||
        number > machine->pickle->count)
        return cut_off();
    TRY(memory_grow(&machine->memo, &machine->memo_capacity, number + 1, sizeof *machine->memo));
    if (machine->memo_count <= number)
        machine->memo_count = number + 1;
    machine->memo[number] = machine->stack[machine->depth - 1];
out:
    return status;
}

static i3d_status put_numbered(struct machine *machine, size_t size)
{
    uint64_t number;
    return bytes_number(&machine->in, size, &number) ? put(machine, number) : cut_off();
}

static i3d_status get(struct machine *machine, size_t size)
{
    uint64_t number;
    if (!bytes_number(&machine->in, size, &number) || number >= machine->memo_count ||
        !machine->memo[number])
        return cut_off();
    return push(machine, machine->memo[number]);
}

static i3d_status refuse(int code)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (refused[i].code == code)
            return failure(I3D_EFORMAT,
                           "its pickle has the opcode %s, which weights do not need: refused",
                           refused[i].name);
    return failure(I3D_EFORMAT, "its pickle has the unknown opcode 0x%02x", (unsigned)code);
}

static i3d_status to_mark(struct machine *machine, int code)
{
    size_t count;
    i3d_status status = count_to_mark(machine, &count);
    if (status != I3D_OK)
        return status;
    switch (code) {
    case TUPLE:
        return gather(machine, PICKLE_TUPLE, count, true);
    case APPENDS:
        return extend(machine, PICKLE_LIST, count, true);
    case SETITEMS:
        return extend(machine, PICKLE_DICT, count, true);
    default: /* POP_MARK */
        machine->depth -= count + 1;
        return I3D_OK;
    }
}

static i3d_status step(struct machine *machine, int code)
{
    struct pickle_value *dropped;
    uint64_t ignored;
    switch (code) {
    case PROTO:
        return bytes_number(&machine->in, 1, &ignored) ? I3D_OK : cut_off();
    case FRAME:
        return bytes_number(&machine->in, 8, &ignored) ? I3D_OK : cut_off();
    case MARK:
        return push(machine, NULL);
    case POP:
    case BUILD: /* an object's attributes: no weights */
        return pop(machine, &dropped);
    case NONE:
        return push_new(machine, (struct pickle_value){ .kind = PICKLE_NONE });
    case NEWTRUE:
    case NEWFALSE:
        return push_new(machine,
                        (struct pickle_value){ .kind = PICKLE_BOOL, .integer = code == NEWTRUE });
    case BININT:
        return push_number(machine, 4);
    case BININT1:
        return push_number(machine, 1);
    case BININT2:
        return push_number(machine, 2);
    case LONG1:
        return push_long(machine);
    case BINFLOAT:
        return push_real(machine);
    case SHORT_BINSTRING:
    case SHORT_BINBYTES:
    case SHORT_BINUNICODE:
        return push_text(machine, 1);
    case BINSTRING:
    case BINBYTES:
    case BINUNICODE:
        return push_text(machine, 4);
    case BINUNICODE8:
        return push_text(machine, 8);
    case EMPTY_LIST:
        return push_new(machine, (struct pickle_value){ .kind = PICKLE_LIST });
    case EMPTY_DICT:
        return push_new(machine, (struct pickle_value){ .kind = PICKLE_DICT });
    case EMPTY_TUPLE:
        return push_new(machine, (struct pickle_value){ .kind = PICKLE_TUPLE });
    case TUPLE1:
    case TUPLE2:
    case TUPLE3:
        return gather(machine, PICKLE_TUPLE, (size_t)(code - TUPLE1 + 1), false);
    case TUPLE:
    case APPENDS:
    case SETITEMS:
    case POP_MARK:
        return to_mark(machine, code);
    case APPEND:
        return extend(machine, PICKLE_LIST, 1, false);
    case SETITEM:
        return extend(machine, PICKLE_DICT, 2, false);
    case BINPERSID:
        return gather(machine, PICKLE_PERSISTENT, 1, false);
    case GLOBAL:
        return global(machine);
    case STACK_GLOBAL:
        return stack_global(machine);
    case REDUCE:
        return reduce(machine);
    case MEMOIZE:
        return put(machine, machine->memo_count);
    case BINPUT:
        return put_numbered(machine, 1);
    case LONG_BINPUT:
        return put_numbered(machine, 4);
    case BINGET:
        return get(machine, 1);
    case LONG_BINGET:
        return get(machine, 4);
    default:
        return refuse(code);
    }
}

i3d_status pickle_read(struct bytes *file, const char *const globals[], struct pickle *pickle,
                       const struct pickle_value **out)
{
    struct machine machine = {
        .in = *file, .globals = globals, .pickle = pickle, .copies = file->count
    };
    struct pickle_value *result = NULL;
    i3d_status status = I3D_OK;
    *pickle = (struct pickle){ 0 };
    for (;;) {
        uint64_t code;
        if (!bytes_number(&machine.in, 1, &code)) {
            status = cut_off();
            goto out;
        }
        if (code == STOP)
            break;
        TRY(step(&machine, (int)code));
    }
    TRY(pop(&machine, &result));
    *out = result;
    *file = machine.in;
out:
    memory_free(machine.stack);
    memory_free(machine.memo);
    if (status != I3D_OK)
        pickle_clear(pickle);
    return status;
}

void pickle_clear(struct pickle *pickle)
{
    for (size_t i = 0; i < pickle->count; i++) {
        memory_free(pickle->values[i]->items);
        memory_free(pickle->values[i]);
    }
    memory_free(pickle->values);
    *pickle = (struct pickle){ 0 };
}

bool pickle_is_global(const struct pickle_value *value, const char *module, const char *name)
{
    return value->kind == PICKLE_GLOBAL && bytes_equal(value->module, module) &&
           bytes_equal(value->text, name);
}
