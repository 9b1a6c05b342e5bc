#include "base/file.h"
#include "base/failure.h"
#include "base/memory.h"
#include "base/talk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct file_content {
    uint8_t *data;
    size_t count, capacity;
};

/* Opens what is there without waiting for anybody: a pipe is open before it has a writer. */
static i3d_status open_at_once(const char *path, int *out, mode_t *kind)
{
    struct stat about;
    *out = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*out < 0)
        return failure_errno("cannot open '%s'", path);
    if (fstat(*out, &about) == 0) {
        *kind = about.st_mode & S_IFMT;
        return I3D_OK;
    }
    close(*out);
    return failure_errno("cannot read '%s'", path);
}

static i3d_status refuse_kind(const char *path, mode_t kind)
{
    const char *what = kind == S_IFDIR ? "folder" : kind == S_IFIFO ? "pipe" : "device";
    return failure(I3D_EIO, "cannot read '%s': it is a %s, not a file", path, what);
}

i3d_status file_open(const char *path, int *out)
{
    mode_t kind = 0;
    i3d_status status = open_at_once(path, out, &kind);
    if (status != I3D_OK || kind == S_IFREG)
        return status;
    close(*out);
    *out = -1;
    return refuse_kind(path, kind);
}

/* Waits until there is something to read, or the writer is gone. */
static i3d_status wait_readable(int descriptor)
{
    enum { MILLISECONDS = 100 };
    struct pollfd event = { .fd = descriptor, .events = POLLIN };
    i3d_status status;
    do
        status = check_interrupt();
    while (status == I3D_OK && poll(&event, 1, MILLISECONDS) <= 0);
    return status;
}

/* Appends what is left of an open file to `*out`. */
static i3d_status read_all(int descriptor, const char *path, bool pipe, struct file_content *out)
{
    enum { CHUNK = 1 << 20 };
    i3d_status status;
    for (;;) {
        TRY(pipe ? wait_readable(descriptor) : check_interrupt());
        TRY(memory_grow(&out->data, &out->capacity, out->count + 2, 1));
        size_t room = out->capacity - out->count - 1;
        ssize_t got = read(descriptor, out->data + out->count, room < CHUNK ? room : CHUNK);
        if (got == 0)
            break;
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            TRY(failure_errno("cannot read '%s'", path));
        out->count += got > 0 ? (size_t)got : 0;
    }
    out->data[out->count] = '\0';
out:
    return status;
}

i3d_status file_read(const char *path, uint8_t **out, size_t *bytes)
{
    i3d_status status = I3D_OK;
    struct file_content content = { 0 };
    struct stat about;
    mode_t kind = 0;
    int descriptor = -1;
    *out = NULL;
    *bytes = 0;
    TRY(open_at_once(path, &descriptor, &kind));
    if (kind != S_IFREG && kind != S_IFIFO)
        TRY(refuse_kind(path, kind));
    /* Room for all of a file at once, and the 0 byte. */
    if (kind == S_IFREG && fstat(descriptor, &about) == 0)
        TRY(memory_grow(&content.data, &content.capacity, (size_t)about.st_size + 2, 1));
    TRY(read_all(descriptor, path, kind == S_IFIFO, &content));
    *out = content.data;
    *bytes = content.count;
out:
    if (descriptor >= 0)
        close(descriptor);
    if (status != I3D_OK)
        memory_free(content.data);
    return status == I3D_ENOMEM ? failure_prefix(status, "cannot read '%s': ", path) : status;
}

/* `folder/.name.part` for `folder/name`. Of a name that leaves no room for the rest, a part and a
 * number made of the whole (FNV-1a). */
