/* What this machine can do, and what is missing for the whole job. */
#include "command.h"
#include "openmp.h"
#include "report.h"

#include "base/failure.h"

#include <i3d/image.h>
#include <i3d/version.h>
#include <i3d/video.h>

#include "base/thread.h"
#include "engine/engine.h"
#include "network/onnxruntime/onnxruntime.h"

#include <string.h>
#include <unistd.h>

/* One row of /proc/cpuinfo: what stands behind "name : "; "" where there is none. */
static void read_processor(const char *name, char *out, size_t bytes)
{
    char line[8192];
    size_t length = strlen(name);
    out[0] = '\0';
    FILE *stream = fopen("/proc/cpuinfo", "r");
    while (stream && fgets(line, sizeof line, stream)) {
        const char *value = strchr(line, ':');
        if (strncmp(line, name, length) == 0 && value && strchr("\t :", line[length])) {
            value += strspn(value, ": ");
            snprintf(out, bytes, "%.*s", (int)strcspn(value, "\n"), value);
            break;
        }
    }
    if (stream)
        fclose(stream);
}

static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static void add_word(char *words, size_t bytes, const char *word)
{
    size_t used = strlen(words);
    snprintf(words + used, bytes - used, "%s%s", used ? " " : "", word);
}

static void report_processor(struct report *report)
{
    static const char *const wanted[] = { "sse2",        "avx",      "avx2",    "fma",
                                          "f16c",        "avx_vnni", "avx512f", "avx512_vnni",
                                          "avx512_bf16", "amx_bf16" };
    char model[256], flags[8192], found[256] = "";
    read_processor("model name", model, sizeof model);
    read_processor("flags", flags, sizeof flags);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (has_word(flags, wanted[i]))
            add_word(found, sizeof found, wanted[i]);
    report_text(report, "processor", "%s", model);
    report_words(report, "instructions", found);
    report_int(report, "cores", thread_count());
    double gib = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / (1 << 30);
    report_text(report, "memory", "%.1f GiB", gib);
    report_text(report, "openmp_waits", "%s", openmp_waiting());
}

/* Whether any works; `*fast`: whether it is another than the reference. */
static bool report_engines(struct report *report, bool *fast)
{
    bool any = false;
    char about[512];
    *fast = false;
    report_object(report, "engines");
    const struct engine *engine;
    for (int i = 0; (engine = engine_at(i)) != NULL; i++) {
        if (engine->available() != I3D_OK) {
            report_text(report, engine->name, "cannot run here: %s", i3d_error());
            continue;
        }
        any = true;
        if (engine->speed > 0)
            *fast = true;
        if (engine->about && engine->about(about, sizeof about) == I3D_OK)
            report_text(report, engine->name, "%s; here: %s", engine->description, about);
        else
            report_text(report, engine->name, "%s", engine->description);
    }
    const char *graphs;
    if (onnxruntime_describe(&graphs) == I3D_OK)
        report_text(report, "onnxruntime", "graphs of .onnx files; %s", graphs);
    else
        report_text(report, "onnxruntime", "cannot run here: %s", i3d_error());
    report_close(report);
    return any;
}

static void report_codecs(struct report *report)
{
    static const char *const wanted[] = { "h264", "hevc", "mpeg4", "msmpeg4v3", "mpeg2video", "vp8",
                                          "vp9",  "av1",  "mjpeg", "ffv1",      "wmv2" };
    char found[256] = "", missing[256] = "";
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (i3d_video_can_read(wanted[i]))
            add_word(found, sizeof found, wanted[i]);
        else
            add_word(missing, sizeof missing, wanted[i]);
    report_words(report, "codecs", found);
    if (*missing)
        report_words(report, "codecs_missing", missing);
}

static void report_missing(struct report *report, bool fast)
{
    report_list(report, "missing");
    if (!i3d_video_library())
        report_text(report, NULL,
                    "FFmpeg, to read videos: install libavformat-dev, "
                    "libavcodec-dev, libavutil-dev and libswscale-dev, build again");
    if (!i3d_image_library())
        report_text(report, NULL,
                    "TurboJPEG, to read and write frames: install "
                    "libturbojpeg0-dev, build again");
    if (!fast)
        report_text(report, NULL,
                    "a fast engine (networks run, but slowly): install "
                    "libdnnl-dev, build again");
    report_close(report);
}

int cmd_doctor(const struct options *options)
{
    const char *video = i3d_video_library(), *image = i3d_image_library();
    bool fast;
    struct report report = report_begin(options);
    report_text(&report, "version", "%s", I3D_VERSION);
    report_processor(&report);
    bool engine = report_engines(&report, &fast);
    report_text(&report, "video", "%s%s", video ? "FFmpeg " : "none", video ? video : "");
    if (video)
        report_codecs(&report);
    report_text(&report, "image", "%s", image ? image : "none");
    bool ready = video && image && engine;
    if (!ready || !fast)
        report_missing(&report, fast);
    report_bool(&report, "ready", ready);
    report_end(&report);
    return command_result(
        ready ? I3D_OK : failure(I3D_EUNSUPPORTED, "this program lacks what is named as missing"));
}
