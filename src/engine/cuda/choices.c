#include "engine/cuda/choices.h"

#include "base/failure.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CHOICES_MAX = 4096, PATH_BYTES = 4096 };

struct choice {
    char about[CHOICE_KEY_BYTES], key[CHOICE_KEY_BYTES];
    int number;
};

struct choices {
    char path[PATH_BYTES], about[CHOICE_KEY_BYTES];
    bool changed;
    int count;
    struct choice list[CHOICES_MAX];
};

static void read_lines(struct choices *choices)
{
    char line[2 * CHOICE_KEY_BYTES + 32];
    FILE *file = fopen(choices->path, "r");
    while (file && choices->count < CHOICES_MAX && fgets(line, sizeof line, file)) {
        struct choice *choice = &choices->list[choices->count];
        if (sscanf(line, "%255[^\t]\t%255[^\t]\t%d", choice->about, choice->key, &choice->number) ==
                3 &&
            choice->number >= 0)
            choices->count++;
    }
    if (file)
        fclose(file);
}

i3d_status choices_open(const char *path, const char *about, struct choices **out)
{
    struct choices *choices;
    i3d_status status;
    TRY(memory_get(1, sizeof *choices, &choices));
    snprintf(choices->path, sizeof choices->path, "%s", path ? path : "");
    snprintf(choices->about, sizeof choices->about, "%s", about);
    if (path)
        read_lines(choices);
    *out = choices;
out:
    return status;
}

bool choices_find(const struct choices *choices, const char *key, int *out)
{
    for (int i = 0; i < choices->count; i++)
        if (strcmp(choices->list[i].key, key) == 0 &&
            strcmp(choices->list[i].about, choices->about) == 0) {
            *out = choices->list[i].number;
            return true;
        }
    return false;
}

void choices_add(struct choices *choices, const char *key, int number)
{
    int known;
    if (choices->count == CHOICES_MAX || choices_find(choices, key, &known))
        return;
    struct choice *choice = &choices->list[choices->count++];
    snprintf(choice->about, sizeof choice->about, "%s", choices->about);
    snprintf(choice->key, sizeof choice->key, "%s", key);
    choice->number = number;
    choices->changed = true;
}

/* Beside its place, then there: another process may read or write it too. */
static void write_lines(const struct choices *choices)
{
    char side[PATH_BYTES + 32];
    snprintf(side, sizeof side, "%s.%ld", choices->path, (long)getpid());
    FILE *file = fopen(side, "w");
    if (!file)
        return;
    for (int i = 0; i < choices->count; i++)
        fprintf(file, "%s\t%s\t%d\n", choices->list[i].about, choices->list[i].key,
                choices->list[i].number);
    bool written = !ferror(file);
    if (fclose(file) != 0 || !written || rename(side, choices->path) != 0)
        unlink(side);
}

void choices_close(struct choices *choices)
{
    if (!choices)
        return;
    if (choices->changed && choices->path[0])
        write_lines(choices);
    memory_free(choices);
}
