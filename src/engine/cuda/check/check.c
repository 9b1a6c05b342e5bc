/* check TWINS.so: compares every kernel on the card with its twin, then times those of I3D's
 * shapes. Without a card the twins alone are run. Exit 0: all agree. */
#include "engine/cuda/check/check.h"

#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS = 21, WARM_UP = 3, POISON = 0xa5 };

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "check: %s: %s\n", what, why);
    exit(2);
}

static void must(cudaError_t error, const char *what)
{
    if (error != cudaSuccess)
        stop(what, cudaGetErrorString(error));
}

/* --- Buffers --------------------------------------------------------------------------------- */

static size_t data_bytes(enum data data)
{
    static const size_t bytes[] = { 4, 2, 2, 1, 4, 8, 1 };
    return bytes[data];
}

static size_t buffer_bytes(const struct buffer *buffer)
{
    return buffer->count * data_bytes(buffer->data);
}

/* The next buffer; its memory on this side is made if that is not there. */
static struct buffer *next_buffer(struct trial *trial, const char *name, enum data data,
                                  size_t count)
{
    struct buffer *buffer = &trial->buffers[trial->next++];
    if (trial->next > BUFFERS_MAX)
        stop("a case", "too many buffers");
    if (!trial->making)
        return buffer;
    buffer->name = name;
    buffer->data = data;
    buffer->count = count;
    size_t bytes = (buffer_bytes(buffer) + 255) / 256 * 256;
    if (trial->side == CARD)
        must(cudaMalloc(&buffer->sides[CARD], bytes), "cudaMalloc");
    else if (!(buffer->sides[TWIN] = aligned_alloc(256, bytes)))
        stop("a buffer", "out of memory");
    return buffer;
}

static uint64_t random_state;

static double draw_one(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(random_state >> 11) * 0x1p-53;
}

/* Cut, not rounded: it is a drawn number either way. */
static uint16_t bits_of(enum data data, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (data == DATA_BF16)
        return (uint16_t)(bits >> 16);
    int exponent = (int)(bits >> 23 & 255) - 112;
    uint32_t half = exponent <= 0 ? 0 : (uint32_t)exponent << 10 | (bits >> 13 & 0x3ff);
    return (uint16_t)((bits >> 16 & 0x8000) | half);
}

static void draw_into(enum data data, size_t count, double low, double high, void *out)
{
    for (size_t i = 0; i < count; i++) {
        double value = low + (high - low) * draw_one();
        if (data == DATA_F32)
            ((float *)out)[i] = (float)value;
        else if (data == DATA_BF16 || data == DATA_F16)
            ((uint16_t *)out)[i] = bits_of(data, (float)value);
        else if (data == DATA_BYTES)
            ((uint8_t *)out)[i] = (uint8_t)value;
        else if (data == DATA_I32)
            ((int32_t *)out)[i] = (int32_t)floor(value);
    }
}

static void copy(struct trial *trial, void *to, const void *from, size_t bytes)
{
    if (trial->side == CARD)
        must(cudaMemcpy(to, from, bytes, cudaMemcpyDefault), "cudaMemcpy");
    else
        memcpy(to, from, bytes);
}

/* Large buffers repeat their first numbers: an odd number of them, so that rows differ. */
static void draw_buffer(struct trial *trial, struct buffer *buffer, double low, double high)
{
    enum { DRAWN_MOST = 1000003 };
    size_t size = data_bytes(buffer->data), bytes = buffer_bytes(buffer);
    size_t drawn = buffer->count < DRAWN_MOST ? buffer->count : DRAWN_MOST;
    char *memory = buffer->sides[trial->side];
    void *numbers = malloc(drawn * size + 1);
    if (!numbers)
        stop("numbers", "out of memory");
    random_state = (uint64_t)trial->next;
    draw_into(buffer->data, drawn, low, high, numbers);
    copy(trial, memory, numbers, drawn * size);
    for (size_t done = drawn * size; done < bytes; done *= 2)
        copy(trial, memory + done, memory, bytes - done < done ? bytes - done : done);
    free(numbers);
}

void *trial_draw(struct trial *trial, enum data data, size_t count, double low, double high)
{
    return trial_change(trial, NULL, data, count, low, high);
}

void *trial_change(struct trial *trial, const char *name, enum data data, size_t count, double low,
                   double high)
{
    struct buffer *buffer = next_buffer(trial, name, data, count);
    if (trial->making)
        draw_buffer(trial, buffer, low, high);
    return buffer->sides[trial->side];
}

