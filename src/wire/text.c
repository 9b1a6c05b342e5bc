#include "wire/text.h"
#include "base/failure.h"
#include "base/file.h"
#include "base/memory.h"

#include <stdbool.h>
#include <string.h>

i3d_status text_read(const char *path, char **out)
{
    uint8_t *text;
    size_t bytes;
    *out = NULL;
    i3d_status status = file_read(path, &text, &bytes);
    if (status != I3D_OK)
        return status;
    if (memchr(text, '\0', bytes)) {
        memory_free(text);
        return failure(I3D_EFORMAT, "'%s' is not a text file: it has 0 bytes", path);
    }
    *out = (char *)text;
    return I3D_OK;
}

char *text_line(char **cursor)
{
    static const char blanks[] = " \t\r\n";
    char *line = *cursor + strspn(*cursor, blanks);
    if (*line == '\0')
        return NULL;
    char *end = line + strcspn(line, "\n");
    *cursor = *end ? end + 1 : end;
    while (strchr(blanks, end[-1]))
        end--;
    *end = '\0';
    return line;
}

/* Cuts one cell out of the text in place; `*cursor` moves to what stopped it. NULL: open quote. */
static char *read_cell(char **cursor)
{
    char *from = *cursor, *to = from, *cell = from;
    if (*from != '"') {
        *cursor = from + strcspn(from, ",\r\n");
        return cell;
    }
    for (from++; *from != '"' || from[1] == '"'; *to++ = *from++) {
        if (*from == '\0')
            return NULL;
        from += *from == '"';
    }
    *to = '\0';
    *cursor = from + 1;
    return cell;
}

/* One record into the cells behind `count`; `*columns` counts them. */
static i3d_status read_record(struct table *table, char **cursor, size_t count, size_t *columns)
{
    for (*columns = 0;; (*cursor)++) {
        i3d_status status = memory_grow(&table->cells, &table->capacity, count + *columns + 1,
                                        sizeof *table->cells);
        if (status != I3D_OK)
            return status;
        char *cell = read_cell(cursor);
        if (!cell)
            return failure(I3D_EFORMAT, "a quote is not closed");
        table->cells[count + (*columns)++] = cell;
        char stop = **cursor;
        **cursor = '\0';
        if (stop == ',')
            continue;
        if (stop == '\r' || stop == '\n')
            (*cursor)++;
        else if (stop)
            return failure(I3D_EFORMAT, "a cell goes on behind its closing quote");
        return I3D_OK;
    }
}

i3d_status table_read(const char *path, struct table *out)
{
    i3d_status status;
    size_t records = 0, columns;
    *out = (struct table){ 0 };
    TRY(text_read(path, &out->text));
    char *cursor = out->text;
    if (strncmp(cursor, "\xef\xbb\xbf", 3) == 0) /* the mark that spreadsheets put first */
        cursor += 3;
    for (;; records++) {
        cursor += strspn(cursor, "\r\n");
        if (*cursor == '\0')
            break;
        TRY(read_record(out, &cursor, records * out->columns, &columns));
        if (records == 0)
            out->columns = columns;
        if (columns != out->columns)
            TRY(failure(I3D_EFORMAT, "it has %zu cells, the first record has %zu", columns,
                        out->columns));
    }
    if (records == 0)
        status = failure(I3D_EFORMAT, "it is empty");
    else
        out->rows = records - 1;
out:
    if (status == I3D_EFORMAT && out->text)
        failure_prefix(status, "'%s', record %zu: ", path, records + 1);
    if (status != I3D_OK)
        table_clear(out);
    return status;
}

void table_clear(struct table *table)
{
    memory_free(table->text);
    memory_free(table->cells);
    *table = (struct table){ 0 };
}

int table_column(const struct table *table, const char *name)
{
    for (size_t c = 0; c < table->columns; c++)
        if (strcmp(table->cells[c], name) == 0)
            return (int)c;
    return -1;
}

const char *table_cell(const struct table *table, size_t row, int column)
{
    return table->cells[(row + 1) * table->columns + (size_t)column];
}
