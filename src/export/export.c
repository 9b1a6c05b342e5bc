#include "export/format.h"

#include "base/failure.h"
#include "base/file.h"

#include <string.h>

static const struct export_format *const formats[] = { &format_onnx, &format_mindir, &format_air };
enum { FORMAT_COUNT = sizeof formats / sizeof formats[0], FIXED_BATCH = 8 };

i3d_export_options i3d_export_defaults(void)
{
    return (i3d_export_options){ .frames = 64, .height = 224, .width = 224, .resize = 256 };
}

i3d_status export_format_find(const char *path, const struct export_format **out)
{
    const char *dot = strrchr(path_name(path), '.');
    for (int i = 0; dot && i < FORMAT_COUNT; i++)
        if (strcmp(dot, formats[i]->extension) == 0) {
            *out = formats[i];
            return I3D_OK;
        }
    return failure(I3D_EINVAL, "cannot export to '%s': its name must end in .onnx, .mindir or .air",
                   path);
}

static i3d_status check_options(const i3d_model *model, const struct export_format *format,
                                i3d_export_options *options)
{
    if (options->batch < 0)
        return failure(I3D_EINVAL, "a batch of %d clips is none: give 1 or more, or 0 for any",
                       options->batch);
    if (options->batch == 0 && !format->any_size)
        options->batch = FIXED_BATCH;
    if (options->any_frames && !format->any_size)
        return failure(I3D_EINVAL,
                       "a %s file has a fixed number of frames: leave it so, or export .onnx",
                       format->extension);
    /* The average head looks at 2 frames of its map, and at 1 where there is no second: a network
     * for any number of frames has the window of 2. */
    if (options->any_frames && options->frames < 9 &&
        i3d_model_get_options(model)->head == I3D_HEAD_AVG)
        return failure(I3D_EINVAL,
                       "the average head over any number of frames needs 9 at least, not %d",
                       options->frames);
    return I3D_OK;
}

i3d_status i3d_export(const i3d_model *model, const i3d_export_options *options, const char *path)
{
    i3d_status status;
    const struct export_format *format = NULL;
    struct program *program = NULL;
    struct message file = { 0 };
    i3d_export_options settled = *options;
    TRY(export_format_find(path, &format));
    TRY(check_options(model, format, &settled));
    TRY(program_create(model, &settled, &program));
    format->write(program, &file);
    TRY(file.status);
    TRY(file_write(path, file.buffer.data, file.buffer.count));
out:
    message_clear(&file);
    program_free(program);
    return status;
}
