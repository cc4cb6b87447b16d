/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The session state table. Pure.
 */
#include "proxy/ipc/session_state.h"

#define TO(state) (1u << SESSION_##state)

static const struct {
    const char *name;
    unsigned followers;
} states[SESSION_STATES] = {
    [SESSION_ACCEPTED] = {"accepted", TO(DIALING) | TO(DEAD)},
    [SESSION_DIALING] = {"dialing", TO(RECITING) | TO(DEAD)},
    [SESSION_RECITING] = {"reciting", TO(DECIDING) | TO(DEAD)},
    [SESSION_DECIDING] = {"deciding", TO(RELAYING) | TO(DEAD)},
    [SESSION_RELAYING] = {"relaying", TO(DRAINING) | TO(DEAD)},
    [SESSION_DRAINING] = {"draining", TO(DEAD)},
    [SESSION_DEAD] = {"dead", 0},
};

static const char *const reasons[REASON_COUNT] = {
    [REASON_NONE] = "none",
    [REASON_CLIENT_CLOSED] = "client-closed",
    [REASON_BACKEND_CLOSED] = "backend-closed",
    [REASON_CLIENT_GONE] = "client-gone",
    [REASON_BACKEND_GONE] = "backend-gone",
    [REASON_BACKEND_ABSENT] = "backend-absent",
    [REASON_BACKEND_REFUSED] = "backend-refused",
    [REASON_VERSION_MALFORMED] = "version-malformed",
    [REASON_HANDSHAKE_TIMEOUT] = "handshake-timeout",
    [REASON_DENIED] = "denied",
    [REASON_UNRECORDED] = "unrecorded",
    [REASON_RECITAL] = "recital",
    [REASON_REFUSED] = "refused",
    [REASON_BAD_FRAME] = "bad-frame",
    [REASON_TOO_MANY_FDS] = "too-many-fds",
    [REASON_FDS_CUT_OFF] = "fds-cut-off",
    [REASON_FDS_UNREAD] = "fds-unread",
    [REASON_OWN_SOCKET] = "own-socket",
    [REASON_HANDED_ON] = "handed-on",
    [REASON_TRUNCATED_MESSAGE] = "truncated-message",
    [REASON_DRAIN_TIMEOUT] = "drain-timeout",
    [REASON_STALLED] = "stalled",
    [REASON_CLIENT_DIED] = "client-died",
    [REASON_BACKEND_DIED] = "backend-died",
    [REASON_BACKEND_SILENT] = "backend-silent",
    [REASON_BACKEND_LOST] = "backend-lost",
    [REASON_IO_ERROR] = "io-error",
    [REASON_NO_RESOURCES] = "no-resources",
    [REASON_WORKER_DIED] = "worker-died",
    [REASON_WORKER_HUNG] = "worker-hung",
    [REASON_MONITOR_GONE] = "monitor-gone",
    [REASON_UPGRADE] = "upgrade",
    [REASON_POISONED] = "poisoned-message",
    [REASON_SHUTDOWN] = "shutdown",
    [REASON_OPERATOR] = "ended-by-operator",
    [REASON_EXECUTABLE] = "executable-changed",
    [REASON_RELOAD] = "denied-by-reload",
    [REASON_INJECTED] = "injected",
    [REASON_INTERNAL] = "internal-error",
};

const char *session_state_name(enum session_state s)
{
    return (unsigned)s < SESSION_STATES ? states[s].name : "?";
}

bool session_state_follows(enum session_state from, enum session_state to)
{
    return (unsigned)from < SESSION_STATES && (unsigned)to < SESSION_STATES &&
           (states[from].followers & (1u << to));
}

const char *session_reason_word(enum session_reason r)
{
    return (unsigned)r < REASON_COUNT ? reasons[r] : "?";
}
