/* A textured scene in which something is told by motion alone: any one frame could be of any
 * motion. */
#ifndef I3D_VIDEO_SCENE_H
#define I3D_VIDEO_SCENE_H

#include "base/random.h"

#include <i3d/image.h>

/* Each the same after a mirror left to right, so that training may flip. */
enum motion { MOTION_UP, MOTION_DOWN, MOTION_SIDEWAYS, MOTION_TURN, MOTION_NEARER, MOTION_FARTHER };
enum { MOTIONS = 6 };
extern const char *const motion_names[MOTIONS];

enum { TILE = 256 }; /* side of a texture, which repeats */

/* A plane that moves by its class behind a disc that stands still. */
struct scene {
    int width, height, frames;
    uint8_t (*plane)[3], (*disc)[3]; /* [TILE * TILE], R, G, B */
    double origin[2], angle, zoom;   /* of the plane in the middle of the video */
    double speed[2], turn, growth;   /* a frame: pixels, radians, natural logarithm of size */
    double centre[2], radius;        /* of the disc, in pixels */
};

/* A scene of one of the first `motions` motions. `looks` draws the textures, `course` where things
 * are and how fast they move. */
i3d_status scene_create(int width, int height, int frames, enum motion motion, int motions,
                        struct random looks, struct random course, struct scene *out);

/* Frame 0 .. frames-1. */
i3d_status scene_draw(const struct scene *scene, int frame, i3d_image *out);
void scene_clear(struct scene *scene);

#endif
