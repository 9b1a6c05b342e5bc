#include "test.h"

#include <i3d/video.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/talk.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>

#include <math.h>

static char folder[64], path[128];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", test_folder());
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return folder_remove(folder) == I3D_OK ? 0 : -1;
}

static const char *in_folder(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Frame `number` of a test video: a slanted ramp that wanders. */
static void paint(i3d_image *image, int width, int height, int number)
{
    assert_ok(i3d_image_resize_storage(image, width, height, 3));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *pixel = image->pixels + 3 * (y * width + x);
            pixel[0] = (uint8_t)(4 * number);
            pixel[1] = (uint8_t)(255 * x / width);
            pixel[2] = (uint8_t)(255 * y / height);
        }
}

static void write_video(const char *name, int width, int height, int frames, double fps)
{
    i3d_image image = { 0 };
    i3d_video_writer *writer;
    assert_ok(i3d_video_writer_open(in_folder(name), width, height, fps, &writer));
    for (int i = 0; i < frames; i++) {
        paint(&image, width, height, i);
        assert_ok(i3d_video_writer_add(writer, &image));
    }
    assert_ok(i3d_video_writer_finish(writer));
    i3d_video_writer_close(writer);
    i3d_image_clear(&image);
}

/* Reads to the end; the numbers of the frames, by their red, into `numbers` (NULL: none). */
static i3d_status count(const char *name, const i3d_video_options *options, int *frames,
                        int *numbers)
{
    i3d_video *video;
    const i3d_image *image;
    *frames = 0;
    i3d_status status = i3d_video_open(in_folder(name), options, &video);
    if (status != I3D_OK)
        return status;
    double time, last = -1;
    while ((status = i3d_video_next(video, &image, &time)) == I3D_OK) {
        assert_true(time > last);
        last = time;
        if (numbers)
            numbers[*frames] = (int)lrint(image->pixels[0] / 4.);
        ++*frames;
    }
    if (status == I3D_END)
        assert_int_equal(i3d_video_next(video, &image, NULL), I3D_END);
    i3d_video_close(video);
    return status;
}

static void every_container_gives_every_frame(void **state)
{
    (void)state;
    static const char *const names[] = { "a.avi", "a.mp4", "a.mov", "a.mkv", "a.mjpeg" };
    static const int lengths[] = { 1, 2, 47 };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++) {
            int frames, numbers[47];
            write_video(names[i], 64, 48, lengths[j], 25);
            assert_int_equal(count(names[i], NULL, &frames, numbers), I3D_END);
            assert_int_equal(frames, lengths[j]);
            for (int k = 0; k < frames; k++)
                assert_in_range(numbers[k] + 1, k, k + 2);
        }
}

static void matroska_keeps_the_pixels(void **state)
{
    (void)state;
    i3d_video *video;
    i3d_image expected = { 0 };
    const i3d_image *image;
    write_video("a.mkv", 37, 23, 3, 25);
    assert_ok(i3d_video_open(in_folder("a.mkv"), NULL, &video));
    for (int i = 0; i < 3; i++) {
        double time;
        paint(&expected, 37, 23, i);
        assert_ok(i3d_video_next(video, &image, &time));
        assert_int_equal(image->width, 37);
        assert_int_equal(image->height, 23);
        assert_memory_equal(image->pixels, expected.pixels, 37 * 23 * 3);
        assert_true(fabs(time - i / 25.) < .001);
    }
    i3d_video_close(video);
    i3d_image_clear(&expected);
}

/* What is passed over changes nothing of what follows, with resampling and without. */
static void skipped_frames_are_those_not_seen(void **state)
{
    (void)state;
    static const double rates[] = { 0, 9, 60 };
    write_video("a.mkv", 64, 48, 30, 25);
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        i3d_video_options options = { .fps = rates[i], .short_side = 24 };
        i3d_video *all, *some;
        const i3d_image *wanted, *got;
        double time, shown;
        long frames = 0, counted;
        assert_ok(i3d_video_open(in_folder("a.mkv"), &options, &all));
        assert_ok(i3d_video_open(in_folder("a.mkv"), &options, &some));
        while (i3d_video_next(all, &wanted, &time) == I3D_OK) {
            if (frames++ % 4 == 2) {
                assert_ok(i3d_video_next(some, &got, &shown));
                assert_true(shown == time);
                assert_memory_equal(got->pixels, wanted->pixels, 32 * 24 * 3);
            } else {
                assert_ok(i3d_video_skip(some, 1));
            }
        }
        assert_ok(i3d_video_skip(some, 0));
        assert_int_equal(i3d_video_skip(some, 1), I3D_END);
        i3d_video_close(all);
        i3d_video_close(some);
        assert_ok(i3d_video_count(in_folder("a.mkv"), &options, &counted));
        assert_int_equal(counted, frames);
    }
    assert_int_equal(i3d_video_count(in_folder("none.mkv"), NULL, &(long){ 0 }), I3D_EIO);
}

