/* Reading what other programs wrote (tests/golden/checkpoint/make.py), and writing. */
#include "test.h"

#include <i3d/checkpoint.h>

#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "checkpoint/format.h"
#include "checkpoint/tensorflow.h"

/* Element i of every tensor is i - 2, of a bool whether i is odd.
 */
static void assert_counts_up(const i3d_tensor *tensor)
{
    for (size_t i = 0; i < i3d_tensor_count(tensor); i++) {
        double expected = tensor->dtype == I3D_BOOL ? (double)(i % 2) : (double)i - 2;
        assert_float_equal(i3d_tensor_get(tensor, i), expected, 0);
    }
}

static void assert_shape(const i3d_weights *weights, const char *name, i3d_dtype dtype, int rank,
                         int64_t a, int64_t b)
{
    const i3d_tensor *tensor = i3d_weights_find(weights, name);
    assert_non_null(tensor);
    assert_int_equal(tensor->dtype, dtype);
    assert_int_equal(tensor->rank, rank);
    if (rank > 0)
        assert_int_equal(tensor->shape[0], a);
    if (rank > 1)
        assert_int_equal(tensor->shape[1], b);
}

static void read_golden(const char *name, i3d_weights *out)
{
    char path[256];
    snprintf(path, sizeof path, I3D_GOLDEN "/checkpoint/%s", name);
    assert_ok(i3d_weights_read(path, out));
}

static void assert_five(const i3d_weights *weights)
{
    assert_shape(weights, "conv.weight", I3D_F32, 4, 2, 3);
    assert_shape(weights, "conv.bias", I3D_F64, 1, 3, 0);
    assert_shape(weights, "norm.count", I3D_I64, 0, 0, 0);
    assert_shape(weights, "half", I3D_F16, 1, 4, 0);
    assert_shape(weights, "flags", I3D_BOOL, 2, 2, 2);
    for (size_t i = 0; i < weights->count; i++)
        assert_counts_up(&weights->tensors[i]);
}

static const char *const same_five[] = {
    "mindspore.ckpt", "mindspore_crc.ckpt", "torch_zip.pt", "torch_legacy.pt",  "numpy.safetensors",
    "stored.npz",     "deflated.npz",       "zip64.npz",    "tensorflow.index", "tensorflow.tf1",
};

static void every_format_gives_the_same_tensors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof same_five / sizeof same_five[0]; i++) {
        i3d_weights weights;
        read_golden(same_five[i], &weights);
        assert_int_equal(weights.count, 5);
        assert_five(&weights);
        i3d_weights_clear(&weights);
    }
}

static void a_tensor_split_into_several_values_is_put_together(void **state)
{
    (void)state;
    i3d_weights weights;
    read_golden("mindspore_split.ckpt", &weights);
    assert_int_equal(weights.count, 6);
    assert_five(&weights);
    assert_shape(&weights, "large", I3D_F32, 2, 20, 30);
    i3d_weights_clear(&weights);
}

static void the_weights_of_a_graph_are_found(void **state)
{
    (void)state;
    i3d_weights weights;
    read_golden("onnx.onnx", &weights);
    assert_string_equal(weights.format, "ONNX model");
    assert_int_equal(weights.count, 6);
    assert_five(&weights);
    assert_shape(&weights, "floats", I3D_F32, 2, 2, 2); /* as numbers instead of raw bytes */
    i3d_weights_clear(&weights);
    read_golden("mindspore.mindir", &weights);
    assert_string_equal(weights.format, "MINDIR model");
    assert_int_equal(weights.count, 1);
    assert_shape(&weights, "large", I3D_F32, 2, 2, 3); /* without the graph's name */
    assert_counts_up(&weights.tensors[0]);
    i3d_weights_clear(&weights);
}

/* Fields 1 (the version) and 14 (a note) of an ONNX model. */
static i3d_status read_note(const char *key, const char *text, i3d_weights *out)
{
    uint8_t file[128] = { 1 << 3, 8, 14 << 3 | 2 };
    size_t keys = strlen(key), texts = strlen(text), at = 3;
    file[at++] = (uint8_t)(4 + keys + texts);
    file[at++] = 1 << 3 | 2;
    file[at++] = (uint8_t)keys;
    memcpy(file + at, key, keys);
    at += keys;
    file[at++] = 2 << 3 | 2;
    file[at++] = (uint8_t)texts;
    memcpy(file + at, text, texts);
    return weights_parse(&(struct source){ "note", { file, at + texts } }, out);
}

