/* i3d annotate: split files and the videos that are there to annotation files. */
#include "command.h"
#include "report.h"

#include "base/failure.h"
#include "clip/annotate.h"

#include <string.h>

static void report_split(struct report *report, const struct annotation *split)
{
    size_t training = 0;
    for (size_t i = 0; i < split->count; i++)
        training += split->videos[i].subset == I3D_TRAINING;
    report_object(report, NULL);
    report_int(report, "training", (long long)training);
    report_int(report, "validation", (long long)(split->count - training));
    report_close(report);
}

static void report_result(const struct options *options, const struct annotate *annotate)
{
    struct report report = report_begin(options);
    report_int(&report, "classes", (long long)annotate->splits[0].labels.count);
    report_int(&report, "missing", (long long)annotate->missing.count);
    report_list(&report, "splits");
    for (int i = 0; i < annotate->count; i++)
        report_split(&report, &annotate->splits[i]);
    report_close(&report);
    report_end(&report);
}

/* The exit status. */
static int run(const struct options *options, const struct split_rule *rule, const char *root,
               const char *target)
{
    struct annotate annotate = { 0 };
    size_t nameless, videos;
    i3d_status status;
    TRY(options_judge(split_check(rule)));
    TRY(annotate_begin(rule, root, &annotate));
    TRY(annotate_locate(&annotate, root, (int)option_int(options, "jobs"),
                        option_real(options, "time-limit")));
    if (annotate.missing.count && !option_flag(options, "allow-missing"))
        TRY(failure(I3D_EIO,
                    "%zu videos of the split are missing in '%s', the first '%s'; add them, or "
                    "leave them out with --allow-missing",
                    annotate.missing.count, root, annotate.missing.items[0]));
    TRY(annotate_write(&annotate, target));
    report_result(options, &annotate);
out:
    nameless = annotate.nameless.count;
    videos = nameless + annotate.missing.count + annotate.splits[0].count;
    annotate_clear(&annotate);
    return status == I3D_OK ? command_left_out(nameless, videos, NAMELESS) : command_result(status);
}

int cmd_annotate(const struct options *options)
{
    char **arguments = options->arguments;
    struct split_rule rule = { .dataset = arguments[0],
                               .source = option_text(options, "split"),
                               .test_where = option_text(options, "test-where"),
                               .ratio = { .training = option_real(options, "ratio"),
                                          .group_pattern = option_text(options, "group-pattern"),
                                          .seed = (uint64_t)option_int(options, "seed") } };
    if (strcmp(rule.dataset, "folder") == 0) {
        size_t length = options->argument_count == 3 ? strlen(arguments[2]) : 0;
        if (length < 6 || strcmp(arguments[2] + length - 5, ".json") != 0)
            return command_result(options_refuse("the arguments are: folder FOLDER TARGET.json"));
        return run(options, &rule, arguments[1], arguments[2]);
    }
    if (strcmp(rule.dataset, "hmdb51") != 0 && strcmp(rule.dataset, "ucf101") != 0)
        return command_result(options_refuse("the first argument is hmdb51, ucf101 or folder"));
    if (options->argument_count != 4 || rule.source)
        return command_result(
            options_refuse("the arguments are: hmdb51|ucf101 SPLIT_FILES JPG_FOLDER TARGET"));
    rule.source = arguments[1];
    return run(options, &rule, arguments[2], arguments[3]);
}