void *trial_output(struct trial *trial, const char *name, enum data data, size_t count)
{
    struct buffer *buffer = next_buffer(trial, name, data, count);
    if (trial->making && trial->side == CARD)
        must(cudaMemset(buffer->sides[CARD], POISON, buffer_bytes(buffer)), "cudaMemset");
    else if (trial->making)
        memset(buffer->sides[TWIN], POISON, buffer_bytes(buffer));
    return buffer->sides[trial->side];
}

void *trial_put(struct trial *trial, const void *structs, size_t bytes)
{
    struct buffer *buffer = next_buffer(trial, NULL, DATA_STRUCTS, bytes);
    if (trial->making)
        copy(trial, buffer->sides[trial->side], structs, bytes);
    return buffer->sides[trial->side];
}

any_launcher trial_launcher(const struct trial *trial, const char *name, any_launcher card)
{
    any_launcher launcher = card;
    if (trial->making)
        return NULL;
    if (trial->side == TWIN)
        *(void **)&launcher = dlsym(trial->twins, name);
    if (!launcher)
        stop(name, "the twins have no such kernel");
    return launcher;
}

static void run_side(struct trial *trial, const struct check_case *check, enum side side,
                     bool making, bool prepare)
{
    trial->side = side;
    trial->making = making;
    trial->prepare = prepare;
    trial->next = 0;
    check->run(trial);
    if (side == CARD)
        must(cudaGetLastError(), check->name);
}

static void free_buffers(struct trial *trial)
{
    for (int i = 0; i < BUFFERS_MAX; i++) {
        free(trial->buffers[i].sides[TWIN]);
        if (trial->buffers[i].sides[CARD])
            must(cudaFree(trial->buffers[i].sides[CARD]), "cudaFree");
        trial->buffers[i] = (struct buffer){ 0 };
    }
}

/* --- Comparison ------------------------------------------------------------------------------ */

