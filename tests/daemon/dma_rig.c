/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The messages of the suites on memory. */
#include "tests/daemon/dma_rig.h"

#include <check.h>
#include <string.h>

#include "tests/support/peer.h"
#include "tests/support/unit.h"

void dma_send_map(int fd, uint16_t id, uint64_t address, uint32_t flags, unsigned n_fds)
{
    const struct wire_dma_map m = {
        .argsz = sizeof m, .flags = flags, .address = address, .size = SIZE};
    struct fdset fds;

    fdset_init(&fds);
    peer_memfds(&fds, n_fds);
    peer_send(fd, (struct wire_hdr){.id = id, .command = WIRE_DMA_MAP}, &m, sizeof m, &fds);
    fdset_close(&fds);
}

/* The next message is this map, with so many fds. */
void dma_expect_map(int fd, uint16_t id, unsigned n_fds)
{
    struct message m;

    peer_recv(fd, &m);
    ck_assert_uint_eq(m.hdr.command, WIRE_DMA_MAP);
    ck_assert_uint_eq(m.hdr.id, id);
    ck_assert_uint_eq(m.fds.n, n_fds);
    message_deinit(&m);
}

/* Answers a command with a header, or an error. */
void dma_answer(int fd, uint16_t id, uint16_t command, int err)
{
    const struct wire_hdr hdr = {.id = id,
                                 .command = command,
                                 .flags = WIRE_TYPE_REPLY | (err ? WIRE_ERROR : 0),
                                 .error = (uint32_t)err};

    peer_send(fd, hdr, "", 0, NULL);
}

void dma_ask(int fd, uint16_t id, uint16_t command, uint64_t address, uint32_t count)
{
    uint8_t body[sizeof(struct wire_dma_access) + 64] = {0};
    const struct wire_dma_access a = {.address = address, .count = count};

    memcpy(body, &a, sizeof a);
    peer_send(fd, (struct wire_hdr){.id = id, .command = command}, body,
              sizeof a + (command == WIRE_DMA_WRITE ? count : 0), NULL);
}

void dma_expect_command(int fd, uint16_t id, uint16_t command)
{
    struct message m;

    peer_recv(fd, &m);
    ck_assert_uint_eq(m.hdr.id, id);
    ck_assert_uint_eq(m.hdr.command, command);
    message_deinit(&m);
}
