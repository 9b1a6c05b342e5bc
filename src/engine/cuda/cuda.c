/* The engine for NVIDIA cards: cuDNN's convolutions, and around them a plan and kernels of our own.
 */
#include "engine/cuda/plan.h"

#include "base/failure.h"

#include <stdio.h>
#include <stdlib.h>

enum { TRIES = 8, PATH_BYTES = 4096 };

/* Where what was measured is kept: a file of I3D_CUDA_CHOICES, or one in the user's cache. */
static const char *find_cache(char path[PATH_BYTES])
{
    const char *own = getenv("I3D_CUDA_CHOICES"), *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (own)
        snprintf(path, PATH_BYTES, "%s", own);
    else if (cache && cache[0] == '/')
        snprintf(path, PATH_BYTES, "%s/i3d-cuda-choices", cache);
    else if (home && home[0] == '/')
        snprintf(path, PATH_BYTES, "%s/.cache/i3d-cuda-choices", home);
    else
        return NULL;
    return path[0] ? path : NULL;
}

static i3d_status create(const struct plan_request *request, struct plan **out)
{
    char path[PATH_BYTES];
    const char *tries = getenv("I3D_CUDA_TRIES");
    struct convolver_options options = { .deterministic = getenv("I3D_CUDA_DETERMINISTIC") != NULL,
                                         .tries = tries ? atoi(tries) : TRIES,
                                         .cache = find_cache(path) };
    struct convolver *convolver;
    struct card *card;
    i3d_status status;
    *out = NULL;
    if (options.tries < 1)
        options.tries = 1;
    TRY(card_open(request->device, &card));
    status = convolver_create(card, &options, &convolver);
    if (status == I3D_OK)
        status = cuda_plan_create(request, card, convolver, out);
    else
        card_close(card);
out:
    return status;
}

const struct engine engine_cuda = {
    .name = "cuda",
    .alias = "gpu",
    .speed = 100,
    .description = "NVIDIA cards of compute capability 8.0 and later, by cuDNN; fp32, tf32, bf16, "
                   "fp16",
    .available = card_available,
    .about = card_list,
    .plan = create,
    .upload = cuda_upload,
    .download = cuda_download,
    .array = cuda_array,
    .forward = cuda_forward,
    .backward = cuda_backward,
    .apply = cuda_apply,
    .step = cuda_step,
    .applied = cuda_applied,
    .read_value = cuda_read_value,
    .profile = cuda_profile,
    .memory = cuda_memory,
    .free = cuda_plan_free,
};
