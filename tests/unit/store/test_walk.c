#include "test.h"

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"
#include "store/walk.h"

#include <stdatomic.h>

static char root[64];

/* An empty file root/class/file. */
static void put(const char *class_name, const char *file)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, class_name);
    assert_ok(folder_make(path));
    snprintf(path, sizeof path, "%s/%s/%s", root, class_name, file);
    assert_ok(file_write(path, "", 0));
}

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "%s", test_folder());
    return 0;
}

static int remove_root(void **state)
{
    (void)state;
    return folder_remove(root) == I3D_OK ? 0 : -1;
}

static void any_name_is_found_and_only_the_last_extension_is_cut(void **state)
{
    (void)state;
    static const char *const files[] = { "a (1) & 'b' \"c\".avi", "two.dots.mp4", "noextension",
                                         "\xc3\xa9t\xc3\xa9.mkv" };
    static const char *const names[] = { "a (1) & 'b' \"c\"", "noextension", "two.dots",
                                         "\xc3\xa9t\xc3\xa9" };
    put("b c", "x.avi");
    for (int i = 0; i < 4; i++)
        put("a", files[i]);
    put("a", ".hidden.avi");
    put("a/folder", "y.avi");
    put(".", "split.csv");
    struct videos videos;
    assert_ok(videos_find(root, &videos));
    assert_int_equal(videos.count, 5);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(videos.items[i].class_name, "a");
        assert_string_equal(videos.items[i].name, names[i]);
        assert_true(file_exists(videos.items[i].path));
    }
    assert_string_equal(videos.items[4].class_name, "b c");
    videos_clear(&videos);
}

static void two_files_that_become_one_are_refused(void **state)
{
    (void)state;
    struct videos videos;
    put("a", "x.avi");
    put("a", "x.b.avi");
    put("b", "x.mp4");
    assert_ok(videos_find(root, &videos));
    videos_clear(&videos);
    put("a", "x.mp4");
    assert_fails(videos_find(root, &videos), I3D_EINVAL, "x.mp4");
    assert_int_equal(videos.count, 0);
}

static void a_root_without_videos_is_refused(void **state)
{
    (void)state;
    struct videos videos;
    assert_fails(videos_find(root, &videos), I3D_EINVAL, "no videos in");
    assert_fails(videos_find("/nowhere", &videos), I3D_EIO, "/nowhere");
}

static i3d_status fail_on_b(const struct video_file *video, struct video_progress *progress,
                            void *context)
{
    (void)progress;
    atomic_fetch_add((atomic_int *)context, 1);
    if (video->name[0] == 'b')
        return failure(I3D_EFORMAT, "'%s', \"quoted\"", video->name);
    return I3D_OK;
}

static i3d_status interrupt(const struct video_file *video, struct video_progress *progress,
                            void *context)
{
    (void)video, (void)progress;
    atomic_fetch_add((atomic_int *)context, 1);
    i3d_interrupt();
    return check_interrupt();
}

static void a_bad_video_is_listed_and_stops_no_other(void **state)
{
    (void)state;
    char list[128], expected[256];
    struct videos videos;
    uint8_t *text;
    size_t bytes, failed;
    put("k", "a.avi");
    put("k", "b.avi");
    put("k", "c.avi");
    assert_ok(videos_find(root, &videos));
    snprintf(list, sizeof list, "%s/failures.csv", root);
    for (int jobs = 1; jobs <= 3; jobs++) {
        atomic_int calls = 0;
        assert_ok(videos_run(&videos, jobs, "videos", fail_on_b, &calls, list, &failed));
        assert_int_equal(failed, 1);
        assert_int_equal(calls, 3);
        assert_ok(file_read(list, &text, &bytes));
        snprintf(expected, sizeof expected,
                 "video,reason\n\"%s/k/b.avi\",\"'b', \"\"quoted\"\"\"\n", root);
        assert_string_equal((char *)text, expected);
        memory_free(text);
    }
    videos.items[1].name[0] = 'x';
    atomic_int calls = 0;
    assert_ok(videos_run(&videos, 1, "videos", fail_on_b, &calls, list, &failed));
    assert_int_equal(failed, 0);
    assert_false(file_exists(list));
    videos_clear(&videos);
}

static i3d_progress seen[16];
static int seen_count;

static void see(const i3d_progress *progress, void *context)
{
    (void)context;
    assert_in_range(seen_count, 0, 15);
    seen[seen_count++] = *progress;
}

/* a is there already; b has two frames of an expected four, c one of an unknown number. */
static i3d_status count_frames(const struct video_file *video, struct video_progress *progress,
                               void *context)
{
    (void)context;
    if (video->name[0] == 'b') {
        video_progress_expect(progress, 4);
        video_progress_frame(progress);
        video_progress_frame(progress);
    } else if (video->name[0] == 'c') {
        video_progress_frame(progress);
    }
    return I3D_OK;
}

static void progress_counts_frames_and_parts_of_videos(void **state)
{
    (void)state;
    static const struct {
        long done, frames;
        double share, skipped;
    } expected[] = { { 0, 0, 0, 0 },      { 1, 0, .25, .25 }, { 1, 1, .3125, .25 },
                     { 1, 2, .375, .25 }, { 2, 2, .5, .25 },  { 2, 3, .5, .25 },
                     { 3, 3, .75, .25 },  { 4, 3, 1, .5 } };
    char list[128];
    struct videos videos;
    size_t failed;
    put("k", "a.avi");
    put("k", "b.avi");
    put("k", "c.avi");
    put("k", "d.avi");
    assert_ok(videos_find(root, &videos));
    snprintf(list, sizeof list, "%s/failures.csv", root);
    seen_count = 0;
    i3d_progress_to(see, NULL);
    i3d_status status = videos_run(&videos, 1, "videos", count_frames, NULL, list, &failed);
    i3d_progress_to(NULL, NULL);
    assert_int_equal(status, I3D_OK);
    assert_int_equal(seen_count, 8);
    for (int i = 0; i < 8; i++) {
        assert_string_equal(seen[i].what, "videos");
        assert_int_equal(seen[i].total, 4);
        assert_int_equal(seen[i].done, expected[i].done);
        assert_int_equal(seen[i].frames, expected[i].frames);
        assert_float_equal(seen[i].share, expected[i].share, 1e-12);
        assert_float_equal(seen[i].skipped, expected[i].skipped, 1e-12);
    }
    videos_clear(&videos);
}

static void an_interrupt_starts_no_further_video(void **state)
{
    (void)state;
    char list[128];
    struct videos videos;
    size_t failed;
    atomic_int calls = 0;
    put("k", "a.avi");
    put("k", "b.avi");
    assert_ok(videos_find(root, &videos));
    snprintf(list, sizeof list, "%s/failures.csv", root);
    i3d_status status = videos_run(&videos, 1, "videos", interrupt, &calls, list, &failed);
    interrupt_clear();
    assert_int_equal(status, I3D_EINTERRUPTED);
    assert_int_equal(calls, 1);
    assert_false(file_exists(list));
    videos_clear(&videos);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(any_name_is_found_and_only_the_last_extension_is_cut),
        TEST(two_files_that_become_one_are_refused),
        TEST(a_root_without_videos_is_refused),
        TEST(a_bad_video_is_listed_and_stops_no_other),
        TEST(progress_counts_frames_and_parts_of_videos),
        TEST(an_interrupt_starts_no_further_video),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
