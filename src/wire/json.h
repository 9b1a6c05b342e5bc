/* JSON files through jansson, with our errors. */
#ifndef I3D_WIRE_JSON_H
#define I3D_WIRE_JSON_H

#include <i3d/status.h>

#include <jansson.h>

/* A file that is not JSON, or that has a key twice, is I3D_EFORMAT with its line. Free with
 * json_decref(). */
i3d_status json_read(const char *path, json_t **out);

/* The same of JSON in memory. */
i3d_status json_parse(const void *text, size_t bytes, json_t **out);

/* On one line, keys in their order, whole or not at all. */
i3d_status json_write(const char *path, const json_t *value);

#endif
