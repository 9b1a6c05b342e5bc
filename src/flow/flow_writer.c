#include "flow/flow_writer.h"
#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "base/thread.h"
#include "image/image.h"

#include <string.h>

/* Consecutive frames that a thread takes at once. It builds the pyramid of the frame before them a
 * second time, so fewer cost more. */
enum { CHUNK = 8 };

struct flow_worker {
    i3d_flow *flow;
    float *u, *v;
    i3d_image bytes;
    struct jpeg jpeg;
};

struct flow_writer_options flow_writer_defaults(void)
{
    struct flow_writer_options options = { .bound = 20, .quality = 95, .threads = 1 };
    i3d_flow_preset(NULL, &options.flow);
    return options;
}

i3d_status flow_writer_begin(const char *folder, const struct flow_writer_options *options,
                             struct flow_writer *out)
{
    *out = (struct flow_writer){ .options = *options };
    if (!(options->bound > 0))
        return failure(I3D_EINVAL, "the bound of flow bytes is %g; it must be above 0",
                       options->bound);
    return folder_begin(folder, &out->folder);
}

/* Takes all memory, now that the size is known. */
static i3d_status prepare(struct flow_writer *writer, int width, int height)
{
    i3d_status status;
    size_t cells = (size_t)width * (size_t)height;
    int threads = writer->options.threads < 1 ? 1 : writer->options.threads;
    writer->options.threads = threads;
    writer->capacity = CHUNK * threads;
    TRY(memory_get((size_t)writer->capacity + 1, cells, &writer->greys));
    TRY(memory_get((size_t)threads, sizeof *writer->workers, &writer->workers));
    for (int i = 0; i < threads; i++) {
        struct flow_worker *worker = &writer->workers[i];
        TRY(i3d_flow_create(&writer->options.flow, width, height, &worker->flow));
        TRY(memory_get(cells, sizeof(float), &worker->u));
        TRY(memory_get(cells, sizeof(float), &worker->v));
        TRY(i3d_image_resize_storage(&worker->bytes, width, height, 1));
    }
    writer->width = width;
    writer->height = height;
out:
    return status;
}

static i3d_status write_component(struct flow_writer *writer, struct flow_worker *worker,
                                  const float *flow, long number, char axis)
{
    char *path = NULL;
    i3d_status status;
    size_t cells = (size_t)writer->width * (size_t)writer->height;
    i3d_flow_to_bytes(flow, cells, writer->options.bound, worker->bytes.pixels);
    TRY(memory_format(&path, "%s/image_%05ld%c.jpg", writer->folder.side, number, axis));
    TRY(image_put(path, &worker->bytes, writer->options.quality, &worker->jpeg));
out:
    memory_free(path);
    return status;
}

static i3d_status write_field(struct flow_writer *writer, struct flow_worker *worker, long number)
{
    char *path = NULL;
    i3d_status status;
    i3d_field field = { writer->width, writer->height, worker->u, worker->v };
    TRY(memory_format(&path, "%s/image_%05ld.flo", writer->folder.side, number));
    TRY(i3d_field_write(path, &field));
out:
    memory_free(path);
    return status;
}

/* Computes and writes the flow of one chunk of the frames waiting. */
static i3d_status work(size_t chunk, int number, void *context)
{
    struct flow_writer *writer = context;
    struct flow_worker *worker = &writer->workers[number];
    size_t cells = (size_t)writer->width * (size_t)writer->height;
    long done = writer->frames - writer->waiting;
    int first = (int)chunk * CHUNK;
    int last = first + CHUNK < writer->waiting ? first + CHUNK : writer->waiting;
    i3d_status status = I3D_OK;

    i3d_flow_restart(worker->flow);
    if (done + first > 0)
        TRY(i3d_flow_next(worker->flow, writer->greys + (size_t)first * cells, worker->u,
                          worker->v));
    for (int i = first; i < last; i++) {
        TRY(check_interrupt());
        TRY(i3d_flow_next(worker->flow, writer->greys + (size_t)(i + 1) * cells, worker->u,
                          worker->v));
        TRY(write_component(writer, worker, worker->u, done + i + 1, 'x'));
        TRY(write_component(writer, worker, worker->v, done + i + 1, 'y'));
        if (writer->options.fields)
            TRY(write_field(writer, worker, done + i + 1));
    }
out:
    return status;
}

/* Does all frames waiting; the last of them stays as the one before the next. */
static i3d_status flush(struct flow_writer *writer)
{
    size_t cells = (size_t)writer->width * (size_t)writer->height;
    i3d_status status;
    TRY(thread_run((size_t)(writer->waiting + CHUNK - 1) / CHUNK, writer->options.threads, work,
                   writer));
    memcpy(writer->greys, writer->greys + (size_t)writer->waiting * cells, cells);
    writer->waiting = 0;
out:
    return status;
}

i3d_status flow_writer_add(struct flow_writer *writer, const i3d_image *frame)
{
    i3d_status status;
    const i3d_image *grey = frame;
    if (!writer->greys)
        TRY(prepare(writer, frame->width, frame->height));
    if (frame->channels != 1) {
        TRY(i3d_image_grey(frame, &writer->grey));
        grey = &writer->grey;
    }
    if (grey->width != writer->width || grey->height != writer->height) {
        TRY(i3d_image_scale(grey, writer->width, writer->height, &writer->scaled));
        grey = &writer->scaled;
    }
    size_t cells = (size_t)writer->width * (size_t)writer->height;
    memcpy(writer->greys + (size_t)++writer->waiting * cells, grey->pixels, cells);
    writer->frames++;
    if (writer->waiting == writer->capacity)
        TRY(flush(writer));
out:
    return status;
}

static i3d_status write_count(const struct flow_writer *writer)
{
    char text[24], *path = NULL;
    i3d_status status;
    int length = snprintf(text, sizeof text, "%ld", writer->frames);
    TRY(path_join(&path, writer->folder.side, "n_frames"));
    TRY(file_write(path, text, (size_t)length));
out:
    memory_free(path);
    return status;
}

i3d_status flow_writer_commit(struct flow_writer *writer)
{
    i3d_status status;
    if (writer->frames == 0) {
        status = failure(I3D_EFORMAT, "there is no frame to compute flow for '%s' from",
                         writer->folder.path);
        goto out;
    }
    if (writer->waiting > 0)
        TRY(flush(writer));
    TRY(write_count(writer));
    TRY(folder_commit(&writer->folder));
out:
    flow_writer_discard(writer);
    return status;
}

void flow_writer_discard(struct flow_writer *writer)
{
    for (int i = 0; writer->workers && i < writer->options.threads; i++) {
        struct flow_worker *worker = &writer->workers[i];
        i3d_flow_free(worker->flow);
        memory_free(worker->u);
        memory_free(worker->v);
        i3d_image_clear(&worker->bytes);
        jpeg_clear(&worker->jpeg);
    }
    memory_free(writer->workers);
    memory_free(writer->greys);
    i3d_image_clear(&writer->grey);
    i3d_image_clear(&writer->scaled);
    folder_discard(&writer->folder);
    *writer = (struct flow_writer){ 0 };
}
