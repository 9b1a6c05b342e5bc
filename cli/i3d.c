/* The commands in the order in which data passes through them. */
#include "command.h"
#include "terminal.h"

#include "base/failure.h"

#include <string.h>

const struct command command_table[] = {
    { .name = "synth",
      .arguments = "TARGET",
      .summary = "make a small data set of real videos",
      .text =
          "Writes TARGET/class/video.avi: textured scenes in which the class is the motion, and "
          "no single frame tells it. TARGET/split.csv says which are for training and which "
          "for validation, as 'i3d annotate folder' reads it. The folder appears whole or not "
          "at all; one that exists is refused. The same seed makes the same videos.",
      .example = "i3d synth videos\ni3d synth videos --classes 6 --videos-per-class 40",
      .least = 1,
      .most = 1,
      .run = cmd_synth },
    { .name = "frames",
      .arguments = "VIDEOS TARGET",
      .summary = "write the frames of videos as JPEGs",
      .text =
          "Reads VIDEOS/class/video.ext, any container of video that FFmpeg knows, and writes "
          "TARGET/class/video/image_00001.jpg and so on, upright and scaled, and n_frames, their "
          "number; or with --store mkv one file TARGET/class/video.mkv. Either appears whole or "
          "not at all, and one that is there is left alone. Videos that fail are listed in "
          "TARGET/failures.csv with the reason, and the exit status is 1.",
      .example = "i3d frames videos rgb\ni3d frames videos rgb --size 256 --fps 25\n"
                 "i3d frames videos rgb --store mkv",
      .least = 2,
      .most = 2,
      .run = cmd_frames },
    { .name = "nframes",
      .arguments = "DIR",
      .summary = "count and check folders of frames or flow",
      .text = "Writes the highest index of the pictures in each DIR/class/video into its n_frames; "
              "looks whether each DIR/class/video.mkv has all it should. Tells which have gaps, "
              "and with --rgb which flow has not as many frames as the rgb; then the exit status "
              "is 1.",
      .example = "i3d nframes rgb\ni3d nframes flow --rgb rgb",
      .least = 1,
      .most = 1,
      .run = cmd_nframes },
    { .name = "flow",
      .arguments = "SOURCE TARGET",
      .summary = "compute TV-L1 optical flow",
      .text = "Reads SOURCE/class/video/image_00001.jpg and so on or SOURCE/class/video.mkv, as "
              "'i3d frames' writes them, or with --from-videos SOURCE/class/video.ext, and writes "
              "TARGET/class/video/image_00001x.jpg, image_00001y.jpg and so on: the motion from "
              "each frame to the next, right and down, as grey values around 128. The first is "
              "zero, so there are as many as frames; n_frames holds their number. With --store "
              "mkv it is one file, TARGET/class/video.mkv. Either appears whole or not at all, "
              "and one that is there is left alone. Videos that fail are listed in "
              "TARGET/failures.csv, and the exit status is 1. A frame whose size is not the "
              "first one's is scaled to it.",
      .example = "i3d flow hmdb51/rgb hmdb51/flow\n"
                 "i3d flow --from-videos videos flow --size 256 --preset fast\n"
                 "i3d flow --visualize clip.avi flow.mp4",
      .least = 2,
      .most = 2,
      .run = cmd_flow },
    { .name = "flow-error",
      .arguments = "A.flo B.flo",
      .summary = "measure how far one flow is from another",
      .text =
          "Prints the end-point error: the mean distance, in pixels, between the motions of two "
          "Middlebury .flo files, where both are known.",
      .example = "i3d flow-error ours.flo truth.flo",
      .least = 2,
      .most = 2,
      .run = cmd_flow_error },

    { .name = "annotate",
      .arguments = "hmdb51|ucf101|folder ...",
      .summary = "write which video is of which class and for what",
      .text = "annotate hmdb51|ucf101 SPLIT_FILES JPG_FOLDER TARGET reads the official split files "
              "and writes TARGET/hmdb51_1.json to _3.json, or ucf101_01.json to _03.json. annotate "
              "folder FOLDER TARGET.json takes any FOLDER/class/video, folders of frames, files of "
              "them or videos, with --split a table, or draws a split. Classes and videos are "
              "found in any case of their letters. Videos that are not there are all named, and "
              "the exit status is 1, unless --allow-missing.",
      .example =
          "i3d annotate hmdb51 splits data/rgb/hmdb51/jpg data/rgb/hmdb51/annotation\n"
          "i3d annotate folder videos split.json --ratio 0.8 --group-pattern '_g([0-9]+)_'\n"
          "i3d annotate folder jpg split.json --split clips.csv --test-where sequence=8,9,10",
      .least = 3,
      .most = 4,
      .run = cmd_annotate },
    { .name = "prepare",
      .arguments = "DATASET VIDEOS ROOT",
      .summary = "frames, flow and annotation of a data set, in one pass",
      .text = "Decodes each VIDEOS/class/video.ext once and writes frames to "
              "ROOT/rgb/DATASET/jpg, flow to ROOT/flow/DATASET/jpg and annotations to "
              "ROOT/{rgb,flow}/DATASET/annotation. DATASET is hmdb51 or ucf101, with the folder of "
              "the official split files as --split, or any other name, with a table as --split or "
              "a split drawn. With --store mkv each video is two files instead of two folders. "
              "What is finished is left alone, so the same command goes on after an "
              "interruption. Videos that fail are listed in ROOT/failures.csv, and the exit "
              "status is 1.",
      .example = "i3d prepare hmdb51 videos data --split hmdb51_splits\n"
                 "i3d prepare mine videos data --ratio 0.8 --size 256 --jobs 8",
      .least = 3,
      .most = 3,
      .run = cmd_prepare },

    { .name = "train",
      .arguments = "",
      .summary = "train a network of one stream",
      .text =
          "Trains on the videos that --annotation-path lists for training, from scratch or from "
          "--checkpoint-path, and validates after each epoch. The run's folder gets config.json "
          "(all options), log.jsonl (every step) and checkpoints: i3d-EPOCH_STEP.ckpt with the "
          "optimizer's state, and best.ckpt, the weights of the best validation. A run that was "
          "interrupted or killed goes on from its last checkpoint with --resume, as if nothing "
          "had been. Processes that mpirun or srun --mpi=pmix start together train together: "
          "--batch-size is each one's. SIGUSR1, or a file named stop in the run's folder, ends a "
          "training after its step, with a checkpoint and exit status 0. Names and defaults of the "
          "options are those of the original's README.",
      .example = "i3d train --mode rgb --dataset hmdb51 --video-path data/rgb/hmdb51/jpg \\\n"
                 "    --annotation-path data/rgb/hmdb51/annotation/hmdb51_1.json \\\n"
                 "    --checkpoint-path rgb_imagenet.ckpt\n"
                 "i3d train --resume output_standalone/20260101_1200_hmdb51_rgb_device0\n"
                 "mpirun -n 4 i3d train --config train.json",
      .run = cmd_train },

    { .name = "eval",
      .arguments = "",
      .summary = "measure the accuracy of one network or of both together",
      .text =
          "Scores every video that --annotation-path lists for validation exactly once, with "
          "--rgb, --flow, or both: then the scores of a video are added (joint). Prints top-1 "
          "and top-5. With --save-dir it writes for each of rgb, flow and joint videos.csv, "
          "classes.csv, confusion.csv and confusion.svg. With --checkpoints it evaluates many "
          "of one run and writes summary.txt, the best first. How a network is to be run is in "
          "its checkpoint; for the original's checkpoints give --compat mindspore. With --onnx the "
          "files are graphs, whoever made them, and ONNX Runtime runs them.",
      .example = "i3d eval --rgb run_rgb/checkpoints/best.ckpt --video-path data/rgb/mine/jpg \\\n"
                 "    --annotation-path data/rgb/mine/annotation/mine_1.json --save-dir result\n"
                 "i3d eval --rgb rgb.ckpt --flow flow.ckpt --video-path rgb/jpg \\\n"
                 "    --video-path-joint-flow flow/jpg --annotation-path mine_1.json\n"
                 "i3d eval --onnx --flow flow.onnx --video-path flow/jpg --annotation-path m.json",
      .run = cmd_eval },
    { .name = "predict",
      .arguments = "VIDEO...",
      .summary = "say what happens in video files",
      .text = "Decodes each VIDEO, computes flow if --flow is given, and prints the most probable "
              "classes. With --rgb and --flow their scores are added. A video that cannot be read "
              "is reported, the others go on, and the exit status is 1.",
      .example = "i3d predict clip.mp4 --rgb run_rgb/checkpoints/best.ckpt\n"
                 "i3d predict *.avi --rgb rgb.ckpt --flow flow.ckpt --labels hmdb51_1.json --json",
      .least = 1,
      .most = -1,
      .run = cmd_predict },

    { .name = "inspect",
      .arguments = "FILE",
      .summary = "say what is in a file of weights",
      .text = "Reads any format of weights, recognised by its content: MindSpore (.ckpt, .mindir), "
              "PyTorch, safetensors, TensorFlow (of a tensor bundle give the .index file), NumPy, "
              "ONNX. Shows the format, whose names they are, the network's input channels and "
              "classes, and each tensor's kind, type, shape and name.",
      .example = "i3d inspect rgb_imagenet.pt\ni3d inspect run/checkpoints/best.ckpt --json",
      .least = 1,
      .most = 1,
      .run = cmd_inspect },
    { .name = "convert",
      .arguments = "FROM TO",
      .summary = "convert weights between formats and namings",
      .text = "Reads what 'i3d inspect' can and writes the format that TO's extension names: .ckpt "
              "with MindSpore's names, .pt, .pth, .safetensors or .npz with those of piergiaj's "
              "PyTorch I3D. Every parameter that is missing, of the wrong shape or extra is named; "
              "with --strict any of them is an error. What is no parameter (an optimizer's state) "
              "goes into a .ckpt only. Weights that are not an I3D's are copied as they are.",
      .example = "i3d convert rgb_imagenet.pt rgb_imagenet.ckpt --strict\n"
                 "i3d convert run/checkpoints/best.ckpt best.safetensors",
      .least = 2,
      .most = 2,
      .run = cmd_convert },

    { .name = "inflate",
      .arguments = "GOOGLENET TO",
      .summary = "make an I3D's first weights from a 2-D GoogLeNet",
      .text = "Reads Caffe's GoogLeNet (bvlc_googlenet, weights [out, in, h, w] in any format that "
              "'i3d inspect' knows) and writes an I3D: each kernel repeated over time and divided "
              "by its length, so that a still video gives what its picture gave. With --channels "
              "2 the first layer takes flow: the mean of its three channels, for x and for y. The "
              "classes are those of GoogLeNet's classifier.",
      .example = "i3d inflate bvlc_googlenet.npz rgb_start.ckpt --channels 3\n"
                 "i3d inflate bvlc_googlenet.npz flow_start.ckpt --channels 2",
      .least = 2,
      .most = 2,
      .run = cmd_inflate },

    { .name = "export",
      .arguments = "CHECKPOINT TO",
      .summary = "write a network for ONNX Runtime, MindSpore or Ascend",
      .text = "Reads any format of weights and writes TO, whose extension says what: .onnx (opset "
              "17), .mindir (MindSpore) or .air (Ascend). The input is 'data' [N, C, T, H, W] with "
              "pixels in [-1, 1], the output 'logits' [N, classes]; what must be done to a video "
              "before is told in the file. Channels and classes are the checkpoint's, and so are "
              "the head, the clip's size and the epsilon of the batch norms where it records "
              "them. Then the file is read back and compared with the network on a random clip.",
      .example = "i3d export run/checkpoints/best.ckpt rgb.onnx\n"
                 "i3d export i3d_flow.ckpt flow.mindir --head max --bn-epsilon 1e-5",
      .least = 2,
      .most = 2,
      .run = cmd_export },

    { .name = "preprocess",
      .arguments = "",
      .summary = "write clips and labels as raw files for other devices",
      .text = "Writes the clip of every video that --annotation-path lists for validation to "
              "preprocess_Result/data/DATASET/MODE/DATASET_bsMODE_1.bin and so on, float32 "
              "[N, C, T, H, W] of --batch-size clips, cut as 'i3d eval' does; the labels to "
              "preprocess_Result/label/DATASET/MODE/label_bsMODEN.npy, int32; and beside them "
              "manifest.json, which names the videos of each file. The last one is filled up "
              "with zeros of label -1. Clips appear whole or not at all; those that are there "
              "are refused.",
      .example = "i3d preprocess --dataset hmdb51 --mode rgb --video-path data/rgb/hmdb51/jpg \\\n"
                 "    --annotation-path data/rgb/hmdb51/annotation/hmdb51_1.json",
      .run = cmd_preprocess },
    { .name = "infer",
      .arguments = "DIR",
      .summary = "run a network over raw clips",
      .text = "Runs --model over each .bin of DIR, as 'i3d preprocess' writes them, and writes "
              "result_Files/NAME_0.bin, float32 [N, classes], and "
              "time_Result/test_perform_static.txt. The network runs as its file records, a "
              "checkpoint or an export of ours; of a .mindir or .onnx of the original only the "
              "weights are read: give --compat mindspore. An .onnx of others, and any with "
              "--engine onnxruntime, runs "
              "as it is in ONNX Runtime. A run that was stopped goes on where it was.",
      .example = "i3d infer --model rgb.mindir preprocess_Result/data/hmdb51/rgb\n"
                 "i3d infer --model best.ckpt --mode flow preprocess_Result/data/hmdb51/flow",
      .least = 1,
      .most = 1,
      .run = cmd_infer },
    { .name = "postprocess",
      .arguments = "",
      .summary = "measure accuracy from raw results",
      .text = "Reads result_Files, of 'i3d infer' or another device, and the labels and manifest "
              "of 'i3d preprocess', and prints how many videos are right: as 'i3d eval' would. "
              "With --mode joint the scores of rgb and flow are added. What fills up the last "
              "file does not count. With --save-dir it writes the tables that 'i3d eval' writes.",
      .example = "i3d postprocess --dataset hmdb51 --mode rgb\ni3d postprocess --mode joint --json",
      .run = cmd_postprocess },

    /* this program */
    { .name = "bench",
      .arguments = "",
      .summary = "measure how fast the network is on this machine",
      .text = "Runs clips of any numbers through a network with fresh weights, once to warm up and "
              "then --turns times, and prints the median, the least and the most. With --layers it "
              "prints for each layer its time, the rate that a direct convolution would need for "
              "it, its share, and the kernel that did it.",
      .example = "i3d bench --layers\n"
                 "i3d bench --mode flow --test-sample-duration 16 --spatial-size 112",
      .run = cmd_bench },
    { .name = "doctor",
      .arguments = "",
      .summary = "say what this machine can do and what is missing",
      .text =
          "Shows the processor's vector instructions, cores and memory, the engines that can run "
          "networks, the codecs that videos can be read with, and how to install what is "
          "missing. Exit status 0: the whole job can be done here, from video files to "
          "accuracies.",
      .example = "i3d doctor\ni3d doctor --json",
      .run = cmd_doctor },
    { .name = "help",
      .arguments = "[COMMAND]",
      .summary = "explain a command and its options",
      .text = "Without a command, lists all commands. 'i3d COMMAND --help' is the same.",
      .example = "i3d help\ni3d help doctor",
      .most = 1,
      .run = cmd_help },
    { .name = "version",
      .arguments = "",
      .summary = "print the version",
      .text = "'i3d --version' is the same.",
      .example = "i3d version",
      .run = cmd_version },
    { .name = "rank-table",
      .arguments = "FILE RANK_SIZE",
      .summary = "say which hosts a rank table of HCCL names",
      .text =
          "Reads the JSON by which the original knew its cards, and prints the device of rank 0 "
          "and, of the first RANK_SIZE ranks, the hosts with the processes of each, as 'mpirun "
          "--host' takes them. For scripts/run_distribute_train.sh.",
      .example = "i3d rank-table hccl_8p.json 8",
      .least = 2,
      .most = 2,
      .run = cmd_rank_table,
      .hidden = true },
    { .name = "man",
      .arguments = "DIR",
      .summary = "write the manual pages",
      .text = "Writes DIR/i3d.1 and one DIR/i3d-COMMAND.1 for each command.",
      .example = "i3d man doc/man",
      .least = 1,
      .most = 1,
      .run = cmd_man,
      .hidden = true },
    { .name = "completion",
      .arguments = "bash|zsh|fish",
      .summary = "print a shell's completion script",
      .text = "The script completes commands, options and the values of options.",
      .example = "source <(i3d completion bash)",
      .least = 1,
      .most = 1,
      .run = cmd_completion,
      .hidden = true },

    { .name = NULL },
};

