/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Each rule of trace lint: what breaks it is found, and its near misses are not. A conversation is
 * held with a device that has two regions and two interrupt types; what was found is the rules'
 * names, each with its party.
 */
#include "trace/lint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/said.h"

static struct lint *lint;
static char found[4096]; /* "rule(client) rule(backend)" */

static void note(const struct lint_finding *f, void *arg)
{
    const size_t n = strlen(found);

    ck_assert_ptr_eq(arg, &lint);
    ck_assert_ptr_eq(f->session, &said_session[0]);
    ck_assert_ptr_nonnull(f->section);
    ck_assert_int_eq(f->level, lint_rule(f->code)->level);
    if (f->more) {
        snprintf(found + n, sizeof found - n, "%s%s+%u", n ? " " : "", lint_rule(f->code)->name,
                 (unsigned)f->more);
        return;
    }
    snprintf(found + n, sizeof found - n, "%s%s(%s)", n ? " " : "", lint_rule(f->code)->name,
             f->party == TRACE_FROM_CLIENT ? "client" : "backend");
}

/* What has been found since the last time. */
#define EXPECT(text) \
    do { \
        ck_assert_str_eq(found, text); \
        found[0] = '\0'; \
    } while (0)

static void feed(const struct said *s)
{
    lint_message(lint, &said_session[0], &s->m);
}

static void open_session(const char *comment, const char *section)
{
    said_reset();
    found[0] = '\0';
    lint = lint_new(note, &lint);
    ck_assert_ptr_nonnull(lint);
    said_session[0].comment = comment;
    said_session[0].ending = "";
    said_session[0].over = false;
    said_session[0].lost = 0;
    ck_assert(lint_session(lint, &said_session[0], section));
}

static void close_session(const char *ending)
{
    said_session[0].over = true;
    said_session[0].ending = ending;
    lint_statistics(lint, &said_session[0]);
    lint_end(lint);
    lint_forget(lint, &said_session[0]);
    lint_free(lint);
    lint = NULL;
}

static void teardown(void)
{
    if (lint) {
        close_session("");
    }
}

/* ---- saying things ---- */

static struct said *ask(uint16_t id, uint16_t command, const void *p, size_t n)
{
    return said(TRACE_FROM_CLIENT, 0, id, command, p, n);
}

static struct said *answer(uint16_t id, uint16_t command, const void *p, size_t n)
{
    return said(TRACE_FROM_BACKEND, WIRE_TYPE_REPLY, id, command, p, n);
}

static struct said *refuse(uint16_t id, uint16_t command, uint32_t error)
{
    struct said *s = said(TRACE_FROM_BACKEND, WIRE_TYPE_REPLY | WIRE_ERROR, id, command, NULL, 0);

    said_hdr(s, WIRE_HDR_SIZE, error);
    return s;
}

static struct said *device_asks(uint16_t id, uint16_t command, const void *p, size_t n)
{
    return said(TRACE_FROM_BACKEND, 0, id, command, p, n);
}

static struct said *client_answers(uint16_t id, uint16_t command, const void *p, size_t n)
{
    return said(TRACE_FROM_CLIENT, WIRE_TYPE_REPLY, id, command, p, n);
}

static struct said *version_text(struct said *(*say)(uint16_t, uint16_t, const void *, size_t),
                                 uint16_t minor, const char *json)
{
    const struct wire_version v = {0, minor};
    uint8_t p[1024];
    const size_t n = json ? strlen(json) + 1 : 0;

    memcpy(p, &v, sizeof v);
    memcpy(p + sizeof v, n ? json : "", n);
    return say(0, WIRE_VERSION, p, sizeof v + n);
}

static void on_leg(struct said *s, uint8_t legs, bool broker)
{
    s->m.legs = legs;
    s->m.flags = broker ? TRACE_BROKER : 0;
    feed(s);
}

