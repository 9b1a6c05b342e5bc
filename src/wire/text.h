/* Text files: by lines, and as tables of comma separated values. */
#ifndef I3D_WIRE_TEXT_H
#define I3D_WIRE_TEXT_H

#include <i3d/status.h>

#include <stddef.h>

/* The whole file as a string; one with a 0 byte is I3D_EFORMAT. Free with memory_free(). */
i3d_status text_read(const char *path, char **out);

/* The next line that is not blank, without the blanks (and \r) at both its ends, cut out of the
 * text in place; NULL behind the last. `*cursor` begins at the text. */
char *text_line(char **cursor);

/* A CSV file (RFC 4180) whose first record names the columns. */
struct table {
    char *text;
    char **cells; /* [rows + 1, columns], the names first; they point into the text */
    size_t rows, columns, capacity;
};

/* A record with more or fewer cells than the first, or an open quote, is I3D_EFORMAT. */
i3d_status table_read(const char *path, struct table *out);
void table_clear(struct table *table);

/* The column of this name; -1: there is none. */
int table_column(const struct table *table, const char *name);
const char *table_cell(const struct table *table, size_t row, int column);

#endif
