/* Prints how a video moves, frame by frame: flow VIDEO. A line is the frame's time in seconds and
 * its mean motion in pixels, right and down. */
#include <i3d/i3d.h>

#include <stdio.h>
#include <stdlib.h>

static double mean(const float *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)values[i];
    return sum / (double)count;
}

static i3d_status follow(i3d_video *video, i3d_flow *flow, size_t pixels, float *u, float *v)
{
    const i3d_image *frame;
    double time;
    i3d_status status;
    while ((status = i3d_video_next(video, &frame, &time)) == I3D_OK &&
           (status = i3d_flow_next_frame(flow, frame, u, v)) == I3D_OK)
        printf("%.3f %+.3f %+.3f\n", time, mean(u, pixels), mean(v, pixels));
    return status == I3D_END ? I3D_OK : status;
}

static i3d_status run(const char *path)
{
    i3d_video *video = NULL;
    i3d_flow *flow = NULL;
    i3d_flow_options options;
    float *u = NULL, *v = NULL;
    i3d_status status = i3d_video_open(path, NULL, &video);
    if (status == I3D_OK)
        status = i3d_flow_preset("opencv", &options);
    if (status == I3D_OK) {
        const i3d_video_info info = i3d_video_get_info(video);
        const size_t pixels = (size_t)info.width * (size_t)info.height;
        u = calloc(pixels, sizeof *u);
        v = calloc(pixels, sizeof *v);
        status = i3d_flow_create(&options, info.width, info.height, &flow);
        if (status == I3D_OK)
            status = u && v ? follow(video, flow, pixels, u, v) : I3D_ENOMEM;
    }
    free(u);
    free(v);
    i3d_flow_free(flow);
    i3d_video_close(video);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: flow VIDEO\n");
        return 2;
    }
    i3d_status status = run(argv[1]);
    if (status != I3D_OK)
        fprintf(stderr, "flow: %s\n", i3d_error());
    return status != I3D_OK;
}
