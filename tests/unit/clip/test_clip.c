/* Frames in, clips out: whatever the frames are in and however the windows lie, the clips are those
 * that are made alone. */
#include "media.h"

#include "clip/clip.h"

enum { FRAMES = 23, T = 8, SIZE = 24, WIDTH = 40, HEIGHT = 32, CLIP = 3 * T * SIZE * SIZE };

static i3d_image images[FRAMES];
static struct motion_options turbo = { .bound = I3D_FLOW_BOUND };

/* A slanted ramp that wanders: every frame differs, and there is motion. */
static int make_images(void **state)
{
    make_root(state);
    assert_ok(i3d_flow_preset("turbo", &turbo.flow));
    for (int i = 0; i < FRAMES; i++) {
        assert_ok(i3d_image_resize_storage(&images[i], WIDTH, HEIGHT, 3));
        for (int k = 0; k < 3 * WIDTH * HEIGHT; k++)
            images[i].pixels[k] =
                (uint8_t)((k / 3 % WIDTH * 5 + k / 3 / WIDTH * 3 + k % 3 * 40 + i * 9) % 251);
    }
    return 0;
}

static int remove_images(void **state)
{
    for (int i = 0; i < FRAMES; i++)
        i3d_image_clear(&images[i]);
    return remove_root(state);
}

static i3d_clip_options small_options(void)
{
    i3d_clip_options options = i3d_clip_defaults();
    options.frames = T;
    options.size = SIZE;
    options.resize = 28;
    return options;
}

/* One clip, alone, of frames in memory. */
static void make_alone(const struct motion_options *flow, struct window window, float *out)
{
    i3d_clip_options options = small_options();
    struct clip_maker maker, *makers[] = { &maker };
    struct frames frames = { 0 };
    frames_lend(&frames, images, FRAMES);
    assert_ok(clip_maker_create(&options, flow ? I3D_FLOW : I3D_RGB, flow, &maker));
    clip_begin(&maker, &window, NULL, out);
    assert_ok(clip_fill(&frames, makers, 1));
    assert_int_equal(clip_needs(&maker), -1);
    clip_maker_clear(&maker);
}

static size_t clip_bytes(const struct motion_options *flow)
{
    return (flow ? 2 : 3) * (size_t)(T * SIZE * SIZE) * sizeof(float);
}

/* All windows in one pass, frame by frame: each clip is the one made alone, and no frame is asked
 * for twice. With `in_place`, all clips in the same memory. Returns how many frames were taken. */
static int check_windows(const struct motion_options *flow, const struct window *windows, int count,
                         bool in_place)
{
    static float clips[2][CLIP], alone[CLIP];
    i3d_clip_options options = small_options();
    struct clip_maker maker;
    long last = -1;
    int taken = 0;
    assert_ok(clip_maker_create(&options, flow ? I3D_FLOW : I3D_RGB, flow, &maker));
    for (int k = 0; k < count; k++) {
        float *out = clips[in_place ? 0 : k % 2];
        clip_begin(&maker, &windows[k], NULL, out);
        for (long number; (number = clip_needs(&maker)) >= 0; last = number, taken++) {
            const struct frame frame = { 1, { &images[number] } };
            assert_true(number > last);
            assert_ok(clip_push(&maker, &frame));
        }
        make_alone(flow, windows[k], alone);
        assert_memory_equal(out, alone, clip_bytes(flow));
    }
    clip_maker_clear(&maker);
    return taken;
}

static void windows_share_their_frames(void **state)
{
    (void)state;
    struct window even[FRAMES], spread[2], sliding[4];
    for (int clips = 1; clips <= 12; clips++)
        for (int in_place = 0; in_place < 2; in_place++) {
            for (int k = 0; k < clips; k++)
                even[k] = window_even(FRAMES, T, k, clips);
            int wanted = clips < 3 ? clips * T : FRAMES;
            assert_int_equal(check_windows(NULL, even, clips, in_place), wanted);
            check_windows(&turbo, even, clips, in_place);
        }
    /* Flow across a gap wants the frame before it. */
    for (int k = 0; k < 2; k++)
        spread[k] = window_even(FRAMES, T, k, 2);
    assert_int_equal(check_windows(&turbo, spread, 2, true), 2 * T + 1);
    for (int k = 0; k < 4; k++)
        sliding[k] = window_sliding(T, 5, k);
    assert_int_equal(check_windows(NULL, sliding, 4, false), FRAMES);
    assert_int_equal(check_windows(&turbo, sliding, 4, true), FRAMES);
}

