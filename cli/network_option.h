/* The options that train, eval and predict share: how a network is run and on what clips. */
#ifndef CLI_NETWORK_OPTION_H
#define CLI_NETWORK_OPTION_H

#include "option.h"

#include <i3d/edge.h>
#include <i3d/eval.h>

/* --compat mindspore: the original's numbers and quirks where nothing else is asked for. */
bool option_compat(const struct options *options);

/* What the user says of how to run the network; -1 where nothing is said, or cannot be by this
 * command's options. */
i3d_recipe option_recipe(const struct options *options);

i3d_precision option_precision(const struct options *options);

/* --engine, or --device where that alone is given. */
const char *option_engine(const struct options *options);
i3d_fusion option_fusion(const struct options *options);

/* The options of data sets and of validation's clips; `recipe` is complete. */
i3d_dataset_options option_dataset(const struct options *options, i3d_stream stream,
                                   i3d_subset subset);
i3d_clip_options option_clip(const struct options *options, const i3d_recipe *recipe);

/* --mode, of commands with one stream; and the files of a stream of the edge pipeline. */
i3d_stream option_stream(const struct options *options);
i3d_edge_place option_place(const struct options *options, i3d_stream stream);

/* Says of each option of the original that means nothing here that it was given, and what to use
 * instead. */
void option_remark_ignored(const struct options *options);

#endif
