#include "store_option.h"

#include <string.h>

i3d_status option_store_form(const struct options *options, enum store_form *out)
{
    bool lossless = strcmp(option_text(options, "codec"), "ffv1") == 0;
    *out = STORE_JPG;
    if (strcmp(option_text(options, "store"), "mkv") == 0)
        *out = lossless ? STORE_FFV1 : STORE_MJPEG;
    else if (lossless)
        return options_refuse("--codec ffv1 needs --store mkv");
    return I3D_OK;
}