static void the_notes_of_a_graph_are_numbers(void **state)
{
    (void)state;
    i3d_weights weights;
    assert_ok(read_note("i3d.head", "max", &weights));
    assert_true(i3d_tensor_get(i3d_weights_find(&weights, "i3d.head"), 0) == 1);
    i3d_weights_clear(&weights);
    assert_ok(read_note("i3d.channels", "x,y", &weights));
    assert_int_equal(weights.count, 0);
    assert_ok(read_note("somebody.else", "min", &weights));
    assert_int_equal(weights.count, 0);
    assert_fails(read_note("i3d.head", "min", &weights), I3D_EFORMAT, "i3d.head = 'min'");
    assert_fails(read_note("i3d.channels", "1", &weights), I3D_EFORMAT, "means nothing");
    assert_fails(read_note("i3d.frames", "64 or so", &weights), I3D_EFORMAT, "i3d.frames");
    assert_fails(read_note("i3d.height", "", &weights), I3D_EFORMAT, "i3d.height");
}

/* PyTorch calls them onnx::Conv_11 and _12; the node that reads them is /unit/conv3d/Conv. */
static void weights_that_lost_their_names_get_those_of_their_node(void **state)
{
    (void)state;
    i3d_weights weights;
    read_golden("torch_folded.onnx", &weights);
    assert_int_equal(weights.count, 2);
    assert_shape(&weights, "unit.conv3d.weight", I3D_F32, 5, 3, 2);
    assert_shape(&weights, "unit.conv3d.bias", I3D_F32, 1, 3, 0);
    i3d_weights_clear(&weights);
}

static void views_are_brought_into_order(void **state)
{
    (void)state;
    i3d_weights weights;
    read_golden("torch_views.pt", &weights);
    const i3d_tensor *whole = i3d_weights_find(&weights, "same");
    const i3d_tensor *turned = i3d_weights_find(&weights, "transposed");
    const i3d_tensor *part = i3d_weights_find(&weights, "part");
    assert_shape(&weights, "transposed", I3D_F32, 2, 6, 4);
    assert_shape(&weights, "part", I3D_F32, 2, 2, 3);
    assert_counts_up(whole);
    assert_counts_up(i3d_weights_find(&weights, "parameter"));
    for (size_t y = 0; y < 4; y++)
        for (size_t x = 0; x < 6; x++)
            assert_float_equal(i3d_tensor_get(turned, x * 4 + y), i3d_tensor_get(whole, y * 6 + x),
                               0);
    for (size_t y = 0; y < 2; y++)
        for (size_t x = 0; x < 3; x++)
            assert_float_equal(i3d_tensor_get(part, y * 3 + x),
                               i3d_tensor_get(whole, (y + 1) * 6 + x + 2), 0);
    i3d_weights_clear(&weights);
    read_golden("fortran.npy", &weights);
    assert_counts_up(&weights.tensors[0]);
    i3d_weights_clear(&weights);
}

static void dicts_and_lists_inside_go_on_behind_a_dot(void **state)
{
    (void)state;
    i3d_weights weights;
    read_golden("torch_nested.pt", &weights);
    assert_shape(&weights, "epoch", I3D_I64, 0, 0, 0);
    assert_float_equal(i3d_tensor_get(i3d_weights_find(&weights, "loss"), 0), .5, 0);
    assert_counts_up(i3d_weights_find(&weights, "model.layers.0.w"));
    i3d_weights_clear(&weights);
}

static void a_pickled_class_is_refused_by_its_name(void **state)
{
    (void)state;
    i3d_weights weights;
    assert_fails(i3d_weights_read(I3D_GOLDEN "/checkpoint/torch_module.pt", &weights), I3D_EFORMAT,
                 "torch.nn.modules.linear.Linear");
    assert_int_equal(weights.count, 0);
}

