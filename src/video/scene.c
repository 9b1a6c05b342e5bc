#include "video/scene.h"
#include "base/memory.h"
#include "base/failure.h"

#include <math.h>
#include <string.h>

const char *const motion_names[MOTIONS] = { "up", "down", "sideways", "turn", "nearer", "farther" };

static double between(struct random *random, double least, double most)
{
    return least + (most - least) * random_unit(random);
}

static double either_sign(struct random *random, double value)
{
    return random_below(random, 2) ? value : -value;
}

/* ---- textures ---- */

/* Adds smooth noise to one channel: random numbers on a grid of `cell` pixels, interpolated. */
static void add_noise(struct random *random, int cell, float weight, float *channel)
{
    enum { GRID_MAX = TILE / 4 };
    float grid[GRID_MAX][GRID_MAX];
    int side = TILE / cell;
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++)
            grid[y][x] = weight * (float)(2 * random_unit(random) - 1);
    for (int i = 0; i < TILE * TILE; i++) {
        int x = i % TILE / cell, y = i / TILE / cell;
        float fx = (float)(i % TILE % cell) / (float)cell;
        float fy = (float)(i / TILE % cell) / (float)cell;
        fx *= fx * (3 - 2 * fx);
        fy *= fy * (3 - 2 * fy);
        const float *a = grid[y], *b = grid[(y + 1) % side];
        int next = (x + 1) % side;
        channel[i] +=
            (1 - fy) * ((1 - fx) * a[x] + fx * a[next]) + fy * ((1 - fx) * b[x] + fx * b[next]);
    }
}

static void add_noises(struct random *random, float *channel)
{
    add_noise(random, 16, .5f, channel);
    add_noise(random, 8, 1, channel);
    add_noise(random, 4, .3f, channel);
}

/* Noise of three scales: one part that the channels share, so that grey has contrast, and one that
 * gives colour. `work` is [2, TILE * TILE]. */
static void make_texture(struct random *random, float *work, uint8_t (*out)[3])
{
    enum { CELLS = TILE * TILE };
    float *shared = work, *channel = work + CELLS;
    memset(shared, 0, CELLS * sizeof *shared);
    add_noises(random, shared);
    for (int c = 0; c < 3; c++) {
        float least = INFINITY, most = -INFINITY;
        memcpy(channel, shared, CELLS * sizeof *channel);
        add_noises(random, channel);
        for (int i = 0; i < CELLS; i++) {
            least = fminf(least, channel[i]);
            most = fmaxf(most, channel[i]);
        }
        for (int i = 0; i < CELLS; i++)
            out[i][c] = (uint8_t)(255 * (channel[i] - least) / (most - least));
    }
}

/* ---- scenes ---- */

/* Speeds of 2 to 3.5 pixels a frame on a picture 90 high, at the rim where it turns or grows. */
static void set_course(struct scene *scene, enum motion motion, int motions, struct random *random)
{
    double height = scene->height, pixels = height / 90 * between(random, 2, 3.5);
    double rate = between(random, .03, .045), middle = scene->frames / 2.;
    scene->zoom = between(random, -.1, .1);
    if (motion == MOTION_UP || motion == MOTION_DOWN)
        scene->speed[1] = motion == MOTION_UP ? -pixels : pixels;
    else if (motion == MOTION_SIDEWAYS)
        scene->speed[0] = either_sign(random, pixels);
    else if (motion == MOTION_TURN)
        scene->turn = either_sign(random, pixels / height * 2);
    else
        scene->growth = motion == MOTION_NEARER ? rate : -rate;
    /* Where some planes grow, the others stay at one of the sizes that those pass through. */
    if (scene->growth == 0 && motions > MOTION_NEARER)
        scene->zoom += rate * between(random, -middle, middle);
}

i3d_status scene_create(int width, int height, int frames, enum motion motion, int motions,
                        struct random looks, struct random course, struct scene *out)
{
    i3d_status status;
    float *work = NULL;
    *out = (struct scene){ .width = width, .height = height, .frames = frames };
    TRY(memory_get((size_t)2 * TILE * TILE, sizeof *work, &work));
    TRY(memory_get((size_t)TILE * TILE, sizeof *out->plane, &out->plane));
    TRY(memory_get((size_t)TILE * TILE, sizeof *out->disc, &out->disc));
    make_texture(&looks, work, out->plane);
    make_texture(&looks, work, out->disc);
    out->angle = between(&course, 0, 6.28318530718);
    out->radius = height * between(&course, .12, .22);
    for (int i = 0; i < 2; i++) {
        out->origin[i] = between(&course, 0, TILE);
        out->centre[i] = (i ? height : width) * between(&course, .2, .8);
    }
    set_course(out, motion, motions, &course);
out:
    memory_free(work);
    if (status != I3D_OK)
        scene_clear(out);
    return status;
}

void scene_clear(struct scene *scene)
{
    memory_free(scene->plane);
    memory_free(scene->disc);
    *scene = (struct scene){ 0 };
}

/* The texture at (x, y), bilinear, repeating. */
static void sample(uint8_t (*texture)[3], double x, double y, uint8_t *out)
{
    double left = floor(x), top = floor(y);
    float fx = (float)(x - left), fy = (float)(y - top);
    int x0 = (int)((int64_t)left & (TILE - 1)), y0 = (int)((int64_t)top & (TILE - 1));
    int x1 = (x0 + 1) & (TILE - 1), y1 = (y0 + 1) & (TILE - 1);
    for (int c = 0; c < 3; c++) {
        float a = (float)texture[y0 * TILE + x0][c], b = (float)texture[y0 * TILE + x1][c];
        float d = (float)texture[y1 * TILE + x0][c], e = (float)texture[y1 * TILE + x1][c];
        out[c] = (uint8_t)((1 - fy) * ((1 - fx) * a + fx * b) + fy * ((1 - fx) * d + fx * e) + .5f);
    }
}

i3d_status scene_draw(const struct scene *scene, int frame, i3d_image *out)
{
    i3d_status status = i3d_image_resize_storage(out, scene->width, scene->height, 3);
    if (status != I3D_OK)
        return status;
    double time = frame - (scene->frames - 1) / 2.;
    double size = exp(scene->zoom + scene->growth * time) * scene->height / 90;
    double angle = scene->angle + scene->turn * time;
    double across = cos(angle) / size, along = sin(angle) / size;
    uint8_t *pixel = out->pixels;
    for (int y = 0; y < scene->height; y++)
        for (int x = 0; x < scene->width; x++, pixel += 3) {
            double dx = x - scene->centre[0], dy = y - scene->centre[1];
            if (dx * dx + dy * dy < scene->radius * scene->radius) {
                sample(scene->disc, x, y, pixel);
                continue;
            }
            double px = x - scene->width / 2. - scene->speed[0] * time;
            double py = y - scene->height / 2. - scene->speed[1] * time;
            sample(scene->plane, scene->origin[0] + across * px + along * py,
                   scene->origin[1] - along * px + across * py, pixel);
        }
    return I3D_OK;
}
