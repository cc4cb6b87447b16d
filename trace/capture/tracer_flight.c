/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The flight recorder: writes the blocks that a capture keeps in memory to a file. */
#include <string.h>

#include "base/clock.h"
#include "trace/file/pcapng.h"
#include "trace/capture/tracer_parts.h"

/* Offset of a block's interface number: behind type and length, in packets and statistics alike. */
#define INTERFACE_AT 8u

static bool tracer_flight_holds_something(const struct tracer_capture *c)
{
    void *owner;
    size_t n;

    return tracer_memory_oldest(c->memory, &n, &owner) != NULL;
}

void tracer_flight_dump(struct tracer_capture *c)
{
    struct tracer *const t = c->tracer;

    if (c->failed || !tracer_flight_holds_something(c)) {
        return;
    }
    /* Blocks that come after the request are not part of this dump. */
    c->dump_upto = tracer_memory_added(c->memory);
    if (c->dumping) {
        return;
    }
    if (c->out.fd >= 0) {
        tracer_flight_write(c);
        return;
    }
    c->dumping = true;
    c->wants_file = true;
    tracer_msg_init(&t->out, TRACER_WANT_FILE);
    t->out.capture = c->id;
    tracer_say(t);
}

bool tracer_flight_unwritten(const struct tracer_capture *c)
{
    return c->memory && c->out.fd >= 0 && !c->failed &&
           tracer_memory_gone_by(c->memory) < c->dump_upto;
}

/* Writes one block, with its interface's number in this file. */
static bool tracer_flight_write_block(struct tracer_capture *c, const uint8_t *block, size_t n,
                                      struct tracer_view *v)
{
    uint8_t *p;

    if (!tracer_capture_interface(v)) {
        return false;
    }
    p = tracer_capture_room(c, n);
    if (!p) {
        return false;
    }
    memcpy(p, block, n);
    memcpy(p + INTERFACE_AT, &v->interface, sizeof v->interface);
    tracer_out_add(&c->out, n);
    c->counts.bytes += n;
    return true;
}

static void tracer_flight_live_statistics(struct tracer_capture *c)
{
    struct tracer_view *v;

    LIST_FOREACH(v, &c->views, capture_link)
    {
        const struct pcapng_statistics s = {.now_ns = (uint64_t)clock_time_ns(),
                                            .begin_ns = v->begin_ns,
                                            .seen = v->last - v->base,
                                            .lost = v->lost};
        void *const p =
            v->file == c->file ? tracer_capture_room(c, PCAPNG_BLOCK_MAX_OVERHEAD) : NULL;

        if (p) {
            tracer_out_add(&c->out,
                           pcapng_statistics(p, PCAPNG_BLOCK_MAX_OVERHEAD, v->interface, &s, NULL));
        }
    }
}

void tracer_flight_write(struct tracer_capture *c)
{
    const uint8_t *block;
    void *owner;
    size_t n;

    c->dumping = false;
    while (tracer_memory_gone_by(c->memory) < c->dump_upto &&
           (block = tracer_memory_oldest(c->memory, &n, &owner))) {
        if (!tracer_flight_write_block(c, block, n, owner)) {
            break;
        }
        tracer_memory_drop(c->memory);
    }
    if (tracer_memory_gone_by(c->memory) >= c->dump_upto) {
        tracer_flight_live_statistics(c);
    }
    if (!c->failed) {
        tracer_capture_flush(c);
    }
    if (!c->settings.given) {
        tracer_capture_close(c);
    }
}
