/* How every call answers. */
#ifndef I3D_STATUS_H
#define I3D_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#define I3D_API __attribute__((visibility("default")))

/* A value names the remedy; the sentence is in i3d_error(). */
typedef enum i3d_status {
    I3D_OK = 0,
    I3D_END,          /* nothing left: the end of a video, of a data set */
    I3D_ENOMEM,       /* ask for less: batch, clip, workers */
    I3D_EINVAL,       /* call it otherwise: an argument or a combination of them */
    I3D_EIO,          /* mend the machine: missing file, no permission, full disk */
    I3D_EFORMAT,      /* mend the file: it is not what it says it is */
    I3D_EUNSUPPORTED, /* build or install more: this program lacks the part */
    I3D_EENGINE,      /* choose another engine: a library under us refused */
    I3D_EINTERRUPTED, /* start again to go on: the user stopped it */
    I3D_EELSEWHERE    /* look at another process: it failed, and says why */
} i3d_status;

/* What failed last in this thread: one sentence, lower case, that names the subject, the reason and
 * the way out. Never NULL; the loan ends with this thread's next failure. */
I3D_API const char *i3d_error(void);

/* The name of a status: "ok", "end", "out of memory"... */
I3D_API const char *i3d_status_name(i3d_status status);

/* Asks long work to stop at its next safe point with I3D_EINTERRUPTED. Safe in a signal handler. */
I3D_API void i3d_interrupt(void);

/* Where the library talks, for example to report a video it had to leave out. NULL, the default,
 * is silence. The text has no newline. */
typedef void (*i3d_log_function)(const char *text, void *context);
I3D_API void i3d_log_to(i3d_log_function function, void *context);

/* How far long work is. */
typedef struct i3d_progress {
    const char *what;
    long done, total; /* of it; total 0: unknown */
    double share;     /* of the work, 0 to 1: finer than done / total where videos are long */
    double skipped;   /* the part of `share` that an earlier run had done */
    long frames;      /* of videos, by this run; 0 where none are counted */
} i3d_progress;

/* Where long work shows how far it is. Called from one thread at a time. */
typedef void (*i3d_progress_function)(const i3d_progress *progress, void *context);
I3D_API void i3d_progress_to(i3d_progress_function function, void *context);

#ifdef __cplusplus
}
#endif
#endif