/* The four messages of the exchange; the broker adds a number of its own to what it writes. */
static void greet(const char *client, const char *backend)
{
    on_leg(version_text(ask, 1, client), TRACE_LEG_CLIENT, false);
    on_leg(version_text(ask, 1, client), TRACE_LEG_BACKEND, true);
    on_leg(version_text(answer, 1, backend), TRACE_LEG_BACKEND, false);
    on_leg(version_text(answer, 1, backend), TRACE_LEG_CLIENT, true);
}

static void tell_region(uint32_t index, uint32_t flags, uint64_t size)
{
    struct wire_region_info i = {.argsz = sizeof i, .index = index};
    struct said *s;

    feed(ask(1, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    i.flags = flags;
    i.size = size;
    s = answer(1, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i);
    if (flags & WIRE_REGION_FLAG_MMAP) {
        said_fds(s, 1, TRACE_FD_MEMFD);
    }
    feed(s);
}

static void tell_irq(uint32_t index, uint32_t flags, uint32_t count)
{
    struct wire_irq_info i = {.argsz = sizeof i, .index = index};

    feed(ask(1, WIRE_DEVICE_GET_IRQ_INFO, &i, sizeof i));
    i.flags = flags;
    i.count = count;
    feed(answer(1, WIRE_DEVICE_GET_IRQ_INFO, &i, sizeof i));
}

#define CLIENT "{\"capabilities\":{\"max_msg_fds\":2,\"max_data_xfer_size\":64}}"
#define BACKEND \
    "{\"capabilities\":{\"max_msg_fds\":1,\"max_data_xfer_size\":128,\"max_dma_maps\":3}}"

/* A device that has told of itself: regions 0 (whole) and 1 (to be read), irqs 0 and 1. */
static void setup(void)
{
    struct wire_device_info d = {.argsz = sizeof d};

    open_session("{\"session\":1}", "");
    greet(CLIENT, BACKEND);
    EXPECT("version-capability(backend)");
    feed(ask(1, WIRE_DEVICE_GET_INFO, &d, sizeof d));
    d = (struct wire_device_info){sizeof d, WIRE_DEVICE_FLAG_PCI, 3, 2};
    feed(answer(1, WIRE_DEVICE_GET_INFO, &d, sizeof d));
    tell_region(0, WIRE_REGION_FLAG_READ | WIRE_REGION_FLAG_WRITE | WIRE_REGION_FLAG_MMAP, 4096);
    tell_region(1, WIRE_REGION_FLAG_READ, 16);
    tell_irq(0, WIRE_IRQ_INFO_EVENTFD | WIRE_IRQ_INFO_MASKABLE, 4);
    tell_irq(1, 0, 1);
    EXPECT("");
}

/* ---- headers ---- */

START_TEST(replies_to_posted_requests)
{
    feed(said(TRACE_FROM_CLIENT, WIRE_NO_REPLY, 7, 13, NULL, 0));
    EXPECT("reset-unsupported(client)");
    feed(answer(7, WIRE_DEVICE_RESET, NULL, 0));
    EXPECT("reply-to-no-reply(backend)");
    /* Once: another one is to nothing at all. */
    feed(answer(7, WIRE_DEVICE_RESET, NULL, 0));
    EXPECT("unasked-reply(backend)");
    feed(answer(8, WIRE_DEVICE_RESET, NULL, 0));
    EXPECT("unasked-reply(backend)");
}
END_TEST

START_TEST(errors)
{
    const struct wire_region_access a = {0, 0, 4};
    struct said *s;

    feed(ask(2, WIRE_REGION_READ, &a, sizeof a));
    feed(refuse(2, WIRE_REGION_READ, EINVAL));
    feed(ask(2, WIRE_REGION_READ, &a, sizeof a));
    feed(refuse(2, WIRE_REGION_READ, 0));
    EXPECT("");
    feed(ask(3, WIRE_REGION_READ, &a, sizeof a));
    s = said(TRACE_FROM_BACKEND, WIRE_ERROR, 3, WIRE_REGION_READ, NULL, 0);
    said_hdr(s, WIRE_HDR_SIZE, EINVAL);
    feed(s);
    EXPECT("error-without-reply(backend)");
    feed(ask(4, WIRE_REGION_READ, &a, sizeof a));
    s = said(TRACE_FROM_BACKEND, WIRE_TYPE_REPLY | WIRE_ERROR, 4, WIRE_REGION_READ, &a, sizeof a);
    feed(s);
    EXPECT("error-payload(backend)");
    s = said(TRACE_FROM_CLIENT, WIRE_ERROR, 5, WIRE_REGION_READ, &a, sizeof a);
    feed(s);
    EXPECT("error-in-command(client)");
    s = ask(6, WIRE_REGION_READ, &a, sizeof a);
    said_hdr(s, WIRE_HDR_SIZE + sizeof a, 5);
    feed(s);
    EXPECT("error-field(client)");
}
END_TEST

START_TEST(headers)
{
    const struct wire_region_access a = {0, 0, 4};
    struct said *s;

    feed(said(TRACE_FROM_CLIENT, 2, 2, WIRE_REGION_READ, &a, sizeof a));
    EXPECT("unknown-type(client)");
    feed(said(TRACE_FROM_CLIENT, 0x40, 2, WIRE_REGION_READ, &a, sizeof a));
    EXPECT("reserved-flags(client)");
    s = answer(2, WIRE_REGION_READ, "0123456789abcdef0123", 20);
    memcpy(s->bytes + WIRE_HDR_SIZE, &a, sizeof a);
    s->bytes[8] |= WIRE_NO_REPLY;
    feed(s);
    EXPECT("no-reply-in-reply(backend)");
    s = ask(3, WIRE_REGION_READ, &a, sizeof a);
    said_hdr(s, 33, 0);
    feed(s);
    EXPECT("header-size(client)");
    feed(answer(3, WIRE_REGION_WRITE, &a, sizeof a));
    EXPECT("reply-command(backend)");
    feed(ask(4, 99, NULL, 0));
    EXPECT("unknown-command(client)");
    feed(refuse(4, 99, ENOTSUP));
    EXPECT("");
    feed(ask(5, WIRE_DMA_READ, &a, sizeof a));
    EXPECT("wrong-direction(client) data-over-max(client) dma-outside(client)");
    feed(device_asks(5, WIRE_REGION_READ, &a, sizeof a));
    EXPECT("wrong-direction(backend)");
    /* What the broker made is nobody's fault. */
    s = said(TRACE_FROM_BACKEND, 0x40 | WIRE_TYPE_REPLY, 77, 99, NULL, 0);
    s->m.flags = TRACE_BROKER;
    feed(s);
    EXPECT("");
}
END_TEST

START_TEST(never_answered)
{
    const struct wire_region_access a = {0, 0, 4};
    struct said *s;

    feed(ask(2, WIRE_REGION_WRITE, "\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0abcd", 20));
    feed(ask(3, WIRE_REGION_WRITE, "\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0abcd", 20));
    feed(answer(3, WIRE_REGION_WRITE, &a, sizeof a));
    feed(ask(4, WIRE_DEVICE_GET_INFO, "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
    s = ask(5, WIRE_DEVICE_GET_INFO, "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    s->m.flags = TRACE_UNDELIVERED;
    feed(s);
    EXPECT("");
    close_session("{\"ended\":\"client closed\"}");
    EXPECT("unanswered(backend) unanswered-at-end(backend)");
}
END_TEST

START_TEST(never_answered_where_the_capture_ended)
{
    feed(ask(4, WIRE_DEVICE_GET_INFO, "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
    close_session("{\"stopped\":\"asked\"}");
    EXPECT("");
}
END_TEST

/* ---- VERSION ---- */

START_TEST(version_exchanges)
{
    open_session("", "");
    feed(ask(1, WIRE_DEVICE_GET_INFO, "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
    EXPECT("before-version(client)");
    greet("{}", "{}");
    EXPECT("");
    on_leg(version_text(ask, 1, "{}"), TRACE_LEG_CLIENT, false);
    EXPECT("version-again(client)");
    close_session("");

    open_session("", "");
    greet("{\"capabilities\":{\"max_msg_fds\":2}}", "{\"capabilities\":{\"max_msg_fds\":9}}");
    EXPECT("");
    feed(device_asks(1, WIRE_VERSION, "\0\0\0\0", 4));
    EXPECT("wrong-direction(backend)");
    close_session("");

    open_session("", "");
    on_leg(version_text(ask, 1, "{"), TRACE_LEG_CLIENT, false);
    EXPECT("version-data(client)");
    on_leg(version_text(ask, 1, NULL), TRACE_LEG_BACKEND, true);
    on_leg(version_text(answer, 2, NULL), TRACE_LEG_BACKEND, false);
    EXPECT("version-number(backend)");
    close_session("");

    open_session("", "");
    on_leg(ask(0, WIRE_VERSION, "\0\0", 2), TRACE_LEG_CLIENT, false);
    EXPECT("payload-short(client)");
    close_session("");

    open_session("", "");
    on_leg(version_text(ask, 1, NULL), TRACE_LEG_CLIENT, false);
    on_leg(refuse(0, WIRE_VERSION, EACCES), TRACE_LEG_CLIENT, true);
    EXPECT("");
}
END_TEST

START_TEST(fds_of_version)
{
    struct said *s;

    open_session("", "");
    s = version_text(ask, 0, NULL);
    said_fds(s, 1, TRACE_FD_SOCKET);
    on_leg(s, TRACE_LEG_CLIENT, false);
    EXPECT("fds-where-none(client)");
    on_leg(version_text(ask, 0, "{\"capabilities\":{\"twin_socket\":{\"supported\":true}}}"),
           TRACE_LEG_BACKEND, true);
    s = version_text(answer, 0,
                     "{\"capabilities\":{\"twin_socket\":{\"supported\":true,\"fd_index\":0}}}");
    said_fds(s, 1, TRACE_FD_SOCKET);
    on_leg(s, TRACE_LEG_BACKEND, false);
    EXPECT("");
    close_session("");

    open_session("", "");
    on_leg(version_text(ask, 0, "{\"capabilities\":{\"twin_socket\":{\"supported\":true}}}"),
           TRACE_LEG_BACKEND, true);
    s = version_text(answer, 0,
                     "{\"capabilities\":{\"twin_socket\":{\"supported\":true,\"fd_index\":1}}}");
    said_fds(s, 1, TRACE_FD_SOCKET);
    on_leg(s, TRACE_LEG_BACKEND, false);
    EXPECT("fd-index(backend)");
}
END_TEST

/* A capture that does not have everything is not found fault with for what it does not have. */
START_TEST(captures_with_gaps)
{
    const struct wire_dma_access a = {0x5000, 16};
    const struct wire_dma_unmap u = {24, 0, 0x1000, 0x1000};
    static const char *const comments[][2] = {{"{\"late\":true}", ""},
                                              {"", "{\"filter\":\"errors\"}"}};
    struct said *s;

    for (unsigned i = 0; i < 2; i++) {
        open_session(comments[i][0], comments[i][1]);
        feed(device_asks(3, WIRE_DMA_READ, &a, sizeof a));
        feed(ask(1, WIRE_DMA_UNMAP, &u, sizeof u));
        feed(answer(99, WIRE_DMA_UNMAP, &u, sizeof u));
        close_session("{\"ended\":\"client closed\"}");
        EXPECT("");
    }
    open_session("", "");
    greet("{}", "{}");
    s = device_asks(3, WIRE_DMA_READ, &a, sizeof a);
    s->m.lost = 1;
    feed(s);
    feed(answer(99, WIRE_DMA_UNMAP, &u, sizeof u));
    EXPECT("");
    close_session("{\"ended\":\"client closed\"}");
    EXPECT("");
    /* A number is missing. */
    open_session("", "");
    greet("{}", "{}");
    (void)answer(98, WIRE_DMA_UNMAP, &u, sizeof u);
    feed(answer(99, WIRE_DMA_UNMAP, &u, sizeof u));
    EXPECT("");
}
END_TEST

/* ---- sizes ---- */

START_TEST(payloads)
{
    const struct wire_region_access a = {0, 0, 4};
    uint8_t bytes[64] = {0};
    struct said *s;

    feed(ask(2, WIRE_REGION_READ, bytes, 15));
    EXPECT("payload-short(client)");
    feed(ask(2, WIRE_REGION_READ, bytes, 17));
    EXPECT("payload-long(client)");
    memcpy(bytes, &a, sizeof a);
    feed(ask(2, WIRE_REGION_WRITE, bytes, 19));
    EXPECT("count(client)");
    feed(ask(2, WIRE_REGION_WRITE, bytes, 20));
    EXPECT("");
    feed(ask(2, WIRE_DEVICE_SET_IRQS, bytes, 20));
    EXPECT("flags(client)");
    /* Of data that was not kept, the sizes are enough. */
    s = ask(3, WIRE_REGION_WRITE, bytes, 20);
    s->m.kept = 32;
    feed(s);
    s = ask(3, WIRE_REGION_WRITE, bytes, 21);
    s->m.kept = 32;
    feed(s);
    EXPECT("count(client)");
    /* Of a reply that was too large to be passed on, the header is. */
    feed(ask(4, WIRE_REGION_READ, &a, sizeof a));
    s = answer(4, WIRE_REGION_READ, NULL, 0);
    said_hdr(s, WIRE_HDR_SIZE + 20, 0);
    s->m.size = WIRE_HDR_SIZE + 20;
    feed(s);
    EXPECT("");
    feed(ask(4, WIRE_REGION_READ, &a, sizeof a));
    s = answer(4, WIRE_REGION_READ, NULL, 0);
    said_hdr(s, 1000000, 0);
    s->m.size = 1000000;
    feed(s);
    EXPECT("count(backend)");
}
END_TEST

START_TEST(argsz)
{
    struct wire_device_info d = {.argsz = 15};
    struct wire_region_info i = {.argsz = 32};
    const struct {
        struct wire_region_info i;
        struct wire_cap cap;
        struct wire_cap_type type;
    } whole = {{48, WIRE_REGION_FLAG_CAPS, 0, 32, 4096, 0}, {WIRE_CAP_TYPE, 1, 0}, {1, 2}};

    feed(ask(2, WIRE_DEVICE_GET_INFO, &d, sizeof d));
    EXPECT("argsz-small(client)");
    d = (struct wire_device_info){sizeof d, 0, 3, 2};
    feed(answer(2, WIRE_DEVICE_GET_INFO, &d, sizeof d));
    EXPECT("reply-over-argsz(backend)");
    feed(ask(3, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    feed(answer(3, WIRE_DEVICE_GET_REGION_INFO, &whole, sizeof whole));
    EXPECT("reply-over-argsz(backend)");
    /* The size that is needed, and no more than there was room for. */
    feed(ask(3, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    feed(answer(3, WIRE_DEVICE_GET_REGION_INFO, &whole, sizeof whole.i));
    EXPECT("");
    i.argsz = sizeof whole;
    feed(ask(3, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    feed(answer(3, WIRE_DEVICE_GET_REGION_INFO, &whole, sizeof whole));
    EXPECT("");
    /* There was room for all of it. */
    feed(ask(3, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    feed(answer(3, WIRE_DEVICE_GET_REGION_INFO, &whole, sizeof whole.i));
    EXPECT("reply-argsz(backend)");
    i.argsz = 31;
    i.size = 4096;
    feed(ask(3, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    EXPECT("argsz-small(client) not-zero(client)");
    i.argsz = 20;
    feed(answer(3, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    EXPECT("reply-over-argsz(backend) reply-argsz(backend)");
}
END_TEST

START_TEST(lists_that_lead_nowhere)
{
    const struct wire_region_info i = {.argsz = 48, .index = 2};
    const struct {
        struct wire_region_info i;
        struct wire_cap cap;
    } reply = {{40, WIRE_REGION_FLAG_CAPS, 2, 32, 4096, 0}, {WIRE_CAP_TYPE, 1, 32}};

    feed(ask(3, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    feed(answer(3, WIRE_DEVICE_GET_REGION_INFO, &reply, sizeof reply));
    EXPECT("caps(backend)");
}
END_TEST

START_TEST(fields_that_must_be_zero)
{
    const struct wire_device_info d = {16, 0, 1, 0};
    const struct wire_irq_info irq = {16, 0, 0, 1};
    const struct wire_region_io_fds io = {16, 1, 0, 0};

    feed(ask(2, WIRE_DEVICE_GET_INFO, &d, sizeof d));
    feed(ask(2, WIRE_DEVICE_GET_IRQ_INFO, &irq, sizeof irq));
    feed(ask(2, WIRE_DEVICE_GET_REGION_IO_FDS, &io, sizeof io));
    EXPECT("not-zero(client) not-zero(client) not-zero(client)");
}
END_TEST

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
    feed(ask(3, WIRE_REGION_READ, &a, sizeof a));
    feed(device_asks(3, WIRE_DMA_READ, &d, sizeof d));
    EXPECT("");
    a.count = 129;
    feed(ask(3, WIRE_REGION_READ, &a, sizeof a));
    EXPECT("data-over-max(client)");
    d.count = 65;
    feed(device_asks(3, WIRE_DMA_READ, &d, sizeof d));
    EXPECT("data-over-max(backend)");
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
    map(5, 0x8000, 0x1000, 7);
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

/* ---- telling ---- */

START_TEST(many_of_one_kind)
{
    for (unsigned i = 0; i < LINT_EACH_MAX + 5; i++) {
        feed(answer(50, WIRE_DEVICE_RESET, NULL, 0));
        if (i + 1 == LINT_EACH_MAX) {
            found[0] = '\0';
        }
    }
    EXPECT("");
    ck_assert_uint_eq(lint_count(lint, LINT_ERROR), LINT_EACH_MAX + 5);
    lint_forget(lint, &said_session[0]);
    EXPECT("unasked-reply+5");
    ck_assert_uint_eq(lint_count(lint, LINT_ERROR), LINT_EACH_MAX + 5);
    ck_assert_uint_eq(lint_count(lint, LINT_WARNING), 0);
}
END_TEST

START_TEST(names_are_different)
{
    for (unsigned i = 0; i < LINT_CODES; i++) {
        ck_assert_ptr_nonnull(lint_rule((enum lint_code)i)->name);
        for (unsigned k = 0; k < i; k++) {
            ck_assert_str_ne(lint_rule((enum lint_code)i)->name,
                             lint_rule((enum lint_code)k)->name);
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("trace lint");
    TCase *tc = unit_case(s, "with a device");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, replies_to_posted_requests);
    tcase_add_test(tc, errors);
    tcase_add_test(tc, headers);
    tcase_add_test(tc, never_answered);
    tcase_add_test(tc, never_answered_where_the_capture_ended);
    tcase_add_test(tc, payloads);
    tcase_add_test(tc, argsz);
    tcase_add_test(tc, lists_that_lead_nowhere);
    tcase_add_test(tc, fields_that_must_be_zero);
    tcase_add_test(tc, fds);
    tcase_add_test(tc, fds_of_sub_regions);
    tcase_add_test(tc, data);
    tcase_add_test(tc, regions);
    tcase_add_test(tc, several_writes);
    tcase_add_test(tc, replies_of_something_else);
    tcase_add_test(tc, interrupts);
    tcase_add_test(tc, maps);
    tcase_add_test(tc, unmaps);
    tcase_add_test(tc, accesses_of_memory);
    tcase_add_test(tc, features);
    tcase_add_test(tc, states);
    tcase_add_test(tc, many_of_one_kind);
    tc = unit_case(s, "from the start");
    tcase_add_checked_fixture(tc, NULL, teardown);
    tcase_add_test(tc, version_exchanges);
    tcase_add_test(tc, fds_of_version);
    tcase_add_test(tc, captures_with_gaps);
    tcase_add_test(tc, names_are_different);
    return unit_run(s);
}
