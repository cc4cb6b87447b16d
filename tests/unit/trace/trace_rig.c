/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Traces made by hand and read into text. What is wrong with the rig itself ends the test.
 */
#define _GNU_SOURCE
#include "tests/unit/trace/trace_rig.h"

#include <byteswap.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/file/pcapng.h"
#include "trace/file/pcapng_blocks.h"
#include "tests/support/unit.h"

int trace_rig_file(const void *p, size_t n)
{
    const int fd = memfd_create("trace", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, p, n, 0), (ssize_t)n);
    return fd;
}

/* ---- readings ---- */

void reading_init(struct reading *r)
{
    *r = (struct reading){.end = TRACE_END};
    r->f = open_memstream(&r->text, &r->size);
    ck_assert_ptr_nonnull(r->f);
}

void reading_deinit(struct reading *r)
{
    fclose(r->f);
    free(r->text);
}

static void tell_message(FILE *f, const struct trace_item *item)
{
    const struct trace_message *const m = &item->message;

    fprintf(f, "message %s %" PRIu64 " #%" PRIu64 " at %" PRIu64 "+%" PRIu64, item->session->name,
            m->session, m->number, m->read_ns, m->passed_ns);
    fprintf(f, " size %u kept %u lost %u sender %u legs %u flags %u", m->size, m->kept, m->lost,
            m->sender, m->legs, m->flags);
    for (unsigned i = 0; i < m->n_fds; i++) {
        const struct trace_fd *const fd = &m->fds[i];

        fprintf(f, " fd %u %u %u %u %" PRIu64 " %" PRIu64 " %" PRIu64, fd->kind, fd->access,
                fd->flags, fd->seals, fd->dev, fd->ino, fd->size);
    }
    fputs(" data ", f);
    for (uint32_t i = 0; i < m->kept; i++) {
        fprintf(f, "%02x", m->data[i]);
    }
    fprintf(f, " %s\n", item->comment ? item->comment : "-");
}

static void tell(FILE *f, enum trace_outcome o, const struct trace_item *item)
{
    const struct trace_session *const s = item->session;

    if (o == TRACE_MESSAGE) {
        tell_message(f, item);
    } else if (o == TRACE_SESSION) {
        fprintf(f, "session %u %s %" PRIu64 " %s %s\n", s->index, s->name, s->number, s->route,
                s->comment);
    } else {
        fprintf(f, "statistics %s %" PRIu64 " %" PRIu64 " %d %s\n", s->name, s->seen, s->lost,
                s->over, s->ending);
    }
}

void reading_go_on(struct reading *r, struct trace_reader *from)
{
    struct trace_item item;

    while ((r->end = trace_reader_next(from, &item)) <= TRACE_STATISTICS) {
        tell(r->f, r->end, &item);
        r->items++;
    }
    ck_assert_int_eq(fflush(r->f), 0);
    snprintf(r->why, sizeof r->why, "%s", trace_reader_why(from));
}

void reading_of(struct reading *r, const void *p, size_t n)
{
    struct trace_reader *const from = trace_reader_new_take(trace_rig_file(p, n));

    ck_assert_ptr_nonnull(from);
    reading_init(r);
    reading_go_on(r, from);
    trace_reader_free(from);
}

/* ---- files ---- */

void blocks_init(struct blocks *b)
{
    *b = (struct blocks){.p = NULL};
}

void blocks_deinit(struct blocks *b)
{
    free(b->p);
}

static uint8_t *reserve(struct blocks *b, size_t n)
{
    if (b->room - b->n < n) {
        b->room = 2 * (b->room + n);
        b->p = realloc(b->p, b->room);
        ck_assert_ptr_nonnull(b->p);
    }
    return b->p + b->n;
}

void blocks_add(struct blocks *b, const void *p, size_t n)
{
    memcpy(reserve(b, n), p, n);
    b->n += n;
}

void blocks_raw(struct blocks *b, uint32_t type, const void *body, size_t n)
{
    const uint32_t len = (uint32_t)(12 + (n + 3) / 4 * 4);

    blocks_add(b, &type, 4);
    blocks_add(b, &len, 4);
    blocks_add(b, body, n);
    blocks_add(b, "\0\0\0", len - 12 - n);
    blocks_add(b, &len, 4);
}

void blocks_section(struct blocks *b)
{
    const size_t n = pcapng_section(reserve(b, 4096), 4096, "{\"poemd-trace\":1}");

    ck_assert_uint_ne(n, 0);
    b->n += n;
}

void blocks_interface(struct blocks *b, const char *name, const char *comment)
{
    const size_t room = 1u << 17;
    const size_t n = pcapng_interface(reserve(b, room), room, name, "of a test", comment);

    ck_assert_uint_ne(n, 0);
    b->n += n;
}

