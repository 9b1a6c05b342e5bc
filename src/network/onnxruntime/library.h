/* The library itself: opened when it is first asked for, once for the process. */
#ifndef I3D_NETWORK_ONNXRUNTIME_LIBRARY_H
#define I3D_NETWORK_ONNXRUNTIME_LIBRARY_H

#include <i3d/status.h>

#include <onnxruntime_c_api.h>
#include <stdbool.h>

struct library {
    const OrtApi *api;
    OrtEnv *environment;
    OrtAllocator *allocator;
    char description[96];
    bool cuda; /* whether it was built with CUDA; a card is another matter */
};

/* A loan for the process's life; or why there is none. */
i3d_status library_get(const struct library **out);

/* I3D_OK of no answer; else `status` with the library's own words. Takes the answer. */
i3d_status library_check(const struct library *library, OrtStatus *answer, i3d_status status);

/* Gives back what the library's allocator gave; NULL is fine. */
void library_free(const struct library *library, void *memory);

#endif
