#include "media.h"

#include <i3d/clip.h>

#include <math.h>

enum { T = 4, SIZE = 24, VIDEOS = 7 };

static i3d_dataset *dataset;

/* VIDEOS videos of 3 to 9 frames in two classes. */
static void open_dataset(bool flow)
{
    char text[1024] = "{\"labels\": [\"run\", \"sit\"], \"database\": {";
    for (int v = 0; v < VIDEOS; v++) {
        char name[32];
        snprintf(name, sizeof name, "%s/v%d", v % 2 ? "sit" : "run", v);
        put_video(name, 3 + v, 40 + v, 32, flow);
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "%s\"v%d\": {\"subset\": \"training\", \"annotations\": {\"label\": \"%s\"}}",
                 v ? ", " : "", v, v % 2 ? "sit" : "run");
    }
    strcat(text, "}}");
    put_text(at("a.json"), text);
    assert_ok(i3d_dataset_open(&(i3d_dataset_options){ .annotation = at("a.json"),
                                                       .root = at("jpg"),
                                                       .stream = flow ? I3D_FLOW : I3D_RGB },
                               &dataset));
}

static int close_dataset(void **state)
{
    i3d_dataset_close(dataset);
    dataset = NULL;
    return remove_root(state);
}

static i3d_loader_options small_options(bool training)
{
    i3d_loader_options options = {
        .clip = i3d_clip_defaults(), .batch = 3, .seed = 11, .workers = 2, .shuffle = training
    };
    options.clip.frames = T;
    options.clip.size = SIZE;
    options.clip.resize = 28;
    options.clip.training = training;
    return options;
}

/* Everything that batches of one epoch hold, clip after clip. */
struct epoch {
    int clips, batches, labels[64], videos[64];
    float *data; /* [clips, clip] */
    size_t clip;
};

static struct epoch load_epoch(i3d_loader *loader, int number, int first_batch)
{
    struct epoch epoch = { 0 };
    const i3d_batch *batch;
    i3d_status status;
    assert_ok(i3d_loader_start(loader, number, first_batch));
    while ((status = i3d_loader_next(loader, &batch)) == I3D_OK) {
        epoch.clip = (size_t)(batch->channels * batch->frames * batch->height * batch->width);
        if (!epoch.data)
            assert_ok(memory_get(64 * epoch.clip, sizeof *epoch.data, &epoch.data));
        memcpy(epoch.data + (size_t)epoch.clips * epoch.clip, batch->data,
               (size_t)batch->count * epoch.clip * sizeof *epoch.data);
        for (int n = 0; n < batch->count; n++, epoch.clips++) {
            epoch.labels[epoch.clips] = batch->labels[n];
            epoch.videos[epoch.clips] = batch->videos[n];
        }
        epoch.batches++;
    }
    assert_int_equal(status, I3D_END);
    return epoch;
}

static struct epoch load_with(const i3d_loader_options *options, int number, int first_batch)
{
    i3d_loader *loader;
    assert_ok(i3d_loader_create(dataset, options, &loader));
    struct epoch epoch = load_epoch(loader, number, first_batch);
    i3d_loader_free(loader);
    return epoch;
}

static bool same_epochs(const struct epoch *a, const struct epoch *b)
{
    size_t labels = (size_t)a->clips * sizeof *a->labels;
    return a->clips == b->clips && memcmp(a->labels, b->labels, labels) == 0 &&
           memcmp(a->videos, b->videos, labels) == 0 &&
           memcmp(a->data, b->data, (size_t)a->clips * a->clip * sizeof *a->data) == 0;
}

/* The number that pixel (x, y) of a jpg becomes. */
static float pixel(const char *path, int channels, int c, int x, int y)
{
    i3d_image image = { 0 };
    assert_ok(i3d_image_read(path, channels, &image));
    int v = image.pixels[(y * image.width + x) * channels + c];
    i3d_image_clear(&image);
    return (float)(v / 255. * 2 - 1);
}

