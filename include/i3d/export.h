/* A network as a file that other programs run. */
#ifndef I3D_EXPORT_H
#define I3D_EXPORT_H

#include <i3d/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct i3d_export_options {
    int batch;                 /* clips a run; 0: any number in .onnx, 8 in the others */
    int frames, height, width; /* T, H, W of a clip */
    bool any_frames;           /* .onnx only: T is free; with the average head from 9 frames on */
    bool fold_bn; /* batch norms become part of the convolutions' weights and of biases */

    /* What the file tells of the clips beside: the short side that videos are scaled to before the
     * crop (0: not scaled), the order of the colours, and the classes' names (NULL: not known). */
    int resize;
    bool bgr;
    const char *const *labels; /* [classes] */
} i3d_export_options;

/* 64 x 224 x 224, short side 256, RGB, batch norms as they are. */
I3D_API i3d_export_options i3d_export_defaults(void);

/* Writes the model in the format that the extension names: .onnx (opset 17), .mindir (MindSpore),
 * .air (Ascend's graph engine). The input is "data" [N, C, T, H, W] with pixels in [-1, 1], the
 * output "logits" [N, classes], as i3d_network_run() gives them. Whole or not at all; I3D_EINVAL
 * for another extension and for what the format cannot do. */
I3D_API i3d_status i3d_export(const i3d_model *model, const i3d_export_options *options,
                              const char *path);

/* Reads an exported file back and runs its operators, one by one in plain C, on a random clip of
 * the options' size: `*out` is the largest difference of the logits to those of `model` on the
 * fastest engine. I3D_EFORMAT names an operator that cannot be run; I3D_EUNSUPPORTED for .air,
 * which nothing here reads. */
I3D_API i3d_status i3d_export_verify(const i3d_model *model, const i3d_export_options *options,
                                     const char *path, double *out);

#ifdef __cplusplus
}
#endif
#endif
