/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Whole messages: whatever the bytes are, headers, payloads and their lists are judged without
 * reading past them, and what is found good is what it says it is.
 */
#include <string.h>

#include "base/wire/wire_command.h"
#include "tests/fuzz/fuzz.h"

/* Each area is read until there are no more: as many as there is room for, and no more. */
static void check_sparse(const void *p, size_t n)
{
    struct wire_sparse_area area;
    uint32_t i = 0;

    while (wire_sparse_area_at(p, n, i, &area)) {
        i++;
        FUZZ_REQUIRE(i <= n / sizeof area);
    }
    FUZZ_REQUIRE(!wire_sparse_area_at(p, n, UINT32_MAX, &area));
}

struct caps {
    const uint8_t *payload;
    size_t n;
    size_t last; /* the least place of the next capability */
};

static void on_cap(const struct wire_cap *cap, const void *p, size_t n, void *arg)
{
    struct caps *c = arg;
    const size_t at = (size_t)((const uint8_t *)p - c->payload);

    FUZZ_REQUIRE(at >= c->last && at + n == c->n && n >= sizeof *cap);
    FUZZ_REQUIRE(memcmp(cap, p, sizeof *cap) == 0);
    c->last = at + sizeof *cap;
    check_sparse(p, n);
}

static void check_caps(const uint8_t *p, size_t n)
{
    struct caps c = {.payload = p, .n = n, .last = sizeof(struct wire_region_info)};
    const enum wire_check with = wire_region_caps(p, n, on_cap, &c);

    FUZZ_REQUIRE(with == wire_region_caps(p, n, NULL, NULL));
    FUZZ_REQUIRE(with == WIRE_OK || with == WIRE_PAYLOAD_SHORT || with == WIRE_BAD_OFFSET);
}

/* Returns how many entries can be read. */
static uint32_t check_io_fds(const uint8_t *p, size_t n)
{
    struct wire_io_fd fd;
    uint32_t i = 0;

    while (wire_io_fd_at(p, n, i, &fd)) {
        i++;
        FUZZ_REQUIRE(i <= n / sizeof fd);
    }
    FUZZ_REQUIRE(!wire_io_fd_at(p, n, UINT32_MAX, &fd));
    return i;
}

/* What a message says that was found good. */
static void check_good(const struct wire_hdr *hdr, const uint8_t *p, size_t n)
{
    const struct wire_command_info *c = wire_command_find(hdr->command);
    const bool reply = wire_is_reply(hdr);
    const struct wire_body *body;
    struct wire_region_io_fds f;

    FUZZ_REQUIRE(c && c->code == hdr->command);
    if (reply && (hdr->flags & WIRE_ERROR)) {
        FUZZ_REQUIRE(n == 0);
        return;
    }
    body = reply ? &c->reply : &c->request;
    FUZZ_REQUIRE(n >= body->fixed && (body->tail || n == body->fixed));
    if (reply && hdr->command == WIRE_DEVICE_GET_REGION_IO_FDS) {
        FUZZ_REQUIRE(wire_get(p, n, &f, sizeof f));
        FUZZ_REQUIRE(n == sizeof f || check_io_fds(p, n) == f.count);
    }
}

static void check_replies(const struct wire_hdr *hdr)
{
    struct wire_hdr reply = wire_reply_hdr(hdr, 5);

    FUZZ_REQUIRE(wire_is_reply(&reply) && reply.id == hdr->id && reply.command == hdr->command);
    FUZZ_REQUIRE(reply.size == WIRE_HDR_SIZE + 5 && !(reply.flags & WIRE_ERROR));
    reply = wire_error_hdr(hdr, 22);
    FUZZ_REQUIRE(wire_is_reply(&reply) && reply.id == hdr->id && reply.command == hdr->command);
    FUZZ_REQUIRE(reply.size == WIRE_HDR_SIZE && reply.error == 22);
    FUZZ_REQUIRE(!wire_command_find(hdr->command) || wire_check(&reply, NULL, 0) == WIRE_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct wire_hdr hdr = {.size = 0};
    const enum wire_frame frame = wire_get_hdr(p, n, 1048576, &hdr);
    uint8_t same[WIRE_HDR_SIZE];
    enum wire_check check;

    FUZZ_REQUIRE((frame == WIRE_FRAME_SHORT) == (n < WIRE_HDR_SIZE));
    if (frame == WIRE_FRAME_SHORT) {
        return 0;
    }
    wire_put_hdr(same, &hdr);
    FUZZ_REQUIRE(memcmp(same, p, sizeof same) == 0);
    FUZZ_REQUIRE((frame == WIRE_FRAME_TOO_SMALL) == (hdr.size < WIRE_HDR_SIZE));
    FUZZ_REQUIRE((frame == WIRE_FRAME_TOO_BIG) == (hdr.size > 1048576));
    check_replies(&hdr);
    p += WIRE_HDR_SIZE;
    n -= WIRE_HDR_SIZE;
    check = wire_check(&hdr, p, n);
    FUZZ_REQUIRE(strcmp(wire_check_text(check), "?") != 0);
    if (check == WIRE_OK) {
        check_good(&hdr, p, n);
    }
    check_caps(p, n);
    (void)check_io_fds(p, n);
    return 0;
}
