/* Workers fill a ring of batches clip by clip, ahead of the caller. A clip's random numbers are
 * those of (seed, purpose, epoch, sample), and its place in the ring follows from its place in the
 * epoch, so that it does not matter which worker makes it, or when. A worker takes all clips of a
 * video that follow each other, so that the video is decoded once for them. */
#include "base/failure.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/talk.h"
#include "base/thread.h"
#include "clip/clip.h"
#include "clip/dataset.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* A batch of the ring. */
struct slot {
    i3d_batch batch;
    long number;       /* which batch of the epoch it holds; -1: none */
    int pending;       /* clips that are not made yet */
    bool *left_out;    /* [N]: bad clips */
    i3d_status status; /* of the first clip that failed ... */
    int failed;        /* ... which is this one */
    char sentence[2048];
};

struct worker {
    struct i3d_loader *loader;
    struct frames frames; /* of the video in hand ... */
    long frame_count;     /* ... so many */
    struct clip_maker maker;
    struct random random; /* of the clip in hand */
    pthread_t thread;
};

struct i3d_loader {
    const struct i3d_dataset *dataset;
    i3d_loader_options options;
    int clips;           /* a video */
    long whole, samples; /* clips an epoch, of all shares and of this one */
    size_t *shuffled;    /* [whole] */
    size_t *order;       /* [samples] */
    i3d_batch empty;     /* where others have clips of a batch and this share has none */

    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t work, made;
    struct slot *slots;
    long slot_count;
    struct worker *workers;
    int worker_count, started, busy;
    long epoch, position; /* the next clip to be taken */
    long batch;           /* the next one for the caller, or the one lent */
    bool lent;
    bool broken_off; /* nobody wants the rest of this epoch */
    bool stop;
    atomic_long skipped;
};

/* Batches are shared while training, videos otherwise. */
static bool shares_batches(const struct i3d_loader *loader)
{
    return loader->options.clip.training;
}

static long batch_count(const struct i3d_loader *loader)
{
    bool all = shares_batches(loader);
    long size = (long)loader->options.batch * (all ? loader->options.shares : 1);
    return ((all ? loader->whole : loader->samples) + size - 1) / size;
}

/* Whether clip `i` of the epoch is made here. */
static bool is_ours(const struct i3d_loader *loader, long i)
{
    const i3d_loader_options *options = &loader->options;
    long unit = shares_batches(loader) ? options->batch : loader->clips;
    return i / unit % options->shares == options->share;
}

/* How many numbers a clip is. */
static size_t clip_size(const i3d_batch *batch)
{
    return (size_t)batch->channels * (size_t)batch->frames * (size_t)batch->height *
           (size_t)batch->width;
}

/* How many clips from `position` on are of one video and follow each other. */
static long run_length(const struct i3d_loader *loader, long position)
{
    const size_t *order = loader->order + position, clips = (size_t)loader->clips;
    long length = 1;
    while (position + length < loader->samples && order[length] == order[length - 1] + 1 &&
           order[length] % clips != 0)
        length++;
    return length;
}

/* Waits for the slot of a clip; whoever comes first prepares it. NULL: the clip is not wanted any
 * more. */
static struct slot *wait_for_slot(struct i3d_loader *loader, long position)
{
    long size = loader->options.batch, number = position / size;
    while (!loader->broken_off && !loader->stop && number >= loader->batch + loader->slot_count)
        pthread_cond_wait(&loader->work, &loader->lock);
    if (loader->broken_off || loader->stop)
        return NULL;
    struct slot *slot = &loader->slots[number % loader->slot_count];
    if (slot->number != number) {
        long left = loader->samples - number * size;
        slot->number = number;
        slot->batch.count = slot->pending = (int)(left < size ? left : size);
        slot->status = I3D_OK;
    }
    return slot;
}

/* A clip on its way into its slot. */
struct making {
    struct slot *slot; /* NULL: none */
    int n;             /* its place there */
    i3d_status status;
};