static i3d_status side_path(const char *path, char **out)
{
    enum { KEPT = 200, ROOM = NAME_MAX - 6 };
    const char *name = path_name(path);
    int folder = (int)(name - path);
    uint64_t hash = 0xcbf29ce484222325u;
    if (strlen(name) <= ROOM)
        return memory_format(out, "%.*s.%s.part", folder, path, name);
    for (const char *c = name; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    return memory_format(out, "%.*s.%.*s-%016llx.part", folder, path, KEPT, name,
                         (unsigned long long)hash);
}

/* Takes the lock of an open file; false: another run has it. A file system without locks cannot
 * say, so there nobody is kept out. */
static bool try_lock(int descriptor)
{
    return flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

/* Makes `side`, or opens what a killed run of ours left there: never what a link leads to, nor what
 * has another name or owner, which whoever may write in the folder could have put there. */
static i3d_status open_side(const char *path, const char *side, bool folder, int *out)
{
    struct stat about;
    int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (folder ? O_RDONLY | O_DIRECTORY : O_WRONLY);
    bool made = folder && mkdir(side, 0777) == 0;
    if (folder && !made && errno != EEXIST)
        return failure_errno("cannot write '%s'", path);
    *out = open(side, folder ? flags : flags | O_CREAT | O_EXCL, 0666);
    if (*out >= 0 && (made || !folder))
        return I3D_OK;
    if (made && errno == ENOENT) /* another run has just put it in its place */
        return open_side(path, side, folder, out);
    if (made) {
        i3d_status status = failure_errno("cannot write '%s'", path);
        rmdir(side);
        return status;
    }
    if (*out < 0 && errno != EEXIST && errno != ELOOP && errno != ENOTDIR)
        return failure_errno("cannot write '%s'", path);
    if (*out < 0)
        *out = open(side, flags);
    if (*out < 0 && errno == ENOENT)
        return open_side(path, side, folder, out);
    if (*out >= 0 && fstat(*out, &about) == 0 && about.st_uid == geteuid() &&
        (folder || (S_ISREG(about.st_mode) && about.st_nlink <= 1)))
        return I3D_OK;
    if (*out >= 0)
        close(*out);
    return failure(I3D_EIO,
                   "cannot write '%s': '%s' is in the way, which no run of yours has left there; "
                   "remove it",
                   path, side);
}

/* The same, locked for as long as it is open. */
static i3d_status hold(const char *path, const char *side, bool folder, int *out)
{
    struct stat held, named;
    for (;;) {
        i3d_status status = open_side(path, side, folder, out);
        if (status != I3D_OK)
            return status;
        if (!try_lock(*out)) {
            close(*out);
            return failure(I3D_EIO,
                           "another run is writing '%s'; wait for it or choose another name", path);
        }
        if (fstat(*out, &held) == 0 && lstat(side, &named) == 0 && held.st_ino == named.st_ino &&
            held.st_dev == named.st_dev)
            return I3D_OK;
        close(*out); /* another run has just put it in its place or removed it */
    }
}

i3d_status file_begin(const char *path, struct file_writer *out)
{
    i3d_status status;
    int descriptor;
    *out = (struct file_writer){ 0 };
    TRY(memory_string(path, &out->path));
    TRY(side_path(path, &out->side));
    status = hold(path, out->side, false, &descriptor);
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
    char *parent = NULL;
    *out = (struct folder_writer){ .descriptor = -1 };
    TRY(memory_string(path, &out->path));
    TRY(side_path(path, &out->side));
    TRY(memory_format(&parent, "%.*s", (int)(path_name(path) - path), path));
    TRY(folder_make(parent));
    status = hold(path, out->side, true, &out->descriptor);
    if (status != I3D_OK) {
        memory_free(out->side); /* it is not ours to remove */
        out->side = NULL;
    } else if (nftw(out->side, remove_content, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        status = failure_errno("cannot remove what is in '%s'", out->side);
    }
out:
    memory_free(parent);
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

static i3d_status open_lock(const char *path, struct lock *out)
{
    out->descriptor =
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0666);
    return out->descriptor < 0 ? failure_errno("cannot write '%s'", path) : I3D_OK;
}

i3d_status lock_take(const char *folder, struct lock *out)
{
    char *path = NULL;
    i3d_status status;
    out->descriptor = -1;
    TRY(path_join(&path, folder, ".lock"));
    TRY(open_lock(path, out));
    if (!try_lock(out->descriptor)) {
        status =
            failure(I3D_EIO, "another run is writing to '%s'; wait for it or choose another folder",
                    folder);
        lock_release(out);
    }
out:
    memory_free(path);
    return status;
}

/* In short waits: a signal's handler may let a long one go on. */
i3d_status lock_wait(const char *path, struct lock *out)
{
    static const struct timespec pause = { .tv_nsec = 50000000 };
    i3d_status status = open_lock(path, out);
    while (status == I3D_OK && !try_lock(out->descriptor)) {
        status = check_interrupt();
        nanosleep(&pause, NULL);
    }
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