static void the_other_side_is_rounded_as_by_ffmpeg(void **state)
{
    (void)state;
    /* What ffmpeg -vf scale=-1:N (or N:-1) gives: N * long / short, halves up. */
    static const struct {
        int width, height, side, to_width, to_height;
    } cases[] = { { 64, 48, 24, 32, 24 }, { 50, 20, 5, 13, 5 }, { 49, 20, 10, 25, 10 },
                  { 20, 50, 5, 5, 13 },   { 30, 30, 7, 7, 7 },  { 64, 36, 50, 89, 50 },
                  { 1, 1, 4, 4, 4 },      { 64, 48, 0, 64, 48 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        i3d_video *video;
        const i3d_image *image;
        write_video("a.mkv", cases[i].width, cases[i].height, 1, 25);
        i3d_video_options options = { .short_side = cases[i].side };
        assert_ok(i3d_video_open(in_folder("a.mkv"), &options, &video));
        assert_ok(i3d_video_next(video, &image, NULL));
        assert_int_equal(image->width, cases[i].to_width);
        assert_int_equal(image->height, cases[i].to_height);
        assert_int_equal(i3d_video_get_info(video).width, cases[i].to_width);
        i3d_video_close(video);
    }
}

static int32_t *add_matrix(AVStream *stream)
{
    size_t bytes = 9 * sizeof(int32_t);
#if LIBAVFORMAT_VERSION_MAJOR < 61
    return (int32_t *)(void *)av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, bytes);
#else
    AVCodecParameters *parameters = stream->codecpar;
    return (int32_t *)(void *)av_packet_side_data_new(&parameters->coded_side_data,
                                                      &parameters->nb_coded_side_data,
                                                      AV_PKT_DATA_DISPLAYMATRIX, bytes, 0)
        ->data;
#endif
}

/* Copies a video's packets, telling players to turn it by `degrees` clockwise and to mirror
 * it, and delaying packet i by delays[i] frames (NULL: none). */
static void copy_video(const char *from, const char *to, double degrees, int mirror,
                       const int *delays)
{
    AVFormatContext *in = NULL, *out = NULL;
    AVPacket *packet = av_packet_alloc();
    assert_int_equal(avformat_open_input(&in, in_folder(from), NULL, NULL), 0);
    assert_true(avformat_find_stream_info(in, NULL) >= 0);
    assert_true(avformat_alloc_output_context2(&out, NULL, NULL, in_folder(to)) >= 0);
    AVStream *stream = avformat_new_stream(out, NULL);
    assert_true(avcodec_parameters_copy(stream->codecpar, in->streams[0]->codecpar) >= 0);
    stream->codecpar->codec_tag = 0;
    stream->time_base = in->streams[0]->time_base;
    if (degrees != 0 || mirror) {
        int32_t *matrix = add_matrix(stream);
        av_display_rotation_set(matrix, degrees);
        av_display_matrix_flip(matrix, mirror, 0);
    }
    assert_true(avio_open(&out->pb, in_folder(to), AVIO_FLAG_WRITE) >= 0);
    assert_true(avformat_write_header(out, NULL) >= 0);
    for (int i = 0; av_read_frame(in, packet) == 0; i++) {
        int64_t step =
            av_rescale_q(1, av_inv_q(in->streams[0]->avg_frame_rate), in->streams[0]->time_base);
        packet->pts += delays ? delays[i] * step : 0;
        packet->dts += delays ? delays[i] * step : 0;
        av_packet_rescale_ts(packet, in->streams[0]->time_base, stream->time_base);
        assert_true(av_write_frame(out, packet) >= 0);
        av_packet_unref(packet);
    }
    assert_true(av_write_trailer(out) >= 0);
    avio_closep(&out->pb);
    avformat_free_context(out);
    avformat_close_input(&in);
    av_packet_free(&packet);
}

