/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads a trace block by block, through one buffer of the largest block's size. A known block is
 * whole in the buffer, and messages point into it; others are skipped.
 *
 * The file is not trusted: each length is checked against the bytes that are there before it is
 * used, and the memory kept from block to block (interfaces, sessions, their texts) is limited.
 */
#define _GNU_SOURCE
#include "trace/file/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/file/packet.h"
#include "trace/file/pcapng.h"
#include "trace/file/pcapng_blocks.h"
#include "trace/file/reader_session.h"
#include "trace/file/swapped.h"

#define BLOCK_HEAD 8u /* type and length */
#define BLOCK_MIN 12u
#define TRAILER 4u /* the length again */
#define OPTION_HEAD 4u

static const char too_many[] = "more interfaces, or more told of them, than a reader holds";

/* A step's outcome in addition to enum trace_outcome: the reader goes on. */
#define GO_ON (-1)

struct trace_reader {
    struct unpack *file;
    bool swap;        /* the section has the other byte order */
    bool begun;       /* a section header has been read */
    int ended;        /* the final outcome, or GO_ON */
    int error;        /* -errno */
    uint64_t offset;  /* in the file, of buf[at] */
    uint64_t skip;    /* bytes left of a skipped block, without its trailer */
    uint32_t skipped; /* that block's length; 0 if none */
    size_t at;        /* buf[at … have - 1] is not used yet */
    size_t have;
    size_t n_interfaces;
    size_t room_interfaces;
    struct reader_session **interfaces; /* of this section; NULL: not the broker's */
    struct reader_session *sessions;    /* all, newest first; owned */
    unsigned n_sessions;                /* announced */
    size_t total_interfaces;            /* of all sections */
    size_t texts;                       /* bytes of all sessions' texts */
    struct trace_fd fds[LIMIT_FDS_KERNEL];
    char why[192];
    char section[PCAPNG_COMMENT_MAX + 1];
    char comment[PCAPNG_COMMENT_MAX + 1];
    uint8_t buf[LIMIT_TRACE_BLOCK];
};

/* ---- lifetime ---- */

struct trace_reader *trace_reader_new_take(int fd)
{
    struct trace_reader *r = malloc(sizeof *r);
    struct unpack *const file = unpack_new_take(fd);

    if (!r || !file) {
        unpack_free(file);
        free(r);
        return NULL;
    }
    /* Not the buffers, so that pages never used are never allocated. */
    memset(r, 0, offsetof(struct trace_reader, fds));
    r->file = file;
    r->ended = GO_ON;
    r->why[0] = '\0';
    r->section[0] = '\0';
    return r;
}

void trace_reader_free(struct trace_reader *r)
{
    if (!r) {
        return;
    }
    while (r->sessions) {
        struct reader_session *s = r->sessions;

        r->sessions = s->next;
        reader_session_free(s);
    }
    free(r->interfaces);
    unpack_free(r->file);
    free(r);
}

void trace_reader_ask(struct trace_reader *r, unpack_ready_fn *ready, void *arg)
{
    unpack_ask(r->file, ready, arg);
}

const char *trace_reader_why(const struct trace_reader *r)
{
    return r->why;
}

int trace_reader_error(const struct trace_reader *r)
{
    return r->error;
}

unsigned trace_reader_sessions(const struct trace_reader *r)
{
    return r->n_sessions;
}

const char *trace_reader_section(const struct trace_reader *r)
{
    return r->section;
}

/* ---- outcomes ---- */

static int reader_cut_off(struct trace_reader *r, const char *what)
{
    snprintf(r->why, sizeof r->why, "offset %" PRIu64 ": the file ends inside %s", r->offset, what);
    return TRACE_CUT_OFF;
}

static int reader_malformed(struct trace_reader *r, const char *what)
{
    snprintf(r->why, sizeof r->why, "offset %" PRIu64 ": %s", r->offset, what);
    r->ended = TRACE_MALFORMED;
    return TRACE_MALFORMED;
}

static int reader_failed(struct trace_reader *r, int err)
{
    snprintf(r->why, sizeof r->why, "offset %" PRIu64 ": %s", r->offset, strerror(-err));
    r->error = err;
    r->ended = TRACE_FAILED;
    return TRACE_FAILED;
}

/* ---- numbers, in the section's byte order ---- */

/* Two halves, the higher first in either byte order. */
static uint64_t reader_get_time(const struct trace_reader *r, const uint8_t *p)
{
    return (uint64_t)swapped_get32(r->swap, p) << 32 | swapped_get32(r->swap, p + 4);
}

