/* Zip archives, .npy headers and sorted tables. Real ones are read in unit/checkpoint. */
#include "test.h"

#include "base/file.h"
#include "base/memory.h"
#include "wire/npy.h"
#include "wire/sstable.h"
#include "wire/zip.h"

#include <zlib.h>

static void write_archive(const char *path, size_t alignment)
{
    struct file_writer file;
    static const struct bytes none = { 0 };
    assert_ok(file_begin(path, &file));
    struct zip_writer zip = { .stream = file.stream, .alignment = alignment };
    assert_ok(zip_add(&zip, "first", (struct bytes){ (const uint8_t *)"abc", 3 },
                      (struct bytes){ (const uint8_t *)"defgh", 5 }));
    assert_ok(zip_add(&zip, "folder/empty", none, none));
    assert_ok(zip_finish(&zip));
    zip_writer_clear(&zip);
    assert_ok(file_commit(&file));
}

static void entries_are_aligned_and_read_again(void **state)
{
    (void)state;
    char path[128];
    struct zip zip;
    struct bytes content;
    uint8_t *data, *made;
    size_t count;
    snprintf(path, sizeof path, "%s/a.zip", test_folder());
    write_archive(path, 64);
    assert_ok(file_read(path, &data, &count));
    assert_ok(zip_open((struct bytes){ data, count }, &zip));
    assert_int_equal(zip.count, 2);
    const struct zip_entry *first = zip_find(&zip, "first");
    assert_non_null(first);
    assert_int_equal((first->data.at - data) % 64, 0);
    assert_ok(zip_read(&zip, first, &content, &made));
    assert_true(bytes_equal(content, "abcdefgh"));
    assert_null(made);
    assert_int_equal(zip_find(&zip, "folder/empty")->size, 0);
    assert_null(zip_find(&zip, "none"));
    ((uint8_t *)first->data.at)[0] = 'x';
    assert_fails(zip_read(&zip, first, &content, &made), I3D_EFORMAT, "'first' is damaged");
    zip_clear(&zip);
    memory_free(data);
}

/* The archive again with the end that archives of 4 GB have. */
static void a_64_bit_end_is_followed(void **state)
{
    (void)state;
    enum { END = 22 };
    char path[128];
    struct buffer wide = { 0 };
    struct zip zip;
    uint8_t *data;
    size_t count;
    snprintf(path, sizeof path, "%s/a.zip", test_folder());
    write_archive(path, 1);
    assert_ok(file_read(path, &data, &count));
    const uint8_t *end = data + count - END;
    struct bytes sizes = { end + 12, 8 };
    uint64_t directory = 0, at = 0, place = count - END;
    assert_true(bytes_number(&sizes, 4, &directory) && bytes_number(&sizes, 4, &at));
    const struct {
        size_t size;
        uint64_t value;
    } numbers[] = {
        { 4, 0x06064b50 }, { 8, 44 }, { 4, 0x002d002d }, { 8, 0 },
        { 8, 2 },          { 8, 2 },  { 8, directory },  { 8, at },
        { 4, 0x07064b50 }, { 4, 0 },  { 8, place },      { 4, 1 },
        { 4, 0x06054b50 }, { 4, 0 },  { 4, UINT32_MAX }, { 4, UINT32_MAX },
        { 4, UINT32_MAX }, { 2, 0 },
    };
    assert_ok(buffer_add(&wide, data, place));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_ok(buffer_number(&wide, numbers[i].size, numbers[i].value));
    assert_ok(zip_open((struct bytes){ wide.data, wide.count }, &zip));
    assert_int_equal(zip.count, 2);
    assert_non_null(zip_find(&zip, "folder/empty"));
    zip_clear(&zip);
    wide.data[place] = 0;
    assert_fails(zip_open((struct bytes){ wide.data, wide.count }, &zip), I3D_EFORMAT,
                 "64-bit end");
    buffer_clear(&wide);
    memory_free(data);
}

static void a_size_that_no_packing_reaches_takes_no_memory(void **state)
{
    (void)state;
    struct bytes content;
    uint8_t *made;
    struct zip zip = { .budget = UINT64_MAX };
    const struct zip_entry bomb = { .name = { (const uint8_t *)"bomb", 4 },
                                    .data = { (const uint8_t *)"\3\0", 2 },
                                    .size = (uint64_t)1 << 31,
                                    .deflated = true };
    assert_fails(zip_read(&zip, &bomb, &content, &made), I3D_EFORMAT, "damaged");
    assert_null(made);
}

/* `count` zeros, deflated. */
static struct zip_entry pack_zeros(size_t count, uint8_t *packed, size_t room)
{
    uint8_t *zeros;
    uLongf bytes = room;
    z_stream stream = { .next_out = packed, .avail_out = (uInt)room };
    assert_ok(memory_get(count, 1, &zeros));
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = zeros;
    stream.avail_in = (uInt)count;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    bytes = stream.total_out;
    struct zip_entry entry = { .name = { (const uint8_t *)"zeros", 5 },
                               .data = { packed, bytes },
                               .size = count,
                               .checksum = (uint32_t)crc32_z(0, zeros, count),
                               .deflated = true };
    deflateEnd(&stream);
    memory_free(zeros);
    return entry;
}

