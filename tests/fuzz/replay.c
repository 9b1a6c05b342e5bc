/* A fuzz target without a fuzzer: replay FILE... feeds each file as it is, cut at every place, and
 * with every byte changed in a few ways. Of files larger than STEPS bytes only so many places,
 * evenly spread, are tried. Files that are absent are passed over. */
#include "fuzz.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdio.h>

enum { STEPS = 3000 };

static void feed(uint8_t *data, size_t count)
{
    size_t stride = count / STEPS + 1;
    LLVMFuzzerTestOneInput(data, count);
    for (size_t at = 0; at < count; at += stride) {
        static const uint8_t changes[] = { 0x01, 0x80, 0xff };
        LLVMFuzzerTestOneInput(data, at);
        for (size_t c = 0; c < sizeof changes; c++) {
            data[at] ^= changes[c];
            LLVMFuzzerTestOneInput(data, count);
            data[at] ^= changes[c];
        }
    }
}

int main(int argc, char **argv)
{
    int fed = 0;
    for (int i = 1; i < argc; i++) {
        uint8_t *data;
        size_t count;
        if (!file_exists(argv[i]))
            continue;
        if (file_read(argv[i], &data, &count) != I3D_OK) {
            fprintf(stderr, "%s\n", i3d_error());
            return 1;
        }
        feed(data, count);
        memory_free(data);
        fed++;
    }
    printf("%d files\n", fed);
    return fed ? 0 : 1;
}
