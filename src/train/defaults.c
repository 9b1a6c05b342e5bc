#include <i3d/train.h>

i3d_train_options i3d_train_defaults(void)
{
    i3d_train_options options = {
        .epochs = 32,
        .batch = 8,
        .accumulate = 1,
        .seed = 2022,
        .optimizer = I3D_ADAM,
        .momentum = .9,
        .weight_decay = 1e-8,
        .schedule = I3D_SCHEDULE_STEPS,
        .lr = .001,
        .lr_rate = .5,
        .lr_epochs = 4,
        .dropout_keep = .5,
        .freeze_bn = true,
        .bn_momentum = .1,
        .clip = i3d_clip_defaults(),
        .validation = i3d_clip_defaults(),
        .checkpoint_epochs = 1,
        .checkpoints_keep = 24,
    };
    options.clip.training = true;
    options.validation.training = false;
    return options;
}
