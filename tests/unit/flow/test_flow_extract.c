/* Folders of flow from folders of frames and from videos. */
#include "test.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"
#include "flow/flow_extract.h"

#include <i3d/video.h>

#include <malloc.h>
#include <math.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { W = 64, H = 48, FRAMES = 19 };

static char frames[128], target[128], other[128];

static int enter_folder(void **state)
{
    (void)state;
    const char *folder = test_folder();
    snprintf(frames, sizeof frames, "%s/frames", folder);
    snprintf(target, sizeof target, "%s/target", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    return 0;
}

static int leave_folder(void **state)
{
    (void)state;
    frames[strlen(frames) - strlen("/frames")] = '\0';
    return folder_remove(frames) == I3D_OK ? 0 : -1;
}

/* A texture that moves a pixel to the right and half a pixel up a frame. */
static void draw(int number, int width, int height, int channels, uint8_t *out)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double a = x - number, b = y + .5 * number;
            double value = 128 + 60 * sin(.31 * a + .2 * b) + 50 * sin(.17 * a - .4 * b + 1);
            for (int c = 0; c < channels; c++)
                *out++ = (uint8_t)value;
        }
}

static void write_frame(const char *video, int number, int width, int height)
{
    char *path;
    i3d_image image = { 0 };
    assert_ok(i3d_image_resize_storage(&image, width, height, 3));
    draw(number, width, height, 3, image.pixels);
    assert_ok(memory_format(&path, "%s/%s", frames, video));
    assert_ok(folder_make(path));
    memory_free(path);
    assert_ok(memory_format(&path, "%s/%s/image_%05d.jpg", frames, video, number));
    assert_ok(i3d_image_write(path, &image, 95));
    memory_free(path);
    i3d_image_clear(&image);
}

static void write_frames(const char *video, int count)
{
    for (int i = 1; i <= count; i++)
        write_frame(video, i, W, H);
}

static struct flow_extract request_for(const char *source, bool videos, int jobs)
{
    struct flow_extract request = {
        .source = source, .videos = videos, .writer = flow_writer_defaults(), .jobs = jobs
    };
    request.writer.flow.warps = 2;
    return request;
}

static void assert_text(const char *folder, const char *name, const char *expected)
{
    char path[300];
    uint8_t *data;
    size_t bytes;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(file_read(path, &data, &bytes));
    if (!strstr((const char *)data, expected))
        fail_msg("'%s' is not in '%s': %s", expected, path, (const char *)data);
    memory_free(data);
}

/* Mean of the middle of a flow picture. */
static double mean_byte(const char *folder, const char *name)
{
    char path[300];
    i3d_image image = { 0 };
    double sum = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(i3d_image_read(path, 1, &image));
    assert_int_equal(image.width, W);
    assert_int_equal(image.height, H);
    for (int y = 8; y < H - 8; y++)
        for (int x = 8; x < W - 8; x++)
            sum += image.pixels[y * W + x];
    i3d_image_clear(&image);
    return sum / ((W - 16) * (H - 16));
}

static void frames_become_as_many_flows(void **state)
{
    (void)state;
    write_frames("a class/v (1) & 'x'.y", FRAMES);
    struct flow_extract request = request_for(frames, false, 1);
    struct flow_extracted result;
    assert_ok(flow_extract(&request, target, &result));
    assert_int_equal(result.videos, 1);
    assert_int_equal(result.failed, 0);
    assert_int_equal(result.frames, FRAMES);
    assert_text(target, "a class/v (1) & 'x'.y/n_frames", "19");
    char folder[256];
    snprintf(folder, sizeof folder, "%s/a class/v (1) & 'x'.y", target);
    assert_float_equal(mean_byte(folder, "image_00001x.jpg"), 128, 1e-9);
    assert_float_equal(mean_byte(folder, "image_00001y.jpg"), 128, 1e-9);
    for (int i = 2; i <= FRAMES; i++) {
        char name[32];
        snprintf(name, sizeof name, "image_%05dx.jpg", i);
        assert_float_equal(mean_byte(folder, name), 127.5 + 1 * 255 / 40.0, 1);
        snprintf(name, sizeof name, "image_%05dy.jpg", i);
        assert_float_equal(mean_byte(folder, name), 127.5 - .5 * 255 / 40.0, 1);
    }
    assert_ok(flow_extract(&request, target, &result));
    assert_int_equal(result.finished_before, 1);
    assert_int_equal(result.frames, 0);
}

