#include "small.h"

#include "base/file.h"
#include "export/format.h"

#include <i3d/checkpoint.h>
#include <i3d/export.h>

static const char *const formats[] = { "net.onnx", "net.mindir", "net.air" };
enum { FORMATS = sizeof formats / sizeof formats[0], READABLE = 2 };

static char *at(const char *folder, const char *name)
{
    char *path;
    assert_ok(path_join(&path, folder, name));
    return path;
}

/* The whole network: what a reader asks for. */
static i3d_model *whole_model(int channels, i3d_head head)
{
    i3d_model_options options = { channels, 5, head, 1e-3 };
    i3d_model *model;
    assert_ok(i3d_model_create(&options, &model));
    i3d_model_initialize(model, 3, true);
    return model;
}

static void a_reader_gets_the_parameters_back(void **state)
{
    (void)state;
    i3d_model *model = whole_model(3, I3D_HEAD_AVG), *copy = whole_model(3, I3D_HEAD_AVG);
    i3d_export_options options = i3d_export_defaults();
    const char *folder = test_folder();
    for (int f = 0; f < READABLE; f++) {
        char *path = at(folder, formats[f]);
        i3d_weights weights;
        i3d_match match;
        memset(copy->data, 0, copy->graph.floats * sizeof *copy->data);
        assert_ok(i3d_export(model, &options, path));
        assert_ok(i3d_weights_read(path, &weights));
        assert_ok(i3d_model_load(copy, &weights, false, &match));
        assert_int_equal(match.loaded, i3d_model_param_count(model));
        assert_int_equal(match.extra, 0);
        assert_memory_equal(copy->data, model->data, model->graph.floats * sizeof *model->data);
        i3d_match_clear(&match);
        i3d_weights_clear(&weights);
        memory_free(path);
    }
    assert_ok(folder_remove(folder));
    i3d_model_free(model);
    i3d_model_free(copy);
}

static double number(const i3d_weights *weights, const char *name)
{
    const i3d_tensor *tensor = i3d_weights_find(weights, name);
    if (!tensor)
        fail_msg("there is no '%s'", name);
    assert_int_equal(i3d_tensor_count(tensor), 1);
    return i3d_tensor_get(tensor, 0);
}

/* As in a checkpoint of a training; and folded norms are norms again. */
static void a_reader_learns_how_to_run_it(void **state)
{
    (void)state;
    static const char *const labels[] = { "a", "b c", "d", "e", "f" };
    i3d_model *model = whole_model(3, I3D_HEAD_MAX), *copy = whole_model(3, I3D_HEAD_MAX);
    i3d_export_options options = i3d_export_defaults();
    const char *folder = test_folder();
    model->options.bn_epsilon = copy->options.bn_epsilon = 1.25e-5;
    options.frames = 16;
    options.height = options.width = 96;
    options.resize = 100;
    options.bgr = options.fold_bn = true;
    options.labels = labels;
    for (int f = 0; f < READABLE; f++) {
        char *path = at(folder, formats[f]);
        i3d_weights weights;
        i3d_match match;
        assert_ok(i3d_export(model, &options, path));
        assert_ok(i3d_weights_read(path, &weights));
        assert_true(number(&weights, "i3d.head") == I3D_HEAD_MAX);
        assert_true(number(&weights, "i3d.bn_epsilon") == 1.25e-5);
        assert_true(number(&weights, "i3d.frames") == 16);
        assert_true(number(&weights, "i3d.size") == 96);
        assert_true(number(&weights, "i3d.resize") == 100);
        assert_true(number(&weights, "i3d.bgr") == 1);
        const i3d_tensor *lines = i3d_weights_find(&weights, "i3d.labels");
        assert_non_null(lines);
        assert_int_equal(i3d_tensor_count(lines), 12);
        assert_memory_equal(lines->data, "a\nb c\nd\ne\nf\n", 12);

        assert_ok(i3d_model_load(copy, &weights, false, &match));
        assert_int_equal(match.loaded, i3d_model_param_count(model));
        assert_int_equal(match.extra, 0);
        i3d_match_clear(&match);
        i3d_weights_clear(&weights);
        memory_free(path);
    }
    /* A drawn norm: what is left of it is scale 1 with the shift as its bias. */
    const i3d_param *gamma = i3d_model_find_param(copy, "Conv3d_1a_7x7.gamma");
    const i3d_param *variance = i3d_model_find_param(copy, "Conv3d_1a_7x7.variance");
    assert_true(copy->data[gamma->offset] == 1);
    assert_true(copy->data[variance->offset] == (float)(1 - 1.25e-5));
    assert_ok(folder_remove(folder));
    i3d_model_free(model);
    i3d_model_free(copy);
}

