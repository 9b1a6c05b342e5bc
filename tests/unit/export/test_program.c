#include "small.h"

#include "model/graph.h"

#include <math.h>

static const struct instruction *find(const struct program *program, const char *name)
{
    for (int i = 0; i < program->count; i++)
        if (strcmp(program->steps[i].name, name) == 0)
            return &program->steps[i];
    fail_msg("there is no step '%s'", name);
    return NULL;
}

static struct program *make(i3d_model *model, bool fold)
{
    struct program *program;
    i3d_export_options options = small_options();
    options.fold_bn = fold;
    assert_ok(program_create(model, &options, &program));
    return program;
}

static void each_step_reads_what_is_there_and_has_a_name_of_its_own(void **state)
{
    (void)state;
    i3d_model *model = small_model(3, I3D_HEAD_AVG);
    struct program *program = make(model, false);
    assert_int_equal(program->steps[0].kind, STEP_DATA);
    assert_string_equal(program->steps[0].name, "data");
    assert_string_equal(program->steps[program->count - 1].name, "logits");
    for (int i = 1; i < program->count; i++) {
        const struct instruction *step = &program->steps[i];
        assert_true(step->input_count > 0);
        for (int k = 0; k < step->input_count; k++)
            assert_in_range(step->inputs[k], 0, i - 1);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(step->name, program->steps[k].name);
    }
    program_free(program);
    i3d_model_free(model);
}

static void the_branches_of_a_block_are_put_together_in_their_order(void **state)
{
    (void)state;
    static const char *const branches[4] = { "Mixed_3b_b0", "Mixed_3b_b1b", "Mixed_3b_b2b",
                                             "Mixed_3b_b3b" };
    i3d_model *model = small_model(3, I3D_HEAD_AVG);
    struct program *program = make(model, false);
    const struct instruction *block = find(program, "Mixed_3b");
    int channels = 0;
    assert_int_equal(block->kind, STEP_CONCAT);
    assert_int_equal(block->input_count, 4);
    for (int i = 0; i < 4; i++) {
        const struct instruction *branch = &program->steps[block->inputs[i]];
        assert_string_equal(branch->name, branches[i]);
        channels += branch->channels;
    }
    assert_int_equal(channels, 3 + 5 + 4 + 6);
    assert_int_equal(block->channels, channels);
    program_free(program);
    i3d_model_free(model);
}

static void windows_give_the_sizes_they_claim(void **state)
{
    (void)state;
    i3d_model *model = small_model(2, I3D_HEAD_AVG);
    struct program *program = make(model, true);
    for (int i = 1; i < program->count; i++) {
        const struct instruction *step = &program->steps[i],
                                 *from = &program->steps[step->inputs[0]];
        if (step->kind != STEP_CONV && step->kind != STEP_MAX_POOL && step->kind != STEP_AVG_POOL)
            continue;
        for (int d = 0; d < 3; d++) {
            int padded = from->size[d] + step->front[d] + step->back[d];
            assert_int_equal(step->size[d], (padded - step->kernel[d]) / step->stride[d] + 1);
        }
    }
    program_free(program);
    i3d_model_free(model);
}

static void kept_batch_norms_are_the_models_own_parameters(void **state)
{
    (void)state;
    i3d_model *model = small_model(3, I3D_HEAD_MAX);
    struct program *program = make(model, false);
    size_t p = 0;
    for (int i = 0; i < program->count; i++)
        for (int c = 0; c < program->steps[i].constant_count; c++, p++) {
            const struct constant *constant = &program->steps[i].constants[c];
            assert_string_equal(constant->name, small_name(&model->params[p]));
            assert_ptr_equal(constant->data, model->data + model->params[p].offset);
        }
    assert_int_equal(p, i3d_model_param_count(model));
    program_free(program);
    i3d_model_free(model);
}

/* A channel's response to a constant before and after folding. */
static void a_folded_convolution_is_the_convolution_and_its_norm(void **state)
{
    (void)state;
    i3d_model *model = small_model(3, I3D_HEAD_AVG);
    struct program *kept = make(model, false), *folded = make(model, true);
    const struct instruction *conv = find(kept, "Mixed_3b_b1b.conv"),
                             *norm = find(kept, "Mixed_3b_b1b.bn");
    const struct instruction *both = find(folded, "Mixed_3b_b1b.conv");
    assert_int_equal(both->constant_count, 2);
    assert_string_equal(both->constants[0].name, "Mixed_3b_b1b.conv3d.weight");
    assert_string_equal(both->constants[1].name, "Mixed_3b_b1b.conv3d.bias");
    size_t fan = conv->constants[0].count / (size_t)conv->channels;
    for (size_t c = 0; c < (size_t)conv->channels; c++) {
        double before = 0, after = both->constants[1].data[c];
        for (size_t i = 0; i < fan; i++) {
            double x = sin((double)i);
            before += conv->constants[0].data[c * fan + i] * x;
            after += both->constants[0].data[c * fan + i] * x;
        }
        before = (before - norm->constants[2].data[c]) * norm->constants[0].data[c] /
                     sqrt(norm->constants[3].data[c] + 1e-3) +
                 norm->constants[1].data[c];
        assert_true(fabs(after - before) < 1e-5);
    }
    program_free(kept);
    program_free(folded);
    i3d_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_reads_what_is_there_and_has_a_name_of_its_own),
        cmocka_unit_test(the_branches_of_a_block_are_put_together_in_their_order),
        cmocka_unit_test(windows_give_the_sizes_they_claim),
        cmocka_unit_test(kept_batch_norms_are_the_models_own_parameters),
        cmocka_unit_test(a_folded_convolution_is_the_convolution_and_its_norm),
    };
    return cmocka_run_group_tests_name("the network as plain operators", tests, NULL, NULL);
}