static void a_validation_clip_is_the_centre_of_the_videos_frames(void **state)
{
    (void)state;
    i3d_loader_options options = small_options(false);
    options.clip.resize = 0;
    open_dataset(false);
    struct epoch epoch = load_with(&options, 0, 0);
    assert_int_equal(epoch.clips, VIDEOS);
    assert_int_equal(epoch.batches, 3);
    for (int v = 0; v < VIDEOS; v++) {
        int frames = 3 + v, begin = frames / 2 - T / 2, left = (40 + v - SIZE) / 2;
        begin = begin > 0 ? begin : 0;
        left += (v % 2) * (left % 2); /* halves to even */
        assert_int_equal(epoch.videos[v], v);
        assert_int_equal(epoch.labels[v], v % 2);
        for (int c = 0; c < 3; c++)
            for (int t = 0; t < T; t++) {
                int frame = begin + t % (frames < T ? frames : T);
                const char *path =
                    at("jpg/%s/v%d/image_%05d.jpg", v % 2 ? "sit" : "run", v, frame + 1);
                float got =
                    epoch
                        .data[(size_t)v * epoch.clip + (size_t)((c * T + t) * SIZE + 5) * SIZE + 7];
                assert_true(got == pixel(path, 3, c, left + 7, 4 + 5));
            }
    }
    memory_free(epoch.data);
}

static void any_number_of_workers_makes_the_same_bits(void **state)
{
    (void)state;
    open_dataset(false);
    for (int epoch = 0; epoch < 3; epoch++)
        for (int quirks = 0; quirks < 2; quirks++) {
            i3d_loader_options options = small_options(true);
            options.workers = 1;
            if (quirks)
                i3d_clip_compat_mindspore(&options.clip);
            struct epoch one = load_with(&options, epoch, 0);
            options.workers = 8;
            struct epoch eight = load_with(&options, epoch, 0);
            assert_true(same_epochs(&one, &eight));
            memory_free(one.data);
            memory_free(eight.data);
        }
}

static void each_epoch_has_every_video_once_in_an_order_of_its_own(void **state)
{
    (void)state;
    i3d_loader_options options = small_options(true);
    i3d_loader *loader;
    open_dataset(false);
    assert_ok(i3d_loader_create(dataset, &options, &loader));
    struct epoch first = load_epoch(loader, 0, 0), second = load_epoch(loader, 1, 0);
    struct epoch again = load_epoch(loader, 0, 0);
    int seen = 0;
    for (int i = 0; i < VIDEOS; i++)
        seen |= 1 << second.videos[i];
    assert_int_equal(seen, (1 << VIDEOS) - 1);
    assert_false(same_epochs(&first, &second));
    assert_memory_not_equal(first.videos, second.videos, VIDEOS * sizeof(int));
    assert_true(same_epochs(&first, &again));
    memory_free(first.data);
    memory_free(second.data);
    memory_free(again.data);
    i3d_loader_free(loader);
}

static void an_epoch_can_be_resumed_and_broken_off(void **state)
{
    (void)state;
    i3d_loader_options options = small_options(true);
    i3d_loader *loader;
    const i3d_batch *batch;
    open_dataset(false);
    assert_ok(i3d_loader_create(dataset, &options, &loader));
    struct epoch whole = load_epoch(loader, 4, 0), rest = load_epoch(loader, 4, 1);
    assert_int_equal(rest.clips, VIDEOS - 3);
    assert_memory_equal(rest.data, whole.data + 3 * whole.clip,
                        (size_t)rest.clips * rest.clip * sizeof(float));
    for (int i = 0; i < 20; i++) {
        assert_ok(i3d_loader_start(loader, i, 0));
        assert_ok(i3d_loader_next(loader, &batch));
    }
    struct epoch again = load_epoch(loader, 4, 0);
    assert_true(same_epochs(&whole, &again));
    assert_int_equal(load_epoch(loader, 4, 3).clips, 0);
    assert_fails(i3d_loader_start(loader, 0, 4), I3D_EINVAL, "no batch 4");
    memory_free(whole.data);
    memory_free(rest.data);
    memory_free(again.data);
    i3d_loader_free(loader);
}

