/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A conversation that trace lint listens to. */
#include "tests/unit/trace/lint_rig.h"

#include <stdio.h>
#include <string.h>

struct lint *lint;
char found[4096];

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
             side_name(f->party));
}

void feed(const struct said *s)
{
    lint_message(lint, &said_session[0], &s->m);
}

void open_session(const char *comment, const char *section)
{
    said_reset();
    found[0] = '\0';
    lint = lint_new(PROFILE_SPEC, note, &lint);
    ck_assert_ptr_nonnull(lint);
    said_session[0].comment = comment;
    said_session[0].ending = "";
    said_session[0].over = false;
    said_session[0].ended_ns = 0;
    said_session[0].lost = 0;
    ck_assert(lint_session(lint, &said_session[0], section));
}

void close_session(const char *ending)
{
    said_session[0].over = true;
    said_session[0].ending = ending;
    lint_statistics(lint, &said_session[0]);
    lint_end(lint);
    lint_forget(lint, &said_session[0]);
    lint_free(lint);
    lint = NULL;
}

void teardown(void)
{
    if (lint) {
        close_session("");
    }
}

/* ---- saying things ---- */

struct said *ask(uint16_t id, uint16_t command, const void *p, size_t n)
{
    return said(SIDE_CLIENT, 0, id, command, p, n);
}

struct said *answer(uint16_t id, uint16_t command, const void *p, size_t n)
{
    return said(SIDE_BACKEND, WIRE_TYPE_REPLY, id, command, p, n);
}

struct said *refuse(uint16_t id, uint16_t command, uint32_t error)
{
    struct said *s = said(SIDE_BACKEND, WIRE_TYPE_REPLY | WIRE_ERROR, id, command, NULL, 0);

    said_hdr(s, WIRE_HDR_SIZE, error);
    return s;
}

struct said *device_asks(uint16_t id, uint16_t command, const void *p, size_t n)
{
    return said(SIDE_BACKEND, 0, id, command, p, n);
}

struct said *client_answers(uint16_t id, uint16_t command, const void *p, size_t n)
{
    return said(SIDE_CLIENT, WIRE_TYPE_REPLY, id, command, p, n);
}

struct said *version_text(struct said *(*say)(uint16_t, uint16_t, const void *, size_t),
                          uint16_t minor, const char *json)
{
    const struct wire_version v = {0, minor};
    uint8_t p[1024];
    const size_t n = json ? strlen(json) + 1 : 0;

    memcpy(p, &v, sizeof v);
    memcpy(p + sizeof v, n ? json : "", n);
    return say(0, WIRE_VERSION, p, sizeof v + n);
}

void on_leg(struct said *s, uint8_t legs, bool broker)
{
    s->m.legs = legs;
    s->m.flags = broker ? TRACE_BROKER : 0;
    feed(s);
}

/* The four messages of the exchange; the broker adds a number of its own to what it writes. */
void greet(const char *client, const char *backend)
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
void setup(void)
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
