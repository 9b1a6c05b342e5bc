/* The twins that prepare clips and weights: what they write is what a plain loop finds, and a
 * folded convolution is the one that was folded. */
#include "field.h"

#include "engine/reference/conv.h"

static size_t product(const int size[3])
{
    return (size_t)size[0] * (size_t)size[1] * (size_t)size[2];
}

/* --- Clips ----------------------------------------------------------------------------------- */

struct clip_shape {
    int count, channels, size[3], from_h, from_w, wide; /* wide: channels that are written */
};
static const struct clip_shape clips[] = {
    { 2, 3, { 3, 5, 6 }, 9, 8, 8 },
    { 1, 2, { 4, 4, 7 }, 4, 7, 8 },
    { 3, 3, { 1, 6, 3 }, 7, 12, 3 },
};
enum { CLIPS = 3 };

static void check_floats(const struct clip_shape *shape, enum element type, struct lie lie)
{
    size_t map = product(shape->size), floats = (size_t)shape->channels * map;
    float *clip = field_floats((size_t)shape->count * floats);
    float *got = field_floats((size_t)shape->count * (size_t)shape->wide * map);
    struct field out = field_create(type, shape->count, map, shape->wide, lie);
    field_draw_floats(1, -1, 1, clip, (size_t)shape->count * floats);
    struct clip_args args = {
        .from = clip, .count = shape->count, .channels = shape->channels, .out = out.view
    };
    memcpy(args.size, shape->size, sizeof args.size);
    kernel_clip(NULL, &args);
    field_get(&out, got);
    field_check_untouched(&out);
    for (int n = 0; n < shape->count; n++)
        for (int c = 0; c < shape->wide; c++) {
            const float *plane = got + ((size_t)n * (size_t)shape->wide + (size_t)c) * map;
            for (size_t i = 0; i < map && c >= shape->channels; i++)
                assert_true(plane[i] == 0);
            if (c < shape->channels)
                field_compare("clip", clip + (size_t)n * floats + (size_t)c * map, plane, map,
                              field_tolerance(type));
        }
    field_free(&out);
    memory_free(clip);
    memory_free(got);
}

static float expected_byte(const struct clip_shape *shape, const uint8_t *bytes,
                           const struct clip_cut *cut, int n, int c, int t, int h, int w)
{
    int x = cut->left + (cut->flip ? shape->size[2] - 1 - w : w);
    size_t row = ((size_t)n * (size_t)shape->size[0] + (size_t)t) * (size_t)shape->from_h +
                 (size_t)(cut->top + h);
    int byte =
        bytes[(row * (size_t)shape->from_w + (size_t)x) * (size_t)shape->channels + (size_t)c];
    if (cut->invert & 1 << c)
        byte = 255 - byte;
    return (float)(byte / 255. * 2 - 1);
}

static void check_bytes(const struct clip_shape *shape, enum element type, struct lie lie)
{
    size_t map = product(shape->size);
    size_t count = (size_t)shape->count * (size_t)shape->size[0] * (size_t)shape->from_h *
                   (size_t)shape->from_w * (size_t)shape->channels;
    uint8_t *bytes = field_memory(count);
    float *got = field_floats((size_t)shape->count * (size_t)shape->wide * map), *at = got;
    struct field out = field_create(type, shape->count, map, shape->wide, lie);
    struct clip_cut cuts[3] = { { 0, 0, 0, 0 } };
    for (int n = 0; n < shape->count; n++)
        cuts[n] = (struct clip_cut){ shape->from_h - shape->size[1], shape->from_w - shape->size[2],
                                     n == 0, n != 1 };
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(i * 37 + i / 256);
    struct clip_args args = { .from = bytes,
                              .bytes = true,
                              .from_h = shape->from_h,
                              .from_w = shape->from_w,
                              .cuts = cuts,
                              .count = shape->count,
                              .channels = shape->channels,
                              .out = out.view };
    memcpy(args.size, shape->size, sizeof args.size);
    kernel_clip(NULL, &args);
    field_get(&out, got);
    field_check_untouched(&out);
    for (int n = 0; n < shape->count; n++)
        for (int c = 0; c < shape->wide; c++)
            for (int t = 0; t < shape->size[0]; t++)
                for (int h = 0; h < shape->size[1]; h++)
                    for (int w = 0; w < shape->size[2]; w++) {
                        float expected = c < shape->channels
                                             ? expected_byte(shape, bytes, &cuts[n], n, c, t, h, w)
                                             : 0;
                        assert_true(fabsf(*at++ - expected) <= field_tolerance(type));
                    }
    field_free(&out);
    memory_free(bytes);
    memory_free(got);
}