static void assert_same_weights(const i3d_weights *a, const i3d_weights *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const i3d_tensor *left = &a->tensors[i];
        const i3d_tensor *right = i3d_weights_find(b, left->name);
        assert_non_null(right);
        assert_int_equal(left->dtype, right->dtype);
        assert_int_equal(left->rank, right->rank);
        assert_memory_equal(left->shape, right->shape, sizeof left->shape);
        assert_memory_equal(left->data, right->data, tensor_bytes(left));
    }
}

static void assert_same_files(const char *a, const char *b)
{
    uint8_t *left, *right;
    size_t left_count, right_count;
    assert_ok(file_read(a, &left, &left_count));
    assert_ok(file_read(b, &right, &right_count));
    assert_int_equal(left_count, right_count);
    assert_memory_equal(left, right, left_count);
    memory_free(left);
    memory_free(right);
}

static void what_is_written_is_read_again_and_written_the_same(void **state)
{
    (void)state;
    static const char *const extensions[] = { "ckpt", "pt", "safetensors", "npz" };
    char first[128], second[128];
    const char *folder = test_folder();
    i3d_weights weights, again;
    read_golden("mindspore_split.ckpt", &weights);
    for (int i = 0; i < 4; i++) {
        snprintf(first, sizeof first, "%s/first.%s", folder, extensions[i]);
        snprintf(second, sizeof second, "%s/second.%s", folder, extensions[i]);
        assert_ok(i3d_weights_write(first, &weights));
        assert_ok(i3d_weights_read(first, &again));
        assert_same_weights(&weights, &again);
        assert_ok(i3d_weights_write(second, &again));
        assert_same_files(first, second);
        i3d_weights_clear(&again);
    }
    i3d_weights_clear(&weights);
}

static void a_file_of_mindspore_comes_out_byte_for_byte(void **state)
{
    (void)state;
    static const char path[] = I3D_SHARED_DATA "/formats/mindspore/checkpoint_lenet-1_1875.ckpt";
    char again[128];
    i3d_weights weights;
    if (!file_exists(path)) {
        print_message("skipped: %s is not here\n", path);
        skip();
    }
    assert_ok(i3d_weights_read(path, &weights));
    snprintf(again, sizeof again, "%s/again.ckpt", test_folder());
    assert_ok(i3d_weights_write(again, &weights));
    assert_same_files(path, again);
    i3d_weights_clear(&weights);
}

static void names_and_extensions_are_checked_before_writing(void **state)
{
    (void)state;
    char path[128];
    i3d_weights weights = { 0 };
    i3d_tensor *tensor;
    assert_ok(i3d_weights_add(&weights, "twice", I3D_F32, 0, NULL, &tensor));
    assert_fails(i3d_weights_write("/nowhere/a.h5", &weights), I3D_EINVAL, ".safetensors");
    assert_ok(i3d_weights_add(&weights, "twice", I3D_F32, 0, NULL, &tensor));
    snprintf(path, sizeof path, "%s/a.ckpt", test_folder());
    assert_fails(i3d_weights_write(path, &weights), I3D_EFORMAT, "'twice' is there twice");
    assert_false(file_exists(path));
    i3d_weights_clear(&weights);
}

static void assert_refused(const char *folder, const char *name, const void *data, size_t count,
                           const char *words)
{
    char path[256];
    i3d_weights weights;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(file_write(path, data, count));
    assert_fails(i3d_weights_read(path, &weights), I3D_EFORMAT, words);
    assert_non_null(strstr(i3d_error(), path));
    assert_null(weights.tensors);
}

