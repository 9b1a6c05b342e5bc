/* Config files; what is read is written as JSON that is read again. */
#include "fuzz_file.h"
#include "option.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char copy[] = "/tmp/fuzz_config.json";
    struct options options, again;
    if (options_parse("train", 0, NULL, &options) != I3D_OK)
        return 0;
    if (options_read(&options, fuzz_file(data, size)) == I3D_OK &&
        options_write(&options, copy) == I3D_OK) {
        if (options_parse("train", 0, NULL, &again) != I3D_OK ||
            options_read(&again, copy) != I3D_OK)
            abort();
        options_clear(&again);
        unlink(copy);
    }
    options_clear(&options);
    return 0;
}
