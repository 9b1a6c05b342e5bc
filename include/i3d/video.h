/* Video files: frames with time stamps in, frames out. */
#ifndef I3D_VIDEO_H
#define I3D_VIDEO_H

#include <i3d/image.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct i3d_video i3d_video;

typedef struct i3d_video_options {
    double fps;     /* resample by time stamps to this rate, up to 1000, as ffmpeg's fps filter; 0:
                       every frame of the file */
    int short_side; /* scale (bicubic) so that the short side is this, the other rounded as ffmpeg's
                       scale=-1 does; 0: as stored */
    bool fill_gaps; /* with `fps`: one frame may stand for longer than a minute */
    int threads;    /* of the decoder; 0: 1 */
    double time_limit; /* seconds that reading and decoding it may take, all calls together; 0: any
                        */
} i3d_video_options;

typedef struct i3d_video_info {
    int width, height; /* of the frames that i3d_video_next() gives, rotation applied */
    double fps;        /* average rate of the file; 25 if it gives no hint */
    double duration;   /* seconds, 0 if the file does not say */
    long frames;       /* the container's own estimate, 0 if it does not say */
    const char *codec; /* a loan until close */
} i3d_video_info;

/* Opens the first video stream of a container that FFmpeg reads; rotation that the file asks for is
 * done. NULL options: all zero. `path` is always a file, never a URL or a pattern, and no other
 * file is opened: a playlist is I3D_EFORMAT. I3D_EIO if it cannot be opened, I3D_EFORMAT if it is
 * no video, I3D_EUNSUPPORTED if its codec is not known here. FFmpeg's
 * log is taken, process-wide: it prints nothing, and its last words are in i3d_error(). */
I3D_API i3d_status i3d_video_open(const char *path, const i3d_video_options *options,
                                  i3d_video **out);
I3D_API i3d_video_info i3d_video_get_info(const i3d_video *video);

/* The next frame as RGB, a loan until the next call, all of the first one's size; `time` (may be
 * NULL) in seconds from the file's start. I3D_END after the last: every frame that the decoder
 * holds back comes before it. I3D_EFORMAT instead if the file ends too early, has no frames or is
 * mostly damaged; with `fps`, if its time stamps jump or ask for more frames than
 * a file of its size can have; a few damaged packets are told through i3d_log_to() and left out. */
I3D_API i3d_status i3d_video_next(i3d_video *video, const i3d_image **out, double *time);
/* Passes over so many frames: they are decoded, but no pictures are made of them. I3D_END if there
 * are fewer. */
I3D_API i3d_status i3d_video_skip(i3d_video *video, long frames);
I3D_API void i3d_video_close(i3d_video *video);

/* How many frames i3d_video_next() gives. All are decoded, without pictures: containers lie about
 * their number. I3D_EINTERRUPTED after i3d_interrupt(), as i3d_video_skip(). */
I3D_API i3d_status i3d_video_count(const char *path, const i3d_video_options *options, long *out);

/* Writes frames of one size to a file whose extension chooses the container and codec: .avi
 * (MPEG-4), .mp4 and .mov (H.264 if this FFmpeg has libx264, else MPEG-4), .mkv (FFV1: the pixels
 * as they are), .mjpeg. The same frames make the same bytes. It appears whole or not at all. */
typedef struct i3d_video_writer i3d_video_writer;
I3D_API i3d_status i3d_video_writer_open(const char *path, int width, int height, double fps,
                                         i3d_video_writer **out);
I3D_API i3d_status i3d_video_writer_add(i3d_video_writer *writer, const i3d_image *rgb);
/* Finishes the file and puts it in its place. */
I3D_API i3d_status i3d_video_writer_finish(i3d_video_writer *writer);
/* Frees; without a finish before it, nothing is left on disk. NULL is fine. */
I3D_API void i3d_video_writer_close(i3d_video_writer *writer);

/* The version of the FFmpeg that decodes; NULL: this program was built without it. */
I3D_API const char *i3d_video_library(void);

/* Whether videos of a codec, by FFmpeg's name ("h264"), can be read. */
I3D_API bool i3d_video_can_read(const char *codec);

#ifdef __cplusplus
}
#endif
#endif
