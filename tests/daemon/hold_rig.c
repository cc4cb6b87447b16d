/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#include "tests/daemon/hold_rig.h"

#include <unistd.h>

#include "base/sock.h"
#include "tests/support/unit.h"

struct wire_hdr hold_rig_command(uint16_t id, uint16_t code)
{
    return (struct wire_hdr){.id = id, .command = code};
}

void hold_rig_hear(int fd, uint16_t code, unsigned n_fds, struct message *m)
{
    peer_recv(fd, m);
    ck_assert_uint_eq(m->hdr.command, code);
    ck_assert_uint_eq(m->hdr.flags & WIRE_TYPE_MASK, WIRE_TYPE_COMMAND);
    ck_assert_uint_eq(m->fds.n, n_fds);
}

void hold_rig_agree(int fd, struct message *m, const void *payload, size_t n)
{
    peer_send(fd, wire_reply_hdr(&m->hdr, (uint32_t)n), payload, n, NULL);
    message_deinit(m);
}

void hold_rig_next_device(struct rig *r, struct pair *p, const char *caps)
{
    struct message m;

    p->backend_fd = peer_accept(r->backend_fd);
    hold_rig_hear(p->backend_fd, WIRE_VERSION, 0, &m);
    peer_send_version(p->backend_fd, m.hdr.id, WIRE_TYPE_REPLY, caps, NULL);
    message_deinit(&m);
}

void hold_rig_lose_device(struct rig *r, struct pair *p)
{
    sock_close(&p->backend_fd);
    rig_await_log(r, "its device is gone", NULL, 0);
}

const struct wire_dma_map hold_rig_maps[HOLD_RIG_MAPS] = {
    {.argsz = sizeof *hold_rig_maps, .flags = 3, .address = 0x1000, .size = HOLD_RIG_PAGE},
    {.argsz = sizeof *hold_rig_maps,
     .flags = 1,
     .offset = HOLD_RIG_PAGE,
     .address = 0x8000,
     .size = HOLD_RIG_PAGE},
};

void hold_rig_set_up(const struct pair *p, uint16_t code, const void *payload, size_t n,
                     const struct fdset *fds, const void *reply, size_t n_reply)
{
    struct message m;

    peer_send(p->client_fd, hold_rig_command(1, code), payload, n, fds);
    hold_rig_hear(p->backend_fd, code, fds ? fds->n : 0, &m);
    hold_rig_agree(p->backend_fd, &m, reply, n_reply);
    peer_recv(p->client_fd, &m);
    ck_assert_uint_eq(m.hdr.flags, WIRE_TYPE_REPLY);
    message_deinit(&m);
}

void hold_rig_set_up_map(const struct pair *p, unsigned i, int memory_fd)
{
    struct fdset fds;

    fdset_init(&fds);
    ck_assert_int_eq(fdset_add_take(&fds, dup(memory_fd)), 0);
    hold_rig_set_up(p, WIRE_DMA_MAP, &hold_rig_maps[i], sizeof hold_rig_maps[i], &fds, NULL, 0);
    fdset_close(&fds);
}

void hold_rig_expect_map(const struct pair *p, unsigned i, int memory_fd)
{
    struct message m;

    hold_rig_hear(p->backend_fd, WIRE_DMA_MAP, 1, &m);
    ck_assert_uint_eq(m.n, sizeof hold_rig_maps[i]);
    ck_assert_mem_eq(m.payload, &hold_rig_maps[i], sizeof hold_rig_maps[i]);
    ck_assert(peer_same_file(m.fds.fds[0], memory_fd));
    hold_rig_agree(p->backend_fd, &m, NULL, 0);
}
