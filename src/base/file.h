/* Files and folders. What is written appears whole or not at all: write to the side, sync, rename.
 */
#ifndef I3D_BASE_FILE_H
#define I3D_BASE_FILE_H

#include <i3d/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Opens a regular file to read. A folder, a pipe or a device is I3D_EIO, at once: the reader
 * that asks goes to and fro in it. */
i3d_status file_open(const char *path, int *out);

/* The whole file, or all that comes through a pipe, which is waited for until i3d_interrupt(). A 0
 * byte stands behind it that `bytes` does not count. Free with memory_free(). */
i3d_status file_read(const char *path, uint8_t **out, size_t *bytes);

/* A file being written beside its place: made with file_begin(), put in place with file_commit(),
 * thrown away with file_discard() (which is also right after file_commit() or for zeroed memory).
 * Of two runs that write the same file at the same time the second is refused, and so is what
 * somebody else put where it is written: no link is followed. */
struct file_writer {
    FILE *stream;
    char *path, *side;
};
i3d_status file_begin(const char *path, struct file_writer *out);
i3d_status file_commit(struct file_writer *writer);
void file_discard(struct file_writer *writer);

/* All at once. */
i3d_status file_write(const char *path, const void *data, size_t bytes);

/* Straight to `path`, without a sync: for the inside of a folder that folder_commit() will sync as
 * a whole. */
i3d_status file_put(const char *path, const void *data, size_t bytes);

bool file_exists(const char *path); /* of any kind */
bool file_is_folder(const char *path);

/* mkdir -p. */
i3d_status folder_make(const char *path);

/* rm -r; a path that does not exist is fine. Never follows a link. */
i3d_status folder_remove(const char *path);

/* The names in a folder, sorted by bytes, without those that begin with a dot. */
struct names {
    char **items;
    size_t count, capacity;
};
i3d_status folder_list(const char *path, struct names *out);
i3d_status names_add(struct names *names, const char *name); /* a copy */
void names_clear(struct names *names);

/* A folder being filled beside its place: folder_begin() gives the side folder's path (a loan until
 * commit or discard), folder_commit() syncs and renames it. The side's name begins with a dot and
 * holds no process number: what a killed run left there is removed by the next begin, and what
 * another run is filling, or somebody else put there, is refused. */
struct folder_writer {
    char *path, *side;
    int descriptor; /* of the side, locked; where there is a side */
};
i3d_status folder_begin(const char *path, struct folder_writer *out);
i3d_status folder_commit(struct folder_writer *writer);
void folder_discard(struct folder_writer *writer);

/* An advisory lock on `folder`/.lock held until lock_release() or the process's end; I3D_EIO with
 * "another run is writing to ..." when it is held already. */
struct lock {
    int descriptor; /* -1: not held */
};
i3d_status lock_take(const char *folder, struct lock *out);
/* An advisory lock on the file `path`, which is made if need be; waits for whoever holds it. */
i3d_status lock_wait(const char *path, struct lock *out);
void lock_release(struct lock *lock);

/* "a/b"; and the part of `path` behind the last slash (a loan). Free what path_join gives. */
i3d_status path_join(char **out, const char *folder, const char *name);
const char *path_name(const char *path);

#endif
