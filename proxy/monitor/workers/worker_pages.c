/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Files of session pages. Never mapped here: what a worker writes is only ever copied out. */
#define _GNU_SOURCE
#include "proxy/monitor/workers/worker_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "proxy/ipc/fdstore.h"
#include "proxy/monitor/keep/state_fds.h"
#include "proxy/monitor/keep/state_file.h"

#define WORD_BITS 64u

/* Bytes that are copied at once. */
#define COPIED 16384u

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW)

static off_t worker_pages_offset(uint32_t slot)
{
    return (off_t)(SESSION_PAGE_HEAD + (uint64_t)slot * SESSION_PAGE_SIZE);
}

/* Returns the memory of bytes that were moved there for this slot. */
static void worker_pages_unload(struct worker_pages *p, uint32_t slot)
{
    for (uint32_t i = 0; i < LIMIT_HELD; i++) {
        if (p->landed[i] == slot + 1) {
            p->landed[i] = 0;
            (void)fallocate(p->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                            (off_t)session_page_place_at(p->n, LIMIT_HELD + i + 1), HELD_PLACE);
        }
    }
}

/* The list of chunks for other workers' logs is made when the first one is. */
static bool worker_pages_has_chunks(struct worker_pages *p)
{
    if (!p->chunks) {
        p->chunks = calloc(LIMIT_GATE_CHUNKS, sizeof *p->chunks);
    }
    return p->chunks != NULL;
}

void worker_pages_moved_log(struct worker_pages *p, uint32_t slot)
{
    for (uint32_t i = 0; p->chunks && i < LIMIT_GATE_CHUNKS; i++) {
        if (p->chunks[i] == slot + 1) {
            p->chunks[i] = 0;
            (void)fallocate(p->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                            (off_t)session_page_chunk_at(p->n, LIMIT_GATE_CHUNKS + i + 1),
                            sizeof(struct gate_chunk));
        }
    }
}

/* Returns the memory of all slots at once: single ones share their pages of memory. */
static void worker_pages_rest(const struct worker_pages *p)
{
    (void)fallocate(p->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, worker_pages_offset(0),
                    (off_t)session_page_file_size(p->n) - worker_pages_offset(0));
}

struct worker_pages *worker_pages_new(uint32_t n, uint32_t tallies)
{
    const size_t words = (n + WORD_BITS - 1) / WORD_BITS;
    struct worker_pages *const p = calloc(1, sizeof *p + words * sizeof *p->slots);
    struct session_page_head head;
    int err;

    memset(&head, 0, sizeof head);
    if (!p) {
        return NULL;
    }
    p->refs = 1;
    p->n = n;
    p->tallies = tallies;
    head.slots = n;
    head.tallies = tallies;
    p->fd = memfd_create("poemd-sessions", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (p->fd >= 0 && ftruncate(p->fd, (off_t)session_page_size_with(n, tallies)) == 0 &&
        pwrite(p->fd, &head, sizeof head, 0) == (ssize_t)sizeof head &&
        fcntl(p->fd, F_ADD_SEALS, SEALS) == 0) {
        return p;
    }
    err = errno;
    worker_pages_release(p);
    errno = err;
    return NULL;
}

struct worker_pages *worker_pages_adopt_take(int fd, uint64_t serial, struct fdstore *store,
                                             struct state_file *state, uint32_t block)
{
    struct worker_pages *p = NULL;
    struct stat st;
    struct session_page_head head;

