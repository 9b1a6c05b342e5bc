/* Batches are the same whatever the store, and flow computed while loading is that of a lossless
 * one. */
#include "media.h"

#include "flow/flow_extract.h"
#include "store/frames_extract.h"

#include <i3d/clip.h>
#include <i3d/video.h>

enum { VIDEOS = 3, FRAMES = 11, T = 6, SIZE = 24, SHORT_SIDE = 36 };

/* Textures that move, each video its own way. */
static int make_videos(void **state)
{
    i3d_video_writer *writer;
    i3d_image image = { 0 };
    char text[1024] = "{\"labels\": [\"run\"], \"database\": {";
    make_root(state);
    if (!i3d_video_library())
        return 0;
    assert_ok(folder_make(at("videos/run")));
    for (int v = 0; v < VIDEOS; v++) {
        assert_ok(i3d_video_writer_open(at("videos/run/v.%d.avi", v), 64, 48, 25, &writer));
        for (int i = 0; i < FRAMES; i++) {
            assert_ok(i3d_image_resize_storage(&image, 64, 48, 3));
            for (int k = 0; k < 64 * 48; k++) {
                int x = k % 64 + i * (v - 1), y = k / 64 + i;
                memset(image.pixels + 3 * k, 128 + (x * x * 3 + y * x + y * 11) % 160 / 2, 3);
            }
            assert_ok(i3d_video_writer_add(writer, &image));
        }
        assert_ok(i3d_video_writer_finish(writer));
        i3d_video_writer_close(writer);
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "%s\"v.%d\": {\"subset\": \"training\", \"annotations\": {\"label\": \"run\"}}",
                 v ? ", " : "", v);
    }
    strcat(text, "}}");
    put_text(at("a.json"), text);
    i3d_image_clear(&image);
    return 0;
}

static void need_ffmpeg(void)
{
    if (i3d_video_library())
        return;
    print_message("skipped: built without FFmpeg\n");
    skip();
}

static void extract(bool flow, enum store_form form, const char *target)
{
    i3d_video_options video = { .short_side = SHORT_SIDE };
    if (flow) {
        struct flow_extract request = {
            .source = at("videos"), .videos = true, .video = video, .jobs = 2
        };
        struct flow_extracted result;
        request.writer = flow_writer_defaults();
        request.writer.store.form = form;
        assert_ok(i3d_flow_preset("turbo", &request.writer.flow));
        assert_ok(flow_extract(&request, target, &result));
        assert_int_equal(result.failed, 0);
    } else {
        struct frames_extract request = {
            .source = at("videos"),
            .video = video,
            .store = { .form = form, .quality = STORE_QUALITY, .planes = 1 },
            .jobs = 2
        };
        struct frames_extracted result;
        assert_ok(frames_extract(&request, target, &result));
        assert_int_equal(result.failed, 0);
    }
}

/* The clips of two epochs of training, and of one of validation. */
struct clips {
    float data[2 * VIDEOS + 3 * VIDEOS][3 * T * SIZE * SIZE];
    int count;
};

static void load_epoch(const i3d_dataset *dataset, bool training, int epoch, struct clips *out)
{
    i3d_loader *loader;
    const i3d_batch *batch;
    i3d_status status;
    i3d_loader_options options = { .clip = i3d_clip_defaults(), .batch = 2, .workers = 2 };
    options.clip.frames = T;
    options.clip.size = SIZE;
    options.clip.resize = 30;
    options.clip.training = training;
    options.clip.clips_per_video = 3;
    assert_ok(i3d_loader_create(dataset, &options, &loader));
    assert_ok(i3d_loader_start(loader, epoch, 0));
    while ((status = i3d_loader_next(loader, &batch)) == I3D_OK)
        for (int n = 0; n < batch->count; n++) {
            size_t size = (size_t)batch->channels * T * SIZE * SIZE;
            memcpy(out->data[out->count++], batch->data + (size_t)n * size, size * sizeof(float));
        }
    if (status != I3D_END)
        fail_msg("%s", i3d_error());
    i3d_loader_free(loader);
}

static void load(const i3d_dataset_options *options, struct clips *out)
{
    i3d_dataset *dataset;
    memset(out, 0, sizeof *out);
    assert_ok(i3d_dataset_open(options, &dataset));
    load_epoch(dataset, true, 0, out);
    load_epoch(dataset, true, 1, out);
    load_epoch(dataset, false, 0, out);
    assert_int_equal(out->count, 5 * VIDEOS);
    i3d_dataset_close(dataset);
}

