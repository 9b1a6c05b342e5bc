/* Text from outside as a terminal is shown it: nothing in it acts. In a picture it is text, in JSON
 * a string of ASCII, and in a CSV a cell that is read as it was. */
#include "escape.h"
#include "eval/confusion.h"
#include "eval/csv.h"
#include "fuzz_file.h"
#include "report.h"
#include "wire/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void check_terminal(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        const unsigned char *at = (const unsigned char *)text + i;
        if (*at < 0x20 || *at == 0x7f)
            abort();
        if (*at == 0xc2 && at[1] < 0xa0) /* U+0080 to U+009F */
            abort();
        if (*at == 0xe2 && at[1] == 0x80 &&
            ((at[2] >= 0xaa && at[2] <= 0xae) || at[2] == 0x8e || at[2] == 0x8f || at[2] == 0xa8 ||
             at[2] == 0xa9))
            abort();
    }
}

/* The picture's own marks only: of a name no "<" and no lone "&" comes through. */
static void check_picture(const char *text)
{
    static const char *const own[] = { "svg", "/svg>", "rect", "text", "/text>", "g ", "/g>" };
    for (const char *at = strchr(text, '<'); at; at = strchr(at + 1, '<')) {
        size_t known = 0;
        while (known < sizeof own / sizeof *own &&
               strncmp(at + 1, own[known], strlen(own[known])) != 0)
            known++;
        if (known == sizeof own / sizeof *own)
            abort();
    }
}

static void check_json(const char *text)
{
    struct report report = { .json = true, .open = { json_object() } };
    report_text(&report, "name", "%s", text);
    char *made = json_dumps(report.open[0], JSON_ENSURE_ASCII);
    json_t *read = made ? json_loads(made, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_object_size(read) != 1 || !json_equal(read, report.open[0]))
        abort();
    for (const char *at = made; *at; at++)
        if ((unsigned char)*at < ' ' || (unsigned char)*at > 0x7f)
            abort();
    free(made);
    json_decref(read);
    report_drop(&report);
}

static void check_csv(const char *text, const char *made, size_t bytes)
{
    struct table table;
    if (table_read(fuzz_file((const uint8_t *)made, bytes), &table) != I3D_OK)
        abort();
    if (table.rows != 2 || table.columns != 2 || strcmp(table_cell(&table, 0, 1), text) != 0 ||
        strcmp(table_cell(&table, 1, 0), text) != 0)
        abort();
    table_clear(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int counts[1] = { 1 };
    char *made = NULL, *text = calloc(size + 1, 1);
    size_t bytes = 0;
    memcpy(text, data, size);
    FILE *stream = open_memstream(&made, &bytes);
    print_escaped(stream, text);
    fclose(stream);
    check_terminal(made, bytes);
    free(made);
    stream = open_memstream(&made, &bytes);
    confusion_write_svg(stream, &text, 1, counts);
    fclose(stream);
    check_picture(made);
    free(made);
    stream = open_memstream(&made, &bytes);
    fputs("a,b\nx", stream);
    csv_text(stream, text, ',');
    csv_text(stream, text, '\n');
    fputs(",y\n", stream);
    fclose(stream);
    check_csv(text, made, bytes);
    free(made);
    check_json(text);
    free(text);
    return 0;
}
