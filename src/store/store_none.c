/* In place of what uses FFmpeg here, where it is missing. */
#include "base/failure.h"
#include "store/ffv1.h"
#include "store/pack.h"

static i3d_status none(const char *path)
{
    return failure(
        I3D_EUNSUPPORTED,
        "'%s': this program was built without FFmpeg, so it knows stores only as folders "
        "of jpgs",
        path);
}

i3d_status ffv1_encoder_create(int width, int height, int channels, struct ffv1_encoder **out)
{
    (void)width, (void)height, (void)channels;
    *out = NULL;
    return none("FFV1");
}

i3d_status ffv1_encode(struct ffv1_encoder *encoder, const i3d_image *image, const uint8_t **data,
                       size_t *bytes)
{
    (void)encoder, (void)image, (void)data, (void)bytes;
    return none("FFV1");
}

void ffv1_encoder_free(struct ffv1_encoder *encoder)
{
    (void)encoder;
}

i3d_status pack_writer_create(const char *path, const struct pack_about *about,
                              struct pack_writer **out)
{
    (void)about;
    *out = NULL;
    return none(path);
}

i3d_status pack_writer_add(struct pack_writer *writer, int plane, const uint8_t *data, size_t bytes)
{
    (void)writer, (void)plane, (void)data, (void)bytes;
    return none("");
}

i3d_status pack_writer_commit(struct pack_writer *writer)
{
    (void)writer;
    return none("");
}

void pack_writer_free(struct pack_writer *writer)
{
    (void)writer;
}

i3d_status pack_reader_open(const char *path, struct pack_reader **out)
{
    *out = NULL;
    return none(path);
}

long pack_reader_frames(const struct pack_reader *reader)
{
    (void)reader;
    return 0;
}

int pack_reader_planes(const struct pack_reader *reader)
{
    (void)reader;
    return 0;
}

i3d_status pack_reader_read(struct pack_reader *reader, long frame, int plane, i3d_image *out)
{
    (void)reader, (void)frame, (void)plane, (void)out;
    return none("");
}

i3d_status pack_reader_missing(struct pack_reader *reader, long *out)
{
    (void)reader, (void)out;
    return none("");
}

void pack_reader_free(struct pack_reader *reader)
{
    (void)reader;
}
