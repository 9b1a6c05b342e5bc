#include <i3d/video.h>

#include <libavcodec/avcodec.h>
#include <libavutil/avutil.h>

const char *i3d_video_library(void)
{
    return av_version_info();
}

bool i3d_video_can_read(const char *codec)
{
    const AVCodecDescriptor *descriptor = avcodec_descriptor_get_by_name(codec);
    return descriptor && avcodec_find_decoder(descriptor->id);
}