void blocks_foreign(struct blocks *b, uint16_t linktype, const void *options, size_t n)
{
    uint8_t *const body = calloc(1, 8 + n);

    ck_assert_ptr_nonnull(body);
    memcpy(body, &linktype, sizeof linktype);
    if (n > 0) {
        memcpy(body + 8, options, n);
    }
    blocks_raw(b, PCAPNG_INTERFACE, body, 8 + n);
    free(body);
}

void blocks_message(struct blocks *b, uint32_t interface, const struct trace_message *m,
                    const char *comment)
{
    const size_t room = m->kept + (comment ? strlen(comment) : 0) + (1u << 14);
    const size_t n = pcapng_message(reserve(b, room), room, interface, m, comment);

    ck_assert_uint_ne(n, 0);
    b->n += n;
}

void blocks_packet(struct blocks *b, uint32_t interface, uint64_t time, const void *p, size_t n)
{
    const uint32_t head[5] = {interface, (uint32_t)(time >> 32), (uint32_t)time, (uint32_t)n,
                              (uint32_t)n};
    uint8_t *const body = malloc(sizeof head + n);

    ck_assert_ptr_nonnull(body);
    memcpy(body, head, sizeof head);
    memcpy(body + sizeof head, p, n);
    blocks_raw(b, PCAPNG_PACKET, body, sizeof head + n);
    free(body);
}

struct trace_message trace_rig_message(void)
{
    static const uint8_t bytes[16] = {1, 0, WIRE_DEVICE_RESET, 0, 16};

    return (struct trace_message){.session = 1,
                                  .number = 1,
                                  .read_ns = UINT64_C(1795410000123456789),
                                  .passed_ns = 7,
                                  .size = sizeof bytes,
                                  .kept = sizeof bytes,
                                  .legs = TRACE_LEGS,
                                  .data = bytes};
}

/* ---- the other byte order ---- */

static uint16_t swap16(uint8_t *p)
{
    uint16_t v;
    uint16_t swapped;

    memcpy(&v, p, sizeof v);
    swapped = bswap_16(v);
    memcpy(p, &swapped, sizeof v);
    return v;
}

static uint32_t swap32(uint8_t *p)
{
    uint32_t v;
    uint32_t swapped;

    memcpy(&v, p, sizeof v);
    swapped = bswap_32(v);
    memcpy(p, &swapped, sizeof v);
    return v;
}

static void swap64(uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    v = bswap_64(v);
    memcpy(p, &v, sizeof v);
}

/* Times are two numbers of 32 bits, counts one of 64. */
static void swap_option(uint32_t type, uint16_t code, uint8_t *p)
{
    if (code == PCAPNG_OPT_COMMENT) {
        return;
    }
    if (type == PCAPNG_STATISTICS && code <= PCAPNG_ISB_ENDTIME) {
        swap32(p);
        swap32(p + 4);
    } else if (type == PCAPNG_STATISTICS || (type == PCAPNG_PACKET && code != PCAPNG_EPB_FLAGS)) {
        swap64(p);
    } else if (type == PCAPNG_PACKET) {
        swap32(p);
    }
}

/* The numbers before a block's options; returns their bytes, data included. */
static size_t swap_body(uint32_t type, uint8_t *p)
{
    uint32_t n;

    switch (type) {
    case PCAPNG_SECTION:
        swap32(p);
        swap16(p + 4);
        swap16(p + 6);
        swap64(p + 8);
        return 16;
    case PCAPNG_INTERFACE:
        swap16(p);
        swap32(p + 4);
        return 8;
    case PCAPNG_STATISTICS:
        for (unsigned i = 0; i < 3; i++) {
            swap32(p + 4 * (size_t)i);
        }
        return 12;
    default:
        for (unsigned i = 0; i < 3; i++) {
            swap32(p + 4 * (size_t)i);
        }
        n = swap32(p + 12);
        swap32(p + 16);
        return 20 + (n + 3) / 4 * 4;
    }
}

void trace_rig_swap(uint8_t *p, size_t n)
{
    while (n > 0) {
        const uint32_t type = swap32(p);
        const uint32_t len = swap32(p + 4);
        size_t at = 8 + swap_body(type, p + 8);

        while (at < len - 4) {
            const uint16_t code = swap16(p + at);
            const uint16_t size = swap16(p + at + 2);

            if (code == PCAPNG_OPT_END) {
                break;
            }
            swap_option(type, code, p + at + 4);
            at += 4 + (size + 3u) / 4 * 4;
        }
        swap32(p + len - 4);
        p += len;
        n -= len;
    }
}
