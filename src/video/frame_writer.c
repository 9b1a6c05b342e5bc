#include "video/frame_writer.h"
#include "base/failure.h"
#include "base/memory.h"

i3d_status frame_writer_begin(const char *folder, int quality, struct frame_writer *out)
{
    *out = (struct frame_writer){ .quality = quality };
    return folder_begin(folder, &out->folder);
}

i3d_status frame_writer_add(struct frame_writer *writer, const i3d_image *frame)
{
    char *path = NULL;
    i3d_status status;
    TRY(memory_format(&path, "%s/image_%05ld.jpg", writer->folder.side, writer->frames + 1));
    TRY(image_put(path, frame, writer->quality, &writer->jpeg));
    writer->frames++;
out:
    memory_free(path);
    return status;
}

i3d_status frame_count_write(const char *folder, long frames)
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

i3d_status frame_writer_commit(struct frame_writer *writer)
{
    i3d_status status;
    TRY(frame_count_write(writer->folder.side, writer->frames));
    TRY(folder_commit(&writer->folder));
out:
    frame_writer_discard(writer);
    return status;
}

void frame_writer_discard(struct frame_writer *writer)
{
    folder_discard(&writer->folder);
    jpeg_clear(&writer->jpeg);
    *writer = (struct frame_writer){ 0 };
}
