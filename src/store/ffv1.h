/* FFV1 (RFC 9043): pictures kept as they are, each coded on its own. */
#ifndef I3D_STORE_FFV1_H
#define I3D_STORE_FFV1_H

#include <i3d/image.h>

/* Codes pictures of one size, that of the first; grey or RGB. One a thread. */
struct ffv1_encoder;
i3d_status ffv1_encoder_create(int width, int height, int channels, struct ffv1_encoder **out);
/* A loan until the next call. */
i3d_status ffv1_encode(struct ffv1_encoder *encoder, const i3d_image *image, const uint8_t **data,
                       size_t *bytes);
void ffv1_encoder_free(struct ffv1_encoder *encoder);

#endif