static void test_clip(void **state)
{
    (void)state;
    for (int s = 0; s < CLIPS; s++)
        for (int type = 0; type <= ELEMENT_F16; type++)
            for (int lie = 0; lie < FIELD_LIES; lie++) {
                check_floats(&clips[s], (enum element)type, field_lies[lie]);
                check_bytes(&clips[s], (enum element)type, field_lies[lie]);
            }
}

/* --- Folding --------------------------------------------------------------------------------- */

/* A convolution of the reference engine. */
struct stem {
    struct op op;
    struct conv conv;
    void *scratch;
};

static void make_stem(int ins, int outs, const int kernel[3], int stride, const int front[3],
                      const int size_in[3], const int size_out[3], int count, struct stem *out)
{
    struct op *op = &out->op;
    *op = (struct op){ .kind = OP_CONV, .in_channels = ins, .channels = outs };
    for (int d = 0; d < 3; d++) {
        op->kernel[d] = kernel[d];
        op->stride[d] = stride;
        op->front[d] = front[d];
        op->size_in[d] = size_in[d];
        op->size_out[d] = size_out[d];
    }
    out->scratch = field_memory(conv_scratch_bytes(op));
    out->conv = (struct conv){ .op = op, .count = count, .scratch = &out->scratch };
    assert_ok(team_create(1, &out->conv.team));
}

static void free_stem(struct stem *stem)
{
    memory_free(stem->scratch);
    team_free(stem->conv.team);
}

/* [outs, taps, ins] -> [outs, ins, taps], or back. */
static void turn(size_t outs, size_t rows, size_t columns, const float *from, float *to)
{
    for (size_t o = 0; o < outs; o++)
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < columns; c++)
                to[(o * columns + c) * rows + r] = from[(o * rows + r) * columns + c];
}

static void check_fold(int channels, const int size[3], int kernel)
{
    enum { OUTS = 5, COUNT = 2 };
    struct window window;
    for (int d = 0; d < 3; d++) {
        int out = (size[d] + 1) / 2, pad = (out - 1) * 2 + kernel - size[d];
        window.kernel[d] = kernel;
        window.stride[d] = 2;
        window.front[d] = pad > 0 ? pad / 2 : 0;
        window.size_in[d] = size[d];
        window.size_out[d] = out;
    }
    struct fold fold = fold_window(&window);
    struct stem stem, folded;
    int wide = (8 * channels + 15) / 16 * 16, ones = 1;
    make_stem(channels, OUTS, window.kernel, 2, window.front, size, window.size_out, COUNT, &stem);
    make_stem(wide, OUTS, fold.kernel, ones, fold.front, fold.size_in, fold.size_out, COUNT,
              &folded);
    size_t ins = (size_t)COUNT * (size_t)channels * product(size);
    size_t outs = (size_t)COUNT * OUTS * product(window.size_out);
    size_t weights = OUTS * (size_t)channels * product(window.kernel);
    size_t taps = product(fold.kernel), machine = OUTS * (size_t)wide * taps;
    float *x = field_floats(ins), *y = field_floats(outs), *weight = field_floats(weights);
    float *gradient = field_floats(weights), *got = field_floats(outs);
    float *got_gradient = field_floats(weights), *g = field_floats(outs);
    float *kept = field_floats(machine), *turned = field_floats(machine);
    float *folded_x = field_floats((size_t)COUNT * (size_t)wide * product(fold.size_in));
    field_draw_floats(1, -1, 1, x, ins);
    field_draw_floats(2, -1, 1, weight, weights);
    field_draw_floats(3, -1, 1, g, outs);

    struct field clip =
        field_create(ELEMENT_F32, COUNT, product(fold.size_in), wide, field_lies[2]);
    struct clip_args args = {
        .from = x, .count = COUNT, .channels = channels, .fold = &fold, .out = clip.view
    };
    memcpy(args.size, size, sizeof args.size);
    kernel_clip(NULL, &args);
    field_check_untouched(&clip);
    field_get(&clip, folded_x);
    struct weights_job job = { .weight = weight,
                               .machine = kept,
                               .gradient = got_gradient,
                               .machine_gradient = kept,
                               .outs = OUTS,
                               .ins = channels,
                               .machine_outs = OUTS,
                               .machine_ins = wide,
                               .folded = true };
    memcpy(job.kernel, window.kernel, sizeof job.kernel);
    struct weights_args all = { .jobs = &job, .count = 1, .blocks = weights_place(&job, 1) };
    kernel_weights(NULL, &all);
    turn(OUTS, taps, (size_t)wide, kept, turned);

    assert_ok(conv_f64.forward(&stem.conv, field_maps(channels, product(size), x), weight,
                               field_maps(OUTS, product(window.size_out), y)));
    assert_ok(conv_f64.forward(&folded.conv, field_maps(wide, product(fold.size_in), folded_x),
                               turned, field_maps(OUTS, product(window.size_out), got)));
    field_compare("folded", y, got, outs, 1e-6);

    assert_ok(conv_f64.backward_weight(&stem.conv, field_maps(channels, product(size), x),
                                       field_maps(OUTS, product(window.size_out), g), gradient));
    assert_ok(conv_f64.backward_weight(&folded.conv,
                                       field_maps(wide, product(fold.size_in), folded_x),
                                       field_maps(OUTS, product(window.size_out), g), turned));
    turn(OUTS, (size_t)wide, taps, turned, kept);
    kernel_weights_back(NULL, &all);
    field_compare("folded gradient", gradient, got_gradient, weights, 1e-6);

    float *floats[] = { x, y, weight, gradient, got, got_gradient, g, kept, turned, folded_x };
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        memory_free(floats[i]);
    field_free(&clip);
    free_stem(&stem);
    free_stem(&folded);
}

