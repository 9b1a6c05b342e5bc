/* The cuda engine's card in host memory: what is put on its stream is done at once. */
#include "engine/cuda/card.h"
#include "unit/engine/cuda/card_host.h"

#include "base/failure.h"
#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct card {
    int index;
};

i3d_status card_available(void)
{
    return I3D_OK;
}

i3d_status card_list(char *out, size_t size)
{
    snprintf(out, size, "host memory");
    return I3D_OK;
}

i3d_status card_open(int index, struct card **out)
{
    i3d_status status = memory_get(1, sizeof **out, out);
    if (status == I3D_OK)
        (*out)->index = index;
    return status;
}

void card_close(struct card *card)
{
    memory_free(card);
}

i3d_status card_use(const struct card *card)
{
    (void)card;
    return I3D_OK;
}

const char *card_about(const struct card *card)
{
    (void)card;
    return "host memory";
}

kernel_stream card_stream(const struct card *card)
{
    (void)card;
    return NULL;
}

size_t card_host_room = SIZE_MAX;

i3d_status card_room(const struct card *card, size_t *out)
{
    (void)card;
    *out = card_host_room;
    return I3D_OK;
}

i3d_status card_get(struct card *card, size_t bytes, void **out)
{
    (void)card;
    *out = NULL;
    if (bytes > card_host_room)
        return failure(I3D_ENOMEM, "%zu bytes are wanted", bytes);
    return bytes ? memory_get(bytes, 1, out) : I3D_OK;
}

void card_free(struct card *card, void *memory)
{
    (void)card;
    memory_free(memory);
}

i3d_status card_upload(struct card *card, void *to, const void *from, size_t bytes)
{
    (void)card;
    memcpy(to, from, bytes);
    return I3D_OK;
}

i3d_status card_download(struct card *card, void *to, const void *from, size_t bytes)
{
    return card_upload(card, to, from, bytes);
}

i3d_status card_tell(struct card *card, void *to, const void *from, size_t bytes)
{
    return card_upload(card, to, from, bytes);
}

i3d_status card_zero(struct card *card, void *to, size_t bytes)
{
    (void)card;
    memset(to, 0, bytes);
    return I3D_OK;
}

i3d_status card_wait(struct card *card)
{
    (void)card;
    return I3D_OK;
}

i3d_status card_bring(struct card *card, int lane, void *to, const void *from, size_t bytes)
{
    (void)lane;
    return card_upload(card, to, from, bytes);
}

i3d_status card_take(struct card *card, int lane)
{
    (void)lane;
    return card_wait(card);
}

i3d_status card_leave(struct card *card, int lane)
{
    return card_take(card, lane);
}

i3d_status card_reach(struct card *card, int lane)
{
    return card_take(card, lane);
}

i3d_status card_get_pinned(struct card *card, size_t bytes, void **out)
{
    return card_get(card, bytes, out);
}

void card_free_pinned(struct card *card, void *memory)
{
    card_free(card, memory);
}

i3d_status card_tick(struct card *card)
{
    (void)card;
    return I3D_OK;
}

i3d_status card_tock(struct card *card, float *milliseconds)
{
    *milliseconds = 0;
    return card_wait(card);
}

i3d_status card_check(struct card *card)
{
    (void)card;
    return I3D_OK;
}

bool card_records(const struct card *card)
{
    (void)card;
    return false;
}

i3d_status card_record(struct card *card)
{
    return card_wait(card);
}

i3d_status card_record_end(struct card *card, struct recording **out)
{
    *out = NULL;
    return card_wait(card);
}

i3d_status card_replay(struct card *card, struct recording *recording)
{
    (void)recording;
    return card_wait(card);
}

void recording_free(struct recording *recording)
{
    (void)recording;
}
