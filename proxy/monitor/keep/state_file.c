/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The blocks of the state file. Never mapped, so that what is read does not change meanwhile. */
#define _GNU_SOURCE
#include "proxy/monitor/keep/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sock.h"

/* A page of memory holds these. */
#define STATE_PAGE 4096u
#define STATE_PAGE_BLOCKS (STATE_PAGE / STATE_BLOCK_SIZE)

/* What precedes the record in a block. */
struct state_block {
    uint32_t kind;   /* enum state_kind */
    uint32_t next;   /* the block in which the text goes on, or STATE_NO_BLOCK */
    uint32_t text;   /* bytes of the whole text; of STATE_TEXT: of this part */
    uint32_t record; /* size of the record in front of the text */
};

#define STATE_ROOM (STATE_BLOCK_SIZE - sizeof(struct state_block))

/* Blocks of a text of the greatest length, and one for the record. */
#define STATE_BLOCKS_EACH (2 + STATE_TEXT_MAX / STATE_ROOM)

/* The most that a file can have, whatever its head claims: 64 GiB of texts. */
#define STATE_BLOCKS_MOST (1u << 26)

_Static_assert(sizeof(struct state_head) <= STATE_PAGE, "the head crosses a page");
_Static_assert(sizeof(struct state_session) <= STATE_ROOM, "a session does not fit a block");

struct state_file {
    int fd;
    uint32_t n;     /* blocks */
    uint32_t first; /* no block before it is free */
    unsigned unsound;
    struct state_head head;
    uint8_t *kinds; /* of each block */
};

static off_t state_file_offset(uint32_t block)
{
    return (off_t)STATE_PAGE + (off_t)(block - 1) * STATE_BLOCK_SIZE;
}

static uint32_t state_file_least(size_t a, size_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static bool state_file_read_at(const struct state_file *f, void *p, size_t n, off_t at)
{
    return pread(f->fd, p, n, at) == (ssize_t)n;
}

/* Writes, which fails only if the machine has no memory. */
static bool state_file_write_at(const struct state_file *f, const void *p, size_t n, off_t at)
{
    if (pwrite(f->fd, p, n, at) == (ssize_t)n) {
        return true;
    }
    log_error("the state that outlives the monitor cannot be written: %s", strerror(errno));
    return false;
}

static bool state_file_read_block(const struct state_file *f, uint32_t block, struct state_block *b)
{
    return block > 0 && block <= f->n &&
           state_file_read_at(f, b, sizeof *b, state_file_offset(block));
}

/* ---- which blocks are used ---- */

static uint32_t state_file_take(struct state_file *f, enum state_kind kind)
{
    for (uint32_t block = f->first; block <= f->n; block++) {
        if (f->kinds[block - 1] == STATE_FREE) {
            f->kinds[block - 1] = (uint8_t)kind;
            f->first = block + 1;
            return block;
        }
    }
    f->first = f->n + 1;
    log_warning("the state that outlives the monitor has no room for more");
    return STATE_NO_BLOCK;
}

/* Returns the memory of the block's page if no block in it is used. */
static void state_file_rest(const struct state_file *f, uint32_t block)
{
    const uint32_t begin = (block - 1) / STATE_PAGE_BLOCKS * STATE_PAGE_BLOCKS;

    for (uint32_t i = begin; i < begin + STATE_PAGE_BLOCKS && i < f->n; i++) {
        if (f->kinds[i] != STATE_FREE) {
            return;
        }
    }
    (void)fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, state_file_offset(begin + 1),
                    STATE_PAGE);
}

static void state_file_release(struct state_file *f, uint32_t block)
{
    const struct state_block none = {.kind = STATE_FREE};

    (void)state_file_write_at(f, &none, sizeof none, state_file_offset(block));
    f->kinds[block - 1] = STATE_FREE;
    f->first = block < f->first ? block : f->first;
    state_file_rest(f, block);
}

/* Frees the blocks of a text from this one on. */
static void state_file_release_chain(struct state_file *f, uint32_t block)
{
    struct state_block b;

    while (state_file_read_block(f, block, &b) && b.kind == STATE_TEXT &&
           f->kinds[block - 1] == STATE_TEXT) {
        state_file_release(f, block);
        block = b.next;
    }
}

/* ---- texts ---- */

/* Writes the part of a text behind its record's block. Returns false if there is no room. */
static bool state_file_write_chain(struct state_file *f, const char *text, size_t n, uint32_t *out)
{
    struct state_block b = {.kind = STATE_TEXT, .next = STATE_NO_BLOCK};
    const size_t parts = (n + STATE_ROOM - 1) / STATE_ROOM;
    unsigned char bytes[STATE_BLOCK_SIZE];

    /* From its end, so that each block is complete before another one refers to it. */
    for (size_t i = parts; i > 0; i--) {
        const size_t at = (i - 1) * STATE_ROOM;
        const uint32_t block = state_file_take(f, STATE_TEXT);

        if (block == STATE_NO_BLOCK) {
            state_file_release_chain(f, b.next);
            return false;
        }
        b.text = state_file_least(n - at, STATE_ROOM);
        memcpy(bytes, &b, sizeof b);
        memcpy(bytes + sizeof b, text + at, b.text);
        if (!state_file_write_at(f, bytes, sizeof b + b.text, state_file_offset(block))) {
            state_file_release(f, block);
            state_file_release_chain(f, b.next);
            return false;
        }
        b.next = block;
    }
    *out = b.next;
    return true;
}

