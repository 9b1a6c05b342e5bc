/* Preloaded into a program: makes one call site of its own fail, once. A site is a kind of call and
 * the places in the program that led there, so it has one name in every run.
 *
 *     I3D_FAULT_LOG=FILE   appends the name of each site that is reached
 *     I3D_FAULT_SITE=NAME  the first call from there fails: no memory, no space, not permitted */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FRAMES = 12, KEPT = 3, SITES = 4096, STREAM_ERROR = 0x20 /* glibc's _IO_ERR_SEEN */ };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t begin, end; /* of the program */
static uint64_t seen[SITES];
static size_t seen_count;
static const char *wanted;
static int log_descriptor = -1;
static bool failed;

static int find_program(struct dl_phdr_info *info, size_t bytes, void *context)
{
    (void)bytes, (void)context;
    begin = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD)
            end = begin + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
    return 1; /* the first is the program */
}

__attribute__((constructor)) static void start(void)
{
    void *frames[2];
    const char *path = getenv("I3D_FAULT_LOG");
    backtrace(frames, 2); /* what it loads, it loads now */
    dl_iterate_phdr(find_program, NULL);
    wanted = getenv("I3D_FAULT_SITE");
    if (path) {
        int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
        log_descriptor = real(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    }
}

/* 0: not from the program. */
static uint64_t name_site(const char *kind)
{
    void *frames[FRAMES];
    int count = backtrace(frames, FRAMES), kept = 0;
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *c = kind; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    for (int i = 0; i < count && kept < KEPT; i++) {
        uintptr_t at = (uintptr_t)frames[i];
        if (at < begin || at >= end)
            continue;
        hash = (hash ^ (at - begin)) * 0x100000001b3u;
        kept++;
    }
    return kept ? hash : 0;
}

static bool must_fail(const char *kind)
{
    char name[64];
    bool now = false;
    if (!wanted && log_descriptor < 0)
        return false;
    uint64_t site = name_site(kind);
    if (!site)
        return false;
    int length = snprintf(name, sizeof name, "%s-%016llx\n", kind, (unsigned long long)site);
    pthread_mutex_lock(&lock);
    size_t i = 0;
    while (i < seen_count && seen[i] != site)
        i++;
    if (i == seen_count && seen_count < SITES) {
        seen[seen_count++] = site;
        if (log_descriptor >= 0 && write(log_descriptor, name, (size_t)length) < 0)
            abort();
    }
    if (wanted && !failed && strncmp(wanted, name, (size_t)length - 1) == 0)
        now = failed = true;
    pthread_mutex_unlock(&lock);
    return now;
}

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

void *aligned_alloc(size_t alignment, size_t bytes)
{
    static __typeof__(&aligned_alloc) real;
    real = real ? real : REAL(aligned_alloc);
    if (must_fail("memory"))
        return NULL;
    return real(alignment, bytes);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? (mode_t)va_arg(arguments, int) : 0;
    va_end(arguments);
    if (must_fail("open")) {
        errno = EACCES;
        return -1;
    }
    return REAL(open)(path, flags, mode);
}

FILE *fopen(const char *path, const char *mode)
{
    if (must_fail("open")) {
        errno = EACCES;
        return NULL;
    }
    return REAL(fopen)(path, mode);
}

int mkdir(const char *path, mode_t mode)
{
    if (must_fail("folder")) {
        errno = ENOSPC;
        return -1;
    }
    return REAL(mkdir)(path, mode);
}

size_t fwrite(const void *data, size_t size, size_t count, FILE *stream)
{
    if (must_fail("write")) {
        stream->_flags |= STREAM_ERROR;
        errno = ENOSPC;
        return 0;
    }
    return REAL(fwrite)(data, size, count, stream);
}

int fflush(FILE *stream)
{
    if (stream && must_fail("write")) {
        stream->_flags |= STREAM_ERROR;
        errno = ENOSPC;
        return EOF;
    }
    return REAL(fflush)(stream);
}

int fsync(int descriptor)
{
    if (must_fail("sync")) {
        errno = EIO;
        return -1;
    }
    return REAL(fsync)(descriptor);
}

int syncfs(int descriptor)
{
    if (must_fail("sync")) {
        errno = EIO;
        return -1;
    }
    return REAL(syncfs)(descriptor);
}

int rename(const char *from, const char *to)
{
    if (must_fail("rename")) {
        errno = EACCES;
        return -1;
    }
    return REAL(rename)(from, to);
}