static void a_video_gives_exactly_as_many_clips_as_asked_for(void **state)
{
    (void)state;
    i3d_loader_options options = small_options(false);
    options.clip.clips_per_video = 5;
    open_dataset(false);
    struct epoch epoch = load_with(&options, 0, 0);
    assert_int_equal(epoch.clips, 5 * VIDEOS);
    for (int i = 0; i < epoch.clips; i++)
        assert_int_equal(epoch.videos[i], i / 5);
    /* The last video has 9 frames: its first and last clip share none. */
    size_t last = 5 * VIDEOS - 1;
    assert_memory_not_equal(epoch.data + last * epoch.clip, epoch.data + (last - 4) * epoch.clip,
                            epoch.clip * sizeof(float));
    memory_free(epoch.data);
}

static void several_clips_of_a_video_are_the_same_for_any_workers_and_batches(void **state)
{
    (void)state;
    open_dataset(false);
    for (int shuffle = 0; shuffle < 2; shuffle++) {
        i3d_loader_options options = small_options(false);
        options.clip.clips_per_video = 5;
        options.shuffle = shuffle;
        options.workers = 1;
        struct epoch one = load_with(&options, 0, 0);
        for (int batch = 1; batch < 9; batch += 3) {
            i3d_loader *loader;
            const i3d_batch *lent;
            options.batch = batch;
            options.workers = batch + 1;
            assert_ok(i3d_loader_create(dataset, &options, &loader));
            for (int i = 0; i < 5; i++) { /* broken off in the middle of a video */
                assert_ok(i3d_loader_start(loader, 0, i));
                assert_ok(i3d_loader_next(loader, &lent));
            }
            struct epoch many = load_epoch(loader, 0, 0);
            assert_true(same_epochs(&one, &many));
            memory_free(many.data);
            i3d_loader_free(loader);
        }
        memory_free(one.data);
    }
}

static void without_augmentation_training_clips_are_centred(void **state)
{
    (void)state;
    i3d_loader_options options = small_options(true);
    open_dataset(false);
    options.shuffle = false;
    options.clip.augment = false;
    struct epoch training = load_with(&options, 3, 0);
    options.clip.training = false;
    struct epoch validation = load_with(&options, 0, 0);
    assert_true(same_epochs(&training, &validation));
    memory_free(training.data);
    memory_free(validation.data);
}

/* The clip of one video in an epoch in which its flip has come up so. */
static struct epoch find_flip(bool flip, const i3d_loader_options *options)
{
    for (int number = 0;; number++) {
        struct random random = random_for(options->seed, RANDOM_CLIP, (uint64_t)number, 0);
        if ((random_unit(&random) < .5) == flip)
            return load_with(options, number, 0);
    }
}

static void a_flip_mirrors_flow_and_turns_its_horizontal_part_around(void **state)
{
    (void)state;
    i3d_loader_options options = small_options(true);
    open_dataset(true);
    /* Video 0 has 3 frames and the crop is the whole height and width: only the flip is random. */
    put_video("run/v0", 3, SIZE, SIZE, true);
    options.shuffle = false;
    options.clip.resize = 0;
    for (int keep = 0; keep < 2; keep++) {
        options.clip.flip_keeps_sign = keep;
        struct epoch plain = find_flip(false, &options), flipped = find_flip(true, &options);
        for (int i = 0; i < 2 * T * SIZE * SIZE; i++) {
            int x = i % SIZE, mirrored = i - x + SIZE - 1 - x;
            bool turned = i < T * SIZE * SIZE && !keep;
            float wanted = turned ? -plain.data[i] : plain.data[i];
            assert_true(fabsf(flipped.data[mirrored] - wanted) < 1e-6f);
        }
        memory_free(plain.data);
        memory_free(flipped.data);
    }
}

