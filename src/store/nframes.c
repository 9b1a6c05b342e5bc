#include "store/nframes.h"
#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"
#include "store/pack.h"
#include "store/store.h"
#include "store/walk.h"

#include <stdlib.h>
#include <string.h>

enum { INDEX_DIGITS = 7, HAS_FRAME = 1, HAS_X = 2, HAS_Y = 4 };

/* Index and flag of "image_00012x.jpg"; a flag of 0 for any other name. */
static int parse(const char *name, long *index)
{
    if (strncmp(name, "image_", 6) != 0)
        return 0;
    const char *digits = name + 6, *tail = digits + strspn(digits, "0123456789");
    if (tail == digits || tail - digits > INDEX_DIGITS)
        return 0;
    *index = strtol(digits, NULL, 10);
    if (*index == 0)
        return 0;
    if (strcmp(tail, ".jpg") == 0)
        return HAS_FRAME;
    if (strcmp(tail, "x.jpg") == 0)
        return HAS_X;
    return strcmp(tail, "y.jpg") == 0 ? HAS_Y : 0;
}

/* A file tells its number itself. */
static i3d_status number_pack(const char *path, struct numbering *out)
{
    struct pack_reader *pack;
    *out = (struct numbering){ 0 };
    i3d_status status = pack_reader_open(path, &pack);
    if (status != I3D_OK)
        return status;
    out->highest = pack_reader_frames(pack);
    status = pack_reader_missing(pack, &out->missing);
    pack_reader_free(pack);
    return status;
}

static i3d_status number_folder(const char *folder, struct numbering *out)
{
    i3d_status status;
    struct names names = { 0 };
    uint8_t *has = NULL; /* [highest + 1] of the flags above */
    size_t capacity = 0;
    *out = (struct numbering){ 0 };
    TRY(folder_list(folder, &names));
    for (size_t i = 0; i < names.count; i++) {
        long index;
        int flag = parse(names.items[i], &index);
        if (!flag)
            continue;
        TRY(memory_grow(&has, &capacity, (size_t)index + 1, 1));
        has[index] |= (uint8_t)flag;
        out->flow |= flag != HAS_FRAME;
        if (index > out->highest)
            out->highest = index;
    }
    int whole = out->flow ? HAS_X | HAS_Y : HAS_FRAME;
    for (long i = out->highest; i >= 1; i--)
        if ((has[i] & whole) != whole) {
            out->missing++;
            out->first = i;
        }
out:
    memory_free(has);
    names_clear(&names);
    return status;
}

i3d_status store_number(const char *path, struct numbering *out)
{
    return file_is_folder(path) ? number_folder(path, out) : number_pack(path, out);
}

static i3d_status count_one(const struct video_file *video, struct nframes *out, long *frames)
{
    struct numbering numbering;
    i3d_status status = store_number(video->path, &numbering);
    if (status != I3D_OK)
        return status;
    *frames = numbering.highest;
    out->videos++;
    out->frames += numbering.highest;
    if (numbering.highest == 0 || numbering.missing > 0) {
        out->gaps++;
        talk("'%s': %ld of %ld frames are missing", video->path, numbering.missing,
             numbering.highest);
    }
    return file_is_folder(video->path) ? store_write_count(video->path, numbering.highest) : I3D_OK;
}

/* The store of a video under `root`, a folder or else a file, which may not be there. */
static i3d_status find_store(const char *root, const struct video_file *video, char **out)
{
    i3d_status status = memory_format(out, "%s/%s/%s", root, video->class_name, video->name);
    if (status != I3D_OK || file_is_folder(*out))
        return status;
    memory_free(*out);
    return memory_format(out, "%s/%s/%s.mkv", root, video->class_name, video->name);
}

/* Where the flow has `frames` of a video, its rgb should have as many. */
static i3d_status compare(const struct video_file *video, long frames, const char *rgb,
                          struct nframes *out)
{
    i3d_status status;
    char *store = NULL;
    struct numbering numbering = { 0 };
    TRY(find_store(rgb, video, &store));
    if (file_exists(store))
        TRY(store_number(store, &numbering));
    if (numbering.highest != frames) {
        out->mismatch++;
        talk("'%s': %ld frames, but %ld in '%s'", video->path, frames, numbering.highest,
             file_exists(store) ? store : rgb);
    }
out:
    memory_free(store);
    return status;
}

/* Videos of the rgb that have no flow at all. */
static i3d_status find_missing(const char *root, const char *rgb, struct nframes *out)
{
    i3d_status status;
    struct videos videos = { 0 };
    char *store = NULL;
    TRY(videos_find_stores(rgb, &videos));
    for (size_t i = 0; i < videos.count; i++) {
        const struct video_file *video = &videos.items[i];
        memory_free(store);
        TRY(find_store(root, video, &store));
        if (file_exists(store))
            continue;
        out->mismatch++;
        talk("'%s/%s/%s' is missing, though '%s' is there", root, video->class_name, video->name,
             video->path);
    }
out:
    memory_free(store);
    videos_clear(&videos);
    return status;
}

i3d_status nframes_write(const char *root, const char *rgb, struct nframes *out)
{
    i3d_status status;
    struct videos videos = { 0 };
    *out = (struct nframes){ 0 };
    TRY(videos_find_stores(root, &videos));
    for (size_t i = 0; i < videos.count; i++) {
        long frames;
        TRY(check_interrupt());
        TRY(count_one(&videos.items[i], out, &frames));
        if (rgb)
            TRY(compare(&videos.items[i], frames, rgb, out));
        talk_progress("videos", (long)i + 1, (long)videos.count);
    }
    if (rgb)
        TRY(find_missing(root, rgb, out));
out:
    videos_clear(&videos);
    return status;
}
