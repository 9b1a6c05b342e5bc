/* What somebody must do to a video before the exported network may see it. */
#include "export/format.h"

#include <stdio.h>

typedef void (*note_put)(struct message *out, const char *name, const char *text);

static void put_number(struct message *out, note_put put, const char *name, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.9g", value);
    put(out, name, text);
}

static void put_labels(const struct program *program, struct message *out, note_put put)
{
    struct buffer text = { 0 };
    i3d_status status = I3D_OK;
    for (int c = 0; c < i3d_model_get_options(program->model)->classes && status == I3D_OK; c++)
        status = buffer_text(&text, c ? "\n%s" : "%s", program->options.labels[c]);
    if (status == I3D_OK)
        status = buffer_number(&text, 1, 0);
    if (status == I3D_OK)
        put(out, "i3d.labels", (const char *)text.data);
    else
        out->status = status;
    buffer_clear(&text);
}

void notes_write(const struct program *program, struct message *out, note_put put)
{
    const i3d_model_options *model = i3d_model_get_options(program->model);
    const i3d_export_options *options = &program->options;
    bool flow = model->channels == 2;
    put(out, "i3d.stream", flow ? "flow" : "rgb");
    put(out, "i3d.channels", flow ? "x,y" : options->bgr ? "b,g,r" : "r,g,b");
    put(out, "i3d.pixels", "byte / 255 * 2 - 1");
    if (flow)
        put(out, "i3d.flow", "TV-L1; byte = round((flow + 20) * 255 / 40)");
    put_number(out, put, "i3d.resize", options->resize);
    put(out, "i3d.crop", "centre");
    put_number(out, put, "i3d.frames", options->frames);
    put_number(out, put, "i3d.height", options->height);
    put_number(out, put, "i3d.width", options->width);
    put(out, "i3d.head", model->head == I3D_HEAD_MAX ? "max" : "avg");
    put_number(out, put, "i3d.bn_epsilon", model->bn_epsilon);
    if (options->labels)
        put_labels(program, out, put);
}

void note_message(struct message *out, unsigned field, const char *name, const char *text)
{
    struct message entry = { 0 };
    message_text(&entry, 1, name);
    message_text(&entry, 2, text);
    message_child(out, field, &entry);
}
