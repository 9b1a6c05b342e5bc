/* Names of the pipeline's files. Free what these give with memory_free(). */
#ifndef I3D_EDGE_PLACE_H
#define I3D_EDGE_PLACE_H

#include <i3d/edge.h>

const char *stream_name(i3d_stream stream); /* "rgb" or "flow" */

/* I3D_EINVAL if the data set's name cannot be a file's. */
i3d_status place_check(const i3d_edge_place *place);
i3d_status place_data(const i3d_edge_place *place, char **out);  /* the folder of the clips */
i3d_status place_label(const i3d_edge_place *place, char **out); /* that of labels and manifest */
i3d_status place_label_file(const i3d_edge_place *place, const char *folder, int batch, char **out);
i3d_status place_manifest(const char *folder, char **out);

/* "DATASET_bsSTREAM_index", without a folder. */
i3d_status place_stem(const i3d_edge_place *place, int index, char **out);

#endif
