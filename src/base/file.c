#include "base/file.h"
#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

i3d_status file_read(const char *path, uint8_t **out, size_t *bytes)
{
    i3d_status status = I3D_OK;
    struct stat about;
    *out = NULL;
    *bytes = 0;
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return failure_errno("cannot open '%s'", path);
    if (fstat(fileno(stream), &about) != 0 || S_ISDIR(about.st_mode)) {
        status = failure(I3D_EIO, "cannot read '%s': it is a folder", path);
        goto out;
    }
    TRY(memory_get((size_t)about.st_size + 1, 1, out));
    *bytes = fread(*out, 1, (size_t)about.st_size, stream);
    if (ferror(stream))
        status = failure_errno("cannot read '%s'", path);
out:
    fclose(stream);
    if (status != I3D_OK) {
        memory_free(*out);
        *out = NULL;
        *bytes = 0;
    }
    return status;
}

/* `folder/.name.part` for `folder/name`. */
static i3d_status side_path(const char *path, char **out)
{
    const char *name = path_name(path);
    return memory_format(out, "%.*s.%s.part", (int)(name - path), path, name);
}

/* Takes the lock of an open file; false: another run has it. A file system without locks cannot
 * say, so there nobody is kept out. */
static bool try_lock(int descriptor)
{
    return flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

/* Opens what lies at `side`, perhaps left there by a killed run, and locks it for as long as it is
 * open. */
static i3d_status hold(const char *path, const char *side, int flags, int *out)
{
    struct stat held, named;
    for (;;) {
        *out = open(side, flags | O_CLOEXEC, 0666);
        if (*out < 0)
            return failure_errno("cannot write '%s'", path);
        if (!try_lock(*out)) {
            close(*out);
            return failure(I3D_EIO,
                           "another run is writing '%s'; wait for it or choose another name", path);
        }
        if (fstat(*out, &held) == 0 && stat(side, &named) == 0 && held.st_ino == named.st_ino &&
            held.st_dev == named.st_dev)
            return I3D_OK;
        close(*out); /* another run has just put it in its place or removed it */
        if (flags & O_DIRECTORY)
            mkdir(side, 0777);
    }
}

i3d_status file_begin(const char *path, struct file_writer *out)
{
    i3d_status status;
    int descriptor;
    *out = (struct file_writer){ 0 };
    TRY(memory_string(path, &out->path));
    TRY(side_path(path, &out->side));
    status = hold(path, out->side, O_WRONLY | O_CREAT, &descriptor);
    if (status != I3D_OK) {
        memory_free(out->side); /* it is not ours to remove */
        out->side = NULL;
        goto out;
    }
    out->stream = fdopen(descriptor, "wb");
    if (!out->stream)
        close(descriptor);
    if (!out->stream || ftruncate(descriptor, 0) != 0)
        status = failure_errno("cannot write '%s'", path);
out:
    if (status != I3D_OK)
        file_discard(out);
    return status;
}

i3d_status file_commit(struct file_writer *writer)
{
    i3d_status status = I3D_OK;
    bool written = fflush(writer->stream) == 0 && !ferror(writer->stream) &&
                   fsync(fileno(writer->stream)) == 0;
    if (!written)
        status = failure_errno("cannot write '%s'", writer->path);
    if (status == I3D_OK && rename(writer->side, writer->path) != 0)
        status = failure_errno("cannot put '%s' in its place", writer->path);
    if (status == I3D_OK) {
        memory_free(writer->side);
        writer->side = NULL;
    }
    file_discard(writer);
    return status;
}

void file_discard(struct file_writer *writer)
{
    if (writer->side)
        unlink(writer->side);
    if (writer->stream)
        fclose(writer->stream); /* last, for it gives up the lock */
    memory_free(writer->side);
    memory_free(writer->path);
    *writer = (struct file_writer){ 0 };
}

i3d_status file_write(const char *path, const void *data, size_t bytes)
{
    struct file_writer writer;
    i3d_status status = file_begin(path, &writer);
    if (status != I3D_OK)
        return status;
    if (fwrite(data, 1, bytes, writer.stream) != bytes) {
        status = failure_errno("cannot write '%s'", path);
        file_discard(&writer);
        return status;
    }
    return file_commit(&writer);
}

i3d_status file_put(const char *path, const void *data, size_t bytes)
{
    i3d_status status = I3D_OK;
    FILE *stream = fopen(path, "wb");
    if (!stream)
        return failure_errno("cannot write '%s'", path);
    if (fwrite(data, 1, bytes, stream) != bytes)
        status = failure_errno("cannot write '%s'", path);
    if (fclose(stream) != 0 && status == I3D_OK)
        status = failure_errno("cannot write '%s'", path);
    return status;
}

bool file_exists(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0;
}

bool file_is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

i3d_status folder_make(const char *path)
{
    char *part = NULL;
    i3d_status status;
    TRY(memory_string(path, &part));
    for (char *at = part + 1; *part; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char kept = *at;
        *at = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST) {
            status = failure_errno("cannot make the folder '%s'", part);
            break;
        }
        *at = kept;
        if (kept == '\0')
            break;
    }
    if (status == I3D_OK && *path && !file_is_folder(path))
        status =
            failure(I3D_EIO, "cannot make the folder '%s': there is a file of that name", path);
out:
    memory_free(part);
    return status;
}

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about, (void)kind, (void)where;
    return remove(path);
}