static void what_is_no_file_of_weights_is_refused_with_its_reason(void **state)
{
    (void)state;
    const char *folder = test_folder();
    char path[256];
    i3d_weights weights;
    assert_fails(i3d_weights_read(folder, &weights), I3D_EIO, "it is a folder");
    assert_fails(i3d_weights_read("/nowhere/a.ckpt", &weights), I3D_EIO, "No such file");
    assert_refused(folder, "empty.ckpt", "", 0, "the file is empty");
    assert_refused(folder, "text.ckpt", "hello", 5, "none of these: MindSpore checkpoint");
    assert_refused(folder, "bare.pt", "\x80\x02N.", 4, "not one that torch.save() wrote");
    static const char encrypted[] = "\xd8\x5e\x3a\x7f\x07\x1c";
    snprintf(path, sizeof path, "%s/secret.ckpt", folder);
    assert_ok(file_write(path, encrypted, sizeof encrypted));
    assert_fails(i3d_weights_read(path, &weights), I3D_EUNSUPPORTED, "MindSpore encrypted it");
    /* {"a": F32 of 4 TB}, a Value whose shape is 2^40. */
    assert_refused(folder, "huge.ckpt",
                   "\x0a\x1b\x0a\x01"
                   "a\x12\x16\x08\x80\x80\x80\x80\x80\x20\x12\x07"
                   "Float32\x1a\x04"
                   "abcd",
                   29, "cut off: copy it again");
    static const char twice[] = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                                "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}..";
    char file[256] = { (char)(sizeof twice - 3) };
    memcpy(file + 8, twice, sizeof twice - 1);
    assert_refused(folder, "twice.safetensors", file, 8 + sizeof twice - 1, "duplicate");
}

/* Cutting a file anywhere is an error, but where a MindSpore file's next tensor would begin. */
static void a_file_that_is_cut_off_is_refused(void **state)
{
    (void)state;
    for (size_t f = 0; f < sizeof same_five / sizeof same_five[0]; f++) {
        char path[256];
        uint8_t *data;
        size_t count;
        int accepted = 0;
        i3d_weights weights;
        snprintf(path, sizeof path, I3D_GOLDEN "/checkpoint/%s", same_five[f]);
        assert_ok(file_read(path, &data, &count));
        for (size_t length = 0; length < count; length++)
            if (weights_parse(&(struct source){ path, { data, length } }, &weights) == I3D_OK) {
                accepted++;
                i3d_weights_clear(&weights);
            }
        bool mindspore = strncmp(same_five[f], "mindspore", 9) == 0;
        assert_int_equal(accepted, !mindspore ? 0 : strstr(same_five[f], "crc") ? 5 : 4);
        memory_free(data);
    }
}

static void a_wrong_checksum_is_noticed(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int at; /* a byte of data, from the end if negative */
    } files[] = { { "mindspore_crc.ckpt", -20 }, { "stored.npz", 200 } };
    char path[128];
    const char *folder = test_folder();
    for (int f = 0; f < 2; f++) {
        uint8_t *data;
        size_t count;
        i3d_weights weights;
        snprintf(path, sizeof path, I3D_GOLDEN "/checkpoint/%s", files[f].name);
        assert_ok(file_read(path, &data, &count));
        data[files[f].at < 0 ? count - (size_t)-files[f].at : (size_t)files[f].at] ^= 1;
        snprintf(path, sizeof path, "%s/changed", folder);
        assert_ok(file_write(path, data, count));
        assert_fails(i3d_weights_read(path, &weights), I3D_EFORMAT, "checksum");
        memory_free(data);
    }
}

static void running_out_of_memory_is_an_error_at_every_request(void **state)
{
    (void)state;
    for (size_t f = 0; f < sizeof same_five / sizeof same_five[0]; f++) {
        char path[256];
        i3d_weights weights;
        long n = 0;
        snprintf(path, sizeof path, I3D_GOLDEN "/checkpoint/%s", same_five[f]);
        do {
            assert_null(n ? weights.tensors : NULL); /* the failure before left nothing */
            memory_fail_at(++n);
        } while (i3d_weights_read(path, &weights) != I3D_OK);
        memory_fail_at(0);
        assert_true(n > 10);
        assert_five(&weights);
        i3d_weights_clear(&weights);
    }
}

