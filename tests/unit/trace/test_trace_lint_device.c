/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The rules of trace lint about fds, data, regions, interrupts, memory and migration: what breaks
 * one is found, and its near misses are not.
 */
#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "tests/unit/trace/lint_rig.h"

/* ---- fds and data ---- */

START_TEST(fds)
{
    const struct wire_dma_map m = {32, 3, 0, 0, 4096};
    struct wire_region_info i = {.argsz = 32, .index = 2};
    struct said *s;

    s = ask(2, WIRE_DMA_MAP, &m, sizeof m);
    said_fds(s, 1, TRACE_FD_MEMFD);
    feed(s);
    EXPECT("");
    s = answer(2, WIRE_DMA_MAP, NULL, 0);
    said_fds(s, 1, TRACE_FD_MEMFD);
    feed(s);
    EXPECT("fds-where-none(backend)");
    s = ask(3, WIRE_DMA_MAP, &(struct wire_dma_map){32, 3, 0, 4096, 4096}, sizeof m);
    said_fds(s, 2, TRACE_FD_MEMFD);
    feed(s);
    EXPECT("too-many-fds(client) fds-missing(client)");
    feed(ask(4, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    i.flags = WIRE_REGION_FLAG_MMAP;
    feed(answer(4, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    EXPECT("fds-missing(backend)");
    i.flags = 0;
    feed(ask(4, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    i.flags = WIRE_REGION_FLAG_MMAP;
    s = answer(4, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i);
    said_fds(s, 2, TRACE_FD_MEMFD);
    feed(s);
    EXPECT("");
    i.flags = 0;
    feed(ask(4, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    s = answer(4, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i);
    said_fds(s, 3, TRACE_FD_MEMFD);
    feed(s);
    EXPECT("too-many-fds(backend)");
    s = ask(5, WIRE_REGION_READ, &(struct wire_region_access){0, 0, 4}, 16);
    said_fds(s, 1, TRACE_FD_PIPE);
    feed(s);
    EXPECT("fds-where-none(client)");
}
END_TEST

START_TEST(fds_of_sub_regions)
{
    struct wire_region_io_fds ask_fds = {.argsz = 16};
    struct {
        struct wire_region_io_fds f;
        struct wire_io_fd sub[2];
    } r = {{sizeof r, 0, 0, 2}, {{0, 4, 0, 0, 0, 0, 0}, {8, 4, 1, 0, 0, 0, 0}}};
    struct said *s;

    ask_fds.argsz = sizeof r;
    feed(ask(2, WIRE_DEVICE_GET_REGION_IO_FDS, &ask_fds, sizeof ask_fds));
    s = answer(2, WIRE_DEVICE_GET_REGION_IO_FDS, &r, sizeof r);
    said_fds(s, 2, TRACE_FD_EVENTFD);
    feed(s);
    EXPECT("");
    feed(ask(2, WIRE_DEVICE_GET_REGION_IO_FDS, &ask_fds, sizeof ask_fds));
    s = answer(2, WIRE_DEVICE_GET_REGION_IO_FDS, &r, sizeof r);
    said_fds(s, 1, TRACE_FD_EVENTFD);
    feed(s);
    EXPECT("fd-index(backend)");
}
END_TEST

START_TEST(data)
{
    struct wire_region_access a = {0, 0, 128};
    struct wire_dma_access d = {0, 64};
    const struct wire_dma_map m = {32, 3, 0, 0, 4096};

    feed(ask(2, WIRE_DMA_MAP, &m, sizeof m));
    a.count = 64;
    feed(ask(3, WIRE_REGION_READ, &a, sizeof a));
    feed(device_asks(3, WIRE_DMA_READ, &d, sizeof d));
    EXPECT("");
    /* The device takes 128, the client itself 64: it has asked for more than it takes. */
    a.count = 65;
    feed(ask(4, WIRE_REGION_READ, &a, sizeof a));
    EXPECT("asked-over-max(client)");
    a.count = 128;
    feed(ask(5, WIRE_REGION_READ, &a, sizeof a));
    EXPECT("asked-over-max(client)");
    a.count = 129;
    feed(ask(3, WIRE_REGION_READ, &a, sizeof a));
    EXPECT("data-over-max(client)");
    d.count = 65;
    feed(device_asks(3, WIRE_DMA_READ, &d, sizeof d));
    EXPECT("data-over-max(backend)");
}
END_TEST

/* A header alone, as of a message that the relay has not passed on. */
static void header_alone(struct said *s, uint32_t size)
{
    said_hdr(s, size, 0);
    s->m.size = size;
    feed(s);
}

/* The relay's bound of each kind of message, and one past it; and who is at fault. */
START_TEST(sizes)
{
    struct wire_region_access a = {0, 0, 100};
    struct wire_feature f = {.argsz = UINT32_MAX,
                             .flags = WIRE_FEATURE_GET | WIRE_FEATURE_DMA_LOGGING_REPORT};

    header_alone(ask(2, WIRE_REGION_WRITE, NULL, 0), 32 + 128);
    EXPECT("");
    header_alone(ask(2, WIRE_REGION_WRITE, NULL, 0), 32 + 129);
    EXPECT("message-size(client)");
    header_alone(ask(2, WIRE_MIG_DATA_WRITE, NULL, 0), 24 + 129);
    EXPECT("message-size(client)");
    header_alone(device_asks(2, WIRE_DMA_WRITE, NULL, 0), 32 + 64);
    EXPECT("");
    header_alone(device_asks(2, WIRE_DMA_WRITE, NULL, 0), 32 + 65);
    EXPECT("message-size(backend)");
    header_alone(ask(2, WIRE_DEVICE_SET_IRQS, NULL, 0), LIMIT_MESSAGE);
    EXPECT("");
    header_alone(ask(2, WIRE_DEVICE_SET_IRQS, NULL, 0), LIMIT_MESSAGE + 1);
    EXPECT("message-size(client)");
    /* What was asked for is no fault of who answers; what is beyond it is. */
    feed(ask(3, WIRE_REGION_READ, &a, sizeof a));
    EXPECT("asked-over-max(client)");
    header_alone(answer(3, WIRE_REGION_READ, NULL, 0), 32 + 100);
    EXPECT("");
    a.count = 10;
    feed(ask(3, WIRE_REGION_READ, &a, sizeof a));
    header_alone(answer(3, WIRE_REGION_READ, NULL, 0), 32 + 65);
    EXPECT("message-size(backend) count(backend)");
    feed(ask(4, WIRE_DEVICE_FEATURE, &f, sizeof f));
    header_alone(answer(4, WIRE_DEVICE_FEATURE, NULL, 0), LIMIT_BITMAP_DEFAULT + 4096);
    EXPECT("");
}
END_TEST

/* ---- regions ---- */

static void access_region(uint32_t region, uint64_t offset, uint32_t count, bool write)
{
    const struct wire_region_access a = {offset, region, count};
    uint8_t bytes[256] = {0};

    memcpy(bytes, &a, sizeof a);
    feed(ask(2, write ? WIRE_REGION_WRITE : WIRE_REGION_READ, bytes,
             sizeof a + (write ? count : 0)));
}

START_TEST(regions)
{
    access_region(0, 4092, 4, false);
    access_region(0, 4096, 0, false);
    access_region(1, 0, 16, false);
    access_region(2, 1000000, 16, true);
    EXPECT("");
    access_region(0, 4093, 4, false);
    EXPECT("region-beyond(client)");
    access_region(0, UINT64_MAX, 4, true);
    EXPECT("region-beyond(client)");
    access_region(1, 0, 4, true);
    EXPECT("region-flag(client)");
    access_region(3, 0, 4, false);
    EXPECT("region-unknown(client)");
    feed(ask(3, WIRE_DEVICE_GET_REGION_INFO, &(struct wire_region_info){.argsz = 32, .index = 3},
             32));
    EXPECT("region-unknown(client)");
}
END_TEST

START_TEST(several_writes)
{
    const struct {
        struct wire_write_multi m;
        struct wire_single_write w[2];
    } many = {{2}, {{0, 0, 4, {0}}, {4095, 0, 2, {0}}}};
    const struct wire_write_multi three = {3};
    const struct wire_write_multi one = {1};

    feed(ask(2, WIRE_REGION_WRITE_MULTI, &many, sizeof many));
    EXPECT("multi-not-negotiated(client) region-beyond(client)");
    feed(answer(2, WIRE_REGION_WRITE_MULTI, &three, sizeof three));
    EXPECT("reply-count(backend)");
    close_session("");

    open_session("", "");
    greet("{\"capabilities\":{\"write_multiple\":true}}",
          "{\"capabilities\":{\"write_multiple\":true}}");
    feed(ask(2, WIRE_REGION_WRITE_MULTI, &many, sizeof many));
    EXPECT("");
    feed(answer(2, WIRE_REGION_WRITE_MULTI, &one, sizeof one));
    EXPECT("reply-short(backend)");
}
END_TEST

START_TEST(replies_of_something_else)
{
    struct wire_region_access a = {8, 0, 4};
    uint8_t bytes[24] = {0};
    struct wire_irq_info irq = {.argsz = 16, .index = 0};

    access_region(0, 8, 4, false);
    memcpy(bytes, &a, sizeof a);
    feed(answer(2, WIRE_REGION_READ, bytes, 20));
    EXPECT("");
    access_region(0, 0, 4, false);
    feed(answer(2, WIRE_REGION_READ, bytes, 20));
    EXPECT("reply-differs(backend)");
    access_region(0, 8, 3, false);
    feed(answer(2, WIRE_REGION_READ, bytes, 20));
    EXPECT("reply-count(backend)");
    access_region(0, 8, 5, true);
    feed(answer(2, WIRE_REGION_WRITE, bytes, 16));
    EXPECT("reply-short(backend)");
    feed(ask(3, WIRE_DEVICE_GET_IRQ_INFO, &irq, sizeof irq));
    irq.index = 1;
    feed(answer(3, WIRE_DEVICE_GET_IRQ_INFO, &irq, sizeof irq));
    EXPECT("reply-differs(backend)");
}
END_TEST

/* ---- interrupts ---- */

static void set_irqs(uint32_t index, uint32_t flags, uint32_t start, uint32_t count, unsigned n_fds)
{
    const struct wire_irq_set i = {sizeof i, flags, index, start, count};
    struct said *s = ask(2, WIRE_DEVICE_SET_IRQS, &i, sizeof i);

    said_fds(s, n_fds, TRACE_FD_EVENTFD);
    feed(s);
}

START_TEST(interrupts)
{
    const uint32_t eventfd = WIRE_IRQ_SET_DATA_EVENTFD | WIRE_IRQ_SET_ACTION_TRIGGER;
    const uint32_t mask = WIRE_IRQ_SET_DATA_NONE | WIRE_IRQ_SET_ACTION_MASK;
    const uint32_t trigger = WIRE_IRQ_SET_DATA_NONE | WIRE_IRQ_SET_ACTION_TRIGGER;
    const struct wire_irq_set odd = {24, trigger, 0, 0, 1};

    set_irqs(0, eventfd, 3, 1, 1);
    set_irqs(0, eventfd, 0, 4, 0);
    set_irqs(0, mask, 0, 4, 0);
    set_irqs(0, trigger, 0, 0, 0);
    set_irqs(1, trigger, 0, 1, 0);
    EXPECT("");
    set_irqs(0, eventfd, 0, 2, 1);
    EXPECT("fds-missing(client)");
    set_irqs(0, trigger, 0, 1, 1);
    EXPECT("fds-missing(client)");
    set_irqs(0, trigger, 3, 2, 0);
    EXPECT("irq-beyond(client)");
    set_irqs(0, trigger, UINT32_MAX, 2, 0);
    EXPECT("irq-beyond(client)");
    set_irqs(1, eventfd, 0, 1, 1);
    EXPECT("irq-flag(client)");
    set_irqs(1, mask, 0, 1, 0);
    EXPECT("irq-flag(client)");
    set_irqs(2, trigger, 0, 1, 0);
    EXPECT("irq-unknown(client)");
    feed(ask(2, WIRE_DEVICE_SET_IRQS, &odd, sizeof odd));
    EXPECT("argsz-wrong(client)");
}
END_TEST

/* ---- memory ---- */

static void map(uint16_t id, uint64_t address, uint64_t size, uint32_t flags)
{
    const struct wire_dma_map m = {sizeof m, flags, 0, address, size};

    feed(ask(id, WIRE_DMA_MAP, &m, sizeof m));
}

static void unmap(uint16_t id, uint64_t address, uint64_t size)
{
    const struct wire_dma_unmap u = {sizeof u, 0, address, size};

    feed(ask(id, WIRE_DMA_UNMAP, &u, sizeof u));
}

static void unmapped(uint16_t id, uint64_t address, uint64_t size)
{
    const struct wire_dma_unmap u = {sizeof u, 0, address, size};

    feed(answer(id, WIRE_DMA_UNMAP, &u, sizeof u));
}

static void dma(uint16_t command, uint64_t address, uint64_t count)
{
    const struct wire_dma_access a = {address, count};
    uint8_t bytes[128] = {0};

    memcpy(bytes, &a, sizeof a);
    feed(device_asks(9, command, bytes, sizeof a + (command == WIRE_DMA_WRITE ? count : 0)));
}

START_TEST(maps)
{
    struct wire_dma_map m = {sizeof m, 3, 0, 0x10000, 0x1000};

    map(2, 0, 0x2000, 3);
    feed(answer(2, WIRE_DMA_MAP, NULL, 0));
    map(3, 0x2000, 0x1000, 3);
    feed(answer(3, WIRE_DMA_MAP, NULL, 0));
    EXPECT("");
    map(4, 0x1000, 0x1000, 3);
    EXPECT("map-overlap(client)");
    feed(refuse(4, WIRE_DMA_MAP, EEXIST));
    EXPECT("");
    map(4, 0x1000, 0x10000, 3);
    EXPECT("map-overlap(client)");
    feed(answer(4, WIRE_DMA_MAP, NULL, 0));
    EXPECT("map-overlap-taken(backend)");
    map(5, 0x8000, 0, 3);
    EXPECT("map-range(client)");
    map(5, UINT64_MAX - 0xfff, 0x2000, 3);
    EXPECT("map-range(client)");
    map(5, 0x8000, 0x1000, 0x13);
    EXPECT("flags(client)");
    /* The fourth of three. */
    map(6, UINT64_MAX - 0xfff, 0x1000, 3);
    EXPECT("map-too-many(client)");
    feed(refuse(6, WIRE_DMA_MAP, ENOSPC));
    unmap(7, 0x8000, 0x1000);
    unmapped(7, 0x8000, 0x1000);
    map(8, 0x8000, 0x800, 3);
    EXPECT("map-page(client)");
    m.argsz = 40;
    m.offset = 0x1000;
    feed(refuse(8, WIRE_DMA_MAP, EINVAL));
    feed(ask(9, WIRE_DMA_MAP, &m, sizeof m));
    EXPECT("argsz-wrong(client) map-offset(client)");
}
END_TEST

START_TEST(unmaps)
{
    map(2, 0, 0x1000, 3);
    feed(answer(2, WIRE_DMA_MAP, NULL, 0));
    unmap(3, 0, 0x800);
    EXPECT("unmap-unknown(client)");
    unmap(3, 0x1000, 0x1000);
    EXPECT("unmap-unknown(client)");
    unmap(4, 0, 0x1000);
    EXPECT("");
    /* On its way out: accesses may cross it, and it is not in the way of what comes. */
    dma(WIRE_DMA_READ, 0, 16);
    EXPECT("");
    map(5, 0, 0x2000, 3);
    EXPECT("");
    unmapped(4, 0, 0x1000);
    dma(WIRE_DMA_READ, 0x1ff0, 16);
    EXPECT("");
    unmap(6, 0, 0x2000);
    unmap(7, 0, 0x2000);
    EXPECT("unmap-unknown(client)");
    feed(refuse(6, WIRE_DMA_UNMAP, EBUSY));
    unmap(8, 0, 0x2000);
    EXPECT("");
    unmapped(8, 0, 0x3000);
    EXPECT("reply-differs(backend)");
    dma(WIRE_DMA_READ, 0, 16);
    EXPECT("dma-outside(backend)");
    feed(ask(9, WIRE_DMA_UNMAP, &(struct wire_dma_unmap){24, 1, 0, 0}, 24));
    EXPECT("not-zero(client) unmap-unknown(client)");
}
END_TEST

/* The device may have asked before it read the unmap, until it answers a later request. */
START_TEST(unmaps_without_a_reply)
{
    const struct wire_dma_unmap u = {sizeof u, 0, 0, 0x1000};
    const struct wire_region_access a = {0, 0, 4};
    uint8_t bytes[20] = {0};

    map(2, 0, 0x1000, 3);
    feed(answer(2, WIRE_DMA_MAP, NULL, 0));
    feed(said(SIDE_CLIENT, WIRE_NO_REPLY, 3, WIRE_DMA_UNMAP, &u, sizeof u));
    dma(WIRE_DMA_READ, 0, 16);
    EXPECT("");
    feed(ask(4, WIRE_REGION_READ, &a, sizeof a));
    dma(WIRE_DMA_READ, 0, 16);
    memcpy(bytes, &a, sizeof a);
    feed(answer(4, WIRE_REGION_READ, bytes, sizeof bytes));
    EXPECT("");
    dma(WIRE_DMA_READ, 0, 16);
    EXPECT("dma-outside(backend)");
}
END_TEST

START_TEST(lists_that_do_not_fit)
{
    struct {
        struct wire_region_info i;
        struct wire_cap c;
        struct wire_sparse s;
        struct wire_sparse_area area[2];
    } r = {.i = {sizeof r, 3 | WIRE_REGION_FLAG_CAPS, 0, sizeof r.i, 0x1000, 0},
           .c = {WIRE_CAP_SPARSE_MMAP, 1, 0},
           .s = {.nr_areas = 2}};
    struct {
        struct wire_feature f;
        struct wire_dma_logging l;
        struct wire_dma_logging_range range[2];
    } f = {.f = {sizeof f, WIRE_FEATURE_SET | WIRE_FEATURE_DMA_LOGGING_START},
           .l = {.page_size = 4096, .num_ranges = 2}};
    struct wire_region_info q = {.argsz = sizeof r};

    for (uint32_t n = 2; n < 4; n++) {
        r.s.nr_areas = n;
        feed(ask(2, WIRE_DEVICE_GET_REGION_INFO, &q, sizeof q));
        feed(answer(2, WIRE_DEVICE_GET_REGION_INFO, &r, sizeof r));
        EXPECT(n == 2 ? "" : "count(backend)");
        f.l.num_ranges = n;
        feed(ask(3, WIRE_DEVICE_FEATURE, &f, sizeof f));
        EXPECT(n == 2 ? "" : "count(client)");
        feed(refuse(3, WIRE_DEVICE_FEATURE, EINVAL));
    }
}
END_TEST

/* A request in pieces is recorded behind an answer that came before its end, or not whole. */
START_TEST(answers_before_their_requests)
{
    uint8_t bytes[20] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4};
    struct said *s;

    for (unsigned missing = 0; missing < 2; missing++) {
        s = refuse(7, WIRE_REGION_WRITE, EINVAL);
        s->m.read_ns = 2000;
        feed(s);
        s = ask(7, WIRE_REGION_WRITE, bytes, sizeof bytes);
        s->m.read_ns = 1000;
        s->m.missing = missing;
        s->m.kept -= missing;
        feed(s);
        EXPECT("");
    }
    feed(refuse(8, WIRE_REGION_WRITE, EINVAL));
    feed(refuse(8, WIRE_REGION_READ, EINVAL));
    EXPECT("unasked-reply(backend)");
    said_session[0].ended_ns = 3000;
    close_session("{\"ended\":\"client-closed\"}");
    EXPECT("incomplete(client) unasked-reply(backend)");
}
END_TEST

START_TEST(accesses_of_memory)
{
    const struct wire_dma_access a = {0x1000, 16};
    uint8_t bytes[40] = {0};

    map(2, 0, 0x1000, WIRE_DMA_READABLE);
    map(3, 0x1000, 0x1000, 3);
    map(4, UINT64_MAX - 0xfff, 0x1000, 3);
    dma(WIRE_DMA_READ, 0xff8, 16);
    dma(WIRE_DMA_WRITE, 0x1ff0, 16);
    dma(WIRE_DMA_READ, UINT64_MAX - 15, 16);
    dma(WIRE_DMA_READ, 0x9000, 0);
    EXPECT("");
    dma(WIRE_DMA_WRITE, 0xff8, 16);
    EXPECT("dma-flags(backend)");
    dma(WIRE_DMA_WRITE, 0x1ff8, 16);
    EXPECT("dma-outside(backend)");
    dma(WIRE_DMA_READ, UINT64_MAX - 7, 16);
    EXPECT("dma-outside(backend)");
    close_session("");
    setup();
    map(3, 0x1000, 0x1000, 3);
    dma(WIRE_DMA_READ, 0x1000, 16);
    memcpy(bytes, &a, sizeof a);
    feed(client_answers(9, WIRE_DMA_READ, bytes, 32));
    dma(WIRE_DMA_WRITE, 0x1000, 16);
    feed(client_answers(9, WIRE_DMA_WRITE, bytes, 16));
    dma(WIRE_DMA_WRITE, 0x1000, 16);
    feed(client_answers(9, WIRE_DMA_WRITE, bytes, WIRE_DMA_WRITE_REPLY_MIN));
    EXPECT("");
    dma(WIRE_DMA_WRITE, 0x1000, 8);
    feed(client_answers(9, WIRE_DMA_WRITE, bytes, WIRE_DMA_WRITE_REPLY_MIN));
    EXPECT("reply-count(client)");
    dma(WIRE_DMA_READ, 0x1008, 16);
    feed(client_answers(9, WIRE_DMA_READ, bytes, 32));
    EXPECT("reply-differs(client)");
}
END_TEST

/* ---- features and migration ---- */

static void set_state(uint32_t state, uint32_t error)
{
    const struct {
        struct wire_feature f;
        struct wire_feature_mig_state s;
    } set = {{16, WIRE_FEATURE_SET | WIRE_FEATURE_MIG_DEVICE_STATE}, {state, 0}};

    feed(ask(2, WIRE_DEVICE_FEATURE, &set, sizeof set));
    if (error) {
        feed(refuse(2, WIRE_DEVICE_FEATURE, error));
    } else {
        feed(answer(2, WIRE_DEVICE_FEATURE, &set, sizeof set));
    }
}

static void mig_read(uint32_t size, uint32_t got)
{
    const struct wire_mig_data m = {8 + size, size};
    const struct wire_mig_data r = {8 + got, got};
    uint8_t bytes[64] = {0};

    memcpy(bytes, &r, sizeof r);
    feed(ask(3, WIRE_MIG_DATA_READ, &m, sizeof m));
    feed(answer(3, WIRE_MIG_DATA_READ, bytes, sizeof r + got));
}

START_TEST(features)
{
    struct wire_feature f = {8, WIRE_FEATURE_PROBE | WIRE_FEATURE_GET | 1};

    feed(ask(2, WIRE_DEVICE_FEATURE, &f, sizeof f));
    feed(answer(2, WIRE_DEVICE_FEATURE, &f, sizeof f));
    EXPECT("");
    feed(ask(2, WIRE_DEVICE_FEATURE, &f, sizeof f));
    f.flags = WIRE_FEATURE_PROBE | WIRE_FEATURE_GET | 2;
    feed(answer(2, WIRE_DEVICE_FEATURE, &f, sizeof f));
    EXPECT("reply-differs(backend)");
    f.flags = WIRE_FEATURE_PROBE | 5;
    feed(ask(2, WIRE_DEVICE_FEATURE, &f, sizeof f));
    EXPECT("feature-unknown(client)");
    f.flags = WIRE_FEATURE_GET | WIRE_FEATURE_SET | 1;
    feed(ask(2, WIRE_DEVICE_FEATURE, &f, sizeof f));
    EXPECT("flags(client)");
}
END_TEST

START_TEST(states)
{
    mig_read(8, 8);
    EXPECT("mig-state(client)");
    set_state(WIRE_MIG_PRE_COPY, 0);
    mig_read(8, 8);
    set_state(WIRE_MIG_STOP_COPY, 0);
    mig_read(8, 0);
    EXPECT("");
    mig_read(8, 9);
    EXPECT("reply-over-argsz(backend) reply-count(backend)");
    set_state(WIRE_MIG_PRE_COPY, EINVAL);
    EXPECT("state-forbidden(client)");
    /* Who knows in which state it is now. */
    mig_read(8, 8);
    EXPECT("");
    set_state(WIRE_MIG_STOP, 0);
    set_state(WIRE_MIG_RUNNING_P2P, 0);
    EXPECT("state-unused(client)");
    set_state(99, EINVAL);
    EXPECT("state-unused(client)");
    set_state(WIRE_MIG_ERROR, EINVAL);
    EXPECT("state-forbidden(client)");
    set_state(WIRE_MIG_RESUMING, 0);
    feed(ask(4, WIRE_MIG_DATA_WRITE, "\x0c\0\0\0\4\0\0\0abcd", 12));
    EXPECT("");
    feed(ask(5, WIRE_DEVICE_RESET, NULL, 0));
    feed(answer(5, WIRE_DEVICE_RESET, NULL, 0));
    EXPECT("reset-unsupported(client)");
    feed(ask(4, WIRE_MIG_DATA_WRITE, "\x0c\0\0\0\4\0\0\0abcd", 12));
    EXPECT("mig-state(client)");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("trace lint, devices");
    TCase *tc = unit_case(s, "with a device");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, fds);
    tcase_add_test(tc, fds_of_sub_regions);
    tcase_add_test(tc, data);
    tcase_add_test(tc, sizes);
    tcase_add_test(tc, regions);
    tcase_add_test(tc, several_writes);
    tcase_add_test(tc, replies_of_something_else);
    tcase_add_test(tc, interrupts);
    tcase_add_test(tc, maps);
    tcase_add_test(tc, unmaps);
    tcase_add_test(tc, unmaps_without_a_reply);
    tcase_add_test(tc, lists_that_do_not_fit);
    tcase_add_test(tc, answers_before_their_requests);
    tcase_add_test(tc, accesses_of_memory);
    tcase_add_test(tc, features);
    tcase_add_test(tc, states);
    return unit_run(s);
}
