/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A rule for faults on purpose, a zero byte, and a message: what the rule makes of it fits the room
 * that it asked for, and whole messages stay whole.
 */
#include <string.h>

#include "base/wire/wire.h"
#include "tests/fuzz/fuzz.h"
#include "trace/decode/injection.h"

/* The messages that a rule has made of one, each with a header of its own size. */
static void require_messages(const uint8_t *made, size_t n)
{
    struct wire_hdr hdr;

    for (size_t at = 0; at < n; at += hdr.size) {
        FUZZ_REQUIRE(wire_get_hdr(made + at, n - at, UINT32_MAX, &hdr) == WIRE_FRAME_OK);
        FUZZ_REQUIRE(hdr.size <= n - at);
    }
}

static void carry_out(struct injection *i, const uint8_t *bytes, size_t n)
{
    static const struct trace_session session = {
        .name = "", .description = "", .comment = "", .ending = ""};
    struct trace_message m = {.size = (uint32_t)n,
                              .kept = (uint32_t)n,
                              .sender = SIDE_BACKEND,
                              .legs = TRACE_LEGS,
                              .data = bytes};
    struct wire_hdr hdr;
    uint8_t *made;
    size_t room;
    size_t length;

    if (wire_get_hdr(bytes, n, UINT32_MAX, &hdr) != WIRE_FRAME_OK || hdr.size != n ||
        !injection_applies(i, 0, 1, &session, &m)) {
        return;
    }
    room = injection_room(i, n);
    made = malloc(room > 0 ? room : 1);
    FUZZ_REQUIRE(made);
    length = injection_make(i, bytes, n, made);
    FUZZ_REQUIRE(length <= room);
    require_messages(made, length);
    free(made);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    const uint8_t *const end = memchr(p, '\0', n);
    char why[256] = "";
    struct injection i;

    if (!end) {
        return 0;
    }
    if (!injection_read(&i, (const char *)p, why, sizeof why)) {
        FUZZ_REQUIRE(*why);
        return 0;
    }
    FUZZ_REQUIRE(injection_word(i.action));
    carry_out(&i, end + 1, n - (size_t)(end + 1 - p));
    injection_deinit(&i);
    return 0;
}