static void any_number_of_threads_gives_the_same_files(void **state)
{
    (void)state;
    write_frames("a/v", FRAMES);
    struct flow_extract request = request_for(frames, false, 1);
    struct flow_extracted result;
    assert_ok(flow_extract(&request, target, &result));
    request.jobs = 3;
    assert_ok(flow_extract(&request, other, &result));
    assert_int_equal(result.frames, FRAMES);
    for (int i = 1; i <= FRAMES; i++)
        for (int axis = 0; axis < 2; axis++) {
            char path[300];
            uint8_t *data[2];
            size_t bytes[2];
            for (int k = 0; k < 2; k++) {
                snprintf(path, sizeof path, "%s/a/v/image_%05d%c.jpg", k ? other : target, i,
                         axis ? 'y' : 'x');
                assert_ok(file_read(path, &data[k], &bytes[k]));
            }
            assert_int_equal(bytes[0], bytes[1]);
            assert_memory_equal(data[0], data[1], bytes[0]);
            memory_free(data[0]);
            memory_free(data[1]);
        }
}

static void a_frame_of_another_size_is_scaled_to_the_first(void **state)
{
    (void)state;
    write_frames("a/v", 3);
    write_frame("a/v", 4, 2 * W, H / 2);
    struct flow_extract request = request_for(frames, false, 1);
    struct flow_extracted result;
    char folder[256];
    assert_ok(flow_extract(&request, target, &result));
    assert_int_equal(result.failed, 0);
    snprintf(folder, sizeof folder, "%s/a/v", target);
    mean_byte(folder, "image_00004x.jpg");
}

static void one_bad_video_stops_no_other(void **state)
{
    (void)state;
    char path[300];
    write_frames("a/empty", 0);
    write_frames("a/good", 2);
    write_frames("b/gap", 3);
    write_frames("b/torn", 2);
    snprintf(path, sizeof path, "%s/b/gap/image_00002.jpg", frames);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/b/torn/image_00002.jpg", frames);
    assert_ok(file_write(path, "\xff\xd8\xff", 3));
    snprintf(path, sizeof path, "%s/a/empty", frames);
    assert_ok(folder_make(path));

    struct flow_extract request = request_for(frames, false, 2);
    struct flow_extracted result;
    assert_ok(flow_extract(&request, target, &result));
    assert_int_equal(result.videos, 4);
    assert_int_equal(result.failed, 3);
    assert_text(target, "failures.csv", "image_00002.jpg is missing");
    assert_text(target, "failures.csv", "holds no frames");
    assert_text(target, "failures.csv", "torn/image_00002.jpg");
    assert_text(target, "a/good/n_frames", "2");
    struct names names;
    snprintf(path, sizeof path, "%s/b", target);
    assert_ok(folder_list(path, &names));
    assert_int_equal(names.count, 0);
    names_clear(&names);
}

static void nothing_to_do_says_where_it_looked(void **state)
{
    (void)state;
    struct flow_extract request = request_for(frames, false, 1);
    struct flow_extracted result;
    assert_fails(flow_extract(&request, target, &result), I3D_EIO, frames);
    assert_ok(folder_make(frames));
    assert_fails(flow_extract(&request, target, &result), I3D_EINVAL, "--from-videos");
    assert_false(file_exists(target));
}

static void an_interrupt_leaves_no_folder(void **state)
{
    (void)state;
    char path[300];
    write_frames("a/v", 3);
    struct flow_extract request = request_for(frames, false, 1);
    struct flow_extracted result;
    i3d_interrupt();
    assert_int_equal(flow_extract(&request, target, &result), I3D_EINTERRUPTED);
    interrupt_clear();
    snprintf(path, sizeof path, "%s/a/v", target);
    assert_false(file_exists(path));
    assert_ok(flow_extract(&request, target, &result));
    assert_int_equal(result.frames, 3);
}

/* Writes root/a/v.w.mp4; skips the test without FFmpeg. */
static void write_video(const char *root, int width, int height, int count)
{
    char path[300];
    i3d_video_writer *writer;
    i3d_image image = { 0 };
    snprintf(path, sizeof path, "%s/a", root);
    assert_ok(folder_make(path));
    snprintf(path, sizeof path, "%s/a/v.w.mp4", root);
    i3d_status status = i3d_video_writer_open(path, width, height, 25, &writer);
    if (status == I3D_EUNSUPPORTED) {
        print_message("skipped: %s\n", i3d_error());
        skip();
    }
    assert_ok(status);
    assert_ok(i3d_image_resize_storage(&image, width, height, 3));
    for (int i = 1; i <= count; i++) {
        draw(i, width, height, 3, image.pixels);
        assert_ok(i3d_video_writer_add(writer, &image));
    }
    assert_ok(i3d_video_writer_finish(writer));
    i3d_video_writer_close(writer);
    i3d_image_clear(&image);
}

