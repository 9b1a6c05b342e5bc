/* Text in comma separated values (RFC 4180). */
#ifndef I3D_EVAL_CSV_H
#define I3D_EVAL_CSV_H

#include <stdio.h>
#include <string.h>

/* `before` (',', '\n', or 0 for nothing), then the text, in quotes where it needs them. */
static inline void csv_text(FILE *stream, const char *text, char before)
{
    if (before)
        fputc(before, stream);
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

#endif