bool state_file_change(struct state_file *f, uint32_t block, enum state_kind kind,
                       const void *record, const char *text)
{
    const size_t size = state_record_size(kind);
    const size_t n = text ? strlen(text) : 0;
    const size_t here = state_file_least(n, STATE_ROOM - size);
    struct state_block b = {
        .kind = kind, .next = STATE_NO_BLOCK, .text = (uint32_t)n, .record = (uint32_t)size};
    struct state_block old;
    unsigned char bytes[STATE_BLOCK_SIZE];

    if (n > STATE_TEXT_MAX || !state_file_read_block(f, block, &old) ||
        !state_file_write_chain(f, text + here, n - here, &b.next)) {
        return false;
    }
    memcpy(bytes, &b, sizeof b);
    memcpy(bytes + sizeof b, record, size);
    if (here > 0) {
        memcpy(bytes + sizeof b + size, text, here);
    }
    if (!state_file_write_at(f, bytes, sizeof b + size + here, state_file_offset(block))) {
        state_file_release_chain(f, b.next);
        return false;
    }
    f->kinds[block - 1] = (uint8_t)kind;
    if (old.kind != STATE_FREE) {
        state_file_release_chain(f, old.next);
    }
    return true;
}

bool state_file_put_text(struct state_file *f, uint32_t block, const char *text)
{
    unsigned char record[STATE_ROOM];
    struct state_block b;

    return state_file_read_block(f, block, &b) && b.record <= sizeof record &&
           state_file_read_at(f, record, b.record, state_file_offset(block) + (off_t)sizeof b) &&
           state_file_change(f, block, (enum state_kind)b.kind, record, text);
}

/* Reads the text of a block to out. Returns false if it is not as long as its block claims. */
static bool state_file_read_text(const struct state_file *f, uint32_t block,
                                 const struct state_block *head, char *out)
{
    size_t got = state_file_least(head->text, STATE_ROOM - head->record);
    struct state_block b = *head;

    if (!state_file_read_at(f, out, got,
                            state_file_offset(block) + (off_t)(sizeof b + head->record))) {
        return false;
    }
    /* Each part has a byte or more, so a circle ends as well. */
    while (got < head->text) {
        const uint32_t next = b.next;

        if (!state_file_read_block(f, next, &b) || b.kind != STATE_TEXT || b.text == 0 ||
            b.text > STATE_ROOM || b.text > head->text - got ||
            !state_file_read_at(f, out + got, b.text, state_file_offset(next) + (off_t)sizeof b)) {
            return false;
        }
        got += b.text;
    }
    return true;
}

char *state_file_text(const struct state_file *f, uint32_t block)
{
    struct state_block b;
    char *text;

    if (!state_file_read_block(f, block, &b) || b.text == 0 || b.text > STATE_TEXT_MAX ||
        b.record > STATE_ROOM) {
        return NULL;
    }
    text = malloc(b.text + 1);
    if (!text || !state_file_read_text(f, block, &b, text)) {
        free(text);
        return NULL;
    }
    text[b.text] = '\0';
    return text;
}

/* ---- records ---- */

uint32_t state_file_add(struct state_file *f, enum state_kind kind, const void *record)
{
    const uint32_t block = state_file_take(f, kind);

    if (block != STATE_NO_BLOCK && !state_file_change(f, block, kind, record, NULL)) {
        state_file_release(f, block);
        return STATE_NO_BLOCK;
    }
    return block;
}

void state_file_put(struct state_file *f, uint32_t block, const void *record)
{
    if (block > 0 && block <= f->n) {
        (void)state_file_write_at(f, record,
                                  state_record_size((enum state_kind)f->kinds[block - 1]),
                                  state_file_offset(block) + (off_t)sizeof(struct state_block));
    }
}

void state_file_drop(struct state_file *f, uint32_t block)
{
    struct state_block b;

    if (state_file_read_block(f, block, &b)) {
        state_file_release(f, block);
        state_file_release_chain(f, b.next);
    }
}

uint32_t state_file_next(const struct state_file *f, uint32_t block, enum state_kind kind,
                         void *record)
{
    const size_t size = state_record_size(kind);

    while (block < f->n) {
        block++;
        if (f->kinds[block - 1] == kind &&
            state_file_read_at(f, record, size,
                               state_file_offset(block) + (off_t)sizeof(struct state_block))) {
            return block;
        }
    }
    return STATE_NO_BLOCK;
}

/* ---- the head ---- */

struct state_head *state_file_head(struct state_file *f)
{
    return &f->head;
}

void state_file_write_head(struct state_file *f)
{
    (void)state_file_write_at(f, &f->head, sizeof f->head, 0);
}