static void a_video_gives_a_flow_for_each_frame(void **state)
{
    (void)state;
    char path[300];
    write_video(frames, W, H, FRAMES);
    struct flow_extract request = request_for(frames, true, 0);
    struct flow_extracted result;
    assert_ok(flow_extract(&request, target, &result));
    assert_int_equal(result.failed, 0);
    assert_int_equal(result.frames, FRAMES);
    snprintf(path, sizeof path, "%s/a/v.w", target);
    assert_float_equal(mean_byte(path, "image_00010x.jpg"), 127.5 + 1 * 255 / 40.0, 2);
    assert_float_equal(mean_byte(path, "image_00010y.jpg"), 127.5 - .5 * 255 / 40.0, 2);
}

/* The most memory, in kB, that a process held which made the flow of a video of `count` frames. */
static long peak_of(int count, enum store_form form)
{
    char root[160], out[160];
    snprintf(root, sizeof root, "%s/%d.%d", frames, count, (int)form);
    snprintf(out, sizeof out, "%s.out", root);
    write_video(root, 2 * W, 2 * H, count);
    malloc_trim(0); /* what the video's writer has left behind is not the child's */
    pid_t child = fork();
    if (child == 0) {
        struct flow_extract request = request_for(root, true, 1);
        struct flow_extracted result;
        request.writer.store.form = form;
        i3d_status status = i3d_flow_preset("turbo", &request.writer.flow);
        if (status == I3D_OK)
            status = flow_extract(&request, out, &result);
        _exit(status == I3D_OK && result.frames == count ? 0 : 1);
    }
    int status;
    struct rusage usage;
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return usage.ru_maxrss;
}

/* 384 frames more are 4.7 MB of grey and 56 MB of flow, if they were kept. */
static void memory_does_not_grow_with_the_length_of_a_video(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    print_message("skipped: the sanitizer keeps freed memory\n");
    skip();
#endif
    static const enum store_form forms[] = { STORE_JPG, STORE_MJPEG };
    for (int i = 0; i < 2; i++) {
        long few = peak_of(16, forms[i]), many = peak_of(400, forms[i]);
        print_message("16 frames: %ld kB, 400 frames: %ld kB\n", few, many);
        assert_true(many < few + 2048);
    }
}

/* As many videos as HMDB51 has, all but one of them finished: looking takes seconds at most, also
 * on a slow machine. */
static void thousands_of_finished_videos_are_passed_over_quickly(void **state)
{
    (void)state;
    enum { CLASSES = 51, EACH = 135, COUNT = CLASSES * EACH };
    char path[300];
    for (int i = 0; i < COUNT; i++) {
        snprintf(path, sizeof path, "%s/%02d", frames, i / EACH);
        if (i % EACH == 0)
            assert_ok(folder_make(path));
        snprintf(path, sizeof path, "%s/%02d/v_%05d.avi", frames, i / EACH, i);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fclose(file);
        snprintf(path, sizeof path, "%s/%02d/v_%05d", target, i / EACH, i);
        if (i != 77)
            assert_ok(folder_make(path));
    }
    struct flow_extract request = request_for(frames, true, 2);
    struct flow_extracted result;
    clock_t start = clock();
    assert_ok(flow_extract(&request, target, &result));
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    print_message("%d videos looked at in %.3f s\n", COUNT, seconds);
    assert_int_equal(result.finished_before, COUNT - 1);
    assert_int_equal(result.failed, 1); /* an empty file is no video */
    assert_true(seconds < 5);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(frames_become_as_many_flows),
        in_folder(any_number_of_threads_gives_the_same_files),
        in_folder(a_frame_of_another_size_is_scaled_to_the_first),
        in_folder(one_bad_video_stops_no_other),
        in_folder(nothing_to_do_says_where_it_looked),
        in_folder(an_interrupt_leaves_no_folder),
        in_folder(a_video_gives_a_flow_for_each_frame),
        in_folder(memory_does_not_grow_with_the_length_of_a_video),
        in_folder(thousands_of_finished_videos_are_passed_over_quickly),
    };
    return cmocka_run_group_tests_name("flow_extract", tests, NULL, NULL);
}
