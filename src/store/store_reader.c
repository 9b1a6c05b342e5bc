#include "base/failure.h"
#include "base/memory.h"
#include "store/pack.h"
#include "store/store.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static i3d_status count_folder(const char *folder, long *out)
{
    i3d_status status;
    char *path = NULL, *end;
    uint8_t *text = NULL;
    size_t bytes;
    TRY(path_join(&path, folder, "n_frames"));
    if (!file_exists(path))
        TRY(failure(I3D_EIO, "'%s' is missing; 'i3d nframes' writes it", path));
    TRY(file_read(path, &text, &bytes));
    /* As a real number, since that is how the original reads it. */
    double frames = strtod((const char *)text, &end);
    end += strspn(end, " \t\r\n");
    if (end == (char *)text || *end || !(frames >= 0 && frames <= INT_MAX) ||
        frames != floor(frames))
        TRY(failure(I3D_EFORMAT, "'%s' does not hold a number of frames; 'i3d nframes' writes it",
                    path));
    *out = (long)frames;
out:
    memory_free(path);
    memory_free(text);
    return status;
}

i3d_status store_count(const char *path, long *out)
{
    struct pack_reader *pack;
    if (file_is_folder(path))
        return count_folder(path, out);
    i3d_status status = pack_reader_open(path, &pack);
    if (status == I3D_OK)
        *out = pack_reader_frames(pack);
    pack_reader_free(pack);
    return status;
}

i3d_status store_open(struct store_reader *reader, const char *path, long frames, int planes)
{
    i3d_status status;
    pack_reader_free(reader->pack);
    reader->pack = NULL;
    reader->frames = frames;
    reader->planes = planes;
    TRY(memory_grow(&reader->path, &reader->path_capacity, strlen(path) + 1, 1));
    strcpy(reader->path, path);
    if (file_is_folder(path))
        return I3D_OK;
    TRY(pack_reader_open(path, &reader->pack));
    reader->frames = pack_reader_frames(reader->pack);
    if (pack_reader_planes(reader->pack) != planes)
        return failure(I3D_EFORMAT, "'%s' is a store of %s, not of %s", path,
                       planes == 1 ? "flow" : "frames", planes == 1 ? "frames" : "flow");
out:
    return status;
}

/* The file `reader->name` into memory that is used again for the next. */
static i3d_status load(struct store_reader *reader, size_t *bytes)
{
    struct stat about = { 0 };
    int descriptor;
    i3d_status status = file_open(reader->name, &descriptor);
    if (status != I3D_OK)
        return failure(status,
                       "%s, though n_frames promises %ld frames; make the folder again, or leave "
                       "such clips out (--skip-bad)",
                       i3d_error(), reader->frames);
    fstat(descriptor, &about);
    *bytes = (size_t)about.st_size;
    TRY(memory_grow(&reader->jpeg, &reader->jpeg_capacity, *bytes + 1, 1));
    if (read(descriptor, reader->jpeg, *bytes) != (ssize_t)*bytes)
        status = failure_errno("cannot read '%s'", reader->name);
out:
    close(descriptor);
    return status;
}

static i3d_status read_jpg(struct store_reader *reader, long frame, int plane, i3d_image *out)
{
    static const char *const endings[] = { "x", "y" };
    i3d_status status;
    bool flow = reader->planes == 2;
    size_t bytes = strlen(reader->path) + 64;
    TRY(memory_grow(&reader->name, &reader->name_capacity, bytes, 1));
    snprintf(reader->name, reader->name_capacity, "%s/image_%05ld%s.jpg", reader->path, frame + 1,
             flow ? endings[plane] : "");
    TRY(load(reader, &bytes));
    TRY(image_decode(reader->jpeg, bytes, flow ? 1 : 3, reader->name, out));
out:
    return status;
}

i3d_status store_read(struct store_reader *reader, long frame, int plane, const i3d_image **out)
{
    i3d_image *image = &reader->pictures[plane];
    *out = image;
    return reader->pack ? pack_reader_read(reader->pack, frame, plane, image)
                        : read_jpg(reader, frame, plane, image);
}

void store_close(struct store_reader *reader)
{
    pack_reader_free(reader->pack);
    for (int plane = 0; plane < STORE_PLANES_MOST; plane++)
        i3d_image_clear(&reader->pictures[plane]);
    memory_free(reader->jpeg);
    memory_free(reader->name);
    memory_free(reader->path);
    *reader = (struct store_reader){ 0 };
}
