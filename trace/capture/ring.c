/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The shared ring: memory and one eventfd. No function blocks.
 *
 *   page 0        struct shared: the writer's position, the reader's, and how the reader
 *                 waits, each in a cache line of its own
 *   pages 1 …     the data, mapped twice in a row
 *
 * head and tail count bytes since the beginning and never wrap; head - tail bytes are unread. A
 * record is a struct entry and its bytes, padded to 8.
 */
#define _GNU_SOURCE
#include "trace/capture/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sock.h"

#define HEAD_PAGE 4096u
#define LINE 64u
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* The reader returns room when it has read this part of the ring, or on ring_release. */
#define RELEASE_PART 16u

struct shared {
    _Alignas(LINE) _Atomic uint64_t head;
    _Alignas(LINE) _Atomic uint64_t tail;
    _Alignas(LINE) _Atomic uint32_t waiting; /* enum ring_wait */
};

_Static_assert(sizeof(struct shared) <= HEAD_PAGE, "the head has one page");

struct entry {
    uint32_t n; /* bytes that follow, without padding */
    uint32_t check;
};

/* Marks the beginning of an entry. It cannot prove one, but it detects accidents. */
#define ENTRY_CHECK 0x706f656du

/* One side's mapping. */
struct map {
    struct shared *shared;
    uint8_t *data; /* size bytes, mapped twice in a row */
    uint64_t size;
    int bell_fd;
};

struct ring_writer {
    struct map map;
    uint64_t head; /* end of the reserved bytes */
    uint64_t tail; /* as last read from the shared page */
};

struct ring_reader {
    struct map map;
    uint64_t tail; /* end of the bytes that were read */
    uint64_t released;
    uint64_t last; /* the last record's beginning */
    bool broken;
    uint8_t *copy;
    size_t room;
};

/* ---- creating ---- */

static uint64_t ring_round_up(uint64_t size)
{
    uint64_t n = RING_SIZE_MIN;

    while (n < size && n < RING_SIZE_MAX) {
        n *= 2;
    }
    return n;
}

