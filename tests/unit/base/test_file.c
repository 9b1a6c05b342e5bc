#include "test.h"

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"
#include "base/thread.h"

#include <pthread.h>
#include <sys/stat.h>

static void a_file_appears_only_when_committed(void **state)
{
    (void)state;
    char path[128];
    const char *folder = test_folder();
    snprintf(path, sizeof path, "%s/a.txt", folder);
    struct file_writer writer;
    assert_ok(file_begin(path, &writer));
    fputs("hello", writer.stream);
    assert_false(file_exists(path));
    assert_ok(file_commit(&writer));
    uint8_t *data;
    size_t bytes;
    assert_ok(file_read(path, &data, &bytes));
    assert_int_equal(bytes, 5);
    assert_string_equal((char *)data, "hello");
    memory_free(data);
    assert_ok(file_begin(path, &writer));
    fputs("lost", writer.stream);
    file_discard(&writer);
    assert_ok(file_read(path, &data, &bytes));
    assert_string_equal((char *)data, "hello");
    memory_free(data);
    struct names names;
    assert_ok(folder_list(folder, &names));
    assert_int_equal(names.count, 1);
    names_clear(&names);
    assert_ok(folder_remove(folder));
    assert_false(file_exists(folder));
}

static void a_folder_appears_whole(void **state)
{
    (void)state;
    char path[128], inside[256];
    const char *folder = test_folder();
    snprintf(path, sizeof path, "%s/x/y/", folder);
    assert_ok(folder_make(path));
    assert_true(file_is_folder(path));
    snprintf(path, sizeof path, "%s/x/video", folder);
    struct folder_writer writer;
    assert_ok(folder_begin(path, &writer));
    snprintf(inside, sizeof inside, "%s/image", writer.side);
    assert_ok(file_write(inside, "1", 1));
    assert_false(file_exists(path));
    assert_ok(folder_commit(&writer));
    assert_true(file_is_folder(path));
    assert_ok(folder_begin(path, &writer));
    failure(I3D_EIO, "the cause");
    folder_discard(&writer);
    assert_string_equal(i3d_error(), "the cause");
    assert_ok(folder_remove(folder));
}

static void one_run_a_folder(void **state)
{
    (void)state;
    const char *folder = test_folder();
    struct lock first, second;
    assert_ok(lock_take(folder, &first));
    assert_fails(lock_take(folder, &second), I3D_EIO, "another run");
    lock_release(&first);
    assert_ok(lock_take(folder, &second));
    lock_release(&second);
    assert_ok(folder_remove(folder));
}

static void one_run_a_file(void **state)
{
    (void)state;
    char path[128], side[128];
    const char *folder = test_folder();
    snprintf(path, sizeof path, "%s/a.txt", folder);
    snprintf(side, sizeof side, "%s/.a.txt.part", folder);
    struct file_writer first, second;
    assert_ok(file_put(side, "left by a killed run", 20));
    assert_ok(file_begin(path, &first));
    assert_fails(file_begin(path, &second), I3D_EIO, "another run is writing");
    fputs("first", first.stream);
    assert_ok(file_commit(&first));
    uint8_t *data;
    size_t bytes;
    assert_ok(file_read(path, &data, &bytes));
    assert_string_equal((char *)data, "first");
    memory_free(data);
    assert_ok(file_write(path, "next", 4));
    assert_false(file_exists(side));

    struct folder_writer filling, refused;
    snprintf(path, sizeof path, "%s/videos", folder);
    snprintf(side, sizeof side, "%s/.videos.part/left/behind", folder);
    assert_ok(folder_make(side));
    assert_ok(folder_begin(path, &filling));
    assert_false(file_exists(side));
    snprintf(side, sizeof side, "%s/1", filling.side);
    assert_ok(file_put(side, "1", 1));
    assert_fails(folder_begin(path, &refused), I3D_EIO, "another run is writing");
    assert_true(file_exists(side));
    folder_discard(&filling);
    assert_ok(folder_begin(path, &filling));
    assert_false(file_exists(side));
    assert_ok(folder_commit(&filling));
    assert_true(file_is_folder(path));
    assert_ok(folder_remove(folder));
}

/* Many runs write one file at once: each is refused or writes all of it. */
static i3d_status write_or_be_refused(size_t index, int worker, void *context)
{
    char text[4096];
    (void)worker;
    memset(text, 'a' + (int)(index % 26), sizeof text);
    i3d_status status = file_write(context, text, sizeof text);
    return status == I3D_EIO && strstr(i3d_error(), "another run") ? I3D_OK : status;
}

static void many_runs_leave_one_whole_file(void **state)
{
    (void)state;
    char path[128];
    const char *folder = test_folder();
    snprintf(path, sizeof path, "%s/a.txt", folder);
    for (int round = 0; round < 20; round++) {
        assert_ok(thread_run(16, 8, write_or_be_refused, path));
        uint8_t *data;
        size_t bytes;
        assert_ok(file_read(path, &data, &bytes));
        assert_int_equal(bytes, 4096);
        assert_int_equal(strspn((char *)data, (char[]){ (char)data[0], 0 }), 4096);
        memory_free(data);
    }
    assert_ok(folder_remove(folder));
}

/* What stands where a file is written goes on as it is. */
static void refuse_planted(const char *folder, const char *side, bool as_folder)
{
    char path[128], victim[128];
    uint8_t *data;
    size_t bytes;
    struct file_writer file;
    struct folder_writer filling;
    snprintf(path, sizeof path, "%s/a", folder);
    snprintf(victim, sizeof victim, "%s/victim", folder);
    if (as_folder)
        assert_fails(folder_begin(path, &filling), I3D_EIO, "is in the way");
    else
        assert_fails(file_begin(path, &file), I3D_EIO, "is in the way");
    assert_true(file_exists(side));
    assert_ok(file_read(victim, &data, &bytes));
    assert_string_equal((char *)data, "precious");
    memory_free(data);
    assert_int_equal(remove(side), 0);
}

