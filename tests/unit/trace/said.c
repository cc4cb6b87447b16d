/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Captured messages made by hand. */
#include "tests/unit/trace/said.h"

#include <fcntl.h>
#include <string.h>

#include "tests/support/unit.h"

#define BEGIN_NS UINT64_C(1795410000000000000)
#define WAIT_NS UINT64_C(10000)

struct trace_session said_session[2] = {
    {.number = 1,
     .route = "edu0",
     .name = "edu0/1",
     .description = "",
     .comment = "",
     .ending = "",
     .index = 0},
    {.number = 2,
     .route = "nvme0",
     .name = "nvme0/2",
     .description = "",
     .comment = "",
     .ending = "",
     .index = 1},
};

static uint64_t now_ns = BEGIN_NS;
static uint64_t wait_ns = WAIT_NS;
static uint64_t number;

void said_wait(uint64_t ns)
{
    wait_ns = ns;
}

void said_reset(void)
{
    now_ns = BEGIN_NS;
    wait_ns = WAIT_NS;
    number = 0;
}

void said_hdr(struct said *s, uint32_t size, uint32_t error)
{
    struct wire_hdr h;

    memcpy(&h, s->bytes, sizeof h);
    h.size = size;
    h.error = error;
    memcpy(s->bytes, &h, sizeof h);
}

struct said *said(enum side sender, uint32_t flags, uint16_t id, uint16_t command, const void *p,
                  size_t n)
{
    static struct said turn[8];
    static unsigned next;
    struct said *const s = &turn[next++ % 8];
    const struct wire_hdr h = {
        .id = id, .command = command, .size = (uint32_t)(WIRE_HDR_SIZE + n), .flags = flags};

    ck_assert_uint_le(n, sizeof s->bytes - WIRE_HDR_SIZE);
    now_ns += number ? wait_ns : 0;
    wait_ns = WAIT_NS;
    number++;
    memcpy(s->bytes, &h, sizeof h);
    memcpy(s->bytes + sizeof h, n ? p : "", n);
    s->m = (struct trace_message){.session = 1,
                                  .number = number,
                                  .read_ns = now_ns,
                                  .passed_ns = 1500,
                                  .size = h.size,
                                  .kept = h.size,
                                  .sender = (uint8_t)sender,
                                  .legs = TRACE_LEGS,
                                  .fds = s->fds,
                                  .data = s->bytes};
    return s;
}

static void reverse(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        const uint8_t b = p[i];

        p[i] = p[n - 1 - i];
        p[n - 1 - i] = b;
    }
}

void said_turn_hdr(struct said *s)
{
    reverse(s->bytes, 2);
    reverse(s->bytes + 2, 2);
    for (size_t at = 4; at < WIRE_HDR_SIZE; at += 4) {
        reverse(s->bytes + at, 4);
    }
    s->m.flags |= TRACE_BIG_ENDIAN;
}

void said_fds(struct said *s, unsigned n, enum trace_fd_kind kind)
{
    ck_assert_uint_le(s->m.n_fds + n, sizeof s->fds / sizeof *s->fds);
    for (unsigned i = 0; i < n; i++) {
        s->fds[s->m.n_fds] = (struct trace_fd){.kind = (uint8_t)kind,
                                               .access = O_RDWR,
                                               .dev = 1,
                                               .ino = 100u + s->m.n_fds,
                                               .size = 4096};
        s->m.n_fds++;
    }
}
