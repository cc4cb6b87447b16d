/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Compares what two processes of a device promise. Pure. */
#include "proxy/worker/greeting/session_promise.h"

#include <string.h>

#include "base/wire/wire.h"

/* Returns true if a limit of the new process is not below the one that was promised. */
static bool session_promise_limit(const char *name, uint64_t had, uint64_t has,
                                  struct ipc_difference *d)
{
    if (has < had) {
        d->had = had;
        d->has = has;
        memcpy(d->name, name, strnlen(name, sizeof d->name - 1));
    }
    return has >= had;
}

bool session_promise_kept(const struct version_offer *was, const struct version_offer *now,
                          struct ipc_difference *d)
{
    *d = (struct ipc_difference){.what = IPC_DIFFERS_VERSION, .command = WIRE_VERSION};
    return session_promise_limit("minor", was->number.minor, now->number.minor, d) &&
           session_promise_limit("max_msg_fds", was->max_msg_fds, now->max_msg_fds, d) &&
           session_promise_limit("max_data_xfer_size", was->max_data_xfer_size,
                                 now->max_data_xfer_size, d) &&
           session_promise_limit("max_bitmap_size", was->max_bitmap_size, now->max_bitmap_size,
                                 d) &&
           version_keeps(was->json, json_object_get(now->json, "capabilities"), d->name, &d->had,
                         &d->has);
}
