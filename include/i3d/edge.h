/* The pipeline of edge devices: clips as raw files, a network over them, accuracy from its raw
 * answers. Folders, names and forms are those of MindSpore's I3D for Ascend 310. */
#ifndef I3D_EDGE_H
#define I3D_EDGE_H

#include <i3d/clip.h>
#include <i3d/eval.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where the files of one stream are; STREAM is "rgb" or "flow", i counts from 1:
 * root/preprocess_Result/data/DATASET/STREAM/DATASET_bsSTREAM_i.bin, float32 [N, C, T, H, W];
 * root/preprocess_Result/label/DATASET/STREAM/label_bsSTREAMN.npy, int32 [batches, N];
 * beside it manifest.json, whose "batches" name the video of each clip that is in a batch;
 * root/result_Files/DATASET_bsSTREAM_i_0.bin, float32 [N, classes]. */
typedef struct i3d_edge_place {
    const char *root;
    const char *dataset; /* a name without '/' and '.' */
    i3d_stream stream;
    int batch; /* N */
} i3d_edge_place;

/* Writes one epoch of `loader`, which must be of `dataset` and in batches of N. A batch with fewer
 * clips is filled up with zeros of label -1. Clips that are there already are never touched:
 * I3D_EINVAL. What a run that was killed left is made anew. `*clips`: how many were written. */
I3D_API i3d_status i3d_edge_preprocess(const i3d_edge_place *place, i3d_loader *loader,
                                       const i3d_dataset *dataset, long *clips);

typedef struct i3d_edge_timing {
    int count;           /* files */
    double milliseconds; /* of the network on one, the mean */
} i3d_edge_timing;

/* Runs a network, opened for `stream` and `batch`, over each .bin of `folder`. Each must have the
 * bytes of `batch` clips, else I3D_EFORMAT before anything runs. When all have run, the logits go
 * to root/result_Files, replacing those of the same names, and the timing to
 * root/time_Result/test_perform_static.txt. */
I3D_API i3d_status i3d_edge_infer(i3d_classifier *classifier, i3d_stream stream, int batch,
                                  const char *folder, const char *root, i3d_edge_timing *out);

/* The scores of the manifest's videos from the results and labels; filling does not count. */
I3D_API i3d_status i3d_edge_postprocess(const i3d_edge_place *place, i3d_scores *out);

#ifdef __cplusplus
}
#endif
#endif
