#include "edge/place.h"

#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"

#include <string.h>

const char *stream_name(i3d_stream stream)
{
    return stream == I3D_FLOW ? "flow" : "rgb";
}

static const char *mode(const i3d_edge_place *place)
{
    return stream_name(place->stream);
}

/* A stem ends at the first dot. */
i3d_status place_check(const i3d_edge_place *place)
{
    if (!*place->dataset || strpbrk(place->dataset, "/."))
        return failure(I3D_EINVAL,
                       "a data set '%s' cannot name files: give a name without '/' "
                       "and '.'",
                       place->dataset);
    return I3D_OK;
}

i3d_status place_data(const i3d_edge_place *place, char **out)
{
    return memory_format(out, "%s/preprocess_Result/data/%s/%s", place->root, place->dataset,
                         mode(place));
}

i3d_status place_label(const i3d_edge_place *place, char **out)
{
    return memory_format(out, "%s/preprocess_Result/label/%s/%s", place->root, place->dataset,
                         mode(place));
}

i3d_status place_label_file(const i3d_edge_place *place, const char *folder, int batch, char **out)
{
    return memory_format(out, "%s/label_bs%s%d.npy", folder, mode(place), batch);
}

i3d_status place_manifest(const char *folder, char **out)
{
    return path_join(out, folder, "manifest.json");
}

i3d_status place_stem(const i3d_edge_place *place, int index, char **out)
{
    return memory_format(out, "%s_bs%s_%d", place->dataset, mode(place), index);
}
