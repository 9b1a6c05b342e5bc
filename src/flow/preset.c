#include "base/failure.h"
#include "flow/flow.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The program's default is the first. */
static const struct {
    const char *name;
    i3d_flow_options options;
} presets[] = {
    /* OpenCV 4.6, cv::optflow::DualTVL1OpticalFlow. */
    { "opencv",
      { .tau = .25,
        .lambda = .15,
        .theta = .3,
        .levels = 5,
        .scale = .8,
        .warps = 5,
        .outer = 10,
        .inner = 30,
        .epsilon = .01,
        .median = 5,
        .cubic = -.75,
        .subpixels = 32 } },
    /* OpenCV 4.6, cv::cuda::OpticalFlowDual_TVL1. */
    { "opencv-cuda",
      { .tau = .25,
        .lambda = .15,
        .theta = .3,
        .levels = 5,
        .scale = .8,
        .warps = 5,
        .outer = 1,
        .inner = 300,
        .epsilon = .01,
        .cubic = -.5,
        .subpixels = 256,
        .clamp = true } },
    /* Sanchez, Meinhardt-Llopis, Facciolo, IPOL 2013. */
    { "ipol",
      { .tau = .25,
        .lambda = .15,
        .theta = .3,
        .levels = 5,
        .scale = .5,
        .warps = 5,
        .outer = 1,
        .inner = 300,
        .epsilon = .01,
        .cubic = -.5,
        .subpixels = 256,
        .clamp = true,
        .smooth = .8,
        .stretch = true } },
    /* Fewer and coarser levels reach further for less: large motions are found. */
    { "quality",
      { .tau = .25,
        .lambda = .15,
        .theta = .3,
        .levels = 4,
        .scale = .5,
        .warps = 5,
        .outer = 1,
        .inner = 30,
        .median = 5,
        .cubic = -.75,
        .recheck = true,
        .subpixels = 32 } },
    { "fast",
      { .tau = .25,
        .lambda = .15,
        .theta = .3,
        .levels = 4,
        .scale = .5,
        .warps = 3,
        .outer = 1,
        .inner = 20,
        .median = 5,
        .cubic = -.75,
        .recheck = true,
        .subpixels = 32 } },
    { "turbo",
      { .tau = .25,
        .lambda = .15,
        .theta = .3,
        .levels = 4,
        .scale = .5,
        .warps = 3,
        .outer = 1,
        .inner = 10,
        .median = 3,
        .cubic = -.75,
        .recheck = true,
        .subpixels = 32 } },
};

enum { PRESETS = sizeof presets / sizeof presets[0] };

i3d_status i3d_flow_preset(const char *name, i3d_flow_options *out)
{
    char known[128];
    size_t length = 0;
    for (size_t i = 0; i < PRESETS; i++) {
        if (!name || strcmp(name, presets[i].name) == 0) {
            *out = presets[i].options;
            return I3D_OK;
        }
        length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "",
                                   presets[i].name);
    }
    return failure(I3D_EINVAL, "there is no flow preset '%s'; known are %s", name, known);
}

/* Whether least <= value <= most, with a sentence if not. NaN is not. */
static i3d_status within(const char *name, double value, double least, double most)
{
    if (value >= least && value <= most)
        return I3D_OK;
    return failure(I3D_EINVAL, "flow option '%s' is %g; it must lie within %g and %g", name, value,
                   least, most);
}

i3d_status flow_options_check(const i3d_flow_options *options)
{
    i3d_status status;
    TRY(within("tau", options->tau, 1e-3, 1));
    TRY(within("lambda", options->lambda, 1e-4, 100));
    TRY(within("theta", options->theta, 1e-3, 100));
    TRY(within("levels", options->levels, 1, 32));
    TRY(within("scale", options->scale, .1, .95));
    TRY(within("warps", options->warps, 1, 100));
    TRY(within("outer", options->outer, 1, 1000));
    TRY(within("inner", options->inner, 1, 10000));
    TRY(within("epsilon", options->epsilon, 0, 10));
    TRY(within("cubic", options->cubic, -1, 0));
    TRY(within("smooth", options->smooth, 0, 6));
    TRY(within("subpixels", options->subpixels, 1, 256));
    if (options->subpixels & (options->subpixels - 1))
        return failure(I3D_EINVAL, "flow option 'subpixels' is %d; it must be a power of two",
                       options->subpixels);
    if (options->median != 0 && options->median != 3 && options->median != 5)
        return failure(I3D_EINVAL, "flow option 'median' is %d; it must be 0, 3 or 5",
                       options->median);
out:
    return status;
}