static void begin_clip(struct worker *worker, const struct making *making, size_t sample)
{
    const struct i3d_loader *loader = worker->loader;
    const i3d_clip_options *clip = &loader->options.clip;
    const i3d_batch *batch = &making->slot->batch;
    size_t video = sample / (size_t)loader->clips;
    bool drawn = clip->training && clip->augment;
    struct random *random = drawn ? &worker->random : NULL;
    batch->videos[making->n] = (int32_t)video;
    batch->labels[making->n] = loader->dataset->videos[video].label;
    making->slot->left_out[making->n] = false;
    if (making->status != I3D_OK)
        return;
    worker->random = random_for(loader->options.seed, RANDOM_CLIP, (uint64_t)loader->epoch, sample);
    struct window window =
        clip_window(clip, worker->frame_count, (int)(sample % (size_t)loader->clips), random);
    clip_begin(&worker->maker, &window, random, batch->data + (size_t)making->n * clip_size(batch));
}

/* Bad files, not a machine that lacks something. */
static bool is_bad_file(i3d_status status)
{
    return status == I3D_EIO || status == I3D_EFORMAT || status == I3D_EINVAL;
}

static void note_failure(struct i3d_loader *loader, struct slot *slot, int n, i3d_status status)
{
    if (loader->options.clip.skip_bad && is_bad_file(status)) {
        slot->left_out[n] = true;
        atomic_fetch_add(&loader->skipped, 1);
    } else if (slot->status == I3D_OK || n < slot->failed) {
        slot->status = status;
        slot->failed = n;
        snprintf(slot->sentence, sizeof slot->sentence, "%s", i3d_error());
    }
}

/* The clip is made, or failed with the thread's latest sentence. */
static void end_clip(struct i3d_loader *loader, struct making *making)
{
    if (!making->slot)
        return;
    if (making->status != I3D_OK)
        note_failure(loader, making->slot, making->n, making->status);
    making->slot->pending--;
    making->slot = NULL;
    pthread_cond_broadcast(&loader->made);
}

/* Makes the clips of one video from `position` on. One is given away only when the next has taken
 * from it what they share. */
