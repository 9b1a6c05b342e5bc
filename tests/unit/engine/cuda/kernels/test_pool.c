/* The pool's twins against the reference engine's pool. */
#include "field.h"

#include "engine/reference/pool.h"

struct shape {
    int count, channels, size[3], kernel[3], stride[3];
    int front[3]; /* -1: TF SAME */
};
static const struct shape shapes[] = {
    { 2, 16, { 3, 9, 8 }, { 3, 3, 3 }, { 1, 1, 1 }, { -1, -1, -1 } },
    { 1, 19, { 4, 7, 11 }, { 1, 3, 3 }, { 1, 2, 2 }, { -1, -1, -1 } },
    { 3, 8, { 5, 6, 7 }, { 3, 3, 3 }, { 2, 2, 2 }, { -1, -1, -1 } },
    { 2, 264, { 4, 5, 2 }, { 2, 2, 2 }, { 2, 2, 2 }, { -1, -1, -1 } },
    { 2, 3, { 1, 1, 1 }, { 3, 3, 3 }, { 1, 1, 1 }, { -1, -1, -1 } },
    { 1, 40, { 6, 5, 9 }, { 4, 5, 2 }, { 3, 1, 2 }, { 2, 1, 0 } },
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static struct op pad(const struct shape *shape)
{
    struct op op = { .kind = OP_POOL, .in_channels = shape->channels, .channels = shape->channels };
    for (int d = 0; d < 3; d++) {
        int size = shape->size[d], kernel = shape->kernel[d], stride = shape->stride[d];
        int out = (size + stride - 1) / stride, front = (out - 1) * stride + kernel - size;
        op.kernel[d] = kernel;
        op.stride[d] = stride;
        op.size_in[d] = size;
        op.size_out[d] = out;
        op.front[d] = shape->front[d] >= 0 ? shape->front[d] : front > 0 ? front / 2 : 0;
    }
    return op;
}

static struct window window_of(const struct op *op)
{
    struct window window;
    memcpy(window.kernel, op->kernel, sizeof op->kernel);
    memcpy(window.stride, op->stride, sizeof op->stride);
    memcpy(window.front, op->front, sizeof op->front);
    memcpy(window.size_in, op->size_in, sizeof op->size_in);
    memcpy(window.size_out, op->size_out, sizeof op->size_out);
    return window;
}

static size_t map_of(const int size[3])
{
    return (size_t)size[0] * (size_t)size[1] * (size_t)size[2];
}

/* Numbers of which many are equal, some infinite, some none. */
static struct field draw_input(enum element type, const struct shape *shape, struct lie lie,
                               bool special, float *floats)
{
    size_t map = map_of(shape->size);
    struct field field =
        field_draw(type, shape->count, map, shape->channels, lie, 1, -4, 4, floats);
    for (size_t i = 0; i < field_count(&field); i++) {
        floats[i] = roundf(floats[i]);
        if (special && i % 53 == 7)
            floats[i] = NAN;
        if (special && floats[i] < 0)
            floats[i] = -INFINITY;
    }
    field_put(&field, floats);
    return field;
}

static void check_shape(const struct shape *shape, enum element type, struct lie lie, bool special)
{
    struct op op = pad(shape);
    size_t in_map = map_of(op.size_in), out_map = map_of(op.size_out);
    size_t ins = (size_t)shape->count * (size_t)shape->channels * in_map;
    size_t outs = (size_t)shape->count * (size_t)shape->channels * out_map;
    float *x = field_floats(ins), *y = field_floats(outs), *g = field_floats(outs);
    float *dx = field_floats(ins), *got = field_floats(ins > outs ? ins : outs);
    struct field in = draw_input(type, shape, lie, special, x);
    struct field out = field_create(type, shape->count, out_map, shape->channels, field_lies[2]);
    struct field out_gradient =
        field_draw(type, shape->count, out_map, shape->channels, lie, 2, -1, 1, g);
    struct field in_gradient =
        field_draw(type, shape->count, in_map, shape->channels, lie, 3, -1, 1, dx);
    uint8_t *winner = field_memory(pool_winner_bytes(&out.view));
    struct pool pool = { .op = &op, .count = shape->count };
    assert_ok(team_create(1, &pool.team));

    assert_ok(pool_forward(&pool, field_maps(shape->channels, in_map, x),
                           field_maps(shape->channels, out_map, y)));
    struct pool_args args = { window_of(&op), shape->count, in.view, out.view, NULL };
    kernel_pool(NULL, &args);
    field_get(&out, got);
    field_compare("forward", y, got, outs, 0);
    field_check_untouched(&out);
    args.winner = winner;
    kernel_pool(NULL, &args);

    /* On top of what is there, then in its place. */
    assert_ok(pool_backward(&pool, field_maps(shape->channels, in_map, x),
                            field_maps(shape->channels, out_map, g),
                            field_maps(shape->channels, in_map, dx)));
    struct pool_backward_args back = { args.window,       shape->count,     winner,
                                       out_gradient.view, in_gradient.view, true };
    kernel_pool_backward(NULL, &back);
    field_get(&in_gradient, got);
    field_compare("backward, added", dx, got, ins, field_tolerance(type));
    memset(dx, 0, ins * sizeof *dx);
    assert_ok(pool_backward(&pool, field_maps(shape->channels, in_map, x),
                            field_maps(shape->channels, out_map, g),
                            field_maps(shape->channels, in_map, dx)));
    back.add = false;
    kernel_pool_backward(NULL, &back);
    field_get(&in_gradient, got);
    field_compare("backward", dx, got, ins, field_tolerance(type));
    field_check_untouched(&in_gradient);

    team_free(pool.team);
    field_free(&in);
    field_free(&out);
    field_free(&out_gradient);
    field_free(&in_gradient);
    float *floats[] = { x, y, g, dx, got };
    for (int i = 0; i < 5; i++)
        memory_free(floats[i]);
    memory_free(winner);
}

static void try_all(bool special)
{
    for (int s = 0; s < SHAPES; s++)
        for (int type = 0; type <= ELEMENT_F16; type++)
            for (int lie = 0; lie < FIELD_LIES; lie++)
                check_shape(&shapes[s], (enum element)type, field_lies[lie], special);
}

static void test_finite(void **state)
{
    (void)state;
    try_all(false);
}

static void test_infinite_and_nan(void **state)
{
    (void)state;
    try_all(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finite),
        cmocka_unit_test(test_infinite_and_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