static int remove_content(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about, (void)kind;
    return where->level ? remove(path) : 0;
}

i3d_status folder_remove(const char *path)
{
    if (!file_exists(path))
        return I3D_OK;
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0)
        return failure_errno("cannot remove '%s'", path);
    return I3D_OK;
}

i3d_status names_add(struct names *names, const char *name)
{
    i3d_status status =
        memory_grow(&names->items, &names->capacity, names->count + 1, sizeof *names->items);
    if (status == I3D_OK)
        status = memory_string(name, &names->items[names->count]);
    if (status == I3D_OK)
        names->count++;
    return status;
}

void names_clear(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        memory_free(names->items[i]);
    memory_free(names->items);
    *names = (struct names){ 0 };
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

i3d_status folder_list(const char *path, struct names *out)
{
    i3d_status status = I3D_OK;
    struct dirent *entry;
    *out = (struct names){ 0 };
    DIR *folder = opendir(path);
    if (!folder)
        return failure_errno("cannot list the folder '%s'", path);
    while ((entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            TRY(names_add(out, entry->d_name));
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_bytes);
out:
    closedir(folder);
    if (status != I3D_OK)
        names_clear(out);
    return status;
}

i3d_status folder_begin(const char *path, struct folder_writer *out)
{
    i3d_status status;
    *out = (struct folder_writer){ .descriptor = -1 };
    TRY(memory_string(path, &out->path));
    TRY(side_path(path, &out->side));
    TRY(folder_make(out->side));
    status = hold(path, out->side, O_RDONLY | O_DIRECTORY, &out->descriptor);
    if (status != I3D_OK) {
        memory_free(out->side); /* it is not ours to remove */
        out->side = NULL;
    } else if (nftw(out->side, remove_content, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        status = failure_errno("cannot remove what is in '%s'", out->side);
    }
out:
    if (status != I3D_OK)
        folder_discard(out);
    return status;
}

i3d_status folder_commit(struct folder_writer *writer)
{
    i3d_status status = I3D_OK;
    /* One syncfs for the folder's many small files instead of an fsync for each. */
    if (syncfs(writer->descriptor) != 0)
        status = failure_errno("cannot write '%s'", writer->path);
    if (status == I3D_OK && rename(writer->side, writer->path) != 0)
        status = failure_errno("cannot put '%s' in its place", writer->path);
    if (status == I3D_OK) {
        close(writer->descriptor);
        memory_free(writer->side);
        writer->side = NULL;
    }
    folder_discard(writer);
    return status;
}

void folder_discard(struct folder_writer *writer)
{
    if (writer->side) {
        char kept[2048];
        /* The cause of the failure stays the sentence, whatever the removal says. */
        snprintf(kept, sizeof kept, "%s", i3d_error());
        folder_remove(writer->side);
        failure(I3D_OK, "%s", kept);
        if (writer->descriptor >= 0)
            close(writer->descriptor);
    }
    memory_free(writer->side);
    memory_free(writer->path);
    *writer = (struct folder_writer){ 0 };
}

i3d_status lock_take(const char *folder, struct lock *out)
{
    char *path = NULL;
    i3d_status status;
    out->descriptor = -1;
    TRY(path_join(&path, folder, ".lock"));
    out->descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (out->descriptor < 0) {
        status = failure_errno("cannot write '%s'", path);
    } else if (!try_lock(out->descriptor)) {
        status =
            failure(I3D_EIO, "another run is writing to '%s'; wait for it or choose another folder",
                    folder);
        lock_release(out);
    }
out:
    memory_free(path);
    return status;
}

i3d_status lock_wait(const char *path, struct lock *out)
{
    i3d_status status = I3D_OK;
    out->descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (out->descriptor < 0)
        return failure_errno("cannot write '%s'", path);
    while (status == I3D_OK && flock(out->descriptor, LOCK_EX) != 0)
        status = errno == EINTR ? check_interrupt() : failure_errno("cannot lock '%s'", path);
    if (status != I3D_OK)
        lock_release(out);
    return status;
}

void lock_release(struct lock *lock)
{
    if (lock->descriptor >= 0)
        close(lock->descriptor);
    lock->descriptor = -1;
}

i3d_status path_join(char **out, const char *folder, const char *name)
{
    size_t length = strlen(folder);
    const char *slash = length == 0 || folder[length - 1] == '/' ? "" : "/";
    return memory_format(out, "%s%s%s", folder, slash, name);
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
