/* Names what happens in a video: classify VIDEO CHECKPOINT, an rgb checkpoint of `i3d train`. The
 * answer is that of `i3d predict`. */
#include <i3d/i3d.h>

#include <stdio.h>
#include <stdlib.h>

static i3d_status classify(i3d_predictor *predictor, const char *path)
{
    const int classes = i3d_predictor_class_count(predictor);
    float *probabilities = calloc((size_t)classes, sizeof *probabilities);
    i3d_status status =
        probabilities ? i3d_predictor_run(predictor, path, probabilities) : I3D_ENOMEM;
    if (status == I3D_OK) {
        int best;
        i3d_best(probabilities, classes, 1, &best);
        printf("%s: %s (class %d) with probability %.4f\n", path,
               i3d_predictor_class_name(predictor, best), best, (double)probabilities[best]);
    }
    free(probabilities);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: classify VIDEO CHECKPOINT\n");
        return 2;
    }
    const i3d_predictor_options options = { .rgb = argv[2],
                                            .recipe = i3d_recipe_unknown(),
                                            .fusion = { .rgb_weight = 1 },
                                            .clips = 1,
                                            .short_side = 240 };
    i3d_predictor *predictor = NULL;
    i3d_status status = i3d_predictor_open(&options, &predictor);
    if (status == I3D_OK)
        status = classify(predictor, argv[1]);
    if (status != I3D_OK)
        fprintf(stderr, "classify: %s\n", i3d_error());
    i3d_predictor_close(predictor);
    return status != I3D_OK;
}