    if (fstat(fd, &st) == 0 && pread(fd, &head, sizeof head, 0) == (ssize_t)sizeof head &&
        st.st_size == (off_t)session_page_size_with(head.slots, head.tallies)) {
        p = calloc(1, sizeof *p + (head.slots + WORD_BITS - 1) / WORD_BITS * sizeof *p->slots);
    }
    if (!p) {
        close(fd);
        return NULL;
    }
    p->fd = fd;
    p->refs = 1;
    p->n = head.slots;
    p->tallies = head.tallies;
    p->used = 1;
    /* Which of them are in use is not known, so nothing lands there. */
    memset(p->landed, 0xff, sizeof p->landed);
    p->serial = serial;
    p->store = store;
    p->state = state;
    p->kept_block = block;
    return p;
}

/* The session in that slot has this log: its chunks are not free, if they are not the worker's. */
static void worker_pages_find_log(struct worker_pages *p, uint32_t slot, uint64_t log)
{
    uint32_t at = gate_log_first(log);

    if (at <= LIMIT_GATE_CHUNKS || !worker_pages_has_chunks(p)) {
        return;
    }
    for (uint32_t left = gate_log_chunks(gate_log_entries(log));
         left > 0 && at > LIMIT_GATE_CHUNKS && at <= GATE_LAST_CHUNK; left--) {
        p->chunks[at - LIMIT_GATE_CHUNKS - 1] = slot + 1;
        if (pread(p->fd, &at, sizeof at, (off_t)session_page_chunk_at(p->n, at)) !=
            (ssize_t)sizeof at) {
            return;
        }
    }
}

/* Finds the chunks to which an earlier monitor has copied logs, and that are still in use. */
static void worker_pages_find_chunks(struct worker_pages *p)
{
    struct session_page page;

    for (uint32_t slot = 0; slot < p->n; slot++) {
        if (!(p->slots[slot / WORD_BITS] & 1ull << (slot % WORD_BITS)) ||
            !worker_pages_read(p, slot, &page)) {
            continue;
        }
        worker_pages_find_log(p, slot, page.gate_log);
    }
}

void worker_pages_adopted(struct worker_pages *p)
{
    p->used--;
    if (p->used == 0) {
        worker_pages_rest(p);
    }
    worker_pages_find_chunks(p);
    worker_pages_release(p);
}

bool worker_pages_claim(struct worker_pages *p, uint32_t slot)
{
    const uint64_t bit = 1ull << (slot % WORD_BITS);

    if (slot >= p->n || (p->slots[slot / WORD_BITS] & bit)) {
        return false;
    }
    p->slots[slot / WORD_BITS] |= bit;
    p->used++;
    p->refs++;
    return true;
}

void worker_pages_keep(struct worker_pages *p, struct fdstore *store, struct state_file *state,
                       const struct state_worker *record)
{
    char name[STATE_NAME_SIZE];
    int err;

    p->serial = record->serial;
    if (!state) {
        return;
    }
    p->store = store;
    p->state = state;
    err = fdstore_keep(store, state_fds_pages(p->serial, name), p->fd);
    if (err) {
        log_warning("the state of a worker's sessions cannot be kept, so these end if the monitor "
                    "does: %s",
                    strerror(-err));
    }
    p->kept_block = state_file_add(state, STATE_WORKER, record);
}

void worker_pages_keep_again(struct worker_pages *p, const struct state_worker *record)
{
    if (p->kept_block != STATE_NO_BLOCK) {
        state_file_put(p->state, p->kept_block, record);
    }
}

static void worker_pages_drop(const struct worker_pages *p)
{
    char name[STATE_NAME_SIZE];

    if (p->state) {
        state_file_drop(p->state, p->kept_block);
        fdstore_drop(p->store, state_fds_pages(p->serial, name));
    }
}

void worker_pages_release(struct worker_pages *p)
{
    if (p && --p->refs == 0) {
        worker_pages_drop(p);
        if (p->fd >= 0) {
            close(p->fd);
        }
        free(p->chunks);
        free(p);
    }
}

uint32_t worker_pages_take(struct worker_pages *p)
{
    for (uint32_t word = p->first / WORD_BITS; word * WORD_BITS < p->n; word++) {
        const uint64_t free_bits = ~p->slots[word];
        const uint32_t slot =
            word * WORD_BITS + (free_bits ? (uint32_t)__builtin_ctzll(free_bits) : WORD_BITS);

        if (free_bits && slot < p->n) {
            p->slots[word] |= 1ull << (slot % WORD_BITS);
            p->first = slot + 1;
            p->used++;
            p->refs++;
            return slot;
        }
    }
    p->first = p->n;
    return SESSION_PAGE_NO_SLOT;
}

void worker_pages_give_back(struct worker_pages *p, uint32_t slot)
{
    if (!p || slot >= p->n) {
        return;
    }
    p->slots[slot / WORD_BITS] &= ~(1ull << (slot % WORD_BITS));
    p->first = slot < p->first ? slot : p->first;
    p->used--;
    worker_pages_unload(p, slot);
    worker_pages_moved_log(p, slot);
    if (p->used == 0) {
        worker_pages_rest(p);
    }
    worker_pages_release(p);
}

bool worker_pages_read(const struct worker_pages *p, uint32_t slot, struct session_page *out)
{
    return p && slot < p->n &&
           pread(p->fd, out, sizeof *out, worker_pages_offset(slot)) == (ssize_t)sizeof *out;
}

bool worker_pages_write(const struct worker_pages *p, uint32_t slot, const struct session_page *in)
{
    return p && slot < p->n &&
           pwrite(p->fd, in, sizeof *in, worker_pages_offset(slot)) == (ssize_t)sizeof *in;
}

/* Copies the first n bytes of a place behind its head. */
static bool worker_pages_copy_place(const struct worker_pages *from, uint64_t at,
                                    const struct worker_pages *to, uint64_t to_at, size_t n)
{
    uint8_t data[COPIED];

    for (size_t done = HELD_HEAD; done < HELD_HEAD + n;) {
        const size_t rest = HELD_HEAD + n - done;
        const ssize_t got =
            pread(from->fd, data, rest < sizeof data ? rest : sizeof data, (off_t)(at + done));

        if (got <= 0 || pwrite(to->fd, data, (size_t)got, (off_t)(to_at + done)) != got) {
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

/* Returns true if the session in that slot has its bytes in the place, or may have. */
static bool worker_pages_holds(const struct worker_pages *p, uint32_t slot, uint32_t place)
{
    struct session_page page;
    bool holds = !worker_pages_read(p, slot, &page);

    for (int way = 0; way < SESSION_PAGE_WAYS && !holds; way++) {
        holds = page.marks[way].place == place;
    }
    return holds;
}

/*
 * Returns the number of a place for the session in that slot, of which the page is not there yet:
 * one that is free, or whose session has passed its bytes on. 0: there is none.
 */
static uint32_t worker_pages_landing(struct worker_pages *p, uint32_t slot)
{
    for (uint32_t i = 0; i < LIMIT_HELD; i++) {
        const uint32_t place = LIMIT_HELD + i + 1;
        const uint32_t other = p->landed[i];

        if (other == 0 || (other != slot + 1 && !worker_pages_holds(p, other - 1, place))) {
            p->landed[i] = slot + 1;
            return place;
        }
    }
    return 0;
}

uint32_t worker_pages_move(const struct worker_pages *from, uint32_t place,
                           const struct sock_post *post, struct worker_pages *to, uint32_t slot)
{
    const uint64_t at = session_page_place_at(from->n, place);
    struct held head;
    uint32_t landing;
    uint64_t to_at;

    if (place == 0 || place > SESSION_PAGE_LAST_PLACE ||
        pread(from->fd, &head, sizeof head, (off_t)at) != (ssize_t)sizeof head) {
        return 0;
    }
    held_settle(&head, post);
    landing = held_sound(&head) ? worker_pages_landing(to, slot) : 0;
    if (landing == 0) {
        return 0;
    }
    to_at = session_page_place_at(to->n, landing);
    return pwrite(to->fd, &head, sizeof head, (off_t)to_at) == (ssize_t)sizeof head &&
                   worker_pages_copy_place(from, at, to, to_at, held_end(&head))
               ? landing
               : 0;
}

/* Takes the next free chunk from number *at on for the slot. Returns false if there is none. */
static bool worker_pages_take_chunk(struct worker_pages *p, uint32_t slot, uint32_t *at)
{
    uint32_t i = *at > LIMIT_GATE_CHUNKS ? *at - LIMIT_GATE_CHUNKS : 0;

    if (!worker_pages_has_chunks(p)) {
        return false;
    }
    while (i < LIMIT_GATE_CHUNKS && p->chunks[i] != 0) {
        i++;
    }
    if (i == LIMIT_GATE_CHUNKS) {
        return false;
    }
    p->chunks[i] = slot + 1;
    *at = LIMIT_GATE_CHUNKS + i + 1;
    return true;
}

bool worker_pages_move_log(const struct worker_pages *from, uint64_t *log, uint32_t sent,
                           struct worker_pages *to, uint32_t slot)
{
    const uint32_t entries = gate_log_entries(*log);
    uint32_t number = gate_log_first(*log);
    uint32_t first = 0;
    uint32_t at = 0;

    if (entries > LIMIT_GATE_CHUNKS * GATE_CHUNK_ENTRIES) {
        return false;
    }
    for (uint32_t left = gate_log_chunks(entries); left > 0; left--) {
        struct gate_chunk chunk;
        uint32_t next;

        if (number == 0 || number > GATE_LAST_CHUNK ||
            pread(from->fd, &chunk, sizeof chunk, (off_t)session_page_chunk_at(from->n, number)) !=
                (ssize_t)sizeof chunk ||
            (at == 0 && !worker_pages_take_chunk(to, slot, &at))) {
            return false;
        }
        if (first == 0) {
            first = at;
            gate_chunk_settle(&chunk, sent);
        }
        number = chunk.next;
        next = at;
        if (left > 1 && !worker_pages_take_chunk(to, slot, &next)) {
            return false;
        }
        chunk.next = next;
        if (pwrite(to->fd, &chunk, sizeof chunk, (off_t)session_page_chunk_at(to->n, at)) !=
            (ssize_t)sizeof chunk) {
            return false;
        }
        at = next;
    }
    *log = GATE_LOG(first, entries);
    return true;
}

struct session_page_head worker_pages_head(const struct worker_pages *p)
{
    struct session_page_head head;

    if (!p || pread(p->fd, &head, sizeof head, 0) != (ssize_t)sizeof head) {
        memset(&head, 0, sizeof head);
    }
    return head;
}
