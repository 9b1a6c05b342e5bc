/* Trains an rgb network from scratch: train ANNOTATION FRAMES FOLDER, the first two as `i3d
 * prepare` makes them. Small clips and few epochs, so that it ends within minutes. */
#include <i3d/i3d.h>

#include <stdio.h>

enum { FRAMES = 16, SIZE = 64, EPOCHS = 2 };

static void print_line(const char *text, void *context)
{
    (void)context;
    puts(text);
}

static i3d_status train(i3d_model *model, const i3d_dataset *training,
                        const i3d_dataset *validation, const char *folder)
{
    i3d_train_options options = i3d_train_defaults();
    options.folder = folder;
    options.epochs = EPOCHS;
    options.clip.frames = options.validation.frames = FRAMES;
    options.clip.size = options.validation.size = SIZE;
    options.clip.resize = options.validation.resize = 0;

    i3d_trainer *trainer = NULL;
    i3d_train_result result;
    i3d_status status = i3d_trainer_create(model, training, validation, &options, &trainer);
    if (status == I3D_OK)
        status = i3d_trainer_run(trainer, &result);
    if (status == I3D_OK)
        printf("%ld steps, last loss %.3f, best top-1 %.3f\n", result.steps, result.loss,
               result.accuracy);
    i3d_trainer_free(trainer);
    return status;
}

static i3d_status run(const char *annotation, const char *frames, const char *folder)
{
    i3d_dataset_options options = { .annotation = annotation, .root = frames, .stream = I3D_RGB };
    i3d_dataset *training = NULL, *validation = NULL;
    i3d_model *model = NULL;
    i3d_status status = i3d_dataset_open(&options, &training);
    options.subset = I3D_VALIDATION;
    if (status == I3D_OK)
        status = i3d_dataset_open(&options, &validation);
    if (status == I3D_OK) {
        const i3d_model_options shape = { .channels = 3,
                                          .classes = i3d_dataset_class_count(training),
                                          .bn_epsilon = 1e-3 };
        status = i3d_model_create(&shape, &model);
    }
    if (status == I3D_OK) {
        i3d_model_initialize(model, 2022, false);
        status = train(model, training, validation, folder);
    }
    i3d_model_free(model);
    i3d_dataset_close(validation);
    i3d_dataset_close(training);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: train ANNOTATION FRAMES FOLDER\n");
        return 2;
    }
    i3d_log_to(print_line, NULL);
    i3d_status status = run(argv[1], argv[2], argv[3]);
    if (status != I3D_OK)
        fprintf(stderr, "train: %s\n", i3d_error());
    return status != I3D_OK;
}