/* ---- the buffer ---- */

static size_t reader_left(const struct trace_reader *r)
{
    return r->have - r->at;
}

static void reader_use(struct trace_reader *r, size_t n)
{
    r->at += n;
    r->offset += n;
}

/*
 * Reads until n bytes are there; n is at most the buffer's size. Reads as many as fit, since the
 * next block needs them. Returns GO_ON, TRACE_END if the file ends before, or TRACE_FAILED.
 */
static int reader_fill(struct trace_reader *r, size_t n)
{
    if (r->at > 0 && r->at + n > sizeof r->buf) {
        memmove(r->buf, r->buf + r->at, reader_left(r));
        r->have = reader_left(r);
        r->at = 0;
    }
    while (reader_left(r) < n) {
        const ssize_t got = unpack_read(r->file, r->buf + r->have, sizeof r->buf - r->have);

        if (got == -EBADMSG) {
            return reader_malformed(r, "the packed data is damaged");
        }
        if (got < 0) {
            return reader_failed(r, (int)got);
        }
        if (got == 0) {
            return TRACE_END;
        }
        r->have += (size_t)got;
    }
    return GO_ON;
}

/* Skips the rest of a block. */
static int reader_skip(struct trace_reader *r)
{
    int o;

    while (r->skip > 0) {
        size_t n = reader_left(r);

        if (n == 0) {
            r->at = 0;
            r->have = 0;
            o = reader_fill(r, 1);
            if (o != GO_ON) {
                return o == TRACE_END ? reader_cut_off(r, "a block") : o;
            }
            n = reader_left(r);
        }
        n = n < r->skip ? n : (size_t)r->skip;
        reader_use(r, n);
        r->skip -= n;
    }
    o = reader_fill(r, TRAILER);
    if (o != GO_ON) {
        return o == TRACE_END ? reader_cut_off(r, "a block") : o;
    }
    if (swapped_get32(r->swap, r->buf + r->at) != r->skipped) {
        return reader_malformed(r, "a block whose two lengths do not agree");
    }
    reader_use(r, TRAILER);
    r->skipped = 0;
    return GO_ON;
}

/* ---- options ---- */

struct options {
    const uint8_t *p;
    size_t n;
    uint16_t code; /* of the current one … */
    uint16_t size;
    const uint8_t *value;
};

/* Reads the next option. Returns GO_ON, TRACE_END after the last one, or TRACE_MALFORMED. */
static int reader_option(struct trace_reader *r, struct options *o)
{
    size_t padded;

    if (o->n == 0) {
        return TRACE_END;
    }
    if (o->n < OPTION_HEAD) {
        return reader_malformed(r, "a block that ends inside an option");
    }
    o->code = swapped_get16(r->swap, o->p);
    o->size = swapped_get16(r->swap, o->p + 2);
    if (o->code == PCAPNG_OPT_END) {
        return TRACE_END;
    }
    padded = (o->size + 3u) & ~3u;
    if (padded > o->n - OPTION_HEAD) {
        return reader_malformed(r, "an option that is longer than its block");
    }
    o->value = o->p + OPTION_HEAD;
    o->p += OPTION_HEAD + padded;
    o->n -= OPTION_HEAD + padded;
    return GO_ON;
}

/* Copies an option's text to out (PCAPNG_COMMENT_MAX + 1 bytes), up to a NUL in it. */
static void reader_copy_text(const struct options *o, char *out)
{
    const size_t n = o->size < PCAPNG_COMMENT_MAX ? o->size : PCAPNG_COMMENT_MAX;

    memcpy(out, o->value, n);
    out[n] = '\0';
}

/* ---- blocks: each has a body of n bytes at p ---- */

static int reader_section(struct trace_reader *r, const uint8_t *p, size_t n)
{
    bool seen = false;
    struct options opt;
    int o;

    if (n < 16) {
        return reader_malformed(r, "a section header that is too short");
    }
    opt = (struct options){.p = p + 16, .n = n - 16};
    if (swapped_get16(r->swap, p + 4) != PCAPNG_MAJOR) {
        return reader_malformed(r, "a version of pcapng other than 1");
    }
    r->begun = true;
    r->n_interfaces = 0;
    r->section[0] = '\0';
    while ((o = reader_option(r, &opt)) == GO_ON) {
        if (opt.code == PCAPNG_OPT_COMMENT && !seen) {
            reader_copy_text(&opt, r->section);
            seen = true;
        }
    }
    return o == TRACE_END ? GO_ON : o;
}

