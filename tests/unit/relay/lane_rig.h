/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A lane with a gate between two real socket pairs, and the messages that its suites send.
 */
#ifndef POEMD_TESTS_UNIT_RELAY_LANE_RIG_H
#define POEMD_TESTS_UNIT_RELAY_LANE_RIG_H

#include "proxy/relay/lane.h"

#define R WIRE_DMA_READABLE
#define W WIRE_DMA_WRITEABLE
#define MAX_DATA (2u << 20)
#define LARGE (1u << 20)

extern struct event_base *base;
extern struct report report;
extern struct dma_gate gate;
extern struct lane lane;
extern int client;
extern int backend;
extern unsigned denials;
extern unsigned refusals;       /* LANE_REFUSED */
extern struct lane_event ended; /* .reason REASON_NONE: not as yet */

/* Bytes to be sent, as one or in pieces. */
struct bytes {
    uint8_t *p;
    size_t n;
};

void lane_begin(const struct dma_settings *set, bool recorded);
void lane_withhold(void);
void lane_gate_end(void);
void lane_settle(void);
void lane_add(struct bytes *b, struct wire_hdr hdr, const void *body, size_t body_n, size_t data);
void lane_add_access(struct bytes *b, uint16_t id, uint16_t command, uint64_t address,
                     uint32_t count);
void lane_add_map(struct bytes *b, uint16_t id, uint64_t address, uint32_t flags);
void bytes_free(struct bytes *b);
void lane_send_bytes(int fd, struct bytes *b, const struct fdset *fds);
void lane_map(uint16_t id, uint64_t address, uint32_t flags);
void lane_expect(int fd, uint16_t id, uint16_t command);
void lane_expect_error(int fd, uint16_t id, uint16_t command, int err);

#endif
