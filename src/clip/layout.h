/* The files of a data set: root/<class>/<video>, where a video is a store or a video file. */
#ifndef I3D_CLIP_LAYOUT_H
#define I3D_CLIP_LAYOUT_H

#include "base/file.h"

struct layout {
    char *root;
    struct names classes;
    struct names *entries; /* of each class; listed when first asked for */
    bool *listed;
};

i3d_status layout_open(const char *root, struct layout *out);
void layout_close(struct layout *layout);

enum layout_kind { LAYOUT_FOLDER, LAYOUT_PACK, LAYOUT_FILE };

/* The path of a video; NULL: there is none. A pack is called as the video plus ".mkv", a
 * file as the video plus any extension. Names
 * that agree in every letter go before those that agree but for the letters' case: lists of UCF101
 * in circulation mix HandStandPushups and HandstandPushups. Free with memory_free(). */
i3d_status layout_find(struct layout *layout, const char *class_name, const char *video,
                       enum layout_kind kind, char **out);

/* The store of a video: its folder, or else its pack. */
i3d_status layout_find_store(struct layout *layout, const char *class_name, const char *video,
                             char **out);

#endif