/* Adds an entry to the table of interfaces. */
static int reader_add_interface(struct trace_reader *r, struct reader_session *s)
{
    if (r->n_interfaces == r->room_interfaces) {
        const size_t room = r->room_interfaces ? r->room_interfaces * 2 : 16;
        struct reader_session **more =
            realloc(r->interfaces, room * sizeof(struct reader_session *));

        if (!more) {
            return reader_failed(r, -ENOMEM);
        }
        r->interfaces = more;
        r->room_interfaces = room;
    }
    r->interfaces[r->n_interfaces++] = s;
    return GO_ON;
}

/* The options of an interface. */
struct interface {
    struct reader_text name;
    struct reader_text description;
    struct reader_text comment;
    uint8_t resolution;
    int64_t offset_s;
};

static int reader_interface_options(struct trace_reader *r, struct options *opt,
                                    struct interface *i)
{
    int o;

    while ((o = reader_option(r, opt)) == GO_ON) {
        const struct reader_text text = {opt->value, opt->size};

        if (opt->code == PCAPNG_IF_NAME && !i->name.p) {
            i->name = text;
        } else if (opt->code == PCAPNG_IF_DESCRIPTION && !i->description.p) {
            i->description = text;
        } else if (opt->code == PCAPNG_OPT_COMMENT && !i->comment.p) {
            i->comment = text;
        } else if (opt->code == PCAPNG_IF_TSRESOL && opt->size == 1) {
            i->resolution = opt->value[0];
        } else if (opt->code == PCAPNG_IF_TSOFFSET && opt->size == 8) {
            i->offset_s = (int64_t)swapped_get64(r->swap, opt->value);
        }
    }
    return o == TRACE_END ? GO_ON : o;
}

/* Announces a session to the caller. */
static int reader_announce(struct trace_reader *r, struct reader_session *s,
                           struct trace_item *item)
{
    s->announced = true;
    s->public.index = r->n_sessions++;
    item->session = &s->public;
    return TRACE_SESSION;
}

static int reader_add_session(struct trace_reader *r, const struct interface *i,
                              struct trace_item *item)
{
    struct reader_session *s = reader_session_new(i->name, i->description, i->comment);
    int o;

    if (!s) {
        return reader_failed(r, -ENOMEM);
    }
    s->next = r->sessions;
    r->sessions = s;
    r->texts += s->texts;
    s->resolution = i->resolution;
    s->offset_s = i->offset_s;
    o = reader_add_interface(r, s);
    /*
     * An interface without the broker's comment may still be a session: its first packet decides.
     */
    return o == GO_ON && s->known ? reader_announce(r, s, item) : o;
}

static int reader_interface(struct trace_reader *r, const uint8_t *p, size_t n,
                            struct trace_item *item)
{
    struct interface i = {.resolution = PCAPNG_TSRESOL_DEFAULT};
    struct options opt;
    int o;

    if (n < 8) {
        return reader_malformed(r, "an interface description that is too short");
    }
    opt = (struct options){.p = p + 8, .n = n - 8};
    o = reader_interface_options(r, &opt, &i);
    if (o != GO_ON) {
        return o;
    }
    if (r->total_interfaces == (size_t)LIMIT_TRACE_INTERFACES || r->texts > LIMIT_TRACE_TEXTS) {
        return reader_malformed(r, too_many);
    }
    r->total_interfaces++;
    if (swapped_get16(r->swap, p) != PCAPNG_LINKTYPE_UPPER_PDU) {
        return reader_add_interface(r, NULL);
    }
    return reader_add_session(r, &i, item);
}

/*
 * Finds the session of the interface number at the start of a block's body. NULL: not the broker's.
 */
static int reader_find_session(struct trace_reader *r, const uint8_t *p, struct reader_session **s)
{
    const uint32_t i = swapped_get32(r->swap, p);

    if (i >= r->n_interfaces) {
        return reader_malformed(r, "a block of an interface that was not described");
    }
    *s = r->interfaces[i];
    return GO_ON;
}

static int reader_packet_options(struct trace_reader *r, const uint8_t *p, size_t n,
                                 struct trace_item *item)
{
    struct options opt = {.p = p, .n = n};
    struct trace_message *const m = &item->message;
    int o;