static void load_store(bool flow, const char *store, struct clips *out)
{
    load(&(i3d_dataset_options){ .annotation = at("a.json"),
                                 .root = store,
                                 .stream = flow ? I3D_FLOW : I3D_RGB },
         out);
}

static void load_flow_of_videos(const char *cache, struct clips *out)
{
    load(&(i3d_dataset_options){ .annotation = at("a.json"),
                                 .root = at("videos"),
                                 .stream = I3D_FLOW,
                                 .video = true,
                                 .short_side = SHORT_SIDE,
                                 .flow_preset = "turbo",
                                 .flow_cache = cache },
         out);
}

static struct clips first, second;

static void loose_jpgs_and_files_give_the_same_batches(void **state)
{
    (void)state;
    need_ffmpeg();
    for (int flow = 0; flow < 2; flow++) {
        extract(flow, STORE_JPG, at("jpg%d", flow));
        extract(flow, STORE_MJPEG, at("mkv%d", flow));
        load_store(flow, at("jpg%d", flow), &first);
        load_store(flow, at("mkv%d", flow), &second);
        assert_memory_equal(&first, &second, sizeof first);
        assert_memory_not_equal(first.data[0], first.data[1], sizeof first.data[0]);
    }
}

static void frames_kept_lossless_are_those_of_the_video(void **state)
{
    (void)state;
    need_ffmpeg();
    extract(false, STORE_FFV1, at("ffv1"));
    load_store(false, at("ffv1"), &first);
    load(&(i3d_dataset_options){ .annotation = at("a.json"),
                                 .root = at("videos"),
                                 .video = true,
                                 .short_side = SHORT_SIDE },
         &second);
    assert_memory_equal(&first, &second, sizeof first);
}

static void flow_while_loading_is_that_of_a_lossless_store(void **state)
{
    (void)state;
    need_ffmpeg();
    extract(true, STORE_FFV1, at("ffv1"));
    load_store(true, at("ffv1"), &first);
    load_flow_of_videos(NULL, &second);
    assert_memory_equal(&first, &second, sizeof first);
}

static void a_cache_changes_no_number_and_holds_each_video_once(void **state)
{
    (void)state;
    struct names names;
    need_ffmpeg();
    load_flow_of_videos(NULL, &first);
    load_flow_of_videos(at("cache"), &second);
    assert_memory_equal(&first, &second, sizeof first);
    assert_ok(folder_list(at("cache/turbo_%d_0fps/run", SHORT_SIDE), &names));
    assert_int_equal(names.count, VIDEOS);
    names_clear(&names);

    /* It is what is read, and a store as any other. */
    assert_ok(folder_remove(at("videos/run/v.0.avi")));
    put_text(at("videos/run/v.0.avi"), "no video");
    load_flow_of_videos(at("cache"), &second);
    assert_memory_equal(&first, &second, sizeof first);
    load_store(true, at("cache/turbo_%d_0fps", SHORT_SIDE), &second);
    assert_memory_equal(&first, &second, sizeof first);
}

static void a_bad_video_leaves_no_flow_in_the_cache(void **state)
{
    (void)state;
    i3d_dataset *dataset;
    i3d_loader *loader;
    const i3d_batch *batch;
    i3d_loader_options options = { .clip = i3d_clip_defaults(), .batch = 1, .workers = 1 };
    need_ffmpeg();
    put_text(at("videos/run/v.0.avi"), "no video");
    assert_ok(i3d_dataset_open(&(i3d_dataset_options){ .annotation = at("a.json"),
                                                       .root = at("videos"),
                                                       .stream = I3D_FLOW,
                                                       .video = true,
                                                       .flow_cache = at("cache") },
                               &dataset));
    assert_ok(i3d_loader_create(dataset, &options, &loader));
    assert_ok(i3d_loader_start(loader, 0, 0));
    assert_fails(i3d_loader_next(loader, &batch), I3D_EFORMAT, "run/v.0.avi");
    i3d_loader_free(loader);
    i3d_dataset_close(dataset);
    assert_false(file_exists(at("cache/fast_0_0fps/run/v.0.mkv")));
}

#define test(function) cmocka_unit_test_setup_teardown(function, make_videos, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(loose_jpgs_and_files_give_the_same_batches),
        test(frames_kept_lossless_are_those_of_the_video),
        test(flow_while_loading_is_that_of_a_lossless_store),
        test(a_cache_changes_no_number_and_holds_each_video_once),
        test(a_bad_video_leaves_no_flow_in_the_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