static void a_short_video_begins_again(void **state)
{
    (void)state;
    static float clip[CLIP];
    const size_t area = SIZE * SIZE;
    struct window windows[] = { window_even(3, T, 0, 4), window_even(3, T, 1, 4) };
    assert_int_equal(check_windows(NULL, windows, 2, false), 3);
    make_alone(NULL, windows[0], clip);
    for (size_t t = 3; t < T; t++)
        assert_memory_equal(clip + t * area, clip + (t - 3) * area, area * sizeof *clip);
}

/* Windows slide over a video that nobody has counted; the last holds what is left, over and over,
 * and there is none of frames that all were in the one before. */
static void sliding_windows_end_with_the_video(void **state)
{
    (void)state;
    static const struct {
        long stride;
        int clips;
        long tail; /* frames of the last clip */
    } cases[] = { { 8, 3, 7 }, { 5, 4, T }, { 6, 4, 5 }, { 10, 3, 3 }, { 30, 1, T } };
    static float clip[CLIP], alone[CLIP];
    i3d_clip_options options = small_options();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int with_flow = 0; with_flow < 2; with_flow++) {
            const struct motion_options *flow = with_flow ? &turbo : NULL;
            struct clip_maker maker, *makers[] = { &maker };
            struct frames frames = { 0 };
            i3d_status status;
            int clips = 0;
            assert_ok(clip_maker_create(&options, flow ? I3D_FLOW : I3D_RGB, flow, &maker));
            frames_lend(&frames, images, FRAMES);
            for (;; clips++) {
                struct window window = window_sliding(T, cases[i].stride, clips);
                clip_begin(&maker, &window, NULL, clip);
                status = clip_fill(&frames, makers, 1);
                if (status != I3D_OK)
                    break;
                window.open = false;
                window.count = clips == cases[i].clips - 1 ? cases[i].tail : T;
                make_alone(flow, window, alone);
                assert_memory_equal(clip, alone, clip_bytes(flow));
            }
            assert_int_equal(status, I3D_END);
            assert_int_equal(clips, cases[i].clips);
            clip_maker_clear(&maker);
        }
}

/* Both streams from one pass; each has its own windows. */
static void two_streams_are_filled_from_one_pass(void **state)
{
    (void)state;
    enum { CLIPS = 3 };
    static float clips[2][CLIP], alone[CLIP];
    i3d_clip_options options = small_options();
    struct clip_maker makers[2], *unfinished[2];
    struct frames frames = { 0 };
    int done[2] = { 0 };
    frames_lend(&frames, images, FRAMES);
    for (int s = 0; s < 2; s++) {
        struct window window = window_even(FRAMES, T, 0, CLIPS);
        assert_ok(clip_maker_create(&options, (i3d_stream)s, s ? &turbo : NULL, &makers[s]));
        clip_begin(&makers[s], &window, NULL, clips[s]);
    }
    for (;;) {
        int count = 0;
        long before = frames.next;
        for (int s = 0; s < 2; s++)
            if (done[s] < CLIPS)
                unfinished[count++] = &makers[s];
        if (!count)
            break;
        assert_ok(clip_fill(&frames, unfinished, count));
        assert_true(frames.next >= before);
        for (int s = 0; s < 2; s++) {
            struct window window = window_even(FRAMES, T, done[s], CLIPS);
            if (done[s] == CLIPS || clip_needs(&makers[s]) >= 0)
                continue;
            make_alone(s ? &turbo : NULL, window, alone);
            assert_memory_equal(clips[s], alone, clip_bytes(s ? &turbo : NULL));
            if (++done[s] == CLIPS)
                continue;
            window = window_even(FRAMES, T, done[s], CLIPS);
            clip_begin(&makers[s], &window, NULL, clips[s]);
        }
    }
    for (int s = 0; s < 2; s++)
        clip_maker_clear(&makers[s]);
}

static i3d_status write_video(const char *path)
{
    i3d_video_writer *writer;
    i3d_status status = i3d_video_writer_open(path, WIDTH, HEIGHT, 25, &writer);
    if (status != I3D_OK)
        return status;
    for (int i = 0; i < FRAMES; i++)
        assert_ok(i3d_video_writer_add(writer, &images[i]));
    assert_ok(i3d_video_writer_finish(writer));
    i3d_video_writer_close(writer);
    return I3D_OK;
}

