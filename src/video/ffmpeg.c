#include "video/ffmpeg.h"

#include <libavutil/error.h>
#include <libavutil/log.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>

static _Thread_local char logged[256];

static void keep(void *context, int level, const char *format, va_list arguments)
{
    (void)context;
    if (level > AV_LOG_ERROR)
        return;
    vsnprintf(logged, sizeof logged, format, arguments);
    logged[strcspn(logged, "\r\n")] = '\0';
}

static void take_log(void)
{
    av_log_set_callback(keep);
}

void ffmpeg_hush(void)
{
    static once_flag once = ONCE_FLAG_INIT;
    call_once(&once, take_log);
    logged[0] = '\0';
}

bool ffmpeg_logged(const char *words)
{
    return strstr(logged, words) != NULL;
}

const char *ffmpeg_reason(int error)
{
    static _Thread_local char reason[512];
    char text[AV_ERROR_MAX_STRING_SIZE];
    av_strerror(error, text, sizeof text);
    if (logged[0])
        snprintf(reason, sizeof reason, "%s (%s)", text, logged);
    else
        snprintf(reason, sizeof reason, "%s", text);
    logged[0] = '\0';
    return reason;
}

const uint8_t *ffmpeg_side_data(const AVStream *stream, enum AVPacketSideDataType type,
                                size_t *bytes)
{
#if LIBAVFORMAT_VERSION_MAJOR < 61
    return av_stream_get_side_data(stream, type, bytes);
#else
    const AVCodecParameters *parameters = stream->codecpar;
    const AVPacketSideData *found =
        av_packet_side_data_get(parameters->coded_side_data, parameters->nb_coded_side_data, type);
    *bytes = found ? found->size : 0;
    return found ? found->data : NULL;
#endif
}