/* The real index of DeepMind's checkpoint; its data are not to be had. */
static void deepminds_index_tells_every_name_and_place(void **state)
{
    (void)state;
    uint8_t *data;
    size_t count;
    uint64_t bytes = 0;
    struct bundle bundle;
    static const char path[] =
        I3D_SHARED_DATA "/formats/tf/kinetics-i3d/rgb_imagenet/model.ckpt.index";
    if (!file_exists(path)) {
        print_message("skipped: %s is not here\n", path);
        skip();
    }
    assert_ok(file_read(path, &data, &count));
    assert_ok(bundle_parse((struct bytes){ data, count }, &bundle));
    assert_int_equal(bundle.count, 57 * 4 + 2);
    for (size_t i = 0; i < bundle.count; i++) {
        size_t wanted;
        assert_true(shape_bytes(I3D_F32, bundle.entries[i].rank, bundle.entries[i].shape, &wanted));
        assert_int_equal(bundle.entries[i].size, wanted);
        assert_int_equal(bundle.entries[i].offset, bytes); /* one behind the other */
        bytes += wanted;
    }
    const struct bundle_entry *stem = &bundle.entries[3];
    assert_string_equal(stem->name, "RGB/inception_i3d/Conv3d_1a_7x7/conv_3d/w");
    assert_memory_equal(stem->shape, ((int64_t[]){ 7, 7, 7, 3, 64 }), 5 * sizeof(int64_t));
    bundle_clear(&bundle);
    memory_free(data);
}

/* The golden bundle with its data changed: `cut` bytes fewer, byte `at` flipped. */
static void write_bundle(const char *folder, const char *name, size_t cut, size_t at)
{
    static const char *const parts[] = { "index", "data-00000-of-00001" };
    for (int i = 0; i < 2; i++) {
        char path[256];
        uint8_t *data;
        size_t count;
        snprintf(path, sizeof path, I3D_GOLDEN "/checkpoint/tensorflow.%s", parts[i]);
        assert_ok(file_read(path, &data, &count));
        if (i && at < count)
            data[at] ^= 1;
        snprintf(path, sizeof path, "%s/%s.%s", folder, name, i ? parts[i] : "index");
        assert_ok(file_write(path, data, i ? count - cut : count));
        memory_free(data);
    }
}

static void slices_of_a_tensor_are_refused(void **state)
{
    (void)state;
    i3d_weights weights;
    assert_fails(i3d_weights_read(I3D_GOLDEN "/checkpoint/tensorflow_slices.tf1", &weights),
                 I3D_EUNSUPPORTED, "tensor 'half' is saved in slices");
    assert_null(weights.tensors);
}

static void the_data_of_a_bundle_are_checked(void **state)
{
    (void)state;
    char path[256], other[256];
    i3d_weights weights;
    const char *folder = test_folder();
    const size_t none = SIZE_MAX;
    snprintf(path, sizeof path, "%s/a.index", folder);
    write_bundle(folder, "a", 0, none);
    assert_ok(i3d_weights_read(path, &weights));
    i3d_weights_clear(&weights);
    write_bundle(folder, "a", 0, 0);
    assert_fails(i3d_weights_read(path, &weights), I3D_EFORMAT, "the checksum of tensor '");
    write_bundle(folder, "a", 1, none);
    assert_fails(i3d_weights_read(path, &weights), I3D_EFORMAT, "beyond the end of");
    snprintf(other, sizeof other, "%s/a.data-00000-of-00001", folder);
    assert_int_equal(unlink(other), 0);
    assert_fails(i3d_weights_read(path, &weights), I3D_EIO, other);
    snprintf(other, sizeof other, "%s/a.ckpt", folder);
    assert_int_equal(rename(path, other), 0);
    assert_fails(i3d_weights_read(other, &weights), I3D_EFORMAT, "must end with .index");
    assert_null(weights.tensors);
}

