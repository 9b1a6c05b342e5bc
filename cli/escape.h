/* Text from outside (names, labels, other programs' words) as a terminal may show it. */
#ifndef CLI_ESCAPE_H
#define CLI_ESCAPE_H

#include <stdio.h>

/* Prints UTF-8 as it is, but as \xHH each byte of what is none and of what moves the cursor, ends
 * the line, colours or turns the text round: control characters and marks of direction. */
void print_escaped(FILE *stream, const char *text);

#endif