int ring_create(uint64_t size)
{
    int fd = memfd_create("poemd-trace-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int err = 0;

    if (fd < 0) {
        return -errno;
    }
    /* Sealed, so that neither side can make the other's accesses fault. */
    if (ftruncate(fd, (off_t)(HEAD_PAGE + ring_round_up(size))) < 0 ||
        fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
        err = -errno;
        sock_close(&fd);
    }
    return err ? err : fd;
}

int ring_bell_create(void)
{
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

/* ---- mapping ---- */

/* Returns the size of the ring's data, or 0 if the fd is not a ring. */
static uint64_t ring_size_of(int fd)
{
    struct stat st;
    const int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0 ||
        st.st_size <= (off_t)HEAD_PAGE) {
        return 0;
    }
    const uint64_t size = (uint64_t)st.st_size - HEAD_PAGE;

    return size >= RING_SIZE_MIN && size <= RING_SIZE_MAX && (size & (size - 1)) == 0 ? size : 0;
}

static void ring_map_deinit(struct map *m)
{
    if (m->shared) {
        munmap(m->shared, HEAD_PAGE);
    }
    if (m->data) {
        munmap(m->data, 2 * m->size);
    }
    sock_close(&m->bell_fd);
    *m = (struct map){.bell_fd = -1};
}

static int ring_map_data(struct map *m, int fd, int protection)
{
    uint8_t *const at = mmap(NULL, 2 * m->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED) {
        return -errno;
    }
    m->data = at;
    for (unsigned i = 0; i < 2; i++) {
        if (mmap(at + i * m->size, m->size, protection, MAP_SHARED | MAP_FIXED, fd, HEAD_PAGE) ==
            MAP_FAILED) {
            return -errno;
        }
    }
    return 0;
}

/* Maps the ring and takes both fds. Returns 0, or -errno after closing and unmapping all. */
static int ring_map_init_take(struct map *m, int ring_fd, int bell_fd, int protection)
{
    void *head;
    int err = 0;

    *m = (struct map){.size = ring_size_of(ring_fd), .bell_fd = bell_fd};
    if (m->size == 0) {
        err = -EINVAL;
    }
    if (!err) {
        head = mmap(NULL, HEAD_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, 0);
        m->shared = head == MAP_FAILED ? NULL : head;
        err = m->shared ? ring_map_data(m, ring_fd, protection) : -errno;
    }
    close(ring_fd);
    if (err) {
        ring_map_deinit(m);
    }
    return err;
}

static uint64_t ring_padded(uint64_t n)
{
    return (sizeof(struct entry) + n + 7) & ~(uint64_t)7;
}

/* ---- writing ---- */

int ring_writer_new_take(struct ring_writer **out, int ring_fd, int bell_fd)
{
    struct ring_writer *const w = calloc(1, sizeof *w);
    int err;

    *out = NULL;
    if (!w) {
        close(ring_fd);
        close(bell_fd);
        return -ENOMEM;
    }
    err = ring_map_init_take(&w->map, ring_fd, bell_fd, PROT_READ | PROT_WRITE);
    if (err) {
        free(w);
        return err;
    }
    w->head = atomic_load(&w->map.shared->head);
    w->tail = w->head;
    *out = w;
    return 0;
}

void ring_writer_free(struct ring_writer *w)
{
    if (w) {
        ring_map_deinit(&w->map);
        free(w);
    }
}

size_t ring_writer_most(const struct ring_writer *w)
{
    /* Half of the ring, so that a large record finds room while earlier ones are being read. */
    return w->map.size / 2 - sizeof(struct entry);
}

/* Bytes that are free, by the last known position of the reader. */
static uint64_t ring_room(const struct ring_writer *w)
{
    const uint64_t used = w->head - w->tail;

    /* If the reader claims to have read bytes that were never written, nothing more is written. */
    return used <= w->map.size ? w->map.size - used : 0;
}

void *ring_reserve(struct ring_writer *w, size_t n)
{
    uint8_t *at;
    const struct entry e = {.n = (uint32_t)n, .check = ENTRY_CHECK};

    if (n == 0 || n > ring_writer_most(w)) {
        return NULL;
    }
    if (ring_room(w) < ring_padded(n)) {
        w->tail = atomic_load_explicit(&w->map.shared->tail, memory_order_acquire);
        if (ring_room(w) < ring_padded(n)) {
            return NULL;
        }
    }
    at = w->map.data + (w->head & (w->map.size - 1));
    memcpy(at, &e, sizeof e);
    w->head += ring_padded(n);
    return at + sizeof e;
}

void ring_publish(struct ring_writer *w)
{
    struct shared *const s = w->map.shared;
    const uint64_t one = 1;
    uint32_t waiting;

    atomic_store_explicit(&s->head, w->head, memory_order_release);
    /* Either the reader sees the new head before it sleeps, or its sleep is seen here. */
    atomic_thread_fence(memory_order_seq_cst);
    waiting = atomic_load_explicit(&s->waiting, memory_order_relaxed);
    if (waiting == RING_AWAKE) {
        return;
    }
    if (waiting == RING_LOOKING) {
        w->tail = atomic_load_explicit(&s->tail, memory_order_acquire);
        if (ring_room(w) > w->map.size - w->map.size / 4) {
            return;
        }
    }
    atomic_store_explicit(&s->waiting, RING_AWAKE, memory_order_relaxed);
    /* Fails only if the bell has been rung already. */
    while (write(w->map.bell_fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

/* ---- reading ---- */

int ring_reader_new_take(struct ring_reader **out, int ring_fd, int bell_fd)
{
    struct ring_reader *const r = calloc(1, sizeof *r);
    int err;

    *out = NULL;
    if (!r) {
        close(ring_fd);
        close(bell_fd);
        return -ENOMEM;
    }
    err = ring_map_init_take(&r->map, ring_fd, bell_fd, PROT_READ);
    if (err) {
        free(r);
        return err;
    }
    r->tail = atomic_load(&r->map.shared->tail);
    r->released = r->tail;
    r->last = r->tail;
    *out = r;
    return 0;
}

void ring_reader_free(struct ring_reader *r)
{
    if (r) {
        ring_map_deinit(&r->map);
        free(r->copy);
        free(r);
    }
}

int ring_reader_bell(const struct ring_reader *r)
{
    return r->map.bell_fd;
}

void ring_release(struct ring_reader *r)
{
    if (r->released != r->tail) {
        r->released = r->tail;
        atomic_store_explicit(&r->map.shared->tail, r->tail, memory_order_release);
    }
}

static int ring_break(struct ring_reader *r)
{
    r->broken = true;
    return -EPROTO;
}

static int ring_copy(struct ring_reader *r, const uint8_t *from, size_t n)
{
    if (n > r->room) {
        const size_t more = n < 65536 ? 65536 : n;
        uint8_t *const p = realloc(r->copy, more);

        if (!p) {
            return -ENOMEM;
        }
        r->copy = p;
        r->room = more;
    }
    memcpy(r->copy, from, n);
    return 0;
}

int ring_read(struct ring_reader *r, const void **p, size_t *n)
{
    const uint64_t head = atomic_load_explicit(&r->map.shared->head, memory_order_acquire);
    const uint64_t used = head - r->tail;
    const uint8_t *at;
    struct entry e;
    int err;

    if (r->broken || used > r->map.size || used % 8 != 0) {
        return ring_break(r);
    }
    if (used == 0) {
        return 0;
    }
    at = r->map.data + (r->tail & (r->map.size - 1));
    /* Copied once, since the writer could change it between two reads. */
    memcpy(&e, at, sizeof e);
    if (e.check != ENTRY_CHECK || e.n == 0 || e.n > r->map.size / 2 || ring_padded(e.n) > used) {
        return ring_break(r);
    }
    err = ring_copy(r, at + sizeof e, e.n);
    if (err) {
        return err;
    }
    r->last = r->tail;
    r->tail += ring_padded(e.n);
    if (r->last - r->released >= r->map.size / RELEASE_PART) {
        /* Only up to this record, which may be read again after ring_unread. */
        r->released = r->last;
        atomic_store_explicit(&r->map.shared->tail, r->last, memory_order_release);
    }
    *p = r->copy;
    *n = e.n;
    return 1;
}

void ring_unread(struct ring_reader *r)
{
    r->tail = r->last;
}

bool ring_wait(struct ring_reader *r, enum ring_wait how)
{
    struct shared *const s = r->map.shared;

    ring_release(r);
    atomic_store_explicit(&s->waiting, how, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    if (how == RING_ASLEEP && atomic_load_explicit(&s->head, memory_order_acquire) != r->tail) {
        atomic_store_explicit(&s->waiting, RING_AWAKE, memory_order_relaxed);
        return false;
    }
    return true;
}

void ring_hear(struct ring_reader *r)
{
    uint64_t n;

    while (read(r->map.bell_fd, &n, sizeof n) < 0 && errno == EINTR) {
    }
}