static void what_is_unpacked_has_a_budget(void **state)
{
    (void)state;
    enum { COUNT = 1 << 20 };
    uint8_t packed[2000], *made, *made_again;
    struct bytes content;
    struct zip zip = { .budget = COUNT + COUNT / 2 };
    const struct zip_entry zeros = pack_zeros(COUNT, packed, sizeof packed);
    assert_ok(zip_read(&zip, &zeros, &content, &made));
    assert_int_equal(content.count, COUNT);
    assert_int_equal(zip.budget, COUNT / 2);
    assert_fails(zip_read(&zip, &zeros, &content, &made_again), I3D_EFORMAT,
                 "'zeros' would unpack to 1048576 bytes");
    assert_null(made_again);
    memory_free(made);
}

static void an_entry_is_read_in_parts(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    static uint8_t whole[COUNT];
    uint8_t packed[2000];
    struct zip zip = { .budget = 10 * COUNT };
    struct zip_entry zeros = pack_zeros(COUNT, packed, sizeof packed);
    struct zip_stream *stream;
    memset(whole, 1, sizeof whole);
    assert_ok(zip_stream_open(&zip, &zeros, &stream));
    for (size_t at = 0; at < COUNT; at += 1000)
        assert_ok(zip_stream_read(stream, whole + at, 1000));
    assert_fails(zip_stream_read(stream, whole, 1), I3D_EFORMAT, "damaged");
    zip_stream_close(stream);
    for (size_t at = 0; at < COUNT; at++)
        assert_int_equal(whole[at], 0);
    /* It says less than it has, and another sum. */
    zeros.size = 500;
    assert_ok(zip_stream_open(&zip, &zeros, &stream));
    assert_fails(zip_stream_read(stream, whole, 500), I3D_EFORMAT, "'zeros' is damaged");
    zip_stream_close(stream);
}

/* Two entries of the directory for one place, as archives have it that unpack without end. */
static void entries_that_share_bytes_are_refused(void **state)
{
    (void)state;
    char path[128];
    struct file_writer file;
    struct zip zip;
    uint8_t *data;
    size_t count;
    snprintf(path, sizeof path, "%s/a.zip", test_folder());
    assert_ok(file_begin(path, &file));
    struct zip_writer writer = { .stream = file.stream, .alignment = 1 };
    const struct bytes text = { (const uint8_t *)"abcdefgh", 8 }, none = { 0 };
    assert_ok(zip_add(&writer, "a", none, text));
    struct buffer twice = { 0 };
    assert_ok(buffer_add(&twice, writer.directory.data, writer.directory.count));
    assert_ok(buffer_add(&writer.directory, twice.data, twice.count));
    writer.count = 2;
    assert_ok(zip_finish(&writer));
    zip_writer_clear(&writer);
    assert_ok(file_commit(&file));
    assert_ok(file_read(path, &data, &count));
    assert_fails(zip_open((struct bytes){ data, count }, &zip), I3D_EFORMAT, "share bytes");
    assert_null(zip.entries);
    buffer_clear(&twice);
    memory_free(data);
}

static void a_header_of_numpy_is_written_and_read(void **state)
{
    (void)state;
    static const int64_t shape[] = { 2, 3, 4 };
    for (int rank = 0; rank <= 3; rank++) {
        struct buffer buffer = { 0 };
        struct npy npy;
        assert_ok(npy_header(&buffer, "<f4", rank, shape));
        assert_int_equal(buffer.count % 64, 0);
        assert_ok(npy_parse((struct bytes){ buffer.data, buffer.count }, &npy));
        assert_string_equal(npy.type, "<f4");
        assert_false(npy.fortran);
        assert_int_equal(npy.rank, rank);
        assert_memory_equal(npy.shape, shape, (size_t)rank * sizeof *shape);
        assert_int_equal(npy.data.count, 0);
        for (size_t cut = 0; cut < buffer.count; cut++)
            assert_fails(npy_parse((struct bytes){ buffer.data, cut }, &npy), I3D_EFORMAT,
                         "header is damaged");
        buffer_clear(&buffer);
    }
}

/* The check value of CRC-32C, and how tables turn it. */
static void the_checksum_is_castagnolis(void **state)
{
    (void)state;
    const struct bytes digits = { (const uint8_t *)"123456789", 9 };
    assert_int_equal(crc32c(digits), 0xe3069283u);
    uint32_t turned = crc32c_masked(digits) - 0xa282ead8u;
    assert_int_equal(turned >> 17 | turned << 15, 0xe3069283u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_aligned_and_read_again),
        cmocka_unit_test(a_64_bit_end_is_followed),
        cmocka_unit_test(a_size_that_no_packing_reaches_takes_no_memory),
        cmocka_unit_test(what_is_unpacked_has_a_budget),
        cmocka_unit_test(an_entry_is_read_in_parts),
        cmocka_unit_test(entries_that_share_bytes_are_refused),
        cmocka_unit_test(a_header_of_numpy_is_written_and_read),
        cmocka_unit_test(the_checksum_is_castagnolis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
