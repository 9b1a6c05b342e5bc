/* Annotations; what is read can be written and is then read as the same. */
#include "base/memory.h"
#include "clip/annotation.h"
#include "fuzz_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char copy[] = "/tmp/fuzz_annotation.json";
    struct annotation first, second;
    if (annotation_read(fuzz_file(data, size), &first) != I3D_OK)
        return 0;
    if (annotation_write(copy, &first) == I3D_OK) {
        if (annotation_read(copy, &second) != I3D_OK || second.count != first.count ||
            second.labels.count != first.labels.count)
            abort();
        for (size_t i = 0; i < first.count; i++)
            if (strcmp(first.videos[i].name, second.videos[i].name) != 0)
                abort();
        annotation_clear(&second);
        unlink(copy);
    }
    annotation_clear(&first);
    return 0;
}
