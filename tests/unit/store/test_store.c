/* Stores of frames and flow: folders of JPEGs and files. */
#include "test.h"

#include "base/memory.h"
#include "base/random.h"
#include "store/pack.h"
#include "store/store.h"

#include <i3d/video.h>

enum { WIDTH = 45, HEIGHT = 33, FRAMES = 30 };

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", test_folder());
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return folder_remove(folder) == I3D_OK ? 0 : -1;
}

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static i3d_status draw(i3d_image *image, int channels, int number)
{
    struct random random = random_for(5, RANDOM_TRIAL, (uint64_t)number, (uint64_t)channels);
    i3d_status status = i3d_image_resize_storage(image, WIDTH, HEIGHT, channels);
    if (status != I3D_OK)
        return status;
    for (int i = 0; i < WIDTH * HEIGHT * channels; i++)
        image->pixels[i] = (uint8_t)(number * 5 + i / 7 % 90 + (int)random_below(&random, 9));
    return I3D_OK;
}

/* Each picture of each plane differs. */
static i3d_status write_store(const char *path, enum store_form form, int planes)
{
    struct store_options options = { .form = form, .quality = 90, .planes = planes, .bound = 20 };
    struct store_coder coders[2] = { { { 0 }, NULL }, { { 0 }, NULL } };
    struct store_writer writer = { 0 };
    struct coded pictures[2];
    i3d_image image = { 0 };
    i3d_status status = store_begin(path, &options, &writer);
    for (int frame = 0; frame < FRAMES && status == I3D_OK; frame++) {
        for (int plane = 0; plane < planes && status == I3D_OK; plane++) {
            status = draw(&image, planes == 1 ? 3 : 1, 2 * frame + plane);
            if (status == I3D_OK)
                status = store_code(&coders[plane], &options, &image, &pictures[plane]);
        }
        if (status == I3D_OK)
            status = store_put(&writer, WIDTH, HEIGHT, pictures);
    }
    if (status == I3D_OK) {
        assert_false(file_exists(path));
        status = store_commit(&writer);
    }
    store_discard(&writer);
    store_coder_clear(&coders[0]);
    store_coder_clear(&coders[1]);
    i3d_image_clear(&image);
    return status;
}

static void need_ffmpeg(void)
{
    if (i3d_video_library())
        return;
    print_message("skipped: built without FFmpeg\n");
    skip();
}

static void assert_same(const i3d_image *a, const i3d_image *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->channels, b->channels);
    assert_memory_equal(a->pixels, b->pixels, (size_t)(a->width * a->height * a->channels));
}

static void open_store(struct store_reader *reader, const char *path, int planes)
{
    long frames;
    assert_ok(store_count(path, &frames));
    assert_int_equal(frames, FRAMES);
    assert_ok(store_open(reader, path, frames, planes));
}

/* In order, then from place to place. */
static long place(int step)
{
    return step < FRAMES ? step : (step * 17L) % FRAMES;
}

static void a_file_holds_the_jpegs_of_the_folder(void **state)
{
    (void)state;
    need_ffmpeg();
    for (int planes = 1; planes <= 2; planes++) {
        char file[80], jpgs[80];
        struct store_reader a = { 0 }, b = { 0 };
        const i3d_image *from_jpgs, *from_file;
        snprintf(file, sizeof file, "%s/%d.mkv", folder, planes);
        snprintf(jpgs, sizeof jpgs, "%s/%d", folder, planes);
        assert_ok(write_store(file, STORE_MJPEG, planes));
        assert_ok(write_store(jpgs, STORE_JPG, planes));
        open_store(&a, jpgs, planes);
        open_store(&b, file, planes);
        for (int step = 0; step < 3 * FRAMES; step++)
            for (int plane = 0; plane < planes; plane++) {
                assert_ok(store_read(&a, place(step), plane, &from_jpgs));
                assert_ok(store_read(&b, place(step), plane, &from_file));
                assert_same(from_jpgs, from_file);
            }
        store_close(&a);
        store_close(&b);
    }
}

static void ffv1_gives_back_the_pixels(void **state)
{
    (void)state;
    need_ffmpeg();
    for (int planes = 1; planes <= 2; planes++) {
        struct store_reader reader = { 0 };
        const i3d_image *stored;
        i3d_image image = { 0 };
        const char *path = in_folder(planes == 1 ? "rgb.mkv" : "flow.mkv");
        assert_ok(write_store(path, STORE_FFV1, planes));
        open_store(&reader, path, planes);
        for (int step = 0; step < 3 * FRAMES; step++)
            for (int plane = 0; plane < planes; plane++) {
                long frame = place(step);
                assert_ok(draw(&image, planes == 1 ? 3 : 1, 2 * (int)frame + plane));
                assert_ok(store_read(&reader, frame, plane, &stored));
                assert_same(&image, stored);
            }
        store_close(&reader);
        i3d_image_clear(&image);
    }
}

static void the_same_pictures_make_the_same_file(void **state)
{
    (void)state;
    need_ffmpeg();
    for (enum store_form form = STORE_MJPEG; form <= STORE_FFV1; form++) {
        uint8_t *data[2];
        size_t bytes[2];
        for (int i = 0; i < 2; i++) {
            assert_ok(write_store(in_folder("a.mkv"), form, 2));
            assert_ok(file_read(in_folder("a.mkv"), &data[i], &bytes[i]));
            assert_ok(folder_remove(in_folder("a.mkv")));
        }
        assert_int_equal(bytes[0], bytes[1]);
        assert_memory_equal(data[0], data[1], bytes[0]);
        memory_free(data[0]);
        memory_free(data[1]);
    }
}

