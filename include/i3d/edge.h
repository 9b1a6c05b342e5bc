/* The pipeline of edge devices: clips as raw files, a network over them, accuracy from its raw
 * answers. Folders, names and forms are those of MindSpore's I3D for Ascend 310. */
#ifndef I3D_EDGE_H
#define I3D_EDGE_H

#include <i3d/clip.h>
#include <i3d/eval.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where the files of one stream are; STREAM is "rgb" or "flow", i counts from 1, N is the batch:
 * root/preprocess_Result/data/DATASET/STREAM/DATASET_bsSTREAM_i.bin, float32 [N, C, T, H, W];
 * root/preprocess_Result/label/DATASET/STREAM/label_bsSTREAMN.npy, int32 [batches, N];
 * beside it manifest.json: the shape of a file, the classes, and the video of each clip;
 * root/result_Files/DATASET_bsSTREAM_i_0.bin, float32 [N, classes]. */
typedef struct i3d_edge_place {
    const char *root;
    const char *dataset; /* a name without '/' and '.' */
    i3d_stream stream;
} i3d_edge_place;

/* Writes one epoch of `loader`, which must be of `dataset`. A batch with fewer clips is filled up
 * with zeros of label -1. Clips that are there already are never touched: I3D_EINVAL. They appear
 * whole or not at all; what a run that was killed left is made anew. `*files` and `*clips`: how
 * many were written; filling is no clip. */
I3D_API i3d_status i3d_edge_preprocess(const i3d_edge_place *place, i3d_loader *loader,
                                       const i3d_dataset *dataset, int *files, long *clips);

typedef struct i3d_edge_timing {
    int count;           /* files that this run gave to the network */
    int finished_before; /* by one that was stopped */
    double milliseconds; /* of the network on one, the mean */
} i3d_edge_timing;

/* Runs a network, opened with `options`, over each .bin of `folder`. Each must have the bytes of
 * `options->batch` clips, else I3D_EFORMAT before anything runs. When all have run, the logits go
 * to root/result_Files, replacing those of the same names, and the timing to
 * root/time_Result/test_perform_static.txt. Until then they are kept aside: the same call, with
 * the same network and clips, goes on where one was stopped. */
I3D_API i3d_status i3d_edge_infer(i3d_classifier *classifier, const i3d_classifier_options *options,
                                  const char *folder, const char *root, i3d_edge_timing *out);

/* The scores of the manifest's videos from the results and labels, as i3d_scores_collect() gives
 * them; filling does not count. I3D_EFORMAT if a result is not whole or not finite. */
I3D_API i3d_status i3d_edge_postprocess(const i3d_edge_place *place, i3d_scores *out);

#ifdef __cplusplus
}
#endif
#endif
