/* From frames, flow and labels to batches of clips. */
#ifndef I3D_CLIP_H
#define I3D_CLIP_H

#include <i3d/status.h>
#include <i3d/tensor.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum i3d_stream { I3D_RGB, I3D_FLOW } i3d_stream;
typedef enum i3d_subset { I3D_TRAINING, I3D_VALIDATION } i3d_subset;

/* The videos of an annotation file that are there, in a fixed order. */
typedef struct i3d_dataset i3d_dataset;

typedef struct i3d_dataset_options {
    const char *annotation; /* JSON of the original's form */
    const char *root;       /* of stores: root/label/video/image_00001.jpg, n_frames, or
                               root/label/video.mkv; or of the video files, with `video` set */
    i3d_stream stream;
    i3d_subset subset;
    bool video;     /* decode root/label/video.* instead, and of I3D_FLOW compute the flow */
    int short_side; /* with `video`, as in i3d_video_options: the numbers that the store would ...
                     */
    double fps;     /* ... have been made with give the same clips but for JPEG's loss */
    bool fill_gaps; /* as in i3d_video_options */
    double time_limit;       /* with `video`, as in i3d_video_options */
    const char *flow_preset; /* of that flow, as i3d_flow_preset(); NULL: I3D_FLOW_PRESET_LIVE */
    const char *flow_cache;  /* a folder that keeps that flow, lossless, for later; NULL: none */
    bool strict; /* a missing video is an error; otherwise it is reported and left out */
} i3d_dataset_options;

/* Labels and videos keep the annotation's order. Folders are found in any case of their letters. A
 * video without frames counts as missing; none left is I3D_EINVAL; a folder without n_frames is
 * I3D_EIO. */
I3D_API i3d_status i3d_dataset_open(const i3d_dataset_options *options, i3d_dataset **out);
I3D_API void i3d_dataset_close(i3d_dataset *dataset);
I3D_API int i3d_dataset_video_count(const i3d_dataset *dataset);
I3D_API int i3d_dataset_class_count(const i3d_dataset *dataset);
I3D_API const char *i3d_dataset_class_name(const i3d_dataset *dataset, int label);
I3D_API const char *i3d_dataset_video_name(const i3d_dataset *dataset, int video); /* JSON key */
I3D_API int i3d_dataset_video_label(const i3d_dataset *dataset, int video);
I3D_API int i3d_dataset_missing_count(const i3d_dataset *dataset);

/* How clips are cut and pixels made. i3d_clip_defaults() is right; each quirk of the original is a
 * flag, i3d_clip_compat_mindspore() sets them all. */
typedef struct i3d_clip_options {
    int frames;          /* T, 64 */
    int size;            /* H = W, 224 */
    bool training;       /* random crop in time and space and flips; otherwise centred, no flip */
    int clips_per_video; /* validation: evenly spaced clips, exactly this many; 1: the centre one */
    int resize;          /* short side before the crop, 256; 0: off */
    bool augment;        /* false: training order but centred, unflipped clips */
    bool bgr, crop_per_frame, flip_keeps_sign, temporal_off_by_one; /* the original's quirks */
    bool skip_bad; /* a bad file: report, count, leave its clip out; otherwise an error */
} i3d_clip_options;
I3D_API i3d_clip_options i3d_clip_defaults(void);
I3D_API void i3d_clip_compat_mindspore(i3d_clip_options *options);

/* Batches on worker threads, ahead of the caller; the same for any number of workers. */
typedef struct i3d_loader i3d_loader;
typedef struct i3d_loader_options {
    i3d_clip_options clip;
    int batch;    /* N */
    bool shuffle; /* anew each epoch */
    uint64_t seed;
    int workers; /* 0: one a core */
    /* Of `shares` loaders (0: 1) that share the epoch this is number `share`: while training it
     * makes its N clips of each batch of shares * N, which are none where few are left; otherwise
     * every shares-th video. */
    int share, shares;
} i3d_loader_options;

I3D_API i3d_status i3d_loader_create(const i3d_dataset *dataset, const i3d_loader_options *options,
                                     i3d_loader **out);

/* Begins epoch 0, 1, ... at batch `first_batch` (resuming in the middle). */
I3D_API i3d_status i3d_loader_start(i3d_loader *loader, int epoch, int first_batch);

/* The next batch, borrowed until the next call; I3D_END behind the last, which may be partly
 * filled. An epoch always has i3d_loader_batches(): one whose clips are all left out has a count of
 * 0. */
I3D_API i3d_status i3d_loader_next(i3d_loader *loader, const i3d_batch **out);
I3D_API int i3d_loader_batches(const i3d_loader *loader);  /* an epoch */
I3D_API long i3d_loader_skipped(const i3d_loader *loader); /* clips left out by skip_bad */
I3D_API void i3d_loader_free(i3d_loader *loader);

#ifdef __cplusplus
}
#endif
#endif
