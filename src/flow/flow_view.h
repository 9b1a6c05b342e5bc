/* Flow for the eye. */
#ifndef I3D_FLOW_FLOW_VIEW_H
#define I3D_FLOW_FLOW_VIEW_H

#include <i3d/flow.h>
#include <i3d/image.h>
#include <i3d/video.h>

/* The colour of a motion on Middlebury's wheel (Baker et al. 2011): the hue is its direction, white
 * is rest, full colour `bound` pixels; what is longer is darkened. `rgb`: three bytes. */
void flow_colour(double u, double v, double bound, uint8_t rgb[3]);

/* Writes a video that shows the frames of another, and beside them their flow. */
i3d_status flow_view(const char *source, const i3d_video_options *video,
                     const i3d_flow_options *options, double bound, const char *target);

#endif
