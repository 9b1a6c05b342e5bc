#include "engine/cpu/primitive.h"

#include "base/failure.h"
#include "base/memory.h"
#include "engine/cpu/api.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct device {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
};

struct primitive {
    struct device *device;
    dnnl_primitive_t primitive;
    const_dnnl_primitive_desc_t description; /* the primitive's own */
    const int *arguments;                    /* DNNL_ARG_... of each slot, 0: not used */
    dnnl_memory_t memories[SLOT_COUNT];
};

/* The argument of each slot. */
static const int convolution_arguments[][SLOT_COUNT] = {
    [PASS_FORWARD] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST,
                       DNNL_ARG_SCRATCHPAD },
    [PASS_BACKWARD_DATA] = { DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, 0, DNNL_ARG_DIFF_DST,
                             DNNL_ARG_SCRATCHPAD },
    [PASS_BACKWARD_WEIGHTS] = { DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, 0, DNNL_ARG_DIFF_DST,
                                DNNL_ARG_SCRATCHPAD },
};
static const int reorder_arguments[SLOT_COUNT] = { DNNL_ARG_FROM, 0, 0, DNNL_ARG_TO,
                                                   DNNL_ARG_SCRATCHPAD };

static i3d_status check(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success)
        return I3D_OK;
    if (status == dnnl_out_of_memory)
        return failure(I3D_ENOMEM, "no memory for oneDNN to %s", what);
    return failure(I3D_EENGINE, "oneDNN cannot %s: %s; choose another precision or engine", what,
                   status == dnnl_unimplemented ? "it has none for this"
                   : status == dnnl_runtime_error
                       ? "the sizes, or the memory for its code, are too large for it"
                   : status == dnnl_invalid_arguments ? "it refuses the sizes"
                                                      : "it failed");
}

/* What making one primitive takes at most: oneDNN writes its code without looking whether it got
 * the memory for it. */
enum { CODE_BYTES = 32 << 20 };

/* Some systems let no program write code. */
static i3d_status check_code(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *code = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool may = code != MAP_FAILED && mprotect(code, page, PROT_READ | PROT_EXEC) == 0;
    if (code != MAP_FAILED)
        munmap(code, page);
    if (may)
        return I3D_OK;
    return failure(I3D_EENGINE, "this system lets no program make code, which oneDNN does: choose "
                                "--engine reference");
}

i3d_status device_open(struct device **out)
{
    struct device *device = NULL;
    i3d_status status;
    *out = NULL;
    TRY(check_code());
    TRY(memory_get(1, sizeof *device, &device));
    TRY(check(dnnl_engine_create(&device->engine, dnnl_cpu, 0), "open the CPU"));
    TRY(check(dnnl_stream_create(&device->stream, device->engine, dnnl_stream_default_flags),
              "make a stream"));
    *out = device;
    device = NULL;
out:
    device_close(device);
    return status;
}

void device_close(struct device *device)
{
    if (!device)
        return;
    if (device->stream)
        dnnl_stream_destroy(device->stream);
    if (device->engine)
        dnnl_engine_destroy(device->engine);
    memory_free(device);
}