static void crops_are_the_same_for_all_frames_and_both_parts_of_flow(void **state)
{
    (void)state;
    i3d_loader_options options = small_options(true);
    open_dataset(true);
    /* Every picture of this video is the same, so its crops differ only by where they are. */
    for (int i = 1; i <= 3; i++) {
        put_jpg(at("jpg/run/v0/image_%05dx.jpg", i), 40, 32, 1, 1);
        put_jpg(at("jpg/run/v0/image_%05dy.jpg", i), 40, 32, 1, 1);
    }
    options.shuffle = false;
    options.clip.flip_keeps_sign = true;
    size_t plane = SIZE * SIZE;
    for (int quirk = 0; quirk < 2; quirk++) {
        options.clip.crop_per_frame = quirk;
        struct epoch epoch = load_with(&options, 0, 0);
        int different = 0;
        for (size_t p = 1; p < 2 * T; p++)
            different += memcmp(epoch.data, epoch.data + p * plane, plane * sizeof(float)) != 0;
        assert_true(quirk ? different > 0 : different == 0);
        memory_free(epoch.data);
    }
}

static void bgr_changes_the_first_and_last_channel(void **state)
{
    (void)state;
    i3d_loader_options options = small_options(false);
    open_dataset(false);
    struct epoch rgb = load_with(&options, 0, 0);
    options.clip.bgr = true;
    struct epoch bgr = load_with(&options, 0, 0);
    size_t plane = T * SIZE * SIZE, bytes = plane * sizeof(float);
    assert_memory_equal(rgb.data, bgr.data + 2 * plane, bytes);
    assert_memory_equal(rgb.data + plane, bgr.data + plane, bytes);
    assert_memory_not_equal(rgb.data, bgr.data, bytes);
    memory_free(rgb.data);
    memory_free(bgr.data);
}

static void check_failure(const i3d_loader_options *options, i3d_status status, const char *words)
{
    i3d_loader *loader;
    const i3d_batch *batch;
    assert_ok(i3d_loader_create(dataset, options, &loader));
    assert_ok(i3d_loader_start(loader, 0, 0));
    assert_ok(i3d_loader_next(loader, &batch)); /* videos 0 to 2; the bad one is 4 */
    assert_fails(i3d_loader_next(loader, &batch), status, words);
    assert_null(batch);
    i3d_loader_free(loader);
}

static void put_bad(int kind)
{
    switch (kind) {
    case 0:
        assert_int_equal(unlink(at("jpg/run/v4/image_00003.jpg")), 0);
        break;
    case 1:
        put_text(at("jpg/run/v4/image_00003.jpg"), "this is no picture");
        break;
    case 2: {
        uint8_t *bytes;
        size_t count;
        assert_ok(file_read(at("jpg/run/v4/image_00004.jpg"), &bytes, &count));
        assert_ok(file_write(at("jpg/run/v4/image_00003.jpg"), bytes, count / 2));
        memory_free(bytes);
        break;
    }
    case 3:
        put_jpg(at("jpg/run/v4/image_00003.jpg"), 60, 50, 3, 1);
        break;
    default:
        put_text(at("jpg/run/v4/image_00003.jpg"), "");
    }
}

static void a_bad_picture_is_an_error_that_names_it_or_left_out(void **state)
{
    static const struct {
        i3d_status status;
        const char *words;
    } wanted[] = { { I3D_EIO, "v4/image_00003.jpg" },
                   { I3D_EFORMAT, "v4/image_00003.jpg" },
                   { I3D_EFORMAT, "v4/image_00003.jpg" },
                   { I3D_EFORMAT, "a frame is 60 x 50, those before it are 44 x 32" },
                   { I3D_EFORMAT, "v4/image_00003.jpg" } };
    i3d_loader_options options = small_options(false);
    open_dataset(false);
    for (int kind = 0; kind < 5; kind++) {
        i3d_loader *loader;
        put_video("run/v4", 7, 44, 32, false);
        put_bad(kind);
        options.clip.skip_bad = false;
        check_failure(&options, wanted[kind].status, wanted[kind].words);
        options.clip.skip_bad = true;
        assert_ok(i3d_loader_create(dataset, &options, &loader));
        struct epoch epoch = load_epoch(loader, 0, 0);
        assert_int_equal(epoch.clips, VIDEOS - 1);
        assert_int_equal(epoch.videos[3], 3);
        assert_int_equal(epoch.videos[4], 5);
        assert_int_equal(epoch.labels[4], 1);
        assert_int_equal(i3d_loader_skipped(loader), 1);
        assert_non_null(strstr(talked, wanted[kind].words));
        memory_free(epoch.data);
        i3d_loader_free(loader);
    }
    (void)state;
}

