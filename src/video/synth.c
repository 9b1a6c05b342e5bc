#include "video/synth.h"
#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"
#include "base/thread.h"
#include "video/scene.h"

#include <i3d/video.h>

#include <stdatomic.h>

enum { FPS = 25, CLIPS_A_GROUP = 2 };

struct synthesis {
    const struct synth_options *options;
    const char *folder; /* being filled */
    atomic_long done;
};

static int group_of(int video)
{
    return video / CLIPS_A_GROUP;
}

static const char *subset_of(int video, int videos)
{
    int groups = group_of(videos - 1) + 1;
    int validation = (groups + 3) / 4;
    return group_of(video) < groups - validation ? "training" : "validation";
}

/* "up_g03_c01" */
static void name_video(char *out, size_t bytes, int motion, int video)
{
    snprintf(out, bytes, "%s_g%02d_c%02d", motion_names[motion], group_of(video) + 1,
             video % CLIPS_A_GROUP + 1);
}

static i3d_status write_frames(const struct synth_options *options, const struct scene *scene,
                               const char *path)
{
    i3d_status status;
    i3d_video_writer *writer = NULL;
    i3d_image image = { 0 };
    TRY(i3d_video_writer_open(path, scene->width, scene->height, FPS, &writer));
    for (int frame = 0; frame < options->frames; frame++) {
        TRY(check_interrupt());
        TRY(scene_draw(scene, frame, &image));
        TRY(i3d_video_writer_add(writer, &image));
    }
    TRY(i3d_video_writer_finish(writer));
out:
    i3d_video_writer_close(writer);
    i3d_image_clear(&image);
    return status;
}

static i3d_status write_video(size_t index, int worker, void *context)
{
    struct synthesis *synthesis = context;
    const struct synth_options *options = synthesis->options;
    int motion = (int)index / options->videos, video = (int)index % options->videos;
    int width = options->size * 4 / 3 / 2 * 2;
    char name[64], *path = NULL;
    struct scene scene = { 0 };
    i3d_status status;
    (void)worker;
    name_video(name, sizeof name, motion, video);
    TRY(memory_format(&path, "%s/%s/%s.avi", synthesis->folder, motion_names[motion], name));
    TRY(scene_create(width, options->size, options->frames, (enum motion)motion, options->classes,
                     random_for(options->seed, RANDOM_LOOKS, 0, (uint64_t)group_of(video)),
                     random_for(options->seed, RANDOM_COURSE, 0, index), &scene));
    TRY(write_frames(options, &scene, path));
    talk_progress("videos", atomic_fetch_add(&synthesis->done, 1) + 1,
                  (long)options->classes * options->videos);
out:
    scene_clear(&scene);
    memory_free(path);
    return status;
}

static i3d_status write_split(const struct synth_options *options, const char *folder)
{
    i3d_status status;
    char *path = NULL, name[64];
    struct file_writer file = { 0 };
    TRY(path_join(&path, folder, "split.csv"));
    TRY(file_begin(path, &file));
    fputs("video,class,group,subset\n", file.stream);
    for (int motion = 0; motion < options->classes; motion++)
        for (int video = 0; video < options->videos; video++) {
            name_video(name, sizeof name, motion, video);
            fprintf(file.stream, "%s,%s,%d,%s\n", name, motion_names[motion], group_of(video) + 1,
                    subset_of(video, options->videos));
        }
    TRY(file_commit(&file));
out:
    file_discard(&file);
    memory_free(path);
    return status;
}

static i3d_status check(const char *target, const struct synth_options *options)
{
    if (options->classes < 2 || options->classes > MOTIONS || options->videos < 2 ||
        options->videos > 1000 || options->frames < 2 || options->size < 16)
        return failure(I3D_EINVAL,
                       "%d classes (2 to %d) of %d videos (2 to 1000) of %d frames (2 or more), %d "
                       "pixels high (16 or more)",
                       options->classes, MOTIONS, options->videos, options->frames, options->size);
    if (file_exists(target))
        return failure(I3D_EINVAL, "'%s' exists; remove it or choose another folder", target);
    return I3D_OK;
}

static i3d_status make_class_folders(const char *folder, int classes)
{
    i3d_status status = I3D_OK;
    for (int motion = 0; motion < classes && status == I3D_OK; motion++) {
        char *path;
        status = path_join(&path, folder, motion_names[motion]);
        if (status == I3D_OK)
            status = folder_make(path);
        memory_free(path);
    }
    return status;
}

i3d_status synth_write(const char *target, const struct synth_options *options)
{
    i3d_status status;
    struct folder_writer folder = { 0 };
    TRY(check(target, options));
    TRY(folder_begin(target, &folder));
    TRY(make_class_folders(folder.side, options->classes));
    struct synthesis synthesis = { .options = options, .folder = folder.side };
    TRY(thread_run((size_t)options->classes * (size_t)options->videos, options->jobs, write_video,
                   &synthesis));
    TRY(write_split(options, folder.side));
    TRY(folder_commit(&folder));
out:
    folder_discard(&folder);
    return status;
}
