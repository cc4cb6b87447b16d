/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Messages about memory, between a client and a backend that a suite plays. Whatever is not as
 * expected fails the test.
 */
#ifndef POEMD_TESTS_DAEMON_DMA_RIG_H
#define POEMD_TESTS_DAEMON_DMA_RIG_H

#include <stdint.h>

#include "base/wire/wire.h"

#define R WIRE_DMA_READABLE
#define W WIRE_DMA_WRITEABLE

/* Of each map. */
#define SIZE 0x1000u

/* A map of that size, with so many fds. */
void dma_send_map(int fd, uint16_t id, uint64_t address, uint32_t flags, unsigned n_fds);

/* The next message is this map, with so many fds. */
void dma_expect_map(int fd, uint16_t id, unsigned n_fds);

/* Answers a command with a header, or an error. */
void dma_answer(int fd, uint16_t id, uint16_t command, int err);

/* Asks for an access, of at most 64 bytes if it writes. */
void dma_ask(int fd, uint16_t id, uint16_t command, uint64_t address, uint32_t count);

/* The next message is this command, or a reply to it. */
void dma_expect_command(int fd, uint16_t id, uint16_t command);

#endif