static void rotation_is_honoured(void **state)
{
    (void)state;
    /* Where the right neighbour's green grows and the lower neighbour's blue, after each turn. */
    static const struct {
        double degrees;
        int mirror, width, height, green_x, green_y, blue_x, blue_y;
    } cases[] = {
        { 0, 1, 64, 48, -1, 0, 0, 1 },    { 90, 0, 48, 64, 0, 1, -1, 0 },
        { 180, 0, 64, 48, -1, 0, 0, -1 }, { -90, 0, 48, 64, 0, -1, 1, 0 },
        { 180, 1, 64, 48, 1, 0, 0, -1 },
    };
    write_video("a.avi", 64, 48, 1, 25);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        i3d_video *video;
        const i3d_image *image;
        copy_video("a.avi", "turned.mp4", cases[i].degrees, cases[i].mirror, NULL);
        assert_ok(i3d_video_open(in_folder("turned.mp4"), NULL, &video));
        assert_ok(i3d_video_next(video, &image, NULL));
        assert_int_equal(image->width, cases[i].width);
        assert_int_equal(image->height, cases[i].height);
        const uint8_t *centre =
            image->pixels + 3 * (image->height / 2 * image->width + image->width / 2);
        int across = 3 * 10, down = 3 * 10 * image->width;
        const int grown[4] = { centre[across + 1] - centre[1], centre[down + 1] - centre[1],
                               centre[across + 2] - centre[2], centre[down + 2] - centre[2] };
        const int signs[4] = { cases[i].green_x, cases[i].green_y, cases[i].blue_x,
                               cases[i].blue_y };
        for (int k = 0; k < 4; k++)
            assert_int_equal((grown[k] > 20) - (grown[k] < -20), signs[k]);
        i3d_video_close(video);
    }
}

static void resampling_goes_by_time_stamps(void **state)
{
    (void)state;
    int frames, numbers[64];
    write_video("a.mkv", 16, 16, 10, 10);
    i3d_video_options half = { .fps = 5 }, double_rate = { .fps = 20 };
    assert_int_equal(count("a.mkv", &half, &frames, numbers), I3D_END);
    assert_int_equal(frames, 5);
    for (int i = 0; i < 5; i++)
        assert_in_range(numbers[i], 2 * i, 2 * i + 1);
    assert_int_equal(count("a.mkv", &double_rate, &frames, numbers), I3D_END);
    assert_int_equal(frames, 20);
    for (int i = 0; i < 20; i++)
        assert_int_equal(numbers[i], i / 2);
    /* Frame 3 comes 4 frames late, and all after it: at the same rate frame 2 lasts 5. */
    static const int delays[10] = { 0, 0, 0, 4, 4, 4, 4, 4, 4, 4 };
    static const int expected[14] = { 0, 1, 2, 2, 2, 2, 2, 3, 4, 5, 6, 7, 8, 9 };
    copy_video("a.mkv", "late.mkv", 0, 0, delays);
    i3d_video_options same = { .fps = 10 }, slow = { .fps = 1 };
    write_video("b.mkv", 16, 16, 1, 25);
    assert_int_equal(count("b.mkv", &slow, &frames, numbers), I3D_END);
    assert_int_equal(frames, 1);
    assert_int_equal(count("late.mkv", &same, &frames, numbers), I3D_END);
    assert_int_equal(frames, 14);
    for (int i = 0; i < 14; i++)
        assert_int_equal(numbers[i], expected[i]);
    assert_int_equal(count("late.mkv", NULL, &frames, NULL), I3D_END);
    assert_int_equal(frames, 10);
}

static void time_stamps_far_apart_are_refused_when_resampling(void **state)
{
    (void)state;
    int frames;
    /* A jump of two minutes, and one of two days. */
    static const int delays[4] = { 0, 0, 3000, 3000 }, days[4] = { 0, 0, 4320000, 4320000 };
    i3d_video_options options = { .fps = 25 }, fill = { .fps = 25, .fill_gaps = true };
    write_video("a.mkv", 16, 16, 4, 25);
    copy_video("a.mkv", "far.mkv", 0, 0, delays);
    assert_fails(count("far.mkv", &options, &frames, NULL), I3D_EFORMAT, "jump by 120 seconds");
    assert_int_equal(count("far.mkv", NULL, &frames, NULL), I3D_END);
    assert_int_equal(frames, 4);
    assert_int_equal(count("far.mkv", &fill, &frames, NULL), I3D_END);
    assert_int_equal(frames, 3004);
    copy_video("a.mkv", "days.mkv", 0, 0, days);
    assert_fails(count("days.mkv", &fill, &frames, NULL), I3D_EFORMAT, "a file of its size");
    assert_in_range(frames, 0, 2);
}