/* A folded norm that is not whole is missing, as it is. */
static void a_bias_of_another_size_is_no_norm(void **state)
{
    (void)state;
    i3d_model *model = whole_model(2, I3D_HEAD_AVG);
    i3d_export_options options = i3d_export_defaults();
    const char *folder = test_folder();
    char *path = at(folder, "net.onnx");
    i3d_weights weights;
    i3d_match match;
    options.fold_bn = true;
    options.height = 64; /* not its width: no one size */
    assert_ok(i3d_export(model, &options, path));
    assert_ok(i3d_weights_read(path, &weights));
    assert_null(i3d_weights_find(&weights, "i3d.size"));
    assert_null(i3d_weights_find(&weights, "i3d.bgr")); /* flow has no colours */
    for (size_t i = 0; i < weights.count; i++)
        if (strcmp(weights.tensors[i].name, "Mixed_3b_b0.conv3d.bias") == 0)
            weights.tensors[i].shape[0]--;
    assert_ok(i3d_model_load(model, &weights, true, &match));
    assert_int_equal(match.missing, 4);
    assert_int_equal(match.extra, 1);
    assert_non_null(strstr(match.table, "Mixed_3b_b0.bn.bn2d.gamma"));
    i3d_match_clear(&match);
    i3d_weights_clear(&weights);
    memory_free(path);
    assert_ok(folder_remove(folder));
    i3d_model_free(model);
}

/* A small network whose channels every engine takes. */
static i3d_model *runnable_model(int channels, i3d_head head)
{
    static const struct unit units[] = {
        { UNIT_CONV, "Conv3d_1a_7x7", { 7, 7, 7 }, { 2, 2, 2 }, .channels = { 16 } },
        { UNIT_POOL, "MaxPool3d_2a_3x3", { 1, 3, 3 }, .stride = { 1, 2, 2 } },
        { UNIT_MIXED, "Mixed_3b", .channels = { 16, 16, 32, 16, 16, 16 } },
        { UNIT_HEAD, .name = "logits" },
    };
    i3d_model_options options = { channels, 3, head, 1e-3 };
    i3d_model *model;
    assert_ok(model_create(units, sizeof units / sizeof units[0], &options, &model));
    small_draw(model);
    return model;
}

static void a_file_run_by_its_own_operators_gives_the_logits(void **state)
{
    (void)state;
    const char *folder = test_folder();
    for (int n = 0; n < 16; n++) {
        i3d_model *model = runnable_model(n & 1 ? 2 : 3, n & 2 ? I3D_HEAD_MAX : I3D_HEAD_AVG);
        i3d_export_options options = small_options();
        char *path = at(folder, formats[n >> 2 & 1]);
        double difference;
        options.fold_bn = n & 8;
        assert_ok(i3d_export(model, &options, path));
        assert_ok(i3d_export_verify(model, &options, path, &difference));
        assert_true(difference < 1e-5);

        model->data[0] += 1; /* another network than the file's */
        assert_ok(i3d_export_verify(model, &options, path, &difference));
        assert_true(difference > 1e-3);
        memory_free(path);
        i3d_model_free(model);
    }
    assert_ok(folder_remove(folder));
}

static void an_open_duration_is_run_at_any(void **state)
{
    (void)state;
    i3d_model *model = runnable_model(3, I3D_HEAD_AVG);
    i3d_export_options options = small_options();
    const char *folder = test_folder();
    char *path = at(folder, "net.onnx");
    double difference;
    options.any_frames = true;
    assert_ok(i3d_export(model, &options, path));
    for (options.frames = 9; options.frames < 13; options.frames++) {
        assert_ok(i3d_export_verify(model, &options, path, &difference));
        assert_true(difference < 1e-5);
    }
    options.width++;
    assert_fails(i3d_export_verify(model, &options, path, &difference), I3D_EFORMAT,
                 "its input has a size of 20, not 21");
    memory_free(path);
    assert_ok(folder_remove(folder));
    i3d_model_free(model);
}

static struct instruction *step_of(struct program *program, const char *name)
{
    for (int i = 0; i < program->count; i++)
        if (strcmp(program->steps[i].name, name) == 0)
            return &program->steps[i];
    fail_msg("there is no step '%s'", name);
    return NULL;
}

static void move_padding(struct program *program)
{
    struct instruction *conv = step_of(program, "Conv3d_1a_7x7.conv");
    conv->front[2]--;
    conv->back[2]++;
}

static void move_pool(struct program *program)
{
    struct instruction *pool = step_of(program, "MaxPool3d_2a_3x3");
    pool->front[1]++;
    pool->back[1]--;
}

static void pass_a_relu_by(struct program *program)
{
    struct instruction *reader = step_of(program, "Mixed_3b_b1b.conv");
    reader->inputs[0]--;
}

static void swap_branches(struct program *program)
{
    struct instruction *concat = step_of(program, "Mixed_3b");
    int first = concat->inputs[0];
    concat->inputs[0] = concat->inputs[3];
    concat->inputs[3] = first;
}

static void swap_norms(struct program *program)
{
    struct instruction *norm = step_of(program, "Mixed_3b_b0.bn");
    struct constant first = norm->constants[0];
    norm->constants[0] = norm->constants[1];
    norm->constants[1] = first;
}

