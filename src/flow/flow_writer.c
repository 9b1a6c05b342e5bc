#include "flow/flow_writer.h"
#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "base/thread.h"

#include <string.h>

/* Consecutive frames that a thread takes at once. It builds the pyramid of the frame before them a
 * second time, so fewer cost more. */
enum { CHUNK = 8 };

struct flow_worker {
    i3d_flow *flow;
    float *u, *v;
    i3d_image image;
    struct store_coder coder;
};

/* A coded picture that waits for its turn to be stored. */
struct flow_bytes {
    uint8_t *data;
    size_t count, capacity;
};

struct flow_writer_options flow_writer_defaults(void)
{
    struct flow_writer_options options = {
        .store = { .quality = STORE_QUALITY, .planes = 2, .bound = I3D_FLOW_BOUND }, .threads = 1
    };
    i3d_flow_preset(NULL, &options.flow);
    return options;
}

i3d_status flow_writer_begin(const char *path, const struct flow_writer_options *options,
                             struct flow_writer *out)
{
    *out = (struct flow_writer){ .options = *options };
    if (!(options->store.bound > 0))
        return failure(I3D_EINVAL, "the bound of flow bytes is %g; it must be above 0",
                       options->store.bound);
    if (options->fields && options->store.form != STORE_JPG)
        return failure(I3D_EINVAL, "'%s' is one file; .flo files need a folder of jpgs", path);
    return store_begin(path, &options->store, &out->store);
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
    TRY(memory_get((size_t)writer->capacity * 2, sizeof *writer->bytes, &writer->bytes));
    TRY(memory_get((size_t)threads, sizeof *writer->workers, &writer->workers));
    for (int i = 0; i < threads; i++) {
        struct flow_worker *worker = &writer->workers[i];
        TRY(i3d_flow_create(&writer->options.flow, width, height, &worker->flow));
        TRY(memory_get(cells, sizeof(float), &worker->u));
        TRY(memory_get(cells, sizeof(float), &worker->v));
        TRY(i3d_image_resize_storage(&worker->image, width, height, 1));
    }
    writer->width = width;
    writer->height = height;
out:
    return status;
}

static i3d_status code(struct flow_writer *writer, struct flow_worker *worker, const float *flow,
                       struct flow_bytes *out)
{
    i3d_status status;
    struct coded coded;
    size_t cells = (size_t)writer->width * (size_t)writer->height;
    i3d_flow_to_bytes(flow, cells, writer->options.store.bound, worker->image.pixels);
    TRY(store_code(&worker->coder, &writer->options.store, &worker->image, &coded));
    TRY(memory_grow(&out->data, &out->capacity, coded.bytes, 1));
    memcpy(out->data, coded.data, coded.bytes);
    out->count = coded.bytes;
out:
    return status;
}

static i3d_status write_field(struct flow_writer *writer, struct flow_worker *worker, long number)
{
    char *path = NULL;
    i3d_status status;
    i3d_field field = { writer->width, writer->height, worker->u, worker->v };
    TRY(memory_format(&path, "%s/image_%05ld.flo", writer->store.folder.side, number));
    TRY(i3d_field_write(path, &field));
out:
    memory_free(path);
    return status;
}

/* Computes and codes the flow of one chunk of the frames waiting. */
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
        TRY(code(writer, worker, worker->u, &writer->bytes[2 * i]));
        TRY(code(writer, worker, worker->v, &writer->bytes[2 * i + 1]));
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
    for (int i = 0; i < writer->waiting; i++) {
        const struct flow_bytes *x = &writer->bytes[2 * i], *y = x + 1;
        struct coded pictures[] = { { x->data, x->count }, { y->data, y->count } };
        TRY(store_put(&writer->store, writer->width, writer->height, pictures));
    }
    memcpy(writer->greys, writer->greys + (size_t)writer->waiting * cells, cells);
    writer->waiting = 0;
out:
    return status;
}

i3d_status flow_writer_add(struct flow_writer *writer, const i3d_image *frame)
{
    i3d_status status = I3D_OK;
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

i3d_status flow_writer_commit(struct flow_writer *writer)
{
    i3d_status status;
    if (writer->frames == 0) {
        status = failure(I3D_EFORMAT, "there is no frame to compute flow for '%s' from",
                         writer->store.path);
        goto out;
    }
    if (writer->waiting > 0)
        TRY(flush(writer));
    TRY(store_commit(&writer->store));
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
        i3d_image_clear(&worker->image);
        store_coder_clear(&worker->coder);
    }
    for (int i = 0; writer->bytes && i < writer->capacity * 2; i++)
        memory_free(writer->bytes[i].data);
    memory_free(writer->bytes);
    memory_free(writer->workers);
    memory_free(writer->greys);
    i3d_image_clear(&writer->grey);
    i3d_image_clear(&writer->scaled);
    store_discard(&writer->store);
    *writer = (struct flow_writer){ 0 };
}
