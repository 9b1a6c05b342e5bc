/* What every unit test includes: cmocka and its prerequisites, and a fresh folder to write in. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <i3d/status.h>

/* Fails the test with the library's sentence. */
#define assert_ok(call)                                                                            \
    do {                                                                                           \
        i3d_status assert_ok_status = (call);                                                      \
        if (assert_ok_status != I3D_OK)                                                            \
            fail_msg("%s: %s: %s", #call, i3d_status_name(assert_ok_status), i3d_error());         \
    } while (0)

/* The call fails with `status`, and its sentence holds `words`. */
#define assert_fails(call, status, words)                                                          \
    do {                                                                                           \
        assert_int_equal((call), (status));                                                        \
        if (!strstr(i3d_error(), (words)))                                                         \
            fail_msg("'%s' is not in the sentence: %s", (words), i3d_error());                     \
    } while (0)

/* A new empty folder for this test; it goes when the program ends. A loan. */
static inline const char *test_folder(void)
{
    static char path[64];
    snprintf(path, sizeof path, "%s", "/tmp/i3d-test-XXXXXX");
    if (!mkdtemp(path))
        abort();
    return path;
}

#endif
