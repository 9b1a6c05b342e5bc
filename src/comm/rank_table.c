#include "comm/rank_table.h"

#include "base/failure.h"
#include "base/memory.h"
#include "wire/json.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANKS_MAX = 65536 };

/* HCCL writes numbers as text. */
static i3d_status read_number(const json_t *object, const char *key, long most, int *out)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    char *end = NULL;
    long number = text ? strtol(text, &end, 10) : json_is_integer(value) ? 0 : -1;
    if (json_is_integer(value))
        number = json_integer_value(value) > most ? -1 : (long)json_integer_value(value);
    if (number < 0 || number > most || (text && (end == text || *end)))
        return failure(I3D_EFORMAT, "\"%s\" is not a number from 0 to %ld", key, most);
    *out = (int)number;
    return I3D_OK;
}

/* It becomes a word of a command: nothing but what names and addresses are made of. */
static i3d_status read_server(const json_t *object, struct ranked *out)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *text = json_string_value(json_object_get(object, "server_id"));
    if (!text || !*text || *text == '-' || strspn(text, letters) != strlen(text) ||
        strlen(text) >= sizeof out->server)
        return failure(I3D_EFORMAT, "\"server_id\" is not a host's name or address");
    strcpy(out->server, text);
    return I3D_OK;
}

static i3d_status read_devices(const json_t *server, struct rank_table *table, size_t *capacity)
{
    i3d_status status;
    struct ranked ranked;
    const json_t *devices = json_object_get(server, "device"), *device;
    size_t d;
    TRY(read_server(server, &ranked));
    if (!json_array_size(devices))
        TRY(failure(I3D_EFORMAT, "\"device\" is not a list of devices"));
    json_array_foreach(devices, d, device)
    {
        status = read_number(device, "device_id", INT_MAX, &ranked.device);
        if (status == I3D_OK)
            status = read_number(device, "rank_id", RANKS_MAX - 1, &ranked.rank);
        if (status != I3D_OK)
            TRY(failure_prefix(status, "device %zu: ", d + 1));
        if (table->count == RANKS_MAX)
            TRY(failure(I3D_EFORMAT, "it has more than %d devices", RANKS_MAX));
        TRY(memory_grow(&table->ranks, capacity, table->count + 1, sizeof ranked));
        table->ranks[table->count++] = ranked;
    }
out:
    return status;
}

static int by_rank(const void *a, const void *b)
{
    return ((const struct ranked *)a)->rank - ((const struct ranked *)b)->rank;
}

static i3d_status check_ranks(const struct rank_table *table)
{
    for (size_t r = 0; r < table->count; r++)
        if (table->ranks[r].rank != (int)r)
            return failure(I3D_EFORMAT,
                           "its %zu devices have not the \"rank_id\" 0 to %zu, each once: %zu is "
                           "missing",
                           table->count, table->count - 1, r);
    return I3D_OK;
}

static i3d_status read_servers(const json_t *root, struct rank_table *table)
{
    i3d_status status;
    size_t capacity = 0, s;
    const json_t *servers = json_object_get(root, "server_list"), *server;
    const char *state = json_string_value(json_object_get(root, "status"));
    if (!json_array_size(servers))
        TRY(failure(I3D_EFORMAT, "it has no \"server_list\" with servers in it"));
    if (state && strcmp(state, "completed") != 0)
        TRY(failure(I3D_EFORMAT, "its \"status\" is not \"completed\": wait until it is, or have "
                                 "it made again"));
    json_array_foreach(servers, s, server)
    {
        status = read_devices(server, table, &capacity);
        if (status != I3D_OK)
            TRY(failure_prefix(status, "server %zu: ", s + 1));
    }
    qsort(table->ranks, table->count, sizeof *table->ranks, by_rank);
    TRY(check_ranks(table));
out:
    return status;
}

i3d_status rank_table_read(const char *path, struct rank_table *out)
{
    i3d_status status;
    json_t *root = NULL;
    *out = (struct rank_table){ 0 };
    TRY(json_read(path, &root));
    status = read_servers(root, out);
    if (status != I3D_OK)
        failure_prefix(status, "the rank table '%s': ", path);
out:
    json_decref(root);
    if (status != I3D_OK)
        rank_table_clear(out);
    return status;
}

void rank_table_clear(struct rank_table *table)
{
    memory_free(table->ranks);
    *table = (struct rank_table){ 0 };
}

/* Whether an earlier rank is on the same server. */
static bool is_known(const struct rank_table *table, size_t rank)
{
    for (size_t r = 0; r < rank; r++)
        if (strcmp(table->ranks[r].server, table->ranks[rank].server) == 0)
            return true;
    return false;
}

i3d_status rank_table_hosts(const struct rank_table *table, size_t ranks, char **out)
{
    i3d_status status;
    size_t bytes = ranks * (sizeof table->ranks->server + 16) + 1, used = 0;
    if (!ranks || ranks > table->count)
        return failure(I3D_EINVAL,
                       "the rank table has %zu devices, not %zu: give RANK_SIZE 1 to "
                       "%zu",
                       table->count, ranks, table->count);
    TRY(memory_get(bytes, 1, out));
    for (size_t r = 0; r < ranks; r++) {
        size_t slots = 0;
        if (is_known(table, r))
            continue;
        for (size_t other = r; other < ranks; other++)
            slots += strcmp(table->ranks[other].server, table->ranks[r].server) == 0;
        used += (size_t)snprintf(*out + used, bytes - used, "%s%s:%zu", used ? "," : "",
                                 table->ranks[r].server, slots);
    }
out:
    return status;
}
