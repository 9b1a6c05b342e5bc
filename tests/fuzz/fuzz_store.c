/* Stores in one .mkv: opened, counted, and their first pictures read. */
#include "fuzz_file.h"
#include "image/image.h"
#include "store/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pack_reader *reader;
    i3d_image image = { 0 };
    long missing;
    if (pack_reader_open(fuzz_file(data, size), &reader) != I3D_OK)
        return 0;
    pack_reader_missing(reader, &missing);
    for (long frame = 0; frame < 4 && frame < pack_reader_frames(reader); frame++)
        for (int plane = 0; plane < pack_reader_planes(reader); plane++)
            pack_reader_read(reader, frame, plane, &image);
    i3d_image_clear(&image);
    pack_reader_free(reader);
    return 0;
}
