#include "processes.h"
#include "command.h"
#include "terminal.h"

#include <i3d/version.h>

#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"
#include "base/thread.h"
#include "comm/comm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where a process is. */
struct place {
    char host[64];
    int cores, machine; /* that it may use, that the machine has */
    int threads;        /* asked for; 0: a fair share */
};

static int fair_share(const struct place *place, int neighbours)
{
    int share = place->machine / neighbours;
    share = share < place->cores ? share : place->cores;
    return share > 1 ? share : 1;
}

/* How many of all are on the machine of this one. */
static int count_neighbours(const struct place *places, int count, const struct place *place)
{
    int neighbours = 0;
    for (int p = 0; p < count; p++)
        neighbours += strcmp(places[p].host, place->host) == 0;
    return neighbours;
}

static void say_place(const struct place *places, int count, int p)
{
    const struct place *place = &places[p];
    int neighbours = count_neighbours(places, count, place);
    int threads = place->threads ? place->threads : fair_share(place, neighbours);
    talk("process %d of %d on %s: may use %d of %d cores, %d threads", p, count, place->host,
         place->cores, place->machine, threads);
    for (int before = 0; before < p; before++)
        if (strcmp(places[before].host, place->host) == 0)
            return;
    if (place->cores * neighbours < place->machine)
        talk("the processes on %s may use %d of its %d cores: give mpirun --bind-to none, or srun "
             "--cpus-per-task=%d",
             place->host, place->cores * neighbours, place->machine, place->machine / neighbours);
}

static i3d_status find_places(struct processes *processes, int threads)
{
    i3d_status status;
    struct place *places = NULL, here = { .cores = thread_count(),
                                          .machine = (int)sysconf(_SC_NPROCESSORS_ONLN),
                                          .threads = threads };
    size_t count = (size_t)processes->size;
    gethostname(here.host, sizeof here.host - 1);
    TRY(memory_get(count, sizeof *places, &places));
    struct array all = array_of_bytes(places, count * sizeof *places);
    TRY(comm_gather(processes->comm, array_of_bytes(&here, sizeof here), 0, all));
    TRY(comm_broadcast(processes->comm, all, 0));
    for (int p = 0; processes->rank == 0 && p < processes->size; p++)
        say_place(places, processes->size, p);
    processes->threads =
        threads ? threads : fair_share(&here, count_neighbours(places, processes->size, &here));
out:
    memory_free(places);
    return status;
}

i3d_status processes_begin(const struct options *options, struct processes *out)
{
    i3d_status status;
    const struct option_row *threads = option_find(options->command, "threads");
    *out = (struct processes){ .size = 1 };
    TRY(i3d_comm_open(&out->comm));
    out->rank = i3d_comm_rank(out->comm);
    out->size = i3d_comm_size(out->comm);
    if (out->size == 1)
        goto out;
    terminal_share(out->rank);
    TRY(processes_compare(out, "version: " I3D_VERSION));
    TRY(find_places(out, threads ? (int)option_int(options, "threads") : 0));
out:
    return status;
}

/* The first line that is not the same in both. */
static i3d_status tell_difference(const struct processes *processes, const char *mine,
                                  const char *first)
{
    size_t length, other;
    if (strcmp(mine, first) == 0)
        return I3D_OK;
    for (;;) {
        length = strcspn(mine, "\n");
        other = strcspn(first, "\n");
        if (length != other || memcmp(mine, first, length) != 0 || !mine[length])
            break;
        mine += length + 1;
        first += other + 1;
    }
    return failure(I3D_EINVAL,
                   "process %d of %d is not started as process 0 is: here '%.*s', there '%.*s'; "
                   "give all the same program, options and data",
                   processes->rank, processes->size, (int)length, mine, (int)other, first);
}

i3d_status processes_compare(struct processes *processes, const char *text)
{
    i3d_status status;
    char *first = NULL;
    double bytes = (double)strlen(text);
    struct array length = { .data = &bytes, .count = 1, .dtype = I3D_F64 };
    if (processes->size == 1)
        return I3D_OK;
    TRY(comm_broadcast(processes->comm, length, 0));
    TRY(memory_get((size_t)bytes + 1, 1, &first));
    if (processes->rank == 0)
        memcpy(first, text, (size_t)bytes);
    TRY(comm_broadcast(processes->comm, array_of_bytes(first, (size_t)bytes), 0));
    TRY(i3d_comm_agree(processes->comm, tell_difference(processes, text, first)));
out:
    memory_free(first);
    return status;
}

/* How a machine does its part may be its own affair. */
static bool must_be_same(const struct options *options, const struct option_row *row)
{
    static const char *const own[] = { "threads", "num-workers", "jobs", "device-id" };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (strcmp(row->name, own[i]) == 0)
            return false;
    return !option_is_common(row) && option_serves(row, options->command);
}

i3d_status processes_describe(const struct options *options, char **out)
{
    i3d_status status;
    size_t bytes = 1, used = 0;
    for (const struct option_row *row = option_table; row->name; row++) {
        const char *value = option_value(options, row);
        bytes += strlen(row->name) + (value ? strlen(value) : 0) + strlen("--: \n");
    }
    for (size_t i = 0; i < options->argument_count; i++)
        bytes += strlen(options->arguments[i]) + strlen("argument: \n");
    TRY(memory_get(bytes, 1, out));
    for (const struct option_row *row = option_table; row->name; row++) {
        const char *value = option_value(options, row);
        if (must_be_same(options, row))
            used += (size_t)snprintf(*out + used, bytes - used, "--%s: %s\n", row->name,
                                     value ? value : "");
    }
    for (size_t i = 0; i < options->argument_count; i++)
        used +=
            (size_t)snprintf(*out + used, bytes - used, "argument: %s\n", options->arguments[i]);
out:
    return status;
}

int processes_end(struct processes *processes, i3d_status status)
{
    int code = status == I3D_EELSEWHERE ? EXIT_FAILED : command_result(status);
    fflush(stdout);
    fflush(stderr);
    if (processes->comm && status != I3D_OK && status != I3D_EELSEWHERE && processes->size > 1)
        i3d_comm_abandon(processes->comm);
    i3d_comm_close(processes->comm);
    return code;
}
