#include "video/output.h"
#include "base/failure.h"
#include "video/ffmpeg.h"

enum { IO_BYTES = 1 << 16 };

static int write_bytes(void *file, ffmpeg_written *data, int bytes)
{
    if (fwrite(data, 1, (size_t)bytes, file) != (size_t)bytes)
        return AVERROR(errno);
    return bytes;
}

static int64_t seek_bytes(void *file, int64_t offset, int whence)
{
    if (whence == AVSEEK_SIZE || fseeko(file, offset, whence & ~AVSEEK_FORCE) != 0)
        return -1;
    return ftello(file);
}

i3d_status output_begin(const char *path, struct output *out)
{
    i3d_status status;
    *out = (struct output){ 0 };
    TRY(file_begin(path, &out->file));
    uint8_t *buffer = av_malloc(IO_BYTES);
    if (buffer)
        out->io = avio_alloc_context(buffer, IO_BYTES, 1, out->file.stream, NULL, write_bytes,
                                     seek_bytes);
    if (!out->io) {
        av_free(buffer);
        return failure(I3D_ENOMEM, "no memory to write '%s'", path);
    }
    avformat_alloc_output_context2(&out->format, NULL, NULL, path);
    if (!out->format)
        return failure(I3D_EUNSUPPORTED, "this FFmpeg cannot write files like '%s'", path);
    out->format->pb = out->io;
    out->format->flags |= AVFMT_FLAG_BITEXACT;
out:
    return status;
}

i3d_status output_failure(const struct output *output, int error)
{
    if (output->io->error < 0) {
        errno = AVUNERROR(output->io->error); /* what write_bytes() met */
        return failure_errno("cannot write '%s'", output->file.path);
    }
    return failure(I3D_EIO, "cannot write '%s': %s", output->file.path, ffmpeg_reason(error));
}

i3d_status output_commit(struct output *output)
{
    int error = av_write_trailer(output->format);
    avio_flush(output->io);
    if (error < 0 || output->io->error < 0)
        return output_failure(output, error);
    return file_commit(&output->file);
}

void output_discard(struct output *output)
{
    avformat_free_context(output->format);
    if (output->io)
        av_freep(&output->io->buffer);
    avio_context_free(&output->io);
    file_discard(&output->file);
    *output = (struct output){ 0 };
}
