/* The most memory that reading a file of weights takes: weights_bench FILE prints the bytes of its
 * weights and those that the process grew by at its highest. */
#include <i3d/checkpoint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line of /proc/self/status in bytes: "VmRSS", "VmHWM". */
static long memory(const char *name)
{
    char line[256];
    long kilobytes = 0;
    FILE *stream = fopen("/proc/self/status", "r");
    while (stream && fgets(line, sizeof line, stream))
        if (strncmp(line, name, strlen(name)) == 0)
            kilobytes = strtol(line + strlen(name) + 1, NULL, 10);
    if (stream)
        fclose(stream);
    return kilobytes * 1024;
}

int main(int argc, char **argv)
{
    i3d_weights weights;
    size_t bytes = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: weights_bench FILE\n");
        return 2;
    }
    long before = memory("VmRSS");
    if (i3d_weights_read(argv[1], &weights) != I3D_OK) {
        fprintf(stderr, "%s\n", i3d_error());
        return 1;
    }
    for (size_t i = 0; i < weights.count; i++)
        bytes += i3d_tensor_count(&weights.tensors[i]) * i3d_dtype_size(weights.tensors[i].dtype);
    printf("%zu %ld %s\n", bytes, memory("VmHWM") - before, weights.format);
    i3d_weights_clear(&weights);
    return 0;
}
