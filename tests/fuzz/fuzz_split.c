/* The official splits' text files: HMDB51's of a class, UCF101's list of classes and of videos. */
#include "base/file.h"
#include "clip/split.h"
#include "fuzz.h"

#include <stdlib.h>

static void put(const char *folder, const char *name, const void *data, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (file_put(path, data, size) != I3D_OK)
        abort();
}

static void check(i3d_status status, struct annotation *annotation)
{
    if (status != I3D_OK)
        return;
    for (size_t i = 0; i < annotation->count; i++) {
        int label = annotation->videos[i].label;
        if (label < 0 || (size_t)label >= annotation->labels.count)
            abort();
    }
    annotation_clear(annotation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char classes[] = "1 up\n2 down\n";
    static const char folder[] = "/tmp/fuzz_split";
    struct annotation annotation = { 0 };
    if (folder_make(folder) != I3D_OK)
        abort();
    put(folder, "up_test_split1.txt", data, size);
    check(split_read_hmdb51(folder, 1, &annotation), &annotation);
    put(folder, "classInd.txt", classes, sizeof classes - 1);
    put(folder, "trainlist01.txt", data, size);
    put(folder, "testlist01.txt", data, size);
    annotation = (struct annotation){ 0 };
    check(split_read_ucf101(folder, 1, &annotation), &annotation);
    put(folder, "classInd.txt", data, size);
    annotation = (struct annotation){ 0 };
    check(split_read_ucf101(folder, 1, &annotation), &annotation);
    return 0;
}
