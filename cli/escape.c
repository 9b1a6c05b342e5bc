#include "escape.h"

#include <stdbool.h>
#include <stdint.h>

/* The bytes of the character at `text`, 0 if it is not UTF-8 (RFC 3629); its number in `code`. */
static int decode(const unsigned char *text, uint32_t *code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    int bytes = text[0] < 0x80   ? 1
                : text[0] < 0xc0 ? 0
                : text[0] < 0xe0 ? 2
                : text[0] < 0xf0 ? 3
                                 : 4;
    *code = bytes == 1 ? text[0] : text[0] & (0x7fu >> bytes);
    for (int i = 1; i < bytes; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (text[i] & 0x3f);
    }
    bool wrong = bytes > 1 &&
                 (*code < least[bytes] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff));
    return wrong ? 0 : bytes;
}

static bool is_shown(uint32_t code)
{
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool line = code == 0x2028 || code == 0x2029;
    bool direction = code == 0x61c || code == 0x200e || code == 0x200f ||
                     (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return !control && !line && !direction;
}

void print_escaped(FILE *stream, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        uint32_t code;
        int bytes = decode(at, &code);
        if (bytes && is_shown(code)) {
            fwrite(at, 1, (size_t)bytes, stream);
            at += bytes;
            continue;
        }
        for (int i = 0; i < (bytes ? bytes : 1); i++)
            fprintf(stream, "\\x%02x", *at++);
    }
}
