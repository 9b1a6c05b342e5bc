#include "video/input.h"
#include "base/clock.h"
#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"
#include "video/ffmpeg.h"

#include <libavutil/avstring.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IO_BYTES = 1 << 16 };

/* FFmpeg's names of the containers that are read: files of video, and bare streams of it (a stream
 * of one JPEG is a jpeg_pipe). Lists, manifests and descriptions of other files, and texts that
 * look like video, are not. */
static const char containers[] =
    "apng,asf,av1,avi,avs2,avs3,cavsvideo,dirac,dv,evc,flv,gif,gxf,h261,h263,h264,hevc,ivf,"
    "jpeg_pipe,kux,live_flv,m4v,matroska,mjpeg,mov,mpeg,mpegts,mpegvideo,mxf,nsv,nut,obu,ogg,rm,"
    "vc1,vvc,wtv,"
    "yuv4mpegpipe";

static bool is_late(const struct input *input)
{
    return input->limit > 0 && input->spent + (clock_seconds() - input->since) > input->limit;
}

void input_start(struct input *input)
{
    input->since = clock_seconds();
}

void input_stop(struct input *input)
{
    input->spent += clock_seconds() - input->since;
}

i3d_status input_check(const struct input *input)
{
    if (is_late(input))
        return failure(I3D_EFORMAT,
                       "reading '%s' takes longer than %g seconds; allow more by --time-limit, or "
                       "leave it out",
                       input->path, input->limit);
    return check_interrupt();
}

/* FFmpeg asks this between two steps of its own. */
static int must_end(void *input)
{
    return interrupted() || is_late(input);
}

static int read_bytes(void *context, uint8_t *data, int bytes)
{
    struct input *input = context;
    if (must_end(input))
        return AVERROR_EXIT;
    ssize_t got = read(input->descriptor, data, (size_t)bytes);
    if (got < 0)
        return AVERROR(errno);
    return got ? (int)got : AVERROR_EOF;
}

static int64_t seek_bytes(void *context, int64_t offset, int whence)
{
    const struct input *input = context;
    struct stat about;
    if (whence & AVSEEK_SIZE)
        return fstat(input->descriptor, &about) == 0 ? about.st_size : AVERROR(errno);
    int64_t at = lseek(input->descriptor, offset, whence & ~AVSEEK_FORCE);
    return at < 0 ? AVERROR(errno) : at;
}

static int refuse_other(AVFormatContext *format, AVIOContext **io, const char *url, int flags,
                        AVDictionary **options)
{
    (void)format, (void)io, (void)url, (void)flags, (void)options;
    return AVERROR(EACCES);
}

static i3d_status no_memory(const struct input *input)
{
    return failure(I3D_ENOMEM, "no memory to read '%s'", input->path);
}

static i3d_status refuse(const struct input *input, int error)
{
    i3d_status status = input_check(input);
    if (status != I3D_OK)
        return status;
    return failure(I3D_EFORMAT, "'%s' cannot be read as a video: %s", input->path,
                   ffmpeg_reason(error));
}

static i3d_status make_contexts(struct input *input)
{
    uint8_t *buffer = av_malloc(IO_BYTES);
    if (buffer)
        input->io = avio_alloc_context(buffer, IO_BYTES, 0, input, read_bytes, NULL, seek_bytes);
    if (!input->io)
        av_free(buffer);
    input->format = avformat_alloc_context();
    if (!input->io || !input->format)
        return no_memory(input);
    input->format->pb = input->io;
    input->format->flags |= AVFMT_FLAG_CUSTOM_IO; /* `io` stays ours, even before it is open */
    input->format->io_open = refuse_other;
    input->format->interrupt_callback = (AVIOInterruptCB){ must_end, input };
    return I3D_OK;
}

/* What the content says that the file is. The name only breaks ties: it is not a pattern here. */
static i3d_status find_container(struct input *input, const char *only, const AVInputFormat **out)
{
    int error = av_probe_input_buffer2(input->io, out, path_name(input->path), NULL, 0, 0);
    if (error < 0)
        return refuse(input, error);
    if (av_match_list((*out)->name, only ? only : containers, ','))
        return I3D_OK;
    return failure(I3D_EFORMAT,
                   "'%s' is of the format '%s' (%s), not a file that holds a video; if it names "
                   "others, give those",
                   input->path, (*out)->name, (*out)->long_name ? (*out)->long_name : "");
}

i3d_status input_open(const char *path, const char *only, double limit, struct input *out)
{
    i3d_status status;
    const AVInputFormat *container = NULL;
    *out = (struct input){ .descriptor = -1, .limit = limit, .since = clock_seconds() };
    ffmpeg_hush();
    TRY(memory_string(path, &out->path));
    TRY(file_open(path, &out->descriptor));
    TRY(make_contexts(out));
    TRY(find_container(out, only, &container));
    int error = avformat_open_input(&out->format, path_name(path), container, NULL);
    if (error < 0)
        status = refuse(out, error);
out:
    if (status != I3D_OK)
        input_close(out);
    return status;
}

bool input_is_cut_riff(const struct input *input)
{
    uint8_t head[12];
    struct stat about;
    if (pread(input->descriptor, head, sizeof head, 0) != sizeof head ||
        memcmp(head, "RIFF", 4) != 0 || memcmp(head + 8, "AVI ", 4) != 0 ||
        fstat(input->descriptor, &about) != 0)
        return false;
    int64_t said = head[4] | head[5] << 8 | head[6] << 16 | (int64_t)head[7] << 24;
    return said + 8 > about.st_size;
}

void input_close(struct input *input)
{
    if (!input->path)
        return;
    avformat_close_input(&input->format);
    if (input->io)
        av_freep(&input->io->buffer);
    avio_context_free(&input->io);
    if (input->descriptor >= 0)
        close(input->descriptor);
    memory_free(input->path);
    *input = (struct input){ .descriptor = -1 };
}