static void reading_ends_when_its_time_is_over_or_it_is_interrupted(void **state)
{
    (void)state;
    int frames;
    i3d_video_options hurry = { .time_limit = 1e-9 };
    i3d_video *video;
    const i3d_image *image;
    write_video("a.avi", 64, 48, 30, 25);
    assert_fails(count("a.avi", &hurry, &frames, NULL), I3D_EFORMAT, "--time-limit");
    assert_int_equal(frames, 0);
    assert_ok(i3d_video_open(in_folder("a.avi"), NULL, &video));
    assert_ok(i3d_video_next(video, &image, NULL));
    i3d_interrupt();
    i3d_status status = I3D_OK;
    while (status == I3D_OK)
        status = i3d_video_next(video, &image, NULL);
    assert_int_equal(status, I3D_EINTERRUPTED);
    i3d_video_close(video);
    assert_int_equal(i3d_video_open(in_folder("a.avi"), NULL, &video), I3D_EINTERRUPTED);
    interrupt_clear();
    assert_int_equal(count("a.avi", NULL, &frames, NULL), I3D_END);
    assert_int_equal(frames, 30);
}

static void a_video_cut_short_is_an_error_with_its_count(void **state)
{
    (void)state;
    static const char *const names[] = { "a.avi", "a.mkv", "a.mp4" };
    for (int i = 0; i < 3; i++) {
        uint8_t *data;
        size_t bytes;
        int frames;
        write_video(names[i], 64, 48, 30, 25);
        assert_ok(file_read(in_folder(names[i]), &data, &bytes));
        for (size_t part = 2; part < 10; part++) {
            assert_ok(file_write(in_folder(names[i]), data, bytes * part / 11));
            i3d_status status = count(names[i], NULL, &frames, NULL);
            assert_int_equal(status, I3D_EFORMAT);
            assert_non_null(strstr(i3d_error(), path));
        }
        memory_free(data);
    }
    int frames;
    assert_int_equal(count("a.avi", NULL, &frames, NULL), I3D_EFORMAT);
    assert_non_null(strstr(i3d_error(), "cut short: only"));
}

static void frames_of_another_size_are_scaled_to_the_first(void **state)
{
    (void)state;
    uint8_t *first, *second, *both;
    size_t first_bytes, second_bytes;
    i3d_video *video;
    const i3d_image *image;
    i3d_status status;
    int frames = 0;
    write_video("a.mjpeg", 64, 48, 2, 25);
    assert_ok(file_read(in_folder("a.mjpeg"), &first, &first_bytes));
    write_video("b.mjpeg", 96, 80, 3, 25);
    assert_ok(file_read(in_folder("b.mjpeg"), &second, &second_bytes));
    assert_ok(memory_get(first_bytes + second_bytes, 1, &both));
    memcpy(both, first, first_bytes);
    memcpy(both + first_bytes, second, second_bytes);
    assert_ok(file_write(in_folder("c.mjpeg"), both, first_bytes + second_bytes));
    assert_ok(i3d_video_open(in_folder("c.mjpeg"), NULL, &video));
    for (; (status = i3d_video_next(video, &image, NULL)) == I3D_OK; frames++) {
        assert_int_equal(image->width, 64);
        assert_int_equal(image->height, 48);
        assert_in_range(image->pixels[3 * 47 + 1], 180, 195); /* 3/4 of the way, in both sizes */
    }
    assert_int_equal(status, I3D_END);
    assert_int_equal(frames, 5);
    i3d_video_close(video);
    memory_free(first);
    memory_free(second);
    memory_free(both);
}

