/* The manifest of raw clips, with two answers beside it. */
#include "base/file.h"
#include "fuzz.h"

#include <i3d/edge.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char root[] = "/tmp/fuzz_manifest";

static void put(const char *folder, const char *name, const void *data, size_t size)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", root, folder);
    if (folder_make(path) != I3D_OK)
        abort();
    snprintf(path, sizeof path, "%s/%s/%s", root, folder, name);
    if (file_put(path, data, size) != I3D_OK)
        abort();
}

/* Labels 0 and 1 of two files of one clip each, and what a network of two classes answers. */
static void make_root(void)
{
    static const char begin[] = "\x93NUMPY\x01\x00\x76\x00{'descr': '<i4', 'fortran_order': "
                                "False, 'shape': (2, 1), }";
    static const float answer[2] = { 1, 2 };
    char labels[128 + 8];
    memset(labels, ' ', 128);
    memcpy(labels, begin, sizeof begin - 1);
    labels[127] = '\n';
    memcpy(labels + 128, (const int[2]){ 0, 1 }, 8);
    put("preprocess_Result/label/s/rgb", "label_bsrgb1.npy", labels, sizeof labels);
    put("result_Files", "s_bsrgb_1_0.bin", answer, sizeof answer);
    put("result_Files", "s_bsrgb_2_0.bin", answer, sizeof answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const i3d_edge_place place = { .root = root, .dataset = "s", .stream = I3D_RGB };
    static bool made;
    i3d_scores scores = { 0 };
    if (!made)
        make_root();
    made = true;
    put("preprocess_Result/label/s/rgb", "manifest.json", data, size);
    if (i3d_edge_postprocess(&place, &scores) == I3D_OK)
        i3d_scores_clear(&scores);
    return 0;
}
