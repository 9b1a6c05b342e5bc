/* Inside the exporter: the table of formats, and what they have in common. */
#ifndef I3D_EXPORT_FORMAT_H
#define I3D_EXPORT_FORMAT_H

#include "export/message.h"
#include "export/node.h"
#include "export/program.h"

struct export_format {
    const char *extension;       /* ".onnx" */
    bool any_size;               /* the batch or the number of frames may be left open */
    const struct schema *schema; /* how its graph is read back; NULL: nothing here reads it */

    /* Adds the file's content to `out`, which keeps the first failure. */
    void (*write)(const struct program *program, struct message *out);
};

extern const struct export_format format_onnx, format_mindir, format_air;

/* The format of files called `path`; I3D_EINVAL names the extensions. */
i3d_status export_format_find(const char *path, const struct export_format **out);

/* The preprocessing as texts, "i3d.frames" "64"; doc/export.md lists them. Each is given to `put`,
 * which adds it to the message as the format has it. */
void notes_write(const struct program *program, struct message *out,
                 void (*put)(struct message *out, const char *name, const char *text));

/* The same as entries of a map of strings, { key = 1, value = 2 }. */
void note_message(struct message *out, unsigned field, const char *name, const char *text);

#endif