static void test_fold(void **state)
{
    (void)state;
    const int sizes[][3] = { { 8, 10, 12 }, { 7, 9, 11 }, { 4, 13, 6 }, { 1, 2, 3 } };
    for (int s = 0; s < 4; s++)
        for (int channels = 2; channels <= 3; channels++)
            for (int kernel = 2; kernel <= 7; kernel++)
                check_fold(channels, sizes[s], kernel);
}

/* --- Weights --------------------------------------------------------------------------------- */

static void test_weights(void **state)
{
    (void)state;
    enum { JOBS = 3 };
    const int shapes[JOBS][2][3] = { { { 5, 3, 8 }, { 3, 3, 3 } },
                                     { { 16, 40, 40 }, { 1, 1, 1 } },
                                     { { 7, 9, 16 }, { 1, 3, 2 } } };
    for (int type = 0; type <= ELEMENT_F16; type++) {
        struct weights_job jobs[JOBS];
        float scales[16], unscale = .5f;
        field_draw_floats(9, .5, 2, scales, 16);
        for (int j = 0; j < JOBS; j++) {
            struct weights_job *job = &jobs[j];
            *job = (struct weights_job){ .outs = shapes[j][0][0],
                                         .ins = shapes[j][0][1],
                                         .machine_ins = shapes[j][0][2] };
            job->machine_outs = job->outs + (j == 0 ? 3 : 0);
            memcpy(job->kernel, shapes[j][1], sizeof job->kernel);
            size_t taps = product(job->kernel),
                   floats = (size_t)job->outs * (size_t)job->ins * taps;
            size_t machine = (size_t)job->machine_outs * (size_t)job->machine_ins * taps;
            float *weight = field_floats(floats), *back = field_floats(machine);
            field_draw_floats((uint64_t)j, -1, 1, weight, floats);
            field_draw_floats((uint64_t)j + 5, -1, 1, back, machine);
            job->weight = weight;
            job->scale = j == 1 ? scales : NULL;
            job->machine = field_floats(machine);
            job->gradient = j == 2 ? NULL : field_floats(floats);
            job->machine_gradient = back;
        }
        uint32_t blocks = weights_place(jobs, JOBS);
        assert_int_equal(blocks, 8 + 16 + 7);
        struct weights_args args = { jobs, JOBS, blocks, (enum element)type, &unscale };
        kernel_weights(NULL, &args);
        kernel_weights_back(NULL, &args);
        /* A part of the jobs alone. */
        memset(jobs[1].gradient, 0, 16 * 40 * sizeof(float));
        args.jobs = &jobs[1];
        args.count = 2;
        args.blocks = 16 + 7;
        kernel_weights_back(NULL, &args);
        for (int j = 0; j < JOBS; j++) {
            struct weights_job *job = &jobs[j];
            size_t taps = product(job->kernel), ins = (size_t)job->ins;
            size_t wide = (size_t)job->machine_ins;
            for (size_t o = 0; o < (size_t)job->machine_outs; o++)
                for (size_t tap = 0; tap < taps; tap++)
                    for (size_t i = 0; i < wide; i++) {
                        size_t at = (o * taps + tap) * wide + i, from = (o * ins + i) * taps + tap;
                        bool real = o < (size_t)job->outs && i < ins;
                        float scale = job->scale && real ? job->scale[o] : 1;
                        float expected = real ? job->weight[from] * scale : 0;
                        float got = load1(job->machine, at, (enum element)type);
                        assert_true(fabsf(got - expected) <=
                                    field_tolerance((enum element)type) * fabsf(expected));
                        if (real && job->gradient)
                            assert_true(job->gradient[from] ==
                                        ((const float *)job->machine_gradient)[at] * unscale);
                    }
            memory_free((void *)(uintptr_t)job->weight);
            memory_free((void *)(uintptr_t)job->machine_gradient);
            memory_free(job->machine);
            memory_free(job->gradient);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
