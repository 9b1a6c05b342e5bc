/* ONNX Runtime is not linked but opened: it has one entry point, made for that, and so a program
 * runs where the library is missing, starts without loading its 35 MB, and takes a build with CUDA
 * in place of one without by its file alone. */
#include "network/onnxruntime/library.h"

#include "base/failure.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define TEXT_OF(value) #value
#define TEXT(macro) TEXT_OF(macro)

typedef const OrtApiBase *(*entry_point)(void);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct library library; /* while `api` is NULL it is not open */

i3d_status library_check(const struct library *from, OrtStatus *answer, i3d_status status)
{
    if (!answer)
        return I3D_OK;
    char text[400];
    snprintf(text, sizeof text, "%s", from->api->GetErrorMessage(answer));
    from->api->ReleaseStatus(answer);
    for (char *at = text; *at; at++) /* names out of the file may be anything */
        if (*at < ' ' || *at > '~')
            *at = *at == '\n' ? ' ' : '?';
    return failure(status, "ONNX Runtime says: %s", text);
}

void library_free(const struct library *from, void *memory)
{
    OrtStatus *answer = memory ? from->api->AllocatorFree(from->allocator, memory) : NULL;
    if (answer)
        from->api->ReleaseStatus(answer);
}

/* What it logs is in its answers too, and this library never prints. */
static void ORT_API_CALL stay_silent(void *context, OrtLoggingLevel severity, const char *category,
                                     const char *id, const char *location, const char *message)
{
    (void)context;
    (void)severity;
    (void)category;
    (void)id;
    (void)location;
    (void)message;
}

/* Where the build found it, else wherever the loader does: under its own name, or as Debian calls
 * the one that belongs to the headers. */
static i3d_status find_entry(entry_point *out)
{
    static const char *const names[] = { I3D_ONNXRUNTIME_LIBRARY, "libonnxruntime.so.1",
                                         "libonnxruntime.so.1." TEXT(ORT_API_VERSION) };
    void *handle = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !handle; i++)
        handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return failure(I3D_EUNSUPPORTED,
                       "ONNX Runtime is not here: %s; install libonnxruntime-dev, on Debian 12 run "
                       "scripts/install_onnxruntime.sh",
                       dlerror());
    void *symbol = dlsym(handle, "OrtGetApiBase");
    if (!symbol)
        return failure(I3D_EUNSUPPORTED, "a libonnxruntime.so is here that is not ONNX Runtime: %s",
                       dlerror());
    memcpy(out, &symbol, sizeof *out);
    return I3D_OK;
}

static i3d_status find_providers(struct library *opened)
{
    char **names;
    int count;
    i3d_status status;
    TRY(library_check(opened, opened->api->GetAvailableProviders(&names, &count), I3D_EENGINE));
    for (int i = 0; i < count; i++)
        opened->cuda |= strcmp(names[i], "CUDAExecutionProvider") == 0;
    status =
        library_check(opened, opened->api->ReleaseAvailableProviders(names, count), I3D_EENGINE);
out:
    return status;
}

static i3d_status open_library(struct library *out)
{
    i3d_status status;
    entry_point entry = NULL;
    struct library opened = { 0 };
    TRY(find_entry(&entry));
    const char *version = entry()->GetVersionString();
    opened.api = entry()->GetApi(ORT_API_VERSION);
    if (!opened.api)
        return failure(I3D_EUNSUPPORTED,
                       "ONNX Runtime %s is older than 1.%d, which this program was built for: "
                       "install a newer one or build again",
                       version, ORT_API_VERSION);
    TRY(library_check(&opened,
                      opened.api->CreateEnvWithCustomLogger(
                          stay_silent, NULL, ORT_LOGGING_LEVEL_FATAL, "i3d", &opened.environment),
                      I3D_EENGINE));
    TRY(library_check(&opened, opened.api->GetAllocatorWithDefaultOptions(&opened.allocator),
                      I3D_EENGINE));
    TRY(find_providers(&opened));
    snprintf(opened.description, sizeof opened.description, "ONNX Runtime %s on %s", version,
             opened.cuda ? "CPU and CUDA" : "CPU");
    *out = opened;
out:
    return status;
}

i3d_status library_get(const struct library **out)
{
    i3d_status status = I3D_OK;
    pthread_mutex_lock(&lock);
    if (!library.api)
        status = open_library(&library);
    pthread_mutex_unlock(&lock);
    *out = status == I3D_OK ? &library : NULL;
    return status;
}
