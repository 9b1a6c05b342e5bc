/* A protocol buffer message being made. The first failure is kept in `status` and makes the calls
 * behind it do nothing, so that a writer reads like the message and asks once, at the end. Zeroed
 * memory is an empty message. */
#ifndef I3D_EXPORT_MESSAGE_H
#define I3D_EXPORT_MESSAGE_H

#include "wire/buffer.h"

struct message {
    struct buffer buffer;
    i3d_status status;
};

void message_number(struct message *message, unsigned field, int64_t value);
void message_float(struct message *message, unsigned field, float value);
void message_bytes(struct message *message, unsigned field, const void *data, size_t bytes);
void message_text(struct message *message, unsigned field, const char *text);
void message_format(struct message *message, unsigned field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts `child` in as a field and clears it; its failure becomes the parent's. */
void message_child(struct message *message, unsigned field, struct message *child);
void message_clear(struct message *message);

#endif
