#include "test.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"
#include "store/frames_extract.h"
#include "store/nframes.h"

static char root[64], videos[80], target[80];

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "%s", test_folder());
    snprintf(videos, sizeof videos, "%s/videos", root);
    snprintf(target, sizeof target, "%s/target", root);
    return 0;
}

static int remove_root(void **state)
{
    (void)state;
    return folder_remove(root) == I3D_OK ? 0 : -1;
}

/* root/relative, a loan until the next. */
static const char *at(const char *relative)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", root, relative);
    return path;
}

static void put_video(const char *relative, int frames)
{
    i3d_image image = { 0 };
    i3d_video_writer *writer;
    assert_ok(i3d_image_resize_storage(&image, 64, 48, 3));
    assert_ok(i3d_video_writer_open(at(relative), 64, 48, 25, &writer));
    for (int i = 0; i < frames; i++) {
        memset(image.pixels, 10 * i, 64 * 48 * 3);
        assert_ok(i3d_video_writer_add(writer, &image));
    }
    assert_ok(i3d_video_writer_finish(writer));
    i3d_video_writer_close(writer);
    i3d_image_clear(&image);
}

static void expect_text(const char *relative, const char *text)
{
    uint8_t *data;
    size_t bytes;
    assert_ok(file_read(at(relative), &data, &bytes));
    assert_string_equal((char *)data, text);
    memory_free(data);
}

static struct frames_extract request(void)
{
    return (struct frames_extract){ .source = videos,
                                    .video = { .short_side = 24 },
                                    .store = { .quality = 95, .planes = 1 },
                                    .jobs = 2 };
}

static void a_video_becomes_numbered_pictures_and_a_count(void **state)
{
    (void)state;
    struct frames_extract how = request();
    struct frames_extracted result;
    i3d_image image = { 0 };
    assert_ok(folder_make(at("videos/class a")));
    put_video("videos/class a/v.1 (x).avi", 12);
    assert_ok(frames_extract(&how, target, &result));
    assert_int_equal(result.videos, 1);
    assert_int_equal(result.failed, 0);
    assert_int_equal(result.frames, 12);
    expect_text("target/class a/v.1 (x)/n_frames", "12");
    assert_ok(i3d_image_read(at("target/class a/v.1 (x)/image_00012.jpg"), 3, &image));
    assert_int_equal(image.width, 32);
    assert_int_equal(image.height, 24);
    assert_in_range(image.pixels[0], 104, 116);
    assert_false(file_exists(at("target/class a/v.1 (x)/image_00013.jpg")));
    i3d_image_clear(&image);
}

static void a_bad_video_leaves_no_trace_but_its_reason(void **state)
{
    (void)state;
    struct frames_extract how = request();
    struct frames_extracted result;
    struct names names;
    uint8_t *text;
    size_t bytes;
    assert_ok(folder_make(at("videos/a")));
    put_video("videos/a/good.avi", 3);
    put_video("videos/a/cut.avi", 30);
    assert_ok(file_read(at("videos/a/cut.avi"), &text, &bytes));
    assert_ok(file_write(at("videos/a/cut.avi"), text, bytes - bytes / 5));
    memory_free(text);
    put_video("videos/a/zero.avi", 0);
    assert_ok(file_write(at("videos/a/text.avi"), "text", 4));
    assert_ok(frames_extract(&how, target, &result));
    assert_int_equal(result.videos, 4);
    assert_int_equal(result.failed, 3);
    assert_int_equal(result.frames, 3);
    assert_ok(folder_list(at("target/a"), &names));
    assert_int_equal(names.count, 1);
    assert_string_equal(names.items[0], "good");
    names_clear(&names);
    assert_ok(file_read(at("target/failures.csv"), &text, &bytes));
    assert_non_null(strstr((char *)text, "a/cut.avi"));
    assert_non_null(strstr((char *)text, "a/text.avi"));
    assert_non_null(strstr((char *)text, "a/zero.avi"));
    assert_null(strstr((char *)text, "good"));
    memory_free(text);
}

static void the_next_run_does_what_is_left(void **state)
{
    (void)state;
    struct frames_extract how = request();
    struct frames_extracted result;
    assert_ok(folder_make(at("videos/a")));
    put_video("videos/a/one.avi", 3);
    assert_ok(file_write(at("videos/a/two.avi"), "text", 4));
    assert_ok(frames_extract(&how, target, &result));
    assert_int_equal(result.failed, 1);
    put_video("videos/a/two.avi", 2);
    assert_ok(frames_extract(&how, target, &result));
    assert_int_equal(result.finished_before, 1);
    assert_int_equal(result.frames, 2);
    assert_false(file_exists(at("target/failures.csv")));
}

