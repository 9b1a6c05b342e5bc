#include "nearest.h"

#include <string.h>

enum { LONGEST = 64 };

/* Levenshtein's distance, one row at a time. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[LONGEST + 1], length = strlen(b);
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t change = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            size_t step = (row[j] < diagonal ? row[j] : diagonal) + 1;
            row[j + 1] = change < step ? change : step;
        }
    }
    return row[length];
}

struct nearest nearest_to(const char *wanted)
{
    /* A third of the letters may be wrong. */
    return (struct nearest){ .wanted = wanted, .distance = strlen(wanted) / 3 + 2 };
}

void nearest_offer(struct nearest *nearest, const char *name)
{
    if (strlen(name) > LONGEST)
        return;
    size_t distance = edit_distance(nearest->wanted, name);
    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->best = name;
    }
}
