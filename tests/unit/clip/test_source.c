/* Clips straight from video files are those of the jpgs made from them. */
#include "media.h"

#include <i3d/clip.h>
#include <i3d/video.h>

#include <math.h>

enum { FRAMES = 20, T = 8, SIZE = 32 };

static int make_video(void **state)
{
    i3d_video_writer *writer;
    i3d_image image = { 0 };
    make_root(state);
    assert_ok(folder_make(at("videos/run")));
    i3d_status status = i3d_video_writer_open(at("videos/run/a.b.avi"), 64, 48, 25, &writer);
    if (status == I3D_EUNSUPPORTED)
        return 0;
    assert_ok(status);
    for (int i = 0; i < FRAMES; i++) {
        assert_ok(i3d_image_resize_storage(&image, 64, 48, 3));
        for (int k = 0; k < 64 * 48; k++)
            memset(image.pixels + 3 * k, (k % 64 * 3 + k / 64 + i * 12) % 256, 3);
        assert_ok(i3d_video_writer_add(writer, &image));
    }
    assert_ok(i3d_video_writer_finish(writer));
    i3d_video_writer_close(writer);
    i3d_image_clear(&image);
    put_text(at("a.json"), "{\"labels\": [\"run\"], \"database\": {\"a.b\": {\"subset\": "
                           "\"training\", \"annotations\": {\"label\": \"run\"}}}}");
    return 0;
}

/* As `i3d frames --size 40` would. */
static void put_jpgs_of_the_video(void)
{
    i3d_video *video;
    const i3d_image *frame;
    i3d_status status;
    int frames = 0;
    assert_ok(folder_make(at("jpg/run/a.b")));
    assert_ok(
        i3d_video_open(at("videos/run/a.b.avi"), &(i3d_video_options){ .short_side = 40 }, &video));
    while ((status = i3d_video_next(video, &frame, NULL)) == I3D_OK)
        assert_ok(i3d_image_write(at("jpg/run/a.b/image_%05d.jpg", ++frames), frame, 95));
    assert_int_equal(status, I3D_END);
    assert_int_equal(frames, FRAMES);
    i3d_video_close(video);
    put_frames("jpg/run/a.b", frames);
}

static void load(bool video, int epoch, float *out)
{
    i3d_dataset *dataset;
    i3d_loader *loader;
    const i3d_batch *batch;
    i3d_loader_options options = { .clip = i3d_clip_defaults(), .batch = 1, .workers = 2 };
    options.clip.frames = T;
    options.clip.size = SIZE;
    options.clip.resize = 36;
    options.clip.training = true;
    assert_ok(i3d_dataset_open(&(i3d_dataset_options){ .annotation = at("a.json"),
                                                       .root = at(video ? "videos" : "jpg"),
                                                       .video = video,
                                                       .short_side = 40 },
                               &dataset));
    assert_ok(i3d_loader_create(dataset, &options, &loader));
    assert_ok(i3d_loader_start(loader, epoch, 0));
    assert_ok(i3d_loader_next(loader, &batch));
    memcpy(out, batch->data, 3 * T * SIZE * SIZE * sizeof *out);
    assert_int_equal(i3d_loader_next(loader, &batch), I3D_END);
    i3d_loader_free(loader);
    i3d_dataset_close(dataset);
}

static void need_ffmpeg(void)
{
    if (file_exists(at("videos/run/a.b.avi")))
        return;
    print_message("skipped: built without FFmpeg\n");
    skip();
}

static void a_clip_from_the_file_is_the_clip_from_the_jpgs(void **state)
{
    (void)state;
    static float from_video[3 * T * SIZE * SIZE], from_jpgs[3 * T * SIZE * SIZE];
    need_ffmpeg();
    put_jpgs_of_the_video();
    for (int epoch = 0; epoch < 4; epoch++) {
        double sum = 0;
        load(true, epoch, from_video);
        load(false, epoch, from_jpgs);
        for (int i = 0; i < 3 * T * SIZE * SIZE; i++)
            sum += fabs(from_video[i] - from_jpgs[i]) * 127.5;
        assert_true(sum / (3 * T * SIZE * SIZE) < 1.5); /* of 255; a frame further is 12 */
    }
}

static void a_file_that_is_no_video_is_an_error_that_names_it(void **state)
{
    (void)state;
    i3d_dataset *dataset;
    i3d_loader *loader;
    const i3d_batch *batch;
    i3d_loader_options options = { .clip = i3d_clip_defaults(), .batch = 1, .workers = 1 };
    need_ffmpeg();
    put_text(at("videos/run/a.b.avi"), "no video");
    assert_ok(i3d_dataset_open(
        &(i3d_dataset_options){ .annotation = at("a.json"), .root = at("videos"), .video = true },
        &dataset));
    assert_ok(i3d_loader_create(dataset, &options, &loader));
    assert_ok(i3d_loader_start(loader, 0, 0));
    assert_fails(i3d_loader_next(loader, &batch), I3D_EFORMAT, "run/a.b.avi");
    i3d_loader_free(loader);
    i3d_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_clip_from_the_file_is_the_clip_from_the_jpgs, make_video,
                                        remove_root),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_video_is_an_error_that_names_it,
                                        make_video, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
