/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Names of kept fds. */
#include "proxy/monitor/keep/state_fds.h"

#include <inttypes.h>
#include <stdio.h>

#include "proxy/ipc/fdstore.h"

const char *state_fds_session(uint64_t id, enum state_fd fd, char *out)
{
    static const char *const parts[STATE_FDS] = {[STATE_FD_CLIENT] = "c",
                                                 [STATE_FD_BACKEND] = "b",
                                                 [STATE_FD_TWIN_CLIENT] = "tc",
                                                 [STATE_FD_TWIN_BACKEND] = "tb"};

    snprintf(out, STATE_NAME_SIZE, "s%" PRIu64 ".%s", id, parts[fd]);
    return out;
}

const char *state_fds_refusal(uint64_t number, char *out)
{
    snprintf(out, STATE_NAME_SIZE, "r/%" PRIu64, number);
    return out;
}

const char *state_fds_pages(uint64_t worker, char *out)
{
    snprintf(out, STATE_NAME_SIZE, "w%" PRIu64 ".pg", worker);
    return out;
}

const char *state_fds_channel(uint64_t worker, char *out)
{
    snprintf(out, STATE_NAME_SIZE, "w%" PRIu64 ".ch", worker);
    return out;
}

const char *state_fds_output(int32_t device, char *out)
{
    snprintf(out, STATE_NAME_SIZE, "d%" PRId32 ".o", device);
    return out;
}

const char *state_fds_holder(uint64_t capture, char *out)
{
    snprintf(out, STATE_NAME_SIZE, STATE_NAME_HOLDER "%" PRIu64, capture);
    return out;
}

const char *state_fds_text(const char *digest, uint64_t number, char *out)
{
    snprintf(out, STATE_NAME_SIZE, STATE_NAME_TEXT "%s.%" PRIu64, digest, number);
    return out;
}

void state_fds_drop(struct fdstore *store, uint64_t id, uint32_t mask)
{
    char name[STATE_NAME_SIZE];

    for (int fd = 0; fd < STATE_FDS; fd++) {
        if (mask & (1u << fd)) {
            fdstore_drop(store, state_fds_session(id, (enum state_fd)fd, name));
        }
    }
}