int state_file_fd(const struct state_file *f)
{
    return f->fd;
}

unsigned state_file_unsound(const struct state_file *f)
{
    return f->unsound;
}

/* ---- the whole file ---- */

/* Takes fd. Returns NULL with errno set. */
static struct state_file *state_file_of(int fd, uint32_t n)
{
    struct state_file *const f = calloc(1, sizeof *f);

    if (f) {
        f->fd = fd;
        f->n = n;
        f->first = 1;
        f->kinds = calloc(n, sizeof *f->kinds);
    }
    if (!f || !f->kinds) {
        close(fd);
        free(f);
        errno = ENOMEM;
        return NULL;
    }
    return f;
}

struct state_file *state_file_new(unsigned sessions)
{
    /* Sessions, others that are ending, and as many routes, workers and captures. */
    const uint64_t wanted = (2ull * sessions + LIMIT_ROUTES) * STATE_BLOCKS_EACH;
    const uint32_t n = wanted < STATE_BLOCKS_MOST ? (uint32_t)wanted : STATE_BLOCKS_MOST;
    const int fd = memfd_create("poemd-state", MFD_CLOEXEC);
    struct state_file *f;

    if (fd < 0) {
        return NULL;
    }
    if (ftruncate(fd, state_file_offset(n + 1)) < 0) {
        close(fd);
        return NULL;
    }
    f = state_file_of(fd, n);
    if (f) {
        f->head = (struct state_head){.version = STATE_VERSION, .blocks = n};
        state_file_write_head(f);
    }
    return f;
}

/* Returns true if the block is free, or has a sound record. */
static bool state_file_block_sound(const struct state_file *f, uint32_t block,
                                   const struct state_block *b)
{
    unsigned char record[STATE_ROOM];

    return b->kind < STATE_KINDS && b->kind != STATE_TEXT &&
           b->record == state_record_size((enum state_kind)b->kind) && b->text <= STATE_TEXT_MAX &&
           state_file_read_at(f, record, b->record, state_file_offset(block) + (off_t)sizeof *b) &&
           state_record_sound((enum state_kind)b->kind, record);
}

/* Marks the blocks of a text as used. Blocks that are used already end it. */
static void state_file_mark_chain(struct state_file *f, uint32_t block)
{
    struct state_block b;

    while (state_file_read_block(f, block, &b) && b.kind == STATE_TEXT &&
           f->kinds[block - 1] == STATE_FREE) {
        f->kinds[block - 1] = STATE_TEXT;
        block = b.next;
    }
}

/* Takes up the block if it is sound. Returns its kind, as it was in the file. */
static enum state_kind state_file_take_up(struct state_file *f, uint32_t block)
{
    struct state_block b;

    if (!state_file_read_block(f, block, &b) || b.kind == STATE_FREE || b.kind == STATE_TEXT) {
        return STATE_FREE;
    }
    if (!state_file_block_sound(f, block, &b)) {
        f->unsound++;
        return STATE_FREE;
    }
    f->kinds[block - 1] = (uint8_t)b.kind;
    state_file_mark_chain(f, b.next);
    return (enum state_kind)b.kind;
}

static void state_file_read_all(struct state_file *f)
{
    off_t at = STATE_PAGE;

    /* Holes are skipped: they are most of the file. */
    while ((at = lseek(f->fd, at, SEEK_DATA)) >= 0) {
        const off_t end = lseek(f->fd, at, SEEK_HOLE);

        for (; at < end; at += STATE_BLOCK_SIZE) {
            (void)state_file_take_up(f, (uint32_t)((at - STATE_PAGE) / STATE_BLOCK_SIZE) + 1);
        }
    }
}

/* Frees what is in the file but was not taken up. */
static void state_file_free_rest(struct state_file *f)
{
    off_t at = STATE_PAGE;

    while ((at = lseek(f->fd, at, SEEK_DATA)) >= 0) {
        const off_t end = lseek(f->fd, at, SEEK_HOLE);

        for (; at < end; at += STATE_BLOCK_SIZE) {
            const uint32_t block = (uint32_t)((at - STATE_PAGE) / STATE_BLOCK_SIZE) + 1;

            if (block <= f->n && f->kinds[block - 1] == STATE_FREE) {
                state_file_release(f, block);
            }
        }
    }
}

struct state_file *state_file_open_take(int fd)
{
    struct state_head head;
    struct state_file *f;
    struct stat st;

    if (fstat(fd, &st) < 0 || pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head ||
        !state_record_head_sound(&head) || head.blocks == 0 || head.blocks > STATE_BLOCKS_MOST ||
        st.st_size != state_file_offset(head.blocks + 1)) {
        close(fd);
        errno = EPROTO;
        return NULL;
    }
    f = state_file_of(fd, head.blocks);
    if (f) {
        f->head = head;
        state_file_read_all(f);
        state_file_free_rest(f);
    }
    return f;
}

void state_file_free(struct state_file *f)
{
    if (f) {
        sock_close(&f->fd);
        free(f->kinds);
        free(f);
    }
}