static void only_the_clips_with_the_bad_picture_are_left_out(void **state)
{
    (void)state;
    i3d_loader_options options = small_options(false);
    open_dataset(false);
    options.clip.clips_per_video = 3;
    struct epoch good = load_with(&options, 0, 0);
    /* Video 6 has 9 frames; its clips begin at 0, 3 (2.5, rounded up) and 5. */
    assert_int_equal(unlink(at("jpg/run/v6/image_00004.jpg")), 0);
    options.clip.skip_bad = true;
    struct epoch some = load_with(&options, 0, 0);
    assert_int_equal(some.clips, good.clips - 2);
    assert_memory_equal(some.data, good.data, (size_t)(some.clips - 1) * good.clip * sizeof(float));
    assert_memory_equal(some.data + (size_t)(some.clips - 1) * good.clip,
                        good.data + (size_t)(good.clips - 1) * good.clip,
                        good.clip * sizeof(float));
    memory_free(good.data);
    memory_free(some.data);
}

static void a_batch_of_bad_clips_only_is_empty(void **state)
{
    (void)state;
    i3d_loader_options options = small_options(false);
    open_dataset(false);
    options.batch = 1;
    options.clip.skip_bad = true;
    put_bad(0);
    struct epoch epoch = load_with(&options, 0, 0);
    assert_int_equal(epoch.batches, VIDEOS);
    assert_int_equal(epoch.clips, VIDEOS - 1);
    memory_free(epoch.data);
}

static void a_crop_that_does_not_fit_is_an_error_that_names_the_video(void **state)
{
    (void)state;
    i3d_loader_options options = small_options(false);
    i3d_loader *loader;
    const i3d_batch *batch;
    open_dataset(false);
    options.clip.resize = 0;
    options.clip.size = 36;
    assert_ok(i3d_loader_create(dataset, &options, &loader));
    assert_ok(i3d_loader_start(loader, 0, 0));
    assert_fails(i3d_loader_next(loader, &batch), I3D_EINVAL, "36 x 36 does not fit");
    assert_non_null(strstr(i3d_error(), "run/v0"));
    i3d_loader_free(loader);
}

/* Two that share an epoch make the batches of one of twice the size, the first half and the second:
 * of the last one, which has one clip, the second has none. */
static void training_is_shared_batch_by_batch(void **state)
{
    (void)state;
    i3d_loader_options options = small_options(true);
    open_dataset(false);
    options.batch = 6;
    struct epoch whole = load_with(&options, 1, 0), again = load_with(&options, 1, 1);
    options.batch = 3;
    options.shares = 2;
    struct epoch first = load_with(&options, 1, 0), late = load_with(&options, 1, 1);
    options.share = 1;
    struct epoch second = load_with(&options, 1, 0), none = load_with(&options, 1, 1);
    const struct epoch *halves[] = { &first, &second };
    assert_int_equal(first.batches, whole.batches);
    assert_int_equal(second.batches, whole.batches);
    assert_int_equal(first.clips, 4);
    assert_int_equal(second.clips, 3);
    for (int i = 0; i < whole.clips; i++) {
        const struct epoch *half = halves[i / 3 % 2];
        size_t at = (size_t)(i / 6 * 3 + i % 3), clip = whole.clip;
        assert_int_equal(half->videos[at], whole.videos[i]);
        assert_memory_equal(half->data + at * clip, whole.data + (size_t)i * clip,
                            clip * sizeof(float));
    }
    assert_true(same_epochs(&late, &again));
    assert_int_equal(none.batches, 1);
    assert_int_equal(none.clips, 0);
    memory_free(whole.data);
    memory_free(again.data);
    memory_free(first.data);
    memory_free(late.data);
    memory_free(second.data);
    memory_free(none.data);
}

