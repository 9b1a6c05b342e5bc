/* Accuracies and fusion of scores that are given. */
#include "make_scores.h"

#include "base/talk.h"

#include <math.h>

static void accuracy_counts_the_first_and_the_first_five(void **state)
{
    (void)state;
    const char *names[] = { "u", "v", "w", "x" };
    const int labels[] = { 0, 6, 3, 3 };
    const float logits[] = { 9, 1, 2, 3, 4, 5, 6,   /* right */
                             1, 2, 3, 4, 5, 6, 0,   /* last of seven */
                             5, 6, 7, 3, 0, 1, 2,   /* fourth */
                             0, 0, 0, 9, 0, 0, 0 }; /* right, but unread */
    i3d_scores scores = make_scores(4, 7, names, labels, logits);
    scores.clips[3] = 0;
    i3d_accuracy all = i3d_scores_accuracy(&scores, -1), third = i3d_scores_accuracy(&scores, 3);
    assert_int_equal(all.videos, 3);
    assert_int_equal(all.top1, 1);
    assert_int_equal(all.top5, 2);
    assert_int_equal(third.videos, 1);
    assert_int_equal(third.top1, 0);
    assert_int_equal(third.top5, 1);
    assert_int_equal(i3d_scores_accuracy(&scores, 1).videos, 0);
    i3d_scores_clear(&scores);
}

static void equal_scores_go_to_the_lower_class(void **state)
{
    (void)state;
    const char *names[] = { "u", "v", "w" };
    const int labels[] = { 0, 1, 0 };
    const float logits[] = { 1, 1, 1, 1, NAN, 0 };
    i3d_scores scores = make_scores(3, 2, names, labels, logits);
    assert_int_equal(i3d_scores_accuracy(&scores, 0).top1, 1);
    assert_int_equal(i3d_scores_accuracy(&scores, 1).top1, 0);
    i3d_scores_clear(&scores);
}

static void the_best_are_found_in_order(void **state)
{
    (void)state;
    const float scores[] = { 3, 9, 4, 9, 1, 5 };
    int labels[6] = { 0 };
    i3d_best(scores, 6, 3, labels);
    assert_int_equal(labels[0], 1);
    assert_int_equal(labels[1], 3);
    assert_int_equal(labels[2], 5);
    i3d_best(scores, 6, 6, labels);
    assert_int_equal(labels[5], 4);
}

static void softmax_is_a_distribution(void **state)
{
    (void)state;
    float scores[] = { 1000, 1000, -1000 };
    i3d_softmax(scores, 3, scores);
    assert_true(scores[0] == .5f && scores[1] == .5f && scores[2] == 0);
}

static void count_remark(const char *text, void *context)
{
    int *count = context;
    *count += strstr(text, "2 videos are in one stream only") != NULL;
}

/* The same videos in another order, one missing on each side. */
static void streams_are_paired_by_name(void **state)
{
    (void)state;
    const char *rgb_names[] = { "b", "a", "only rgb" }, *flow_names[] = { "a", "only flow", "b" };
    const int rgb_labels[] = { 1, 0, 0 }, flow_labels[] = { 0, 1, 1 };
    const float rgb_logits[] = { 1, 0, 4, 1, 9, 9 }, flow_logits[] = { 1, 2, 9, 9, 0, 3 };
    i3d_scores rgb = make_scores(3, 2, rgb_names, rgb_labels, rgb_logits);
    i3d_scores flow = make_scores(3, 2, flow_names, flow_labels, flow_logits), joint;
    i3d_fusion fusion = { 1, 1, false };
    int remarks = 0;
    i3d_log_to(count_remark, &remarks);
    assert_ok(i3d_scores_fuse(&rgb, &flow, &fusion, &joint));
    i3d_log_to(NULL, NULL);
    assert_int_equal(remarks, 1);
    assert_int_equal(joint.videos, 2);
    assert_string_equal(joint.names[0], "a");
    assert_true(scores_row(&joint, 0)[0] == 5 && scores_row(&joint, 0)[1] == 3);
    assert_true(scores_row(&joint, 1)[0] == 1 && scores_row(&joint, 1)[1] == 3);
    assert_int_equal(i3d_scores_accuracy(&joint, -1).top1, 2);
    i3d_scores_clear(&joint);

    fusion = (i3d_fusion){ 2, .5, true };
    assert_ok(i3d_scores_fuse(&rgb, &flow, &fusion, &joint));
    double a = 2 / (1 + exp(-3)) + .5 / (1 + exp(1));
    assert_true(fabs(scores_row(&joint, 0)[0] - a) < 1e-6);
    i3d_scores_clear(&joint);
    i3d_scores_clear(&rgb);
    i3d_scores_clear(&flow);
}

static void streams_must_agree(void **state)
{
    (void)state;
    const char *names[] = { "a" };
    const int one[] = { 1 }, other[] = { 0 };
    const float logits[] = { 1, 2, 3 };
    i3d_scores rgb = make_scores(1, 3, names, one, logits), joint;
    i3d_scores labels = make_scores(1, 3, names, other, logits);
    i3d_scores classes = make_scores(1, 2, names, one, logits);
    i3d_fusion fusion = { 1, 1, false };
    assert_fails(i3d_scores_fuse(&rgb, &labels, &fusion, &joint), I3D_EFORMAT, "'a' has label 1");
    assert_fails(i3d_scores_fuse(&rgb, &classes, &fusion, &joint), I3D_EINVAL, "3 classes");
    i3d_scores_clear(&rgb);
    i3d_scores_clear(&labels);
    i3d_scores_clear(&classes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accuracy_counts_the_first_and_the_first_five),
        cmocka_unit_test(equal_scores_go_to_the_lower_class),
        cmocka_unit_test(the_best_are_found_in_order),
        cmocka_unit_test(softmax_is_a_distribution),
        cmocka_unit_test(streams_are_paired_by_name),
        cmocka_unit_test(streams_must_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