static void write_store(const char *path)
{
    struct store_writer writer;
    assert_ok(
        store_begin(path, &(struct store_options){ .form = STORE_FFV1, .planes = 1 }, &writer));
    for (int i = 0; i < FRAMES; i++)
        assert_ok(store_add(&writer, &images[i]));
    assert_ok(store_commit(&writer));
}

/* A lossless video, a lossless store and pictures in memory: the same bits, also of a window that
 * lies before the last one. */
static void every_source_gives_the_same_clips(void **state)
{
    (void)state;
    static float clip[CLIP], alone[CLIP];
    i3d_clip_options options = small_options();
    struct clip_maker maker, *makers[] = { &maker };
    struct frames frames = { 0 };
    if (write_video(at("v.mkv")) == I3D_EUNSUPPORTED) {
        print_message("skipped: built without FFmpeg\n");
        skip();
    }
    write_store(at("s.mkv"));
    for (int source = 0; source < 3; source++)
        for (int with_flow = 0; with_flow < 2; with_flow++) {
            static const long begins[] = { 12, 15, 4 };
            const struct motion_options *flow = with_flow ? &turbo : NULL;
            char video[128], store[128];
            snprintf(video, sizeof video, "%s", at("v.mkv"));
            snprintf(store, sizeof store, "%s", at("s.mkv"));
            if (source == 0)
                assert_ok(frames_decode(&frames, video, &(i3d_video_options){ 0 }));
            else if (source == 1)
                assert_ok(frames_read(&frames, store, 0, 1));
            else
                frames_lend(&frames, images, FRAMES);
            assert_ok(clip_maker_create(&options, flow ? I3D_FLOW : I3D_RGB, flow, &maker));
            for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
                struct window window = { .begin = begins[i], .count = T };
                clip_begin(&maker, &window, NULL, clip);
                assert_ok(clip_fill(&frames, makers, 1));
                make_alone(flow, window, alone);
                assert_memory_equal(clip, alone, clip_bytes(flow));
            }
            clip_maker_clear(&maker);
        }
    frames_close(&frames);
}

static void a_video_that_ends_too_early_is_an_error(void **state)
{
    (void)state;
    static float clip[CLIP];
    i3d_clip_options options = small_options();
    struct clip_maker maker, *makers[] = { &maker };
    struct frames frames = { 0 };
    struct window window = { .begin = FRAMES - 2, .count = T };
    if (write_video(at("v.mkv")) == I3D_EUNSUPPORTED)
        skip();
    const char *path = at("v.mkv");
    assert_ok(frames_decode(&frames, path, &(i3d_video_options){ 0 }));
    assert_ok(clip_maker_create(&options, I3D_RGB, NULL, &maker));
    clip_begin(&maker, &window, NULL, clip);
    assert_fails(clip_fill(&frames, makers, 1), I3D_EFORMAT, "v.mkv' ends before frame 23");
    clip_maker_clear(&maker);
    frames_close(&frames);
}

static void an_interrupt_is_heard_between_two_frames(void **state)
{
    (void)state;
    static float clip[CLIP];
    i3d_clip_options options = small_options();
    struct clip_maker maker, *makers[] = { &maker };
    struct frames frames = { 0 };
    struct window window = { .count = T };
    long count;
    frames_lend(&frames, images, FRAMES);
    assert_ok(clip_maker_create(&options, I3D_RGB, NULL, &maker));
    clip_begin(&maker, &window, NULL, clip);
    i3d_interrupt();
    assert_fails(clip_fill(&frames, makers, 1), I3D_EINTERRUPTED, "stopped on request");
    if (write_video(at("v.mkv")) == I3D_OK)
        assert_fails(i3d_video_count(at("v.mkv"), NULL, &count), I3D_EINTERRUPTED, "stopped");
    interrupt_clear();
    assert_ok(clip_fill(&frames, makers, 1));
    clip_maker_clear(&maker);
}

#define test_with_images(function)                                                                 \
    cmocka_unit_test_setup_teardown(function, make_images, remove_images)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_images(windows_share_their_frames),
        test_with_images(a_short_video_begins_again),
        test_with_images(sliding_windows_end_with_the_video),
        test_with_images(two_streams_are_filled_from_one_pass),
        test_with_images(every_source_gives_the_same_clips),
        test_with_images(a_video_that_ends_too_early_is_an_error),
        test_with_images(an_interrupt_is_heard_between_two_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