    while ((o = reader_option(r, &opt)) == GO_ON) {
        if (opt.code == PCAPNG_OPT_COMMENT && !item->comment) {
            reader_copy_text(&opt, r->comment);
            item->comment = r->comment;
        } else if (opt.code == PCAPNG_EPB_WAITED && opt.size == 8) {
            const uint64_t waited = swapped_get64(r->swap, opt.value);

            m->waited_ns = waited < m->passed_ns ? waited : m->passed_ns;
        }
    }
    return o == TRACE_END ? TRACE_MESSAGE : o;
}

/*
 * Returns the bytes of a message that never came: its packet's original length counts those that
 * did. 0 if that length is not usable.
 */
static uint32_t reader_missing(const struct trace_message *m, uint32_t captured, uint32_t original)
{
    const uint32_t head = captured - m->kept;
    const uint32_t came = original > head ? original - head : 0;

    return original < UINT32_MAX && came >= m->kept && came < m->size ? m->size - came : 0;
}

/* again: the same block must be read once more, after the returned item. */
static int reader_packet(struct trace_reader *r, const uint8_t *p, size_t n,
                         struct trace_item *item, bool *again)
{
    struct reader_session *s;
    const char *why;
    uint32_t captured;
    int o;

    if (n < 20) {
        return reader_malformed(r, "a packet that is too short");
    }
    o = reader_find_session(r, p, &s);
    if (o != GO_ON || !s) {
        return o;
    }
    captured = swapped_get32(r->swap, p + 12);
    if (captured > n - 20) {
        return reader_malformed(r, "a packet that is longer than its block");
    }
    switch (packet_get(p + 20, captured, &item->message, r->fds, &why)) {
    case PACKET_OK:
        break;
    case PACKET_FOREIGN:
        return GO_ON;
    case PACKET_MALFORMED:
        return reader_malformed(r, why);
    }
    if (!s->announced) {
        *again = true;
        return reader_announce(r, s, item);
    }
    item->session = &s->public;
    item->message.waited_ns = 0;
    item->message.missing =
        reader_missing(&item->message, captured, swapped_get32(r->swap, p + 16));
    item->message.read_ns = reader_session_time(s, reader_get_time(r, p + 4));
    captured = (captured + 3u) & ~3u;
    return reader_packet_options(r, p + 20 + captured, n - 20 - captured, item);
}

static int reader_statistics(struct trace_reader *r, const uint8_t *p, size_t n,
                             struct trace_item *item)
{
    struct reader_session *s;
    struct options opt;
    int o;

    if (n < 12) {
        return reader_malformed(r, "statistics that are too short");
    }
    opt = (struct options){.p = p + 12, .n = n - 12};
    o = reader_find_session(r, p, &s);
    if (o != GO_ON || !s || !s->announced) {
        return o;
    }
    while ((o = reader_option(r, &opt)) == GO_ON) {
        if (opt.code == PCAPNG_ISB_IFRECV && opt.size == 8) {
            s->public.seen = swapped_get64(r->swap, opt.value);
        } else if (opt.code == PCAPNG_ISB_IFDROP && opt.size == 8) {
            s->public.lost = swapped_get64(r->swap, opt.value);
        } else if (opt.code == PCAPNG_ISB_ENDTIME) {
            s->public.over = true;
            s->public.ended_ns =
                opt.size == 8 ? reader_session_time(s, reader_get_time(r, opt.value)) : 0;
        } else if (opt.code == PCAPNG_OPT_COMMENT) {
            r->texts -= s->ending_size;
            if (!reader_session_end(s, (const char *)opt.value, opt.size)) {
                return reader_failed(r, -ENOMEM);
            }
            r->texts += s->ending_size;
        }
    }
    if (r->texts > LIMIT_TRACE_TEXTS) {
        return reader_malformed(r, too_many);
    }
    item->session = &s->public;
    return o == TRACE_END ? TRACE_STATISTICS : o;
}

/* ---- the file ---- */

/* Starts to skip a block of len bytes after its head has been read. */
static int reader_pass_over(struct trace_reader *r, uint32_t len)
{
    reader_use(r, BLOCK_HEAD);
    r->skipped = len;
    r->skip = len - BLOCK_MIN;
    return GO_ON;
}

/* Skips a block larger than the buffer, which cannot be the broker's. */
static int reader_too_large(struct trace_reader *r, uint32_t type, uint32_t len)
{
    struct reader_session *s = NULL;
    int o = GO_ON;

    if (type == PCAPNG_PACKET) {
        o = reader_fill(r, BLOCK_MIN);
        if (o == TRACE_END) {
            return reader_cut_off(r, "a block");
        }
        o = o == GO_ON ? reader_find_session(r, r->buf + r->at + BLOCK_HEAD, &s) : o;
        if (o == GO_ON && !s) {
            return reader_pass_over(r, len);
        }
    }
    return o == GO_ON ? reader_malformed(r, "a block larger than any of a trace") : o;
}

