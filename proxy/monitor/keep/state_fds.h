/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The names under which the keeper has the fds that belong to the records of the state file. */
#ifndef POEMD_PROXY_MONITOR_KEEP_STATE_FDS_H
#define POEMD_PROXY_MONITOR_KEEP_STATE_FDS_H

#include <stdint.h>

struct fdstore;

/* The state file itself. */
#define STATE_NAME_FILE "st"

/* The listening socket for metrics. A route cannot have this name. */
#define STATE_NAME_METRICS "m/"

/* The tracer's channel. */
#define STATE_NAME_TRACER "t"

/* Begins the names of listening sockets (state_fds_path) and of configurations' texts. */
#define STATE_NAME_LISTENER "l."
#define STATE_NAME_TEXT "g."

/* Begins the names of connections to poemctl whose end is that of a capture. */
#define STATE_NAME_HOLDER "h"

/* The room for a name of these: they are short, but for that of a listening socket. */
#define STATE_NAME_SIZE 256u

/* A session's fds; each has a bit 1 << fd in masks. */
enum state_fd {
    STATE_FD_CLIENT,
    STATE_FD_BACKEND,
    STATE_FD_TWIN_CLIENT,
    STATE_FD_TWIN_BACKEND,
    STATE_FDS,
};

/* Each writes a name to out (STATE_NAME_SIZE bytes), and returns out. */
const char *state_fds_session(uint64_t id, enum state_fd fd, char *out);
const char *state_fds_refusal(uint64_t number, char *out);
const char *state_fds_pages(uint64_t worker, char *out);
const char *state_fds_channel(uint64_t worker, char *out);
const char *state_fds_output(int32_t device, char *out);
const char *state_fds_holder(uint64_t capture, char *out);
const char *state_fds_text(const char *digest, uint64_t number, char *out);

/* Drops these of a session's fds. */
void state_fds_drop(struct fdstore *store, uint64_t id, uint32_t mask);

#endif
