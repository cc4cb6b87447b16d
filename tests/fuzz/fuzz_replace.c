/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Two devices, of which one is to replace the other, answer what they like. Whatever that is, the
 * sockets are exchanged in the end if, and only if, it has been replaced.
 */
#include <string.h>

#include "proxy/worker/device/replace.h"
#include "tests/fuzz/fuzz.h"

/* As many messages as any state of the input's length can make. */
#define TURNS 512u

/* An answer: its kind, then 2 bytes of size, then the payload. */
enum kind { AGREES, ANSWERS, REFUSES, IS_SILENT, ANSWERS_ANOTHER, KINDS };

struct input {
    const uint8_t *data;
    size_t size;
};

/* The next byte; behind the end, a 0, which agrees. */
static uint8_t take(struct input *in)
{
    if (in->size == 0) {
        return 0;
    }
    in->size--;
    return *in->data++;
}

static void answer(struct replace *r, const struct reattach_message *m, struct input *in)
{
    static uint8_t payload[REPLACE_MESSAGE_MAX];
    const struct wire_feature_migration can = {.flags = WIRE_MIGRATION_STOP_COPY};
    const enum kind kind = (enum kind)(take(in) % KINDS);
    struct wire_hdr hdr;
    size_t n = 0;

    FUZZ_REQUIRE(wire_get_hdr(m->bytes, m->n, UINT32_MAX, &hdr) == WIRE_FRAME_OK);
    if (kind == IS_SILENT) {
        replace_fail(r, &(struct ipc_difference){.what = IPC_DIFFERS_SILENT});
        return;
    }
    if (kind == ANSWERS) {
        n = take(in);
        n |= (size_t)take(in) << 8;
        n = n < in->size ? n : in->size;
        memcpy(payload, in->data, n);
        in->data += n;
        in->size -= n;
    } else if (kind == AGREES) {
        /* A state of no bytes, and whatever else was asked for. */
        n = sizeof(struct wire_feature) + sizeof can;
        memset(payload, 0, n);
        memcpy(payload + sizeof(struct wire_feature), &can, sizeof can);
    }
    hdr = kind == REFUSES ? wire_error_hdr(&hdr, 1) : wire_reply_hdr(&hdr, (uint32_t)n);
    hdr.command = (uint16_t)(hdr.command + (kind == ANSWERS_ANOTHER));
    replace_reply(r, &hdr, payload, n);
}

static void run(struct replace *r, struct input *in)
{
    struct reattach_message m;
    bool swapped = false;

    for (unsigned i = 0; i < TURNS; i++) {
        switch (replace_next(r, &m)) {
        case REPLACE_NEXT_OLD:
        case REPLACE_NEXT_NEW:
            FUZZ_REQUIRE(m.n >= WIRE_HDR_SIZE && m.n <= REPLACE_MESSAGE_MAX);
            answer(r, &m, in);
            break;
        case REPLACE_NEXT_REPLY:
            replace_fail(r, &(struct ipc_difference){.what = IPC_DIFFERS_SILENT});
            break;
        case REPLACE_NEXT_QUIET:
            replace_quiet(r);
            break;
        case REPLACE_NEXT_SWAP:
        case REPLACE_NEXT_BACK:
            swapped = !swapped;
            replace_swapped(r);
            break;
        case REPLACE_NEXT_END:
            FUZZ_REQUIRE(!(r->outcome == REPLACE_REFUSED && r->stopped));
            FUZZ_REQUIRE(r->outcome == REPLACE_LOST || swapped == (r->outcome == REPLACE_DONE));
            return;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct replace r;
    struct setup *const s = setup_new(SETUP_SHARES_NONE, false);
    struct input in = {.data = data, .size = size};

    FUZZ_REQUIRE(s != NULL);
    replace_init(&r, s, 1, (uint32_t)size, size % 16 == 0);
    run(&r, &in);
    setup_free(s);
    return 0;
}
