/* A card as the plan sees it: memory, copies, and one stream in whose order all is done. A test has
 * one in host memory in its place. */
#ifndef I3D_ENGINE_CUDA_CARD_H
#define I3D_ENGINE_CUDA_CARD_H

#include <i3d/status.h>

#include "engine/cuda/kernels/kernels.h"

#include <stddef.h>

struct card;

/* I3D_OK, or why this machine has no card that will do. */
i3d_status card_available(void);

/* All cards, one after the other, and what the driver is for. */
i3d_status card_list(char *out, size_t size);
i3d_status card_open(int index, struct card **out);
void card_close(struct card *card); /* NULL is fine */

/* To be called by a thread before it calls anything else: another may have opened the card. */
i3d_status card_use(const struct card *card);

/* "NVIDIA H100 80GB HBM3, compute capability 9.0": for people, and to tell cards apart. */
const char *card_about(const struct card *card);
kernel_stream card_stream(const struct card *card);

/* Bytes that are free. */
i3d_status card_room(const struct card *card, size_t *out);

/* Memory of zeroes, aligned to 256 bytes; of 0 bytes NULL. I3D_ENOMEM: the sentence says how much
 * is wanted and free. */
i3d_status card_get(struct card *card, size_t bytes, void **out);
void card_free(struct card *card, void *memory); /* NULL is fine */

/* In the stream's order. What is uploaded may change when the call is back; a download waits. */
i3d_status card_upload(struct card *card, void *to, const void *from, size_t bytes);
i3d_status card_download(struct card *card, void *to, const void *from, size_t bytes);
i3d_status card_zero(struct card *card, void *to, size_t bytes);
i3d_status card_wait(struct card *card);

/* A download to pinned memory that does not wait: it is there when a later one has waited. */
i3d_status card_tell(struct card *card, void *to, const void *from, size_t bytes);

/* Copies that come while the stream works, in one of two lanes. bring() begins one, from pinned
 * memory, when the stream has left the lane; what is put on the stream behind take() finds it
 * there, until leave(). reach() waits until the stream has come by the last leave(). */
enum { CARD_LANES = 2 };
i3d_status card_bring(struct card *card, int lane, void *to, const void *from, size_t bytes);
i3d_status card_take(struct card *card, int lane);
i3d_status card_leave(struct card *card, int lane);
i3d_status card_reach(struct card *card, int lane);

/* Memory of the host that is copied from and to at full speed. */
i3d_status card_get_pinned(struct card *card, size_t bytes, void **out);
void card_free_pinned(struct card *card, void *memory); /* NULL is fine */

/* Milliseconds of what was put on the stream between the two; the second waits for it. */
i3d_status card_tick(struct card *card);
i3d_status card_tock(struct card *card, float *milliseconds);

/* Whether all launches since the last call were taken. */
i3d_status card_check(struct card *card);

/* What is put on the stream between begin and end is written down, not done; replay does it. Not
 * every card records. */
struct recording;
bool card_records(const struct card *card);
i3d_status card_record(struct card *card);
i3d_status card_record_end(struct card *card, struct recording **out);
i3d_status card_replay(struct card *card, struct recording *recording);
void recording_free(struct recording *recording); /* NULL is fine */

#endif