/* Every one of DeepMind's checkpoints names a whole I3D. */
static void deepminds_indices_are_whole_networks(void **state)
{
    (void)state;
    static const struct {
        const char *folder;
        int channels, classes;
    } indices[] = { { "rgb_imagenet", 3, 400 },
                    { "rgb_scratch", 3, 400 },
                    { "rgb_scratch_kin600", 3, 600 },
                    { "flow_imagenet", 2, 400 },
                    { "flow_scratch", 2, 400 } };
    for (size_t i = 0; i < sizeof indices / sizeof indices[0]; i++) {
        char path[256];
        uint8_t *data;
        size_t count;
        int channels, classes;
        struct bundle bundle;
        i3d_weights weights = { 0 };
        i3d_match match;
        i3d_model *model;
        i3d_tensor *tensor;
        snprintf(path, sizeof path, I3D_SHARED_DATA "/formats/tf/kinetics-i3d/%s/model.ckpt.index",
                 indices[i].folder);
        if (!file_exists(path)) {
            print_message("skipped: %s is not here\n", path);
            skip();
        }
        assert_ok(file_read(path, &data, &count));
        assert_ok(bundle_parse((struct bytes){ data, count }, &bundle));
        for (size_t e = 0; e < bundle.count; e++)
            assert_ok(i3d_weights_add(&weights, bundle.entries[e].name, I3D_F32,
                                      bundle.entries[e].rank, bundle.entries[e].shape, &tensor));
        assert_string_equal(i3d_weights_dialect(&weights), "TensorFlow (DeepMind)");
        assert_ok(i3d_weights_describe(&weights, &channels, &classes));
        assert_int_equal(channels, indices[i].channels);
        assert_int_equal(classes, indices[i].classes);
        assert_ok(i3d_model_create(
            &(i3d_model_options){ .channels = channels, .classes = classes, .bn_epsilon = 1e-3 },
            &model));
        assert_ok(i3d_model_load(model, &weights, false, &match));
        assert_int_equal(match.extra, 0);
        i3d_match_clear(&match);
        i3d_model_free(model);
        i3d_weights_clear(&weights);
        bundle_clear(&bundle);
        memory_free(data);
    }
}

/* Two trainings of one network, saved by PyTorch and as safetensors. */
static void real_files_of_two_formats_have_the_same_names_and_shapes(void **state)
{
    (void)state;
    i3d_weights torch, safetensors;
    if (!file_exists(I3D_SHARED_DATA "/formats")) {
        print_message("skipped: " I3D_SHARED_DATA "/formats is not here\n");
        skip();
    }
    assert_ok(i3d_weights_read(I3D_SHARED_DATA "/formats/torch-zip/mnist.pt", &torch));
    assert_ok(
        i3d_weights_read(I3D_SHARED_DATA "/formats/safetensors/mnist.safetensors", &safetensors));
    assert_int_equal(torch.count, safetensors.count);
    for (size_t i = 0; i < torch.count; i++) {
        const i3d_tensor *other = i3d_weights_find(&safetensors, torch.tensors[i].name);
        assert_non_null(other);
        assert_int_equal(other->dtype, torch.tensors[i].dtype);
        assert_memory_equal(other->shape, torch.tensors[i].shape, sizeof other->shape);
    }
    i3d_weights_clear(&torch);
    i3d_weights_clear(&safetensors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_gives_the_same_tensors),
        cmocka_unit_test(a_tensor_split_into_several_values_is_put_together),
        cmocka_unit_test(the_weights_of_a_graph_are_found),
        cmocka_unit_test(the_notes_of_a_graph_are_numbers),
        cmocka_unit_test(weights_that_lost_their_names_get_those_of_their_node),
        cmocka_unit_test(views_are_brought_into_order),
        cmocka_unit_test(dicts_and_lists_inside_go_on_behind_a_dot),
        cmocka_unit_test(a_pickled_class_is_refused_by_its_name),
        cmocka_unit_test(what_is_written_is_read_again_and_written_the_same),
        cmocka_unit_test(a_file_of_mindspore_comes_out_byte_for_byte),
        cmocka_unit_test(names_and_extensions_are_checked_before_writing),
        cmocka_unit_test(what_is_no_file_of_weights_is_refused_with_its_reason),
        cmocka_unit_test(a_file_that_is_cut_off_is_refused),
        cmocka_unit_test(a_wrong_checksum_is_noticed),
        cmocka_unit_test(running_out_of_memory_is_an_error_at_every_request),
        cmocka_unit_test(deepminds_index_tells_every_name_and_place),
        cmocka_unit_test(slices_of_a_tensor_are_refused),
        cmocka_unit_test(the_data_of_a_bundle_are_checked),
        cmocka_unit_test(deepminds_indices_are_whole_networks),
        cmocka_unit_test(real_files_of_two_formats_have_the_same_names_and_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
