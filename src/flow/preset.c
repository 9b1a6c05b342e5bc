#include "base/failure.h"
#include "flow/flow.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BLACK I3D_FLOW_BORDER_BLACK
#define EDGE I3D_FLOW_BORDER_EDGE
#define NONE I3D_FLOW_BORDER_NONE

/* OpenCV's classes are cv::optflow::DualTVL1OpticalFlow and cv::cuda::OpticalFlowDual_TVL1 of 4.6;
 * the first of 5.0 differs in the positions that a warp tells apart. "ipol" is the program of
 * Sanchez et al. The last three were chosen by their errors on pairs with known motion
 * (bench/flow.py): levels of half the size reach further. The numbers stand in the order of
 * i3d_flow_options. */
static const struct {
    const char *name;
    i3d_flow_options options;
} presets[] = {
    { "opencv",
      { .25, .15, .3, 5, .8, false, 5, 10, 30, .01, 1, 5, -.75, 32, BLACK, 0, false, false } },
    { "opencv5",
      { .25, .15, .3, 5, .8, false, 5, 10, 30, .01, 1, 5, -.75, 256, BLACK, 0, false, false } },
    { "opencv-cuda",
      { .25, .15, .3, 5, .8, false, 5, 1, 300, .01, 1, 0, -.5, 256, EDGE, 0, false, false } },
    { "ipol",
      { .25, .15, .3, 5, .5, true, 5, 1, 300, .01, 1, 0, -.5, 256, NONE, .8, false, true } },
    { "quality",
      { .25, .15, .3, 4, .5, false, 5, 1, 30, .03, 5, 3, -.75, 32, NONE, 0, true, false } },
    { "fast", { .25, .15, .3, 4, .5, false, 4, 1, 16, .03, 4, 3, -.75, 32, NONE, 0, true, false } },
    { "turbo", { .25, .15, .3, 4, .5, false, 3, 1, 8, 0, 4, 3, -.75, 32, EDGE, 0, true, false } },
};

enum { PRESETS = sizeof presets / sizeof presets[0] };

i3d_status i3d_flow_preset(const char *name, i3d_flow_options *out)
{
    char known[128];
    size_t length = 0;
    if (!name)
        name = I3D_FLOW_PRESET;
    for (size_t i = 0; i < PRESETS; i++) {
        if (strcmp(name, presets[i].name) == 0) {
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
    TRY(within("look", options->look, 1, 10000));
    TRY(within("cubic", options->cubic, -1, 0));
    TRY(within("smooth", options->smooth, 0, 6));
    TRY(within("subpixels", options->subpixels, 1, 256));
    TRY(within("border", options->border, I3D_FLOW_BORDER_BLACK, I3D_FLOW_BORDER_NONE));
    if (options->subpixels & (options->subpixels - 1))
        return failure(I3D_EINVAL, "flow option 'subpixels' is %d; it must be a power of two",
                       options->subpixels);
    if (options->median != 0 && options->median != 3 && options->median != 5)
        return failure(I3D_EINVAL, "flow option 'median' is %d; it must be 0, 3 or 5",
                       options->median);
out:
    return status;
}
