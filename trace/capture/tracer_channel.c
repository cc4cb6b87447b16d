/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Messages between the monitor and the tracer. */
#include "trace/capture/tracer_channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sock.h"

static const char *const whys[TRACER_WHYS] = {
    [TRACER_ASKED] = "asked",
    [TRACER_DISK_FULL] = "disk full",
    [TRACER_IO_ERROR] = "i/o error",
    [TRACER_LIMIT] = "limit",
    [TRACER_READER_GONE] = "reader gone",
    [TRACER_SESSION_ENDED] = "session ended",
    [TRACER_SHUTDOWN] = "shutdown",
    [TRACER_NOT_RECORDED] = "not recorded",
    [TRACER_GONE] = "tracer gone",
};

const char *tracer_why_word(uint32_t why)
{
    return why < TRACER_WHYS ? whys[why] : "?";
}

void tracer_msg_init(struct tracer_msg *m, enum tracer_type type)
{
    memset(m, 0, offsetof(struct tracer_msg, text));
    m->type = type;
}

bool tracer_msg_add(struct tracer_msg *m, const char *text)
{
    const size_t n = strlen(text) + 1;

    if (n > sizeof m->text - m->n_text) {
        return false;
    }
    memcpy(m->text + m->n_text, text, n);
    m->n_text += (uint32_t)n;
    return true;
}

const char *tracer_msg_text(const struct tracer_msg *m, unsigned i)
{
    const char *at = m->text;
    const char *const end = m->text + m->n_text;

    while (i > 0 && at < end) {
        at += strlen(at) + 1;
        i--;
    }
    return at < end ? at : NULL;
}

size_t tracer_msg_size(const struct tracer_msg *m)
{
    return offsetof(struct tracer_msg, text) + m->n_text;
}

int tracer_send(int fd, const struct tracer_msg *m, const int *fds, unsigned n_fds, int flags)
{
    struct fdset set;
    ssize_t n;

    fdset_init(&set);
    for (unsigned i = 0; i < n_fds; i++) {
        set.fds[set.n++] = fds[i];
    }
    n = sock_send(fd, m, tracer_msg_size(m), &set, flags);
    if (n == -ETOOMANYREFS) {
        return -EAGAIN;
    }
    return n < 0 ? (int)n : 0;
}

int tracer_recv(int fd, struct tracer_msg *m, struct fdset *fds)
{
    const ssize_t n = sock_recv(fd, m, sizeof *m, fds, MSG_DONTWAIT | MSG_TRUNC);

    if (n <= 0) {
        return (int)n;
    }
    if (n < (ssize_t)offsetof(struct tracer_msg, text) || m->n_text > sizeof m->text ||
        (size_t)n != tracer_msg_size(m) || (m->n_text > 0 && m->text[m->n_text - 1] != '\0')) {
        return -EPROTO;
    }
    return 1;
}