static void validation_is_shared_video_by_video(void **state)
{
    (void)state;
    i3d_loader_options options = small_options(false);
    int seen[VIDEOS] = { 0 };
    open_dataset(false);
    options.clip.clips_per_video = 2;
    options.shares = 3;
    for (options.share = 0; options.share < 3; options.share++) {
        struct epoch epoch = load_with(&options, 0, 0);
        assert_int_equal(epoch.batches, (epoch.clips + 2) / 3);
        for (int i = 0; i < epoch.clips; i++) {
            assert_int_equal(epoch.videos[i] % 3, options.share);
            seen[epoch.videos[i]]++;
        }
        memory_free(epoch.data);
    }
    for (int v = 0; v < VIDEOS; v++)
        assert_int_equal(seen[v], 2);
}

static void wishes_out_of_range_are_refused(void **state)
{
    (void)state;
    i3d_loader_options good = small_options(false), options = good;
    i3d_loader *loader;
    open_dataset(false);
    options.clip.frames = 0;
    assert_fails(i3d_loader_create(dataset, &options, &loader), I3D_EINVAL, "0 frames");
    options = good;
    options.clip.size = 30;
    assert_fails(i3d_loader_create(dataset, &options, &loader), I3D_EINVAL, "short side");
    options = good;
    options.batch = 0;
    assert_fails(i3d_loader_create(dataset, &options, &loader), I3D_EINVAL, "batches of 0");
    options = good;
    options.clip.clips_per_video = 0;
    assert_fails(i3d_loader_create(dataset, &options, &loader), I3D_EINVAL, "0 clips");
}

static void nothing_is_allocated_once_every_picture_was_seen(void **state)
{
    (void)state;
    i3d_loader_options options = small_options(true);
    i3d_loader *loader;
    open_dataset(false);
    options.workers = 1;
    assert_ok(i3d_loader_create(dataset, &options, &loader));
    struct epoch first = load_epoch(loader, 0, 0);
    memory_free(first.data);
    const i3d_batch *batch;
    memory_fail_at(1);
    assert_ok(i3d_loader_start(loader, 0, 0));
    for (int i = 0; i < 3; i++)
        assert_ok(i3d_loader_next(loader, &batch));
    memory_fail_at(0);
    i3d_loader_free(loader);
}

static void memory_that_runs_out_while_a_loader_is_made_is_a_status(void **state)
{
    (void)state;
    i3d_loader_options options = small_options(true);
    i3d_loader *loader;
    i3d_status status = I3D_ENOMEM;
    open_dataset(false);
    for (long n = 1; status != I3D_OK; n++) {
        memory_fail_at(n);
        status = i3d_loader_create(dataset, &options, &loader);
        memory_fail_at(0);
        assert_true(status == I3D_OK || (status == I3D_ENOMEM && loader == NULL));
    }
    i3d_loader_free(loader);
}

#define test_with_dataset(function)                                                                \
    cmocka_unit_test_setup_teardown(function, make_root, close_dataset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_dataset(a_validation_clip_is_the_centre_of_the_videos_frames),
        test_with_dataset(any_number_of_workers_makes_the_same_bits),
        test_with_dataset(each_epoch_has_every_video_once_in_an_order_of_its_own),
        test_with_dataset(an_epoch_can_be_resumed_and_broken_off),
        test_with_dataset(a_video_gives_exactly_as_many_clips_as_asked_for),
        test_with_dataset(several_clips_of_a_video_are_the_same_for_any_workers_and_batches),
        test_with_dataset(without_augmentation_training_clips_are_centred),
        test_with_dataset(a_flip_mirrors_flow_and_turns_its_horizontal_part_around),
        test_with_dataset(crops_are_the_same_for_all_frames_and_both_parts_of_flow),
        test_with_dataset(bgr_changes_the_first_and_last_channel),
        test_with_dataset(a_bad_picture_is_an_error_that_names_it_or_left_out),
        test_with_dataset(only_the_clips_with_the_bad_picture_are_left_out),
        test_with_dataset(a_batch_of_bad_clips_only_is_empty),
        test_with_dataset(a_crop_that_does_not_fit_is_an_error_that_names_the_video),
        test_with_dataset(training_is_shared_batch_by_batch),
        test_with_dataset(validation_is_shared_video_by_video),
        test_with_dataset(wishes_out_of_range_are_refused),
        test_with_dataset(nothing_is_allocated_once_every_picture_was_seen),
        test_with_dataset(memory_that_runs_out_while_a_loader_is_made_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