/* Finds the byte order of a section from the bytes behind its head. */
static int reader_byte_order(struct trace_reader *r, const uint8_t *head)
{
    uint32_t magic;

    memcpy(&magic, head + BLOCK_HEAD, sizeof magic);
    if (magic != PCAPNG_MAGIC && magic != bswap_32(PCAPNG_MAGIC)) {
        return reader_malformed(r, "a section header without its magic");
    }
    r->swap = magic != PCAPNG_MAGIC;
    return GO_ON;
}

/* Judges the end of the file when less than a block's head is left. */
static int reader_at_end(struct trace_reader *r)
{
    static const uint8_t first[] = {0x0a, 0x0d, 0x0d, 0x0a};
    const size_t n = reader_left(r) < sizeof first ? reader_left(r) : sizeof first;

    if (!r->begun && memcmp(r->buf + r->at, first, n) != 0) {
        return reader_malformed(r, "this is no pcapng file");
    }
    if (reader_left(r) == 0 && !unpack_is_whole(r->file)) {
        return reader_cut_off(r, "packed data");
    }
    if (reader_left(r) == 0 && r->begun) {
        r->why[0] = '\0';
        return TRACE_END;
    }
    return reader_cut_off(r, r->begun ? "a block" : "its first block");
}

/*
 * Reads the head of the next block. Returns GO_ON if the block is whole in the buffer, or is
 * skipped (*len 0).
 */
static int reader_frame(struct trace_reader *r, uint32_t *type, uint32_t *len)
{
    const uint8_t *head;
    int o = reader_fill(r, BLOCK_MIN);

    if (o != GO_ON) {
        return o == TRACE_END ? reader_at_end(r) : o;
    }
    head = r->buf + r->at;
    *type = swapped_get32(r->swap, head);
    if (!r->begun && *type != PCAPNG_SECTION) {
        return reader_malformed(r, "this is no pcapng file");
    }
    o = *type == PCAPNG_SECTION ? reader_byte_order(r, head) : GO_ON;
    if (o != GO_ON) {
        return o;
    }
    *len = swapped_get32(r->swap, head + 4);
    if (*len < BLOCK_MIN || *len % 4 != 0) {
        return reader_malformed(r, "a block of an impossible length");
    }
    if (*type != PCAPNG_SECTION && *type != PCAPNG_INTERFACE && *type != PCAPNG_PACKET &&
        *type != PCAPNG_STATISTICS) {
        o = reader_pass_over(r, *len);
        *len = 0;
        return o;
    }
    if (*len > LIMIT_TRACE_BLOCK) {
        o = reader_too_large(r, *type, *len);
        *len = 0;
        return o;
    }
    o = reader_fill(r, *len);
    return o == TRACE_END ? reader_cut_off(r, "a block") : o;
}

/* Reads the block in the buffer, and uses it up. */
static int reader_block(struct trace_reader *r, uint32_t type, uint32_t len,
                        struct trace_item *item)
{
    const uint8_t *const p = r->buf + r->at + BLOCK_HEAD;
    const size_t n = len - BLOCK_MIN;
    bool again = false;
    int o;

    if (swapped_get32(r->swap, p + n) != len) {
        return reader_malformed(r, "a block whose two lengths do not agree");
    }
    if (type == PCAPNG_SECTION) {
        o = reader_section(r, p, n);
    } else if (type == PCAPNG_INTERFACE) {
        o = reader_interface(r, p, n, item);
    } else if (type == PCAPNG_PACKET) {
        o = reader_packet(r, p, n, item, &again);
    } else {
        o = reader_statistics(r, p, n, item);
    }
    if (r->ended == GO_ON && !again) {
        reader_use(r, len);
    }
    return o;
}

enum trace_outcome trace_reader_next(struct trace_reader *r, struct trace_item *item)
{
    int o = r->ended;

    while (o == GO_ON) {
        uint32_t type;
        uint32_t len = 0;

        o = r->skipped ? reader_skip(r) : reader_frame(r, &type, &len);
        if (o == GO_ON && len > 0) {
            item->session = NULL;
            item->comment = NULL;
            item->offset = r->offset;
            o = reader_block(r, type, len, item);
        }
    }
    return (enum trace_outcome)o;
}
