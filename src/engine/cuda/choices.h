/* What was chosen by measuring, kept in a file of lines "about<TAB>key<TAB>number" so that the next
 * start need not measure. A file that cannot be read or written costs only time. */
#ifndef I3D_ENGINE_CUDA_CHOICES_H
#define I3D_ENGINE_CUDA_CHOICES_H

#include <i3d/status.h>

#include <stdbool.h>

enum { CHOICE_KEY_BYTES = 256 };

struct choices;

/* `about` is what all of them depend on: card, versions. `path` NULL: they are kept in memory. */
i3d_status choices_open(const char *path, const char *about, struct choices **out);
bool choices_find(const struct choices *choices, const char *key, int *out);
void choices_add(struct choices *choices, const char *key, int choice);
void choices_close(struct choices *choices); /* writes them; NULL is fine */

#endif
