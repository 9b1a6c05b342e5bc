/* What is left of memory, told by files as Linux writes them. */
#include "test.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/room.h"

#include <sys/resource.h>
#include <sys/wait.h>

static const char *root;

static void put(const char *path, const char *text)
{
    char full[256];
    snprintf(full, sizeof full, "%s/%s", root, path);
    char *slash = strrchr(full, '/');
    *slash = '\0';
    assert_ok(folder_make(full));
    *slash = '/';
    assert_ok(file_put(full, text, strlen(text)));
}

static void the_least_counts(void **state)
{
    (void)state;
    root = test_folder();
    assert_true(room_left(root) == UINT64_MAX);
    put("proc/meminfo", "MemTotal:  9000 kB\nMemAvailable:  5000 kB\nSwapFree:  1000 kB\n");
    assert_int_equal(room_left(root), 6000 * 1024);
    put("proc/self/cgroup", "0::/a/b\n");
    put("sys/fs/cgroup/a/b/memory.max", "max\n");
    put("sys/fs/cgroup/a/memory.max", "4000000\n");
    put("sys/fs/cgroup/a/memory.current", "1500000\n");
    assert_int_equal(room_left(root), 2500000);
    put("sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 500000\nslab 3\n");
    assert_int_equal(room_left(root), 3000000);
    put("sys/fs/cgroup/a/b/memory.max", "100\n");
    put("sys/fs/cgroup/a/b/memory.current", "200\n");
    assert_int_equal(room_left(root), 0);
    put("proc/self/cgroup", "5:cpu:/c\n4:memory:/c\n");
    put("sys/fs/cgroup/memory/c/memory.limit_in_bytes", "70000\n");
    put("sys/fs/cgroup/memory/c/memory.usage_in_bytes", "10000\n");
    assert_int_equal(room_left(root), 60000);
    /* In a container the path may be one of the host, and the group the uppermost. */
    put("proc/self/cgroup", "4:memory:/docker/x\n");
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "50000\n");
    put("sys/fs/cgroup/memory/memory.usage_in_bytes", "10000\n");
    assert_int_equal(room_left(root), 40000);
    assert_ok(folder_remove(root));
}

static void limits_count(void **state)
{
    (void)state;
    void *memory;
    const struct rlimit limit = { 4000000000, 4000000000 };
    assert_fails(memory_get((size_t)1 << 50, 1, &memory), I3D_ENOMEM, "are left");
    pid_t child = fork();
    if (child == 0) {
        uint64_t left = setrlimit(RLIMIT_AS, &limit) == 0 ? room_left("") : UINT64_MAX;
        _exit(left < 4000000000 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_counts),
        cmocka_unit_test(limits_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
