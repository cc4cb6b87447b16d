/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The record of what a session has set up, fed with any messages of both sides; then a new process
 * of the device, which agrees to everything or refuses.
 *
 * The input: messages, each of a byte (bit 0: from the client, bits 1 and 2: its fds, bit 3: answer
 * what can be answered, bit 4: the device is lost), two bytes of size, and so many bytes.
 */
#include <bsd/sys/queue.h>
#include <string.h>
#include <unistd.h>

#include "proxy/relay/setup/reattach.h"
#include "tests/fuzz/fuzz.h"

#define MESSAGE_MAX 512u

/* All fds that the record has are counted. */
static void check_counts(const struct setup *s)
{
    const struct setup_request *r;
    unsigned fds = 0;
    unsigned maps = 0;
    unsigned requests = 0;

    for (const struct setup_map *m = setup_map_first(s); m; m = setup_map_next(m)) {
        fds += m->fd >= 0;
        maps++;
    }
    TAILQ_FOREACH(r, &s->requests, link)
    {
        for (unsigned i = 0; i < r->n_fds; i++) {
            fds += r->fds[i] >= 0;
        }
        requests++;
    }
    for (unsigned i = 0; i < WIRE_PCI_NUM_IRQS; i++) {
        for (int a = 0; a < SETUP_ACTIONS; a++) {
            for (uint32_t v = 0; v < s->irqs.index[i].n; v++) {
                fds += s->irqs.index[i].fds[a][v] >= 0;
            }
        }
    }
    FUZZ_REQUIRE(maps == s->n_maps && maps <= LIMIT_SETUP_MAPS);
    FUZZ_REQUIRE(requests == s->n_requests && requests <= LIMIT_SETUP_REQUESTS);
    FUZZ_REQUIRE(fds == s->n_fds || s->lack != SETUP_KEPT);
    FUZZ_REQUIRE(fds <= LIMIT_SETUP_FDS);
}

/* Answers all that can be, as for a device that is gone. */
static void answer_all(struct setup *s)
{
    const struct setup_request *r;
    const struct setup_request *next;
    uint8_t out[SETUP_ANSWER_MAX];

    TAILQ_FOREACH_SAFE(r, &s->requests, link, next)
    {
        const size_t n = setup_answer(s, r, out);

        FUZZ_REQUIRE(n <= sizeof out);
        if (n > 0) {
            setup_note(s, SIDE_BACKEND, out, n, NULL, 0);
            /* An older one with this id may have been removed instead. */
            return;
        }
    }
}

/* Sends all to a device that echoes what it is asked, with this error if it is not 0. */
static void attach_all(const struct setup *s, uint32_t error)
{
    static struct reattach_message m;
    struct reattach r;
    struct wire_hdr hdr;

    reattach_init(&r, s, 8);
    while (reattach_next(&r, &m)) {
        FUZZ_REQUIRE(m.n >= WIRE_HDR_SIZE && m.n_fds <= LIMIT_FDS_KERNEL);
        if (!r.waits) {
            continue;
        }
        hdr = wire_reply_hdr(&r.sent, 0);
        hdr.flags |= error ? WIRE_ERROR : 0;
        hdr.error = error;
        if (!reattach_reply(&r, &hdr, m.bytes + WIRE_HDR_SIZE, m.n - WIRE_HDR_SIZE)) {
            return;
        }
    }
    FUZZ_REQUIRE(r.step == REATTACH_DONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct setup *const s = setup_new((enum setup_shares)(size % 3), size % 2 == 0);
    uint8_t bytes[WIRE_HDR_SIZE + MESSAGE_MAX];
    struct fdset fds = {.n = 0};
    size_t at = 0;

    FUZZ_REQUIRE(s != NULL);
    while (at + 3 <= size) {
        const uint8_t how = data[at];
        size_t n = (size_t)(data[at + 1] | data[at + 2] << 8) % sizeof bytes;
        const uint32_t whole = (uint32_t)n;

        at += 3;
        n = n < size - at ? n : size - at;
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, data + at, n);
        memcpy(bytes + 4, &whole, sizeof whole);
        at += n;
        fds.n = how >> 1 & 3;
        for (unsigned i = 0; i < fds.n; i++) {
            fds.fds[i] = STDERR_FILENO;
        }
        setup_note(s, how & 1 ? SIDE_CLIENT : SIDE_BACKEND, bytes, whole, &fds, 0);
        if (how & 8) {
            answer_all(s);
        }
        if (how & 16) {
            setup_lose_device(s);
        }
        check_counts(s);
    }
    attach_all(s, 0);
    attach_all(s, 22);
    setup_free(s);
    return 0;
}
