/* Text from outside as a terminal is shown it: nothing in it acts. In a picture it is text. */
#include "escape.h"
#include "eval/confusion.h"
#include "fuzz.h"

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
    free(text);
    return 0;
}
