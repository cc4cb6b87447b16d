/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The real edu program for its tests: started, spoken to, ended. Failures fail the test.
 */
#ifndef POEMD_TESTS_UNIT_EDU_EDU_PROCESS_H
#define POEMD_TESTS_UNIT_EDU_EDU_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/client.h"

struct edu {
    pid_t pid;
    char path[256]; /* of its socket */
    char log[256];
};

/* Starts edu with these options (NULL-terminated; may be NULL) and waits until it listens. */
void edu_start(struct edu *e, const char *name, const char *const options[]);

/* Ends it by SIGTERM: it must end well and take its socket file away. */
void edu_stop(struct edu *e);

/* Starts it with --fd FD (given away) and options. */
pid_t edu_start_fd(int fd, const char *const options[]);

/* Runs it with options alone. Its exit status. */
int edu_run(const char *const options[]);

/* Waits for the end of the process; its exit status. */
int edu_join(pid_t pid);

/* Connects only. The client's socket blocks, so that single messages can be played on it, too. */
void edu_dial(const char *path, struct client *c);

/* Connects, and negotiates what the device's tests need. */
void edu_connect(const struct edu *e, struct client *c);

/* Fails unless the outcome is CLIENT_OK. */
void edu_ok(const struct client *c, enum client_outcome o);

/* Sends a command; returns the errno of its error reply, 0 for a good one. */
int edu_errno(struct client *c, uint16_t command, const void *p, size_t n);

/* Registers of BAR 0. */
uint64_t edu_get(struct client *c, uint64_t offset, uint32_t n);
void edu_put(struct client *c, uint64_t offset, uint64_t value, uint32_t n);

/* Lets the device use DMA. */
void edu_master(struct client *c);

/* Starts a transfer. */
void edu_dma(struct client *c, uint64_t src, uint64_t dst, uint64_t count, uint64_t cmd);

/* Whether the transfer goes on. */
bool edu_dma_running(struct client *c);

#endif