static double number_at(const struct buffer *buffer, const void *memory, size_t i)
{
    if (buffer->data == DATA_F32)
        return ((const float *)memory)[i];
    if (buffer->data == DATA_F64)
        return ((const double *)memory)[i];
    if (buffer->data == DATA_I32)
        return ((const int32_t *)memory)[i];
    if (buffer->data == DATA_BYTES)
        return ((const uint8_t *)memory)[i];
    uint32_t half = ((const uint16_t *)memory)[i], sign = half & 0x8000, rest = half & 0x7fff;
    if (buffer->data == DATA_BF16) {
        uint32_t bits = half << 16;
        float value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    double value = rest >= 0x7c00 ? (rest > 0x7c00 ? NAN : INFINITY)
                   : rest < 0x400 ? rest * 0x1p-24
                                  : ldexp(1024 + (rest & 0x3ff), (int)(rest >> 10) - 25);
    return sign ? -value : value;
}

/* The largest difference, of the largest number; infinite where one is none. */
static double buffer_error(const struct buffer *buffer, const void *card)
{
    double largest = 0, error = 0;
    for (size_t i = 0; i < buffer->count; i++) {
        double expected = number_at(buffer, buffer->sides[TWIN], i),
               got = number_at(buffer, card, i);
        if (expected == got || (isnan(expected) && isnan(got)))
            continue;
        error = fmax(error, isfinite(expected - got) ? fabs(expected - got) : INFINITY);
    }
    for (size_t i = 0; error > 0 && i < buffer->count; i++)
        largest = fmax(largest, fabs(number_at(buffer, buffer->sides[TWIN], i)));
    return error > 0 ? error / largest : 0;
}

static const char *type_name(const struct check_case *check, enum element type)
{
    static const char *names[] = { "fp32", "bf16", "fp16" };
    return check->typed ? names[type] : "";
}

/* What rounding to the type may make of a difference in the last place of float32. */
static bool compare_sides(const struct trial *trial, double *worst)
{
    static const double tolerances[] = { 2e-6, 1e-2, 2e-3 };
    bool agree = true;
    for (int i = 0; i < trial->next; i++) {
        const struct buffer *buffer = &trial->buffers[i];
        if (!buffer->name)
            continue;
        void *card = malloc(buffer_bytes(buffer) + 1);
        must(cudaMemcpy(card, buffer->sides[CARD], buffer_bytes(buffer), cudaMemcpyDeviceToHost),
             buffer->name);
        double error = buffer_error(buffer, card);
        *worst = fmax(*worst, error);
        if (!(error <= tolerances[buffer->data <= DATA_F16 ? (int)buffer->data : 0])) {
            printf("    %s differs by %.2g\n", buffer->name, error);
            agree = false;
        }
        free(card);
    }
    return agree;
}

/* All small shapes of a case in one type. */
static bool check_type(struct trial *trial, const struct check_case *check, bool card)
{
    double worst = 0;
    bool agree = true;
    for (int s = 0; s < check->shape_count; s++) {
        trial->shape = check->shapes[s];
        run_side(trial, check, TWIN, true, true);
        run_side(trial, check, TWIN, false, true);
        if (card) {
            run_side(trial, check, CARD, true, true);
            run_side(trial, check, CARD, false, true);
            must(cudaDeviceSynchronize(), check->name);
            agree &= compare_sides(trial, &worst);
        }
        free_buffers(trial);
    }
    printf("%-16s %-5s %d shapes", check->name, type_name(check, trial->type), check->shape_count);
    if (card)
        printf("   error %.1e   %s\n", worst, agree ? "agrees" : "DIFFERS");
    else
        printf("   twin ran\n");
    return agree;
}

/* --- Time ------------------------------------------------------------------------------------ */

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void time_shape(struct trial *trial, const struct check_case *check, const int *shape)
{
    cudaEvent_t begin, end;
    float times[REPEATS];
    trial->shape = shape;
    must(cudaEventCreate(&begin), "cudaEventCreate");
    must(cudaEventCreate(&end), "cudaEventCreate");
    run_side(trial, check, CARD, true, true);
    for (int i = -WARM_UP; i < REPEATS; i++) {
        if (i <= 0)
            run_side(trial, check, CARD, false, true);
        must(cudaEventRecord(begin, NULL), "cudaEventRecord");
        run_side(trial, check, CARD, false, false);
        must(cudaEventRecord(end, NULL), "cudaEventRecord");
        must(cudaEventSynchronize(end), check->name);
        if (i >= 0)
            must(cudaEventElapsedTime(&times[i], begin, end), "cudaEventElapsedTime");
    }
    qsort(times, REPEATS, sizeof *times, compare_floats);
    float median = times[REPEATS / 2];
    printf("%-16s %-5s", check->name, type_name(check, trial->type));
    for (int i = 0; i < 12; i++)
        if (shape[i] || i < 4)
            printf(" %d", shape[i]);
    printf("   %.1f us   %.0f GB/s\n", 1e3 * (double)median, trial->moved / (double)median / 1e6);
    free_buffers(trial);
    must(cudaEventDestroy(begin), "cudaEventDestroy");
    must(cudaEventDestroy(end), "cudaEventDestroy");
}

static void time_case(struct trial *trial, const struct check_case *check)
{
    trial->type = check->typed ? ELEMENT_BF16 : ELEMENT_F32;
    for (int s = 0; s < check->large_count; s++)
        time_shape(trial, check, check->large[s]);
}

/* --- Program --------------------------------------------------------------------------------- */

static bool find_card(void)
{
    int count = 0;
    struct cudaDeviceProp card;
    if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0) {
        printf("no card: the twins alone are run\n");
        return false;
    }
    must(cudaGetDeviceProperties(&card, 0), "cudaGetDeviceProperties");
    printf("%s, compute %d.%d, %d multiprocessors, L2 %d MiB\n", card.name, card.major, card.minor,
           card.multiProcessorCount, card.l2CacheSize >> 20);
    return true;
}

/* A copy within the card, for what its memory can. */
static void time_memory(void)
{
    static const int shape[12] = { 1 << 22, 128, 0, 128 };
    for (int i = 0; i < check_case_count; i++)
        if (!strcmp(check_cases[i].name, "copy")) {
            struct trial trial = { .type = ELEMENT_BF16 };
            time_shape(&trial, &check_cases[i], shape);
        }
}

int main(int argc, char **argv)
{
    static struct trial trial;
    bool compare_only = argc > 1 && !strcmp(argv[1], "-c"), agree = true;
    char **names = argv + 1 + compare_only;
    const char *only = names[0] ? names[1] : NULL;
    bool card = find_card();
    if (!names[0] || !(trial.twins = dlopen(names[0], RTLD_NOW | RTLD_LOCAL)))
        stop("usage: check [-c] TWINS.so [KERNEL]", names[0] ? dlerror() : "no twins");
    for (int i = 0; i < check_case_count; i++) {
        const struct check_case *check = &check_cases[i];
        if (only && strcmp(only, check->name))
            continue;
        for (int type = 0; type < (check->typed ? 3 : 1); type++) {
            trial.type = (enum element)type;
            agree &= check_type(&trial, check, card);
        }
    }
    if (card && !compare_only)
        time_memory();
    for (int i = 0; card && !compare_only && i < check_case_count; i++)
        if (!only || !strcmp(only, check_cases[i].name))
            time_case(&trial, &check_cases[i]);
    printf(agree ? "all agree\n" : "SOME DIFFER\n");
    return !agree;
}