static void a_planted_link_is_never_followed(void **state)
{
    (void)state;
    char victim[128], victims[128], side[128], lock_path[128];
    struct lock lock;
    const char *folder = test_folder();
    snprintf(victim, sizeof victim, "%s/victim", folder);
    snprintf(victims, sizeof victims, "%s/victims", folder);
    snprintf(side, sizeof side, "%s/.a.part", folder);
    snprintf(lock_path, sizeof lock_path, "%s/.lock", folder);
    assert_ok(file_write(victim, "precious", 8));
    assert_ok(folder_make(victims));
    for (int as_folder = 0; as_folder < 2; as_folder++) {
        assert_int_equal(symlink(as_folder ? victims : victim, side), 0);
        refuse_planted(folder, side, as_folder);
        assert_int_equal(link(victim, side), 0);
        refuse_planted(folder, side, as_folder);
        assert_int_equal(mkfifo(side, 0666), 0);
        refuse_planted(folder, side, as_folder);
    }
    assert_int_equal(mkdir(side, 0777), 0);
    refuse_planted(folder, side, false);
    assert_int_equal(symlink("nothing", lock_path), 0);
    assert_fails(lock_take(folder, &lock), I3D_EIO, ".lock");
    assert_ok(folder_remove(folder));
}

static void names_may_be_as_long_as_the_disk_allows(void **state)
{
    (void)state;
    char name[256], path[400];
    struct names names;
    struct folder_writer writer;
    const char *folder = test_folder();
    for (int length = 245; length <= 255; length++) {
        memset(name, 'n', sizeof name);
        name[length] = '\0';
        snprintf(path, sizeof path, "%s/%s", folder, name);
        assert_ok(file_write(path, "x", 1));
        assert_int_equal(remove(path), 0);
        assert_ok(folder_begin(path, &writer));
        assert_ok(folder_commit(&writer));
    }
    assert_ok(folder_list(folder, &names));
    assert_int_equal(names.count, 11);
    names_clear(&names);
    assert_ok(folder_remove(folder));
}

static void *write_slowly(void *path)
{
    FILE *pipe = fopen(path, "w");
    for (int i = 0; i < 100000; i++)
        fprintf(pipe, "%05d", i);
    fclose(pipe);
    return NULL;
}

static void *interrupt_soon(void *nothing)
{
    usleep(200000);
    i3d_interrupt();
    return nothing;
}

static void a_pipe_is_read_once_or_refused(void **state)
{
    (void)state;
    char path[128];
    uint8_t *data;
    size_t bytes;
    int descriptor;
    pthread_t thread;
    const char *folder = test_folder();
    snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0666), 0);
    assert_fails(file_open(path, &descriptor), I3D_EIO, "it is a pipe");
    assert_int_equal(pthread_create(&thread, NULL, write_slowly, path), 0);
    assert_ok(file_read(path, &data, &bytes));
    pthread_join(thread, NULL);
    assert_int_equal(bytes, 500000);
    assert_memory_equal(data + bytes - 5, "99999", 6);
    memory_free(data);
    /* Nobody writes: it waits until it is told to stop. */
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, NULL), 0);
    assert_int_equal(file_read(path, &data, &bytes), I3D_EINTERRUPTED);
    pthread_join(thread, NULL);
    interrupt_clear();
    assert_fails(file_read("/dev/zero", &data, &bytes), I3D_EIO, "it is a device");
    assert_ok(folder_remove(folder));
}

static void waiting_for_a_lock_can_be_interrupted(void **state)
{
    (void)state;
    char path[128];
    struct lock held, wanted;
    pthread_t thread;
    const char *folder = test_folder();
    snprintf(path, sizeof path, "%s/lock", folder);
    assert_ok(lock_wait(path, &held));
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, NULL), 0);
    assert_int_equal(lock_wait(path, &wanted), I3D_EINTERRUPTED);
    pthread_join(thread, NULL);
    interrupt_clear();
    lock_release(&held);
    assert_ok(lock_wait(path, &wanted));
    lock_release(&wanted);
    assert_ok(folder_remove(folder));
}

static void failures_name_the_file(void **state)
{
    (void)state;
    uint8_t *data;
    size_t bytes;
    assert_fails(file_read("/nowhere/file", &data, &bytes), I3D_EIO, "/nowhere/file");
    assert_fails(file_write("/nowhere/file", "", 0), I3D_EIO, "/nowhere/file");
    assert_fails(file_read("/tmp", &data, &bytes), I3D_EIO, "folder");
    struct names names;
    assert_fails(folder_list("/nowhere", &names), I3D_EIO, "/nowhere");
    memory_fail_at(1);
    assert_fails(file_read("/proc/self/status", &data, &bytes), I3D_ENOMEM, "no memory");
    memory_fail_at(0);
    void *memory;
    assert_fails(memory_get(SIZE_MAX, 2, &memory), I3D_ENOMEM, "elements");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_appears_only_when_committed),
        cmocka_unit_test(a_folder_appears_whole),
        cmocka_unit_test(one_run_a_folder),
        cmocka_unit_test(one_run_a_file),
        cmocka_unit_test(many_runs_leave_one_whole_file),
        cmocka_unit_test(a_planted_link_is_never_followed),
        cmocka_unit_test(names_may_be_as_long_as_the_disk_allows),
        cmocka_unit_test(a_pipe_is_read_once_or_refused),
        cmocka_unit_test(waiting_for_a_lock_can_be_interrupted),
        cmocka_unit_test(failures_name_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