static void a_store_that_is_thrown_away_leaves_nothing(void **state)
{
    (void)state;
    struct names names;
    for (enum store_form form = STORE_JPG; form <= STORE_FFV1; form++) {
        struct store_options options = { .form = form, .quality = 90, .planes = 1 };
        struct store_writer writer;
        i3d_image image = { 0 };
        if (form != STORE_JPG)
            need_ffmpeg();
        assert_ok(draw(&image, 3, 1));
        assert_ok(store_begin(in_folder("v.mkv"), &options, &writer));
        assert_ok(store_add(&writer, &image));
        store_discard(&writer);
        assert_ok(store_begin(in_folder("v.mkv"), &options, &writer));
        assert_fails(store_commit(&writer), I3D_EFORMAT, "no frame");
        assert_ok(folder_list(folder, &names));
        assert_int_equal(names.count, 0);
        names_clear(&names);
        i3d_image_clear(&image);
    }
}

/* Cut or changed anywhere, a file gives pictures or a sentence that names it. */
static void a_damaged_file_is_told(void **state)
{
    (void)state;
    uint8_t *data;
    size_t bytes, refused = 0;
    need_ffmpeg();
    for (enum store_form form = STORE_MJPEG; form <= STORE_FFV1; form++) {
        char path[80];
        snprintf(path, sizeof path, "%s/%d.mkv", folder, form);
        assert_ok(write_store(path, form, 2));
        assert_ok(file_read(path, &data, &bytes));
        for (int i = 0; i < 60; i++) {
            struct random random = random_for(7, RANDOM_TRIAL, (uint64_t)i, (uint64_t)form);
            struct store_reader reader = { 0 };
            const i3d_image *image;
            size_t where = random_below(&random, i % 2 ? bytes : bytes / 2);
            uint8_t kept = data[where];
            data[where] = (uint8_t)~kept;
            assert_ok(file_write(path, data, i % 2 ? bytes : where));
            data[where] = kept;
            i3d_status status = store_open(&reader, path, 0, 2);
            for (long frame = 0; status == I3D_OK && frame < FRAMES; frame++)
                for (int plane = 0; status == I3D_OK && plane < 2; plane++)
                    status = store_read(&reader, frame, plane, &image);
            if (status != I3D_OK) {
                refused++;
                assert_non_null(strstr(i3d_error(), ".mkv"));
            } else {
                assert_true(i % 2); /* what was cut off is missed */
            }
            store_close(&reader);
        }
        memory_free(data);
    }
    assert_true(refused > 60);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    struct store_reader reader = { 0 };
    i3d_video_writer *video;
    i3d_image image = { 0 };
    long frames;
    need_ffmpeg();
    assert_fails(store_count(in_folder("none.mkv"), &frames), I3D_EIO, "none.mkv");
    assert_ok(file_write(in_folder("text.mkv"), "text", 4));
    assert_fails(store_count(in_folder("text.mkv"), &frames), I3D_EFORMAT, "text.mkv");
    assert_ok(draw(&image, 3, 1));
    assert_ok(i3d_video_writer_open(in_folder("video.mkv"), WIDTH, HEIGHT, 25, &video));
    assert_ok(i3d_video_writer_add(video, &image));
    assert_ok(i3d_video_writer_finish(video));
    i3d_video_writer_close(video);
    assert_fails(store_count(in_folder("video.mkv"), &frames), I3D_EFORMAT, "I3D_STORE");
    assert_ok(write_store(in_folder("flow.mkv"), STORE_MJPEG, 2));
    assert_fails(store_open(&reader, in_folder("flow.mkv"), FRAMES, 1), I3D_EFORMAT,
                 "a store of flow, not of frames");
    store_close(&reader);
    i3d_image_clear(&image);
}

static void memory_that_runs_out_anywhere_is_a_status(void **state)
{
    (void)state;
    need_ffmpeg();
    for (enum store_form form = STORE_JPG; form <= STORE_FFV1; form++) {
        i3d_status status = I3D_ENOMEM;
        for (long n = 1; status != I3D_OK; n++) {
            memory_fail_at(n);
            status = write_store(in_folder("v.mkv"), form, 2);
            memory_fail_at(0);
            assert_true(status == I3D_OK || status == I3D_ENOMEM);
            assert_true(file_exists(in_folder("v.mkv")) == (status == I3D_OK));
        }
        status = I3D_ENOMEM;
        for (long n = 1; status != I3D_OK; n++) {
            struct store_reader reader = { 0 };
            const i3d_image *image;
            memory_fail_at(n);
            status = store_open(&reader, in_folder("v.mkv"), FRAMES, 2);
            if (status == I3D_OK)
                status = store_read(&reader, 3, 1, &image);
            memory_fail_at(0);
            assert_true(status == I3D_OK || status == I3D_ENOMEM);
            store_close(&reader);
        }
        assert_ok(folder_remove(in_folder("v.mkv")));
    }
}

#define test(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_file_holds_the_jpegs_of_the_folder),
        test(ffv1_gives_back_the_pixels),
        test(the_same_pictures_make_the_same_file),
        test(a_store_that_is_thrown_away_leaves_nothing),
        test(a_damaged_file_is_told),
        test(other_files_are_refused),
        test(memory_that_runs_out_anywhere_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
