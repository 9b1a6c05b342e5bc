#include "test.h"

#include "base/file.h"
#include "base/memory.h"
#include "video/scene.h"
#include "video/synth.h"
#include "store/walk.h"

#include <math.h>

static char root[64], target[80];

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "%s", test_folder());
    snprintf(target, sizeof target, "%s/target", root);
    return 0;
}

static int remove_root(void **state)
{
    (void)state;
    return folder_remove(root) == I3D_OK ? 0 : -1;
}

static const struct synth_options small = {
    .classes = 6, .videos = 4, .frames = 3, .size = 24, .seed = 1
};

static void every_class_has_its_videos_and_the_split_keeps_groups_together(void **state)
{
    (void)state;
    char path[128], name[32], class_name[16], subset[16];
    struct videos videos;
    int group, lines = 0, offset = 0, used;
    uint8_t *text;
    size_t bytes;
    assert_ok(synth_write(target, &small));
    assert_ok(videos_find(target, &videos));
    assert_int_equal(videos.count, 24);
    videos_clear(&videos);
    snprintf(path, sizeof path, "%s/split.csv", target);
    assert_ok(file_read(path, &text, &bytes));
    assert_memory_equal(text, "video,class,group,subset\n", 25);
    for (offset = 25; sscanf((char *)text + offset, "%31[^,],%15[^,],%d,%15s\n%n", name, class_name,
                             &group, subset, &used) == 4;
         offset += used, lines++) {
        snprintf(path, sizeof path, "%s/%s/%s.avi", target, class_name, name);
        assert_true(file_exists(path));
        assert_string_equal(subset, group == 1 ? "training" : "validation");
    }
    assert_int_equal(lines, 24);
    memory_free(text);
    assert_fails(synth_write(target, &small), I3D_EINVAL, "exists");
}

static uint64_t hash_videos(void)
{
    struct videos videos;
    uint64_t hash = 14695981039346656037u;
    assert_ok(videos_find(target, &videos));
    for (size_t i = 0; i < videos.count; i++) {
        uint8_t *data;
        size_t bytes;
        assert_ok(file_read(videos.items[i].path, &data, &bytes));
        for (size_t j = 0; j < bytes; j++)
            hash = (hash ^ data[j]) * 1099511628211u;
        memory_free(data);
    }
    videos_clear(&videos);
    return hash;
}

static void the_seed_decides_whatever_the_jobs(void **state)
{
    (void)state;
    struct synth_options options = small;
    uint64_t hashes[3];
    for (int i = 0; i < 3; i++) {
        options.jobs = i + 1;
        options.seed = i < 2 ? 7 : 8;
        assert_ok(synth_write(target, &options));
        hashes[i] = hash_videos();
        assert_ok(folder_remove(target));
    }
    assert_true(hashes[0] == hashes[1]);
    assert_true(hashes[0] != hashes[2]);
}

/* How unlike two frames are when the second is moved back by (dx, dy), away from the borders. */
static double unlikeness(const i3d_image *a, const i3d_image *b, int dx, int dy)
{
    double sum = 0;
    for (int y = 10; y < a->height - 10; y++)
        for (int x = 10; x < a->width - 10; x++)
            sum += abs(a->pixels[3 * (y * a->width + x)] -
                       b->pixels[3 * ((y + dy) * a->width + x + dx)]);
    return sum;
}

static void up_goes_up_and_down_goes_down(void **state)
{
    (void)state;
    for (enum motion motion = MOTION_UP; motion <= MOTION_DOWN; motion++)
        for (uint64_t seed = 0; seed < 5; seed++) {
            struct scene scene;
            i3d_image a = { 0 }, b = { 0 };
            int best = 0;
            assert_ok(scene_create(120, 90, 32, motion, MOTIONS,
                                   random_for(seed, RANDOM_LOOKS, 0, 0),
                                   random_for(seed, RANDOM_COURSE, 0, 0), &scene));
            assert_ok(scene_draw(&scene, 7, &a));
            assert_ok(scene_draw(&scene, 8, &b));
            for (int dy = -6; dy <= 6; dy++)
                if (unlikeness(&a, &b, 0, dy) < unlikeness(&a, &b, 0, best))
                    best = dy;
            assert_in_range(motion == MOTION_UP ? -best : best, 2, 4);
            scene_clear(&scene);
            i3d_image_clear(&a);
            i3d_image_clear(&b);
        }
}

static void what_cannot_be_made_is_told(void **state)
{
    (void)state;
    struct synth_options options = small;
    options.classes = 7;
    assert_fails(synth_write(target, &options), I3D_EINVAL, "7 classes (2 to 6)");
    assert_fails(synth_write("/proc/nowhere", &small), I3D_EIO, "/proc");
    memory_fail_at(40);
    assert_fails(synth_write(target, &small), I3D_ENOMEM, "memory");
    memory_fail_at(0);
    assert_false(file_exists(target));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_class_has_its_videos_and_the_split_keeps_groups_together),
        TEST(the_seed_decides_whatever_the_jobs),
        TEST(up_goes_up_and_down_goes_down),
        TEST(what_cannot_be_made_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