static void average_with_padding(struct program *program)
{
    step_of(program, "MaxPool3d_2a_3x3")->kind = STEP_AVG_POOL;
}

static void read_what_is_not_there(struct program *program)
{
    step_of(program, "Mixed_3b_b3b.conv")->inputs[0] = program->count - 1;
}

static void leave_a_weight_out(struct program *program)
{
    step_of(program, "logits.conv")->constants[1].name[0] = 0;
}

static void change_a_window(struct program *program)
{
    step_of(program, "Mixed_3b_b0.conv")->kernel[0] = 3;
}

/* Files with one operator that is not the network's. */
static void another_operator_is_noticed(void **state)
{
    (void)state;
    static const struct {
        void (*change)(struct program *program);
        const char *refused; /* NULL: it runs, and the logits differ */
    } cases[] = {
        { move_padding, NULL },
        { move_pool, NULL },
        { pass_a_relu_by, NULL },
        { swap_branches, NULL },
        { swap_norms, NULL },
        { average_with_padding, "has padding, which no mean of ours has" },
        { read_what_is_not_there, "reads a value that nothing before it gives" },
        { leave_a_weight_out, "has no name" },
        { change_a_window, "has a weight of another shape than its window" },
    };
    i3d_model *model = runnable_model(3, I3D_HEAD_AVG);
    i3d_export_options options = small_options();
    const char *folder = test_folder();
    options.batch = 8;
    for (size_t n = 0; n < 2 * sizeof cases / sizeof cases[0]; n++) {
        const char *refused = cases[n / 2].refused;
        char *path = at(folder, formats[n % 2]);
        struct program *program;
        struct message file = { 0 };
        double difference;
        assert_ok(program_create(model, &options, &program));
        cases[n / 2].change(program);
        (n % 2 ? &format_mindir : &format_onnx)->write(program, &file);
        assert_ok(file.status);
        assert_ok(file_write(path, file.buffer.data, file.buffer.count));
        if (refused) {
            assert_fails(i3d_export_verify(model, &options, path, &difference), I3D_EFORMAT,
                         refused);
        } else {
            assert_ok(i3d_export_verify(model, &options, path, &difference));
            assert_true(difference > 1e-3);
        }
        message_clear(&file);
        program_free(program);
        memory_free(path);
    }
    assert_ok(folder_remove(folder));
    i3d_model_free(model);
}

static void what_a_format_cannot_do_is_refused(void **state)
{
    (void)state;
    i3d_model *model = small_model(3, I3D_HEAD_AVG);
    i3d_export_options options = small_options();
    assert_fails(i3d_export(model, &options, "net.pb"), I3D_EINVAL, ".onnx, .mindir or .air");
    assert_fails(i3d_export(model, &options, "a.onnx/net"), I3D_EINVAL, ".onnx, .mindir or .air");
    options.any_frames = true;
    assert_fails(i3d_export(model, &options, "net.mindir"), I3D_EINVAL, "fixed number of frames");
    options.frames = 8;
    assert_fails(i3d_export(model, &options, "net.onnx"), I3D_EINVAL, "needs 9 at least");
    options.batch = -1;
    assert_fails(i3d_export(model, &options, "net.onnx"), I3D_EINVAL, "-1 clips");
    i3d_model_free(model);
}

/* The file is there whole or not at all, whichever request for memory fails. */
static void without_memory_nothing_is_left(void **state)
{
    (void)state;
    i3d_model *model = small_model(3, I3D_HEAD_AVG);
    i3d_export_options options = small_options();
    const char *const labels[3] = { "walk", "run", "stand" };
    const char *folder = test_folder();
    options.fold_bn = true;
    options.labels = labels;
    for (int f = 0; f < FORMATS; f++) {
        char *path = at(folder, formats[f]);
        i3d_status status = I3D_ENOMEM;
        for (long n = 1; status != I3D_OK; n++) {
            struct names names;
            memory_fail_at(n);
            status = i3d_export(model, &options, path);
            memory_fail_at(0);
            assert_true(status == I3D_OK || status == I3D_ENOMEM);
            assert_ok(folder_list(folder, &names));
            assert_int_equal(names.count, status == I3D_OK ? 1 : 0);
            names_clear(&names);
        }
        assert_int_equal(unlink(path), 0);
        memory_free(path);
    }
    assert_ok(folder_remove(folder));
    i3d_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_gets_the_parameters_back),
        cmocka_unit_test(a_reader_learns_how_to_run_it),
        cmocka_unit_test(a_bias_of_another_size_is_no_norm),
        cmocka_unit_test(a_file_run_by_its_own_operators_gives_the_logits),
        cmocka_unit_test(an_open_duration_is_run_at_any),
        cmocka_unit_test(another_operator_is_noticed),
        cmocka_unit_test(what_a_format_cannot_do_is_refused),
        cmocka_unit_test(without_memory_nothing_is_left),
    };
    return cmocka_run_group_tests_name("exported files", tests, NULL, NULL);
}
