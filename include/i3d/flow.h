/* TV-L1 optical flow (Zach, Pock, Bischof 2007; Sanchez, Meinhardt-Llopis, Facciolo 2013): the
 * motion (u, v) between two pictures that makes
 *     sum |grad u| + |grad v| + lambda |I1(x + (u, v)) - I0(x)|
 * least, found from coarse to fine on a pyramid. */
#ifndef I3D_FLOW_H
#define I3D_FLOW_H

#include <i3d/image.h>
#include <i3d/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a sample finds beyond the border of a picture. */
typedef enum i3d_flow_border {
    I3D_FLOW_BORDER_BLACK, /* 0 */
    I3D_FLOW_BORDER_EDGE,  /* the picture's edge, repeated */
    I3D_FLOW_BORDER_NONE   /* nothing: a sample that needs it says nothing about the motion */
} i3d_flow_border;

/* Every number of the algorithm. Start from a preset, then change what you will. */
typedef struct i3d_flow_options {
    double tau;    /* time step of the dual, .25 */
    double lambda; /* weight of the data term, .15; larger: less smooth */
    double theta;  /* tightness of the coupling, .3 */
    int levels;    /* of the pyramid; it stops before a side would fall below 16 */
    double scale;  /* size ratio between two levels, .1 to .95 */
    bool bicubic;  /* pictures and flow change their size bicubically, first pixel on first pixel,
                      and the pyramid stops before its diagonal falls below 16; otherwise
                      bilinearly, border on border */
    int warps;     /* a level */
    int outer, inner; /* iterations a warp: outer x inner; a median before each outer */
    double epsilon;   /* stop a warp when an iteration's mean squared change is epsilon^2 or less,
                         in the mean of the last `look`; 0: never */
    int look;         /* iterations until the change is looked at again */
    int median;       /* window of the median filter on the flow: 0 (none), 3 or 5 */
    double cubic;     /* the a of the bicubic kernel that warps (Keys 1981): -.75 or -.5 */
    int subpixels;    /* positions the warp tells apart in a pixel: a power of two, 1 to 256 */
    i3d_flow_border border;
    double smooth; /* sigma of a Gaussian on the pictures, and one before halving; 0: none */
    bool recheck;  /* start from rest where that explains a pixel better than the coarser flow */
    bool stretch;  /* stretch the grey values of each pair to 0..255 */
} i3d_flow_options;

#define I3D_FLOW_PRESET "quality"   /* where none is chosen; doc/flow.md says why */
#define I3D_FLOW_PRESET_LIVE "fast" /* .. for flow computed while clips are loaded */
#define I3D_FLOW_BOUND 20.          /* of flow as bytes: the fastest motion, in pixels a frame */

/* Fills `out` with a preset: "opencv" (OpenCV 4.6 DualTVL1 defaults), ...; NULL is I3D_FLOW_PRESET.
 * I3D_EINVAL lists the names it knows. */
I3D_API i3d_status i3d_flow_preset(const char *name, i3d_flow_options *out);

/* Computes flow between pictures of one size. One a thread; all memory is taken at creation. */
typedef struct i3d_flow i3d_flow;
I3D_API i3d_status i3d_flow_create(const i3d_flow_options *options, int width, int height,
                                   i3d_flow **out);
I3D_API void i3d_flow_free(i3d_flow *flow);

/* The motion from `from` to `to` (grey, [height, width], 8 bits): u right, v down, in pixels,
 * [height, width] each. The same pictures give the same bits on every machine. */
I3D_API i3d_status i3d_flow_run(i3d_flow *flow, const uint8_t *from, const uint8_t *to, float *u,
                                float *v);

/* The next picture of a sequence: motion from the one before it. The first one's flow is zero.
 * Builds each picture's pyramid once. i3d_flow_restart() begins another sequence. A frame may be
 * RGB or grey; one of another size is I3D_EINVAL. */
I3D_API i3d_status i3d_flow_next(i3d_flow *flow, const uint8_t *grey, float *u, float *v);
I3D_API i3d_status i3d_flow_next_frame(i3d_flow *flow, const i3d_image *frame, float *u, float *v);
I3D_API void i3d_flow_restart(i3d_flow *flow);

/* Bytes of flow: clamp(round_half_even((f + bound) * 255 / (2 bound)), 0, 255). */
I3D_API void i3d_flow_to_bytes(const float *flow, size_t count, double bound, uint8_t *out);

/* A flow that owns its memory. */
typedef struct i3d_field {
    int width, height;
    float *u, *v; /* [height, width], pixels */
} i3d_field;

/* Middlebury .flo files: "PIEH", width, height, then u, v of each pixel as little-endian float32.
 * Values beyond 1e9 mean "unknown" and are kept as they are. */
I3D_API i3d_status i3d_field_read(const char *path, i3d_field *out);
I3D_API i3d_status i3d_field_write(const char *path, const i3d_field *field);
I3D_API void i3d_field_clear(i3d_field *field);

/* Mean distance between the motions of two fields of one size (the end-point error), in pixels,
 * where both are known. */
I3D_API i3d_status i3d_field_error(const i3d_field *a, const i3d_field *b, double *out);

#ifdef __cplusplus
}
#endif
#endif
