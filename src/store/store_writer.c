#include "base/failure.h"
#include "base/memory.h"
#include "store/ffv1.h"
#include "store/pack.h"
#include "store/store.h"

i3d_status store_path(const char *folder, const char *video, enum store_form form, char **out)
{
    return memory_format(out, "%s/%s%s", folder, video, form == STORE_JPG ? "" : ".mkv");
}

i3d_status store_code(struct store_coder *coder, const struct store_options *options,
                      const i3d_image *image, struct coded *out)
{
    i3d_status status;
    if (options->form == STORE_FFV1) {
        if (!coder->ffv1)
            TRY(ffv1_encoder_create(image->width, image->height, image->channels, &coder->ffv1));
        TRY(ffv1_encode(coder->ffv1, image, &out->data, &out->bytes));
    } else {
        TRY(image_encode(image, options->quality, &coder->jpeg));
        *out = (struct coded){ coder->jpeg.data, coder->jpeg.bytes };
    }
out:
    return status;
}

void store_coder_clear(struct store_coder *coder)
{
    jpeg_clear(&coder->jpeg);
    ffv1_encoder_free(coder->ffv1);
    coder->ffv1 = NULL;
}

i3d_status store_begin(const char *path, const struct store_options *options,
                       struct store_writer *out)
{
    i3d_status status;
    *out = (struct store_writer){ .options = *options };
    TRY(memory_string(path, &out->path));
    if (options->form == STORE_JPG)
        TRY(folder_begin(path, &out->folder));
out:
    return status;
}

static i3d_status put_in_folder(struct store_writer *writer, const struct coded pictures[])
{
    static const char *const endings[] = { "x", "y" };
    i3d_status status = I3D_OK;
    char *path = NULL;
    int planes = writer->options.planes;
    for (int plane = 0; plane < planes; plane++) {
        memory_free(path);
        TRY(memory_format(&path, "%s/image_%05ld%s.jpg", writer->folder.side, writer->frames + 1,
                          planes == 1 ? "" : endings[plane]));
        TRY(file_put(path, pictures[plane].data, pictures[plane].bytes));
    }
out:
    memory_free(path);
    return status;
}

static i3d_status put_in_pack(struct store_writer *writer, int width, int height,
                              const struct coded pictures[])
{
    i3d_status status = I3D_OK;
    const struct store_options *options = &writer->options;
    struct pack_about about = { .lossless = options->form == STORE_FFV1,
                                .planes = options->planes,
                                .width = width,
                                .height = height,
                                .bound = options->bound };
    if (!writer->pack)
        TRY(pack_writer_create(writer->path, &about, &writer->pack));
    for (int plane = 0; plane < options->planes; plane++)
        TRY(pack_writer_add(writer->pack, plane, pictures[plane].data, pictures[plane].bytes));
out:
    return status;
}

i3d_status store_put(struct store_writer *writer, int width, int height,
                     const struct coded pictures[])
{
    i3d_status status = writer->options.form == STORE_JPG
                            ? put_in_folder(writer, pictures)
                            : put_in_pack(writer, width, height, pictures);
    writer->frames += status == I3D_OK;
    return status;
}

i3d_status store_add(struct store_writer *writer, const i3d_image *frame)
{
    struct coded picture;
    i3d_status status = store_code(&writer->coder, &writer->options, frame, &picture);
    return status == I3D_OK ? store_put(writer, frame->width, frame->height, &picture) : status;
}

i3d_status store_write_count(const char *folder, long frames)
{
    char text[24], *path = NULL;
    i3d_status status;
    int length = snprintf(text, sizeof text, "%ld", frames);
    TRY(path_join(&path, folder, "n_frames"));
    TRY(file_write(path, text, (size_t)length));
out:
    memory_free(path);
    return status;
}

i3d_status store_commit(struct store_writer *writer)
{
    i3d_status status;
    if (writer->frames == 0)
        TRY(failure(I3D_EFORMAT, "there is no frame for '%s'", writer->path));
    if (writer->pack) {
        TRY(pack_writer_commit(writer->pack));
    } else {
        TRY(store_write_count(writer->folder.side, writer->frames));
        TRY(folder_commit(&writer->folder));
    }
out:
    store_discard(writer);
    return status;
}

void store_discard(struct store_writer *writer)
{
    folder_discard(&writer->folder);
    pack_writer_free(writer->pack);
    store_coder_clear(&writer->coder);
    memory_free(writer->path);
    *writer = (struct store_writer){ 0 };
}