enum isa device_isa(void)
{
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    if ((isa & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core)
        return ISA_AVX512;
    return (isa & dnnl_cpu_isa_avx2) == dnnl_cpu_isa_avx2 ? ISA_AVX2 : ISA_PLAIN;
}

bool device_has_bf16(void)
{
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    return (isa & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

/* Takes `description`. */
static i3d_status create(struct device *device, dnnl_primitive_desc_t description,
                         const int *arguments, struct primitive **out)
{
    struct primitive *primitive = NULL;
    i3d_status status;
    TRY(memory_get(1, sizeof *primitive, &primitive));
    primitive->device = device;
    primitive->arguments = arguments;
    TRY(memory_check(CODE_BYTES));
    TRY(check(dnnl_primitive_create(&primitive->primitive, description), "make a primitive"));
    TRY(check(dnnl_primitive_get_primitive_desc(primitive->primitive, &primitive->description),
              "describe a primitive"));
    for (enum slot slot = 0; slot < SLOT_COUNT; slot++)
        if (primitive_bytes(primitive, slot))
            TRY(check(api_memory(device->engine, primitive->description, arguments[slot],
                                 &primitive->memories[slot]),
                      "make a memory object"));
    *out = primitive;
    primitive = NULL;
out:
    primitive_free(primitive);
    dnnl_primitive_desc_destroy(description);
    return status;
}

static struct api_shape describe(const struct convolution_shape *shape,
                                 const struct primitive_options *options)
{
    const struct op *op = shape->op;
    dnnl_format_tag_t blocked = isa_lanes(shape->isa) == 16 ? dnnl_aBcde16b : dnnl_aBcde8b;
    struct api_shape made = { .src = { shape->samples, op->in_channels },
                              .weights = { op->channels, op->in_channels },
                              .bias = { op->channels },
                              .dst = { shape->samples, op->channels },
                              .type = shape->bf16 ? dnnl_bf16 : dnnl_f32,
                              .src_tag = shape->row_major ? dnnl_abcde : blocked,
                              .dst_tag = blocked,
                              .fused = shape->fused,
                              .adds = options->adds };
    if (options->any)
        made.src_tag = made.dst_tag = dnnl_format_tag_any;
    for (int d = 0; d < 3; d++) {
        made.src[2 + d] = op->size_in[d];
        made.weights[2 + d] = op->kernel[d];
        made.dst[2 + d] = op->size_out[d];
        made.strides[d] = op->stride[d];
        made.front[d] = op->front[d];
        made.back[d] = op->back[d];
    }
    return made;
}

i3d_status primitive_convolution(struct device *device, const struct convolution_shape *shape,
                                 enum pass pass, const struct primitive_options *options,
                                 struct primitive **out)
{
    const struct primitive_options plain = { 0 };
    struct api_shape described = describe(shape, options), forward = describe(shape, &plain);
    dnnl_primitive_desc_t hint = NULL, description = NULL;
    i3d_status status;
    *out = NULL;
    if (pass != PASS_FORWARD)
        TRY(check(api_convolution(device->engine, &forward, PASS_FORWARD, NULL, &hint),
                  "make a convolution"));
    TRY(check(api_convolution(device->engine, &described, pass, hint, &description),
              "make a convolution"));
    TRY(create(device, description, convolution_arguments[pass], out));
out:
    if (hint)
        dnnl_primitive_desc_destroy(hint);
    return status;
}

i3d_status primitive_reorder(struct device *device, enum slot slot, const struct primitive *from,
                             const struct primitive *to, struct primitive **out)
{
    dnnl_primitive_desc_t description = NULL;
    struct api_argument source = { 0 }, destination = { 0 };
    if (from)
        source = (struct api_argument){ from->description, from->arguments[slot] };
    if (to)
        destination = (struct api_argument){ to->description, to->arguments[slot] };
    *out = NULL;
    i3d_status status =
        check(api_reorder(device->engine, source, destination, &description), "make a reorder");
    return status == I3D_OK ? create(device, description, reorder_arguments, out) : status;
}

void primitive_free(struct primitive *primitive)
{
    if (!primitive)
        return;
    for (int i = 0; i < SLOT_COUNT; i++)
        if (primitive->memories[i])
            dnnl_memory_destroy(primitive->memories[i]);
    if (primitive->primitive)
        dnnl_primitive_destroy(primitive->primitive);
    memory_free(primitive);
}

size_t primitive_bytes(const struct primitive *primitive, enum slot slot)
{
    int argument = primitive->arguments[slot];
    return argument ? api_bytes(primitive->description, argument) : 0;
}

const char *primitive_implementation(const struct primitive *primitive)
{
    const char *name = "";
    dnnl_primitive_desc_query(primitive->description, dnnl_query_impl_info_str, 0, &name);
    return name;
}

bool primitive_is_slow(const struct primitive *primitive)
{
    return strncmp(primitive_implementation(primitive), "ref", 3) == 0;
}

/* oneDNN takes what it reads and what it writes as the same type. */
static void *writable(const void *pointer)
{
    void *same;
    memcpy(&same, &pointer, sizeof same);
    return same;
}

i3d_status primitive_run(struct primitive *primitive, const void *const pointers[SLOT_COUNT])
{
    dnnl_exec_arg_t arguments[SLOT_COUNT];
    int count = 0;
    i3d_status status;
    for (int i = 0; i < SLOT_COUNT; i++) {
        if (!primitive->memories[i])
            continue;
        TRY(check(dnnl_memory_set_data_handle(primitive->memories[i], writable(pointers[i])),
                  "take a pointer"));
        arguments[count++] = (dnnl_exec_arg_t){ primitive->arguments[i], primitive->memories[i] };
    }
    TRY(check(
        dnnl_primitive_execute(primitive->primitive, primitive->device->stream, count, arguments),
        "run a primitive"));
    TRY(check(dnnl_stream_wait(primitive->device->stream), "wait for a primitive"));
out:
    return status;
}