static void what_is_no_video_is_told(void **state)
{
    (void)state;
    int frames;
    static const char text[] = "This is a text.\nIt has lines, and calls itself a video.\n";
    assert_ok(file_write(in_folder("text.avi"), text, sizeof text - 1));
    assert_fails(count("text.avi", NULL, &frames, NULL), I3D_EFORMAT, "text.avi");
    assert_ok(file_write(in_folder("empty.mp4"), "", 0));
    assert_fails(count("empty.mp4", NULL, &frames, NULL), I3D_EFORMAT, "empty.mp4");
    assert_fails(count("none.avi", NULL, &frames, NULL), I3D_EIO, "No such file");
    write_video("zero.avi", 64, 48, 0, 25);
    assert_fails(count("zero.avi", NULL, &frames, NULL), I3D_EFORMAT, "zero.avi");
    write_video("a.avi", 64, 48, 1, 25);
    i3d_video_options large = { .short_side = 1 << 19 }, negative = { .fps = -1 };
    assert_fails(count("a.avi", &large, &frames, NULL), I3D_EINVAL, "too large");
    assert_fails(count("a.avi", &negative, &frames, NULL), I3D_EINVAL, "-1");
}

static void a_path_is_never_taken_for_a_url(void **state)
{
    (void)state;
    int frames;
    write_video("http:x & (y) 'z'.avi", 64, 48, 2, 25);
    assert_int_equal(count("http:x & (y) 'z'.avi", NULL, &frames, NULL), I3D_END);
    assert_int_equal(frames, 2);
    assert_int_equal(chdir(folder), 0);
    i3d_video *video;
    assert_ok(i3d_video_open("http:x & (y) 'z'.avi", NULL, &video));
    i3d_video_close(video);
    assert_int_equal(chdir("/"), 0);
}

static void a_writer_leaves_a_whole_file_or_none(void **state)
{
    (void)state;
    i3d_image image = { 0 };
    i3d_video_writer *writer;
    struct names names;
    paint(&image, 32, 32, 0);
    assert_ok(i3d_video_writer_open(in_folder("a.avi"), 32, 32, 25, &writer));
    assert_ok(i3d_video_writer_add(writer, &image));
    image.width = 16;
    assert_fails(i3d_video_writer_add(writer, &image), I3D_EINVAL, "16 x 32");
    i3d_video_writer_close(writer);
    assert_ok(folder_list(folder, &names));
    assert_int_equal(names.count, 0);
    names_clear(&names);
    assert_fails(i3d_video_writer_open(in_folder("a.xyz"), 32, 32, 25, &writer), I3D_EINVAL,
                 ".mkv");
    assert_fails(i3d_video_writer_open("/nowhere/a.avi", 32, 32, 25, &writer), I3D_EIO,
                 "/nowhere/a.avi");
    assert_fails(i3d_video_writer_open(in_folder("a.avi"), 0, 32, 25, &writer), I3D_EINVAL,
                 "0 x 32");
    assert_null(writer);
    i3d_video_writer_close(NULL);
    i3d_image_clear(&image);
}

static void bytes_changed_anywhere_give_a_status_never_a_crash(void **state)
{
    (void)state;
    uint8_t *data;
    size_t bytes;
    int frames;
    write_video("a.avi", 32, 32, 4, 25);
    assert_ok(file_read(in_folder("a.avi"), &data, &bytes));
    for (size_t i = 0; i < bytes; i += 23) {
        data[i] ^= 0x5a;
        assert_ok(file_write(in_folder("b.avi"), data, bytes));
        i3d_status status = count("b.avi", NULL, &frames, NULL);
        assert_true(status == I3D_END || status == I3D_EFORMAT || status == I3D_EUNSUPPORTED ||
                    status == I3D_EINVAL);
        data[i] ^= 0x5a;
    }
    memory_free(data);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_container_gives_every_frame),
        TEST(matroska_keeps_the_pixels),
        TEST(skipped_frames_are_those_not_seen),
        TEST(the_other_side_is_rounded_as_by_ffmpeg),
        TEST(rotation_is_honoured),
        TEST(resampling_goes_by_time_stamps),
        TEST(time_stamps_far_apart_are_refused_when_resampling),
        TEST(reading_ends_when_its_time_is_over_or_it_is_interrupted),
        TEST(a_video_cut_short_is_an_error_with_its_count),
        TEST(frames_of_another_size_are_scaled_to_the_first),
        TEST(what_is_no_video_is_told),
        TEST(a_path_is_never_taken_for_a_url),
        TEST(a_writer_leaves_a_whole_file_or_none),
        TEST(bytes_changed_anywhere_give_a_status_never_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
