/* Names what happens in a video: classify VIDEO CHECKPOINT, an rgb checkpoint of `i3d train`. */
#include <i3d/i3d.h>

#include <stdio.h>
#include <stdlib.h>

/* The first frames of a video, the centre of each, as clip [3, frames, size, size] in [-1, 1]; a
 * short video begins again at its end. */
static i3d_status read_clip(const char *path, const i3d_recipe *recipe, float *clip)
{
    const size_t size = (size_t)recipe->size, frames = (size_t)recipe->frames;
    const i3d_video_options options = { .short_side =
                                            recipe->resize ? recipe->resize : recipe->size };
    i3d_video *video = NULL;
    const i3d_image *image;
    size_t count = 0;
    i3d_status status = i3d_video_open(path, &options, &video);
    for (; status == I3D_OK && count < frames; count += status == I3D_OK) {
        status = i3d_video_next(video, &image, NULL);
        for (size_t i = 0; status == I3D_OK && i < 3 * size * size; i++) {
            size_t c = i / (size * size), y = i / size % size, x = i % size;
            size_t row = y + ((size_t)image->height - size) / 2;
            size_t column = x + ((size_t)image->width - size) / 2;
            clip[((c * frames + count) * size + y) * size + x] =
                (float)image->pixels[(row * (size_t)image->width + column) * 3 + c] / 127.5f - 1;
        }
    }
    i3d_video_close(video);
    for (size_t t = count; count > 0 && t < frames; t++)
        for (size_t i = 0; i < 3 * size * size; i++) {
            size_t c = i / (size * size), at = i % (size * size);
            clip[(c * frames + t) * size * size + at] =
                clip[(c * frames + t - count) * size * size + at];
        }
    return status == I3D_END && count > 0 ? I3D_OK : status;
}

static i3d_status classify(i3d_classifier *classifier, const char *path)
{
    const i3d_recipe recipe = i3d_classifier_get_recipe(classifier);
    const int classes = i3d_classifier_class_count(classifier);
    float *clip =
        calloc((size_t)(3 * recipe.frames * recipe.size) * (size_t)recipe.size, sizeof *clip);
    float *scores = calloc((size_t)classes, sizeof *scores);
    int best;
    i3d_status status = clip && scores ? read_clip(path, &recipe, clip) : I3D_ENOMEM;
    if (status == I3D_OK)
        status = i3d_network_run(i3d_classifier_network(classifier), 1, clip, scores);
    if (status == I3D_OK) {
        i3d_softmax(scores, classes, scores);
        i3d_best(scores, classes, 1, &best);
        const char *name = i3d_classifier_class_name(classifier, best);
        printf("%s: %s (class %d) with probability %.3f\n", path, name ? name : "?", best,
               (double)scores[best]);
    }
    free(clip);
    free(scores);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: classify VIDEO CHECKPOINT\n");
        return 2;
    }
    const i3d_classifier_options options = {
        .checkpoint = argv[2], .stream = I3D_RGB, .recipe = i3d_recipe_unknown(), .batch = 1
    };
    i3d_classifier *classifier = NULL;
    i3d_status status = i3d_classifier_open(&options, &classifier);
    if (status == I3D_OK)
        status = classify(classifier, argv[1]);
    if (status != I3D_OK)
        fprintf(stderr, "classify: %s\n", i3d_error());
    i3d_classifier_close(classifier);
    return status != I3D_OK;
}