static void two_runs_do_not_write_to_one_folder(void **state)
{
    (void)state;
    struct frames_extract how = request();
    struct frames_extracted result;
    struct lock lock;
    assert_ok(folder_make(at("videos/a")));
    assert_ok(folder_make(target));
    put_video("videos/a/one.avi", 3);
    assert_ok(lock_take(target, &lock));
    assert_fails(frames_extract(&how, target, &result), I3D_EIO, "another run");
    lock_release(&lock);
    assert_ok(frames_extract(&how, target, &result));
}

static void an_interrupt_leaves_whole_folders_only(void **state)
{
    (void)state;
    struct frames_extract how = request();
    struct frames_extracted result;
    assert_ok(folder_make(at("videos/a")));
    put_video("videos/a/one.avi", 3);
    i3d_interrupt();
    i3d_status status = frames_extract(&how, target, &result);
    interrupt_clear();
    assert_int_equal(status, I3D_EINTERRUPTED);
    assert_false(file_exists(at("target/a/one")));
    assert_ok(frames_extract(&how, target, &result));
    expect_text("target/a/one/n_frames", "3");
}

static void refused_memory_leaves_nothing_half_made(void **state)
{
    (void)state;
    struct frames_extract how = request();
    struct frames_extracted result;
    i3d_status status = I3D_ENOMEM;
    how.jobs = 1;
    assert_ok(folder_make(at("videos/a")));
    put_video("videos/a/one.avi", 2);
    for (long n = 1; status != I3D_OK || result.failed; n++) {
        assert_false(file_exists(at("target/a/one")));
        memory_fail_at(n);
        status = frames_extract(&how, target, &result);
        memory_fail_at(0);
        assert_true(status == I3D_OK || status == I3D_ENOMEM);
    }
    expect_text("target/a/one/n_frames", "2");
}

static void counting_finds_gaps(void **state)
{
    (void)state;
    struct nframes result;
    assert_ok(folder_make(at("target/a/whole")));
    assert_ok(folder_make(at("target/a/gap")));
    assert_ok(folder_make(at("target/b/none")));
    assert_ok(file_write(at("target/a/whole/image_00001.jpg"), "", 0));
    assert_ok(file_write(at("target/a/whole/image_00002.jpg"), "", 0));
    assert_ok(file_write(at("target/a/whole/image_99999999.jpg"), "", 0));
    assert_ok(file_write(at("target/a/whole/other_00009.jpg"), "", 0));
    assert_ok(file_write(at("target/a/gap/image_00005.jpg"), "", 0));
    assert_ok(file_write(at("target/a/gap/image_00002.jpg"), "", 0));
    assert_ok(nframes_write(target, NULL, &result));
    assert_int_equal(result.videos, 3);
    assert_int_equal(result.frames, 7);
    assert_int_equal(result.gaps, 2);
    expect_text("target/a/whole/n_frames", "2");
    expect_text("target/a/gap/n_frames", "5");
    expect_text("target/b/none/n_frames", "0");
    assert_fails(nframes_write(at("nothing"), NULL, &result), I3D_EIO, "nothing");
}

static void flow_must_have_both_directions_and_as_many_as_rgb(void **state)
{
    (void)state;
    struct nframes result;
    assert_ok(folder_make(at("flow/a/v")));
    assert_ok(folder_make(at("rgb/a/v")));
    assert_ok(file_write(at("rgb/a/v/image_00001.jpg"), "", 0));
    assert_ok(file_write(at("flow/a/v/image_00001x.jpg"), "", 0));
    snprintf(target, sizeof target, "%s/flow", root);
    snprintf(videos, sizeof videos, "%s/rgb", root);
    assert_ok(nframes_write(target, videos, &result));
    assert_int_equal(result.gaps, 1);
    assert_ok(file_write(at("flow/a/v/image_00001y.jpg"), "", 0));
    assert_ok(nframes_write(target, videos, &result));
    assert_int_equal(result.gaps, 0);
    assert_int_equal(result.mismatch, 0);
    assert_ok(file_write(at("rgb/a/v/image_00002.jpg"), "", 0));
    assert_ok(folder_make(at("rgb/a/w")));
    assert_ok(nframes_write(target, videos, &result));
    assert_int_equal(result.mismatch, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_video_becomes_numbered_pictures_and_a_count),
        TEST(a_bad_video_leaves_no_trace_but_its_reason),
        TEST(the_next_run_does_what_is_left),
        TEST(two_runs_do_not_write_to_one_folder),
        TEST(an_interrupt_leaves_whole_folders_only),
        TEST(refused_memory_leaves_nothing_half_made),
        TEST(counting_finds_gaps),
        TEST(flow_must_have_both_directions_and_as_many_as_rgb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
