/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A server that is a script: what it will say is laid into the socket before the client asks, so
 * that no test waits for another process.
 */
#ifndef POEMD_TESTS_UNIT_CLIENT_CLIENT_SCRIPT_H
#define POEMD_TESTS_UNIT_CLIENT_CLIENT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/client.h"
#include "base/fdset.h"
#include "base/wire/wire.h"
#include "tests/support/unit.h"

/* The client's time-out. Only ever waited out where nothing comes. */
#define SOON_MS 20

/* The client under test and the server's end of its socket, in a script_case. */
extern struct client c;
extern int server_fd;

/* A case of the suite whose tests begin with a connected c, which ends after them. */
TCase *script_case(Suite *s, const char *name);

/* n eventfds, owned. */
struct fdset some_fds(unsigned n);

/* Lays n bytes into fd, with n_fds eventfds. */
void lay_raw(int fd, const void *p, size_t n, unsigned n_fds);

/* … a message by its header, size being made right. */
void lay_on(int fd, struct wire_hdr h, const void *p, size_t n, unsigned n_fds);

/* … the server's reply to a request; its error reply. */
void lay_reply(uint16_t id, unsigned command, const void *p, size_t n, unsigned n_fds);
void lay_error(uint16_t id, unsigned command, uint32_t error);

/* Takes one message that the client sent; its payload goes to p. Returns the payload's size. */
size_t sent_on(int fd, struct wire_hdr *h, void *p, size_t room);

bool nothing_sent(int fd);

/* The call finds the answer malformed, says why, and ends the conversation. */
#define MALFORMED(call, text) \
    do { \
        ck_assert_int_eq(call, CLIENT_MALFORMED); \
        ck_assert_str_eq(c.why, text); \
        ck_assert_int_eq(c.fd, -1); \
        ck_assert_int_eq(client_reset(&c), CLIENT_CLOSED); \
    } while (0)

#endif
