/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A lane with a gate between two real socket pairs, and the messages that its suites send.
 */
#ifndef POEMD_TESTS_UNIT_RELAY_CHANNEL_PAIR_RIG_H
#define POEMD_TESTS_UNIT_RELAY_CHANNEL_PAIR_RIG_H

#include "proxy/relay/channel_pair.h"

#define R WIRE_DMA_READABLE
#define W WIRE_DMA_WRITEABLE
#define MAX_DATA (2u << 20)
#define LARGE (1u << 20)

extern struct event_base *base;
extern struct report report;
extern struct dma_gate gate;
extern struct channel_pair channels;
extern int client;
extern int backend;
extern unsigned denials;
extern unsigned refusals;               /* CHANNEL_PAIR_REFUSED */
extern struct channel_pair_event ended; /* .reason REASON_NONE: not as yet */

/* Bytes to be sent, as one or in pieces. */
struct bytes {
    uint8_t *p;
    size_t n;
};

void channel_pair_begin(const struct dma_settings *set, bool recorded);
void channel_pair_withhold(void);
void channel_pair_gate_end(void);
void channel_pair_settle(void);
void channel_pair_add(struct bytes *b, struct wire_hdr hdr, const void *body, size_t body_n,
                      size_t data);
void channel_pair_add_access(struct bytes *b, uint16_t id, uint16_t command, uint64_t address,
                             uint32_t count);
void channel_pair_add_map(struct bytes *b, uint16_t id, uint64_t address, uint32_t flags);
void bytes_free(struct bytes *b);
void channel_pair_send_bytes(int fd, struct bytes *b, const struct fdset *fds);
void channel_pair_map(uint16_t id, uint64_t address, uint32_t flags);
void channel_pair_expect(int fd, uint16_t id, uint16_t command);
void channel_pair_expect_error(int fd, uint16_t id, uint16_t command, int err);

#endif