const struct command *command_find(const char *name)
{
    for (const struct command *command = command_table; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

const char *command_now;

int command_failed(void)
{
    terminal_fail(i3d_error());
    return options_refused() ? EXIT_USAGE : EXIT_FAILED;
}

/* The options of this command that memory depends on, "--batch-size, --jobs". */
static void list_sizes(char *out, size_t bytes)
{
    static const char *const names[] = { "batch-size",
                                         "spatial-size",
                                         "train-sample-duration",
                                         "test-sample-duration",
                                         "size",
                                         "num-workers",
                                         "jobs",
                                         "threads" };
    size_t length = 0;
    *out = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (command_now && option_find(command_now, names[i]) && length < bytes)
            length += (size_t)snprintf(out + length, bytes - length, "%s--%s", length ? ", " : "",
                                       names[i]);
}

int command_result(i3d_status status)
{
    char sizes[160];
    list_sizes(sizes, sizeof sizes);
    if (status == I3D_ENOMEM && *sizes)
        failure(status, "%s; ask for less by %s", i3d_error(), sizes);
    return status == I3D_OK ? EXIT_OK : command_failed();
}

int command_left_out(size_t failed, size_t all, const char *what, const char *way_out)
{
    if (!failed)
        return EXIT_OK;
    failure(I3D_EFORMAT, "%zu of %zu %s; %s", failed, all, what, way_out);
    return command_failed();
}