static void make_clips(struct worker *worker, long position, long count)
{
    struct i3d_loader *loader = worker->loader;
    struct clip_maker *makers[] = { &worker->maker };
    struct making last = { 0 };
    int video = (int)(loader->order[position] / (size_t)loader->clips);
    pthread_mutex_unlock(&loader->lock);
    i3d_status opened =
        dataset_open_frames(loader->dataset, video, &worker->frames, &worker->frame_count);
    clip_restart(&worker->maker);
    pthread_mutex_lock(&loader->lock);
    for (; count > 0; position++, count--) {
        struct making making = { .slot = wait_for_slot(loader, position), .status = opened };
        if (!making.slot)
            return;
        making.n = (int)(position % loader->options.batch);
        pthread_mutex_unlock(&loader->lock);
        begin_clip(worker, &making, loader->order[position]);
        pthread_mutex_lock(&loader->lock);
        end_clip(loader, &last);
        last = making;
        pthread_mutex_unlock(&loader->lock);
        if (last.status == I3D_OK)
            last.status = clip_fill(&worker->frames, makers, 1);
        if (loader->options.clip.skip_bad && is_bad_file(last.status))
            talk("left out a clip: %s", i3d_error());
        pthread_mutex_lock(&loader->lock);
    }
    end_clip(loader, &last);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct i3d_loader *loader = worker->loader;
    pthread_mutex_lock(&loader->lock);
    for (;;) {
        while (!loader->stop && loader->position >= loader->samples)
            pthread_cond_wait(&loader->work, &loader->lock);
        if (loader->stop)
            break;
        long position = loader->position, count = run_length(loader, position);
        loader->position += count;
        loader->busy++;
        make_clips(worker, position, count);
        loader->busy--;
        pthread_cond_broadcast(&loader->made);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

/* Closes the gaps of clips that were left out. */
static void close_gaps(struct slot *slot)
{
    i3d_batch *batch = &slot->batch;
    size_t clip = clip_size(batch);
    int kept = 0;
    for (int n = 0; n < batch->count; n++) {
        if (slot->left_out[n])
            continue;
        if (kept < n) {
            memcpy(batch->data + (size_t)kept * clip, batch->data + (size_t)n * clip,
                   clip * sizeof *batch->data);
            batch->labels[kept] = batch->labels[n];
            batch->videos[kept] = batch->videos[n];
        }
        kept++;
    }
    batch->count = kept;
}

/* The slot of the batch now due goes back to the workers. */
static void release(struct i3d_loader *loader)
{
    loader->batch++;
    loader->lent = false;
    pthread_cond_broadcast(&loader->work);
}

i3d_status i3d_loader_next(i3d_loader *loader, const i3d_batch **out)
{
    i3d_status status = I3D_END;
    *out = NULL;
    pthread_mutex_lock(&loader->lock);
    if (loader->lent)
        release(loader);
    if (loader->batch < batch_count(loader) &&
        loader->batch * loader->options.batch >= loader->samples) {
        loader->lent = true;
        *out = &loader->empty;
        status = I3D_OK;
    } else if (loader->batch < batch_count(loader)) {
        struct slot *slot = &loader->slots[loader->batch % loader->slot_count];
        while (slot->number != loader->batch || slot->pending > 0)
            pthread_cond_wait(&loader->made, &loader->lock);
        status = slot->status;
        if (status == I3D_OK) {
            close_gaps(slot);
            loader->lent = true;
            *out = &slot->batch;
        } else {
            failure(status, "%s", slot->sentence);
        }
    }
    pthread_mutex_unlock(&loader->lock);
    return status;
}

/* Which clips are made, one after the other: ours of the order that all shares have. */
static void set_order(struct i3d_loader *loader, int epoch)
{
    long ours = 0;
    for (long i = 0; i < loader->whole; i++)
        loader->shuffled[i] = (size_t)i;
    if (loader->options.shuffle) {
        struct random random = random_for(loader->options.seed, RANDOM_ORDER, (uint64_t)epoch, 0);
        random_shuffle(&random, loader->shuffled, (size_t)loader->whole);
    }
    for (long i = 0; i < loader->whole; i++)
        if (is_ours(loader, i))
            loader->order[ours++] = loader->shuffled[i];
}

i3d_status i3d_loader_start(i3d_loader *loader, int epoch, int first_batch)
{
    if (epoch < 0 || first_batch < 0 || first_batch > batch_count(loader))
        return failure(I3D_EINVAL, "epoch %d has no batch %d; there are %ld", epoch, first_batch,
                       batch_count(loader));
    pthread_mutex_lock(&loader->lock);
    loader->position = loader->samples; /* an epoch broken off ends here */
    loader->broken_off = true;
    pthread_cond_broadcast(&loader->work);
    while (loader->busy)
        pthread_cond_wait(&loader->made, &loader->lock);
    loader->broken_off = false;
    set_order(loader, epoch);
    for (long i = 0; i < loader->slot_count; i++)
        loader->slots[i].number = -1;
    loader->epoch = epoch;
    loader->batch = first_batch;
    loader->lent = false;
    loader->position = (long)first_batch * loader->options.batch;
    if (loader->position > loader->samples)
        loader->position = loader->samples;
    pthread_cond_broadcast(&loader->work);
    pthread_mutex_unlock(&loader->lock);
    return I3D_OK;
}

static i3d_status create_slots(struct i3d_loader *loader)
{
    const i3d_clip_options *clip = &loader->options.clip;
    int size = loader->options.batch, channels = loader->dataset->stream == I3D_FLOW ? 2 : 3;
    size_t frame = (size_t)channels * (size_t)clip->size * (size_t)clip->size;
    size_t batch = memory_sum(0, (size_t)size * (size_t)clip->frames, frame * sizeof(float));
    i3d_status status;
    TRY(memory_check(memory_sum(0, (size_t)loader->slot_count, batch)));
    TRY(memory_get((size_t)loader->slot_count, sizeof *loader->slots, &loader->slots));
    for (long i = 0; i < loader->slot_count; i++) {
        struct slot *slot = &loader->slots[i];
        TRY(i3d_batch_create(size, channels, clip->frames, clip->size, clip->size, &slot->batch));
        TRY(memory_get((size_t)size, sizeof *slot->left_out, &slot->left_out));
    }
out:
    return status;
}

static i3d_status start_workers(struct i3d_loader *loader)
{
    i3d_status status;
    size_t count = (size_t)loader->worker_count;
    TRY(memory_get(count, sizeof *loader->workers, &loader->workers));
    for (size_t i = 0; i < count; i++) {
        struct worker *worker = &loader->workers[i];
        worker->loader = loader;
        TRY(clip_maker_create(&loader->options.clip, loader->dataset->stream,
                              dataset_motion(loader->dataset), &worker->maker));
        int code = pthread_create(&worker->thread, NULL, work, worker);
        if (code != 0)
            TRY(failure(I3D_EIO, "cannot start worker %zu of %zu: %s; ask for fewer", i + 1, count,
                        strerror(code)));
        loader->started++;
    }
out:
    return status;
}

i3d_status i3d_loader_create(const i3d_dataset *dataset, const i3d_loader_options *options,
                             i3d_loader **out)
{
    i3d_status status;
    struct i3d_loader *loader = NULL;
    *out = NULL;
    TRY(clip_check(&options->clip));
    if (options->batch < 1 || options->workers < 0)
        TRY(failure(I3D_EINVAL, "batches of %d with %d workers cannot be made", options->batch,
                    options->workers));
    if (options->shares && (options->share < 0 || options->share >= options->shares))
        TRY(failure(I3D_EINVAL, "there is no share %d of %d", options->share, options->shares));
    TRY(memory_get(1, sizeof *loader, &loader));
    loader->dataset = dataset;
    loader->options = *options;
    if (!options->shares)
        loader->options.shares = 1;
    loader->clips = options->clip.training ? 1 : options->clip.clips_per_video;
    loader->whole = (long)dataset->count * loader->clips;
    for (long i = 0; i < loader->whole; i++)
        loader->samples += is_ours(loader, i);
    loader->position = loader->samples;
    loader->batch = batch_count(loader);
    loader->worker_count = options->workers ? options->workers : thread_count();
    /* One batch lent, and so many being filled that no worker waits for another's clip for long. */
    loader->slot_count = 1 + (2 * (long)loader->worker_count + options->batch - 1) / options->batch;
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->work, NULL);
    pthread_cond_init(&loader->made, NULL);
    TRY(memory_get((size_t)loader->whole, sizeof *loader->shuffled, &loader->shuffled));
    TRY(memory_get((size_t)loader->samples, sizeof *loader->order, &loader->order));
    TRY(create_slots(loader));
    loader->empty = loader->slots[0].batch;
    loader->empty.count = 0;
    TRY(start_workers(loader));
    *out = loader;
out:
    if (status != I3D_OK)
        i3d_loader_free(loader);
    return status;
}

int i3d_loader_batches(const i3d_loader *loader)
{
    return (int)batch_count(loader);
}

long i3d_loader_skipped(const i3d_loader *loader)
{
    return atomic_load(&loader->skipped);
}

void i3d_loader_free(i3d_loader *loader)
{
    if (!loader)
        return;
    pthread_mutex_lock(&loader->lock);
    loader->stop = true;
    pthread_cond_broadcast(&loader->work);
    pthread_mutex_unlock(&loader->lock);
    for (int i = 0; i < loader->started; i++)
        pthread_join(loader->workers[i].thread, NULL);
    for (int i = 0; loader->workers && i < loader->worker_count; i++) {
        clip_maker_clear(&loader->workers[i].maker);
        frames_close(&loader->workers[i].frames);
    }
    for (long i = 0; loader->slots && i < loader->slot_count; i++) {
        i3d_batch_clear(&loader->slots[i].batch);
        memory_free(loader->slots[i].left_out);
    }
    memory_free(loader->workers);
    memory_free(loader->slots);
    memory_free(loader->shuffled);
    memory_free(loader->order);
    pthread_cond_destroy(&loader->made);
    pthread_cond_destroy(&loader->work);
    pthread_mutex_destroy(&loader->lock);
    memory_free(loader);
}
