/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The two processes of a device whose session is held meanwhile ("on backend loss hold"). */
#ifndef POEMD_TESTS_DAEMON_HOLD_RIG_H
#define POEMD_TESTS_DAEMON_HOLD_RIG_H

#include "tests/daemon/rig.h"
#include "tests/support/peer.h"

#define HOLD_RIG_CAPS \
    "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":65536,\"max_dma_maps\":512}}"

#define HOLD_RIG_PAGE 4096u
#define HOLD_RIG_MAPS 2u

extern const struct wire_dma_map hold_rig_maps[HOLD_RIG_MAPS];

/* Returns the header of a request. */
struct wire_hdr hold_rig_command(uint16_t id, uint16_t code);

/* The device receives a request of this command, with n_fds fds. */
void hold_rig_hear(int fd, uint16_t code, unsigned n_fds, struct message *m);

/* It agrees, with n bytes of payload; m is freed. */
void hold_rig_agree(int fd, struct message *m, const void *payload, size_t n);

void hold_rig_lose_device(struct rig *r, struct pair *p);

/* The next process of the device connects to poemd, and exchanges VERSION. */
void hold_rig_next_device(struct rig *r, struct pair *p, const char *caps);

/* The client sends a request, which the device gets and agrees to. */
void hold_rig_set_up(const struct pair *p, uint16_t code, const void *payload, size_t n,
                     const struct fdset *fds, const void *reply, size_t n_reply);
void hold_rig_set_up_map(const struct pair *p, unsigned i, int memory_fd);

/* The next process gets that map, and agrees. */
void hold_rig_expect_map(const struct pair *p, unsigned i, int memory_fd);

#endif
