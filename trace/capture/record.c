/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Converts messages to and from records of a ring. Pure. */
#include "trace/capture/record.h"

#include <string.h>

/* The part before fds and data. */
struct fixed {
    uint64_t session;
    uint64_t number;
    uint64_t read_ns;
    uint64_t passed_ns;
    uint64_t waited_ns;
    uint32_t size;
    uint32_t kept;
    uint32_t lost;
    uint8_t sender;
    uint8_t legs;
    uint8_t flags;
    uint8_t zero;
    uint16_t n_fds;
    uint16_t zeros;
    uint32_t missing;
};

_Static_assert(sizeof(struct fixed) == 64, "records have no holes");
_Static_assert(sizeof(struct trace_fd) == 32, "fds have no holes");

size_t record_size(const struct trace_message *m)
{
    return sizeof(struct fixed) + m->n_fds * sizeof *m->fds + m->kept;
}

void record_put(void *p, const struct trace_message *m)
{
    const struct fixed f = {.session = m->session,
                            .number = m->number,
                            .read_ns = m->read_ns,
                            .passed_ns = m->passed_ns,
                            .waited_ns = m->waited_ns,
                            .size = m->size,
                            .kept = m->kept,
                            .lost = m->lost,
                            .sender = m->sender,
                            .legs = m->legs,
                            .flags = m->flags,
                            .n_fds = m->n_fds,
                            .missing = m->missing};
    uint8_t *at = p;

    memcpy(at, &f, sizeof f);
    at += sizeof f;
    if (m->n_fds > 0) {
        memcpy(at, m->fds, m->n_fds * sizeof *m->fds);
        at += m->n_fds * sizeof *m->fds;
    }
    if (m->kept > 0) {
        memcpy(at, m->data, m->kept);
    }
}

static bool record_sound(const struct fixed *f)
{
    return f->number > 0 && f->kept <= f->size && f->missing <= f->size - f->kept &&
           f->lost < f->number && f->sender < SIDES && f->legs != 0 &&
           (f->legs & ~TRACE_LEGS) == 0 && (f->flags & ~TRACE_FLAGS) == 0 &&
           f->n_fds <= LIMIT_FDS_KERNEL;
}

bool record_get(const void *p, size_t n, struct trace_message *m)
{
    const uint8_t *const at = p;
    struct fixed f;

    if (n < sizeof f) {
        return false;
    }
    memcpy(&f, at, sizeof f);
    if (!record_sound(&f) || n - sizeof f != f.n_fds * sizeof(struct trace_fd) + (size_t)f.kept) {
        return false;
    }
    *m = (struct trace_message){.session = f.session,
                                .number = f.number,
                                .read_ns = f.read_ns,
                                .passed_ns = f.passed_ns,
                                .waited_ns = f.waited_ns,
                                .size = f.size,
                                .kept = f.kept,
                                .lost = f.lost,
                                .missing = f.missing,
                                .sender = f.sender,
                                .legs = f.legs,
                                .flags = f.flags,
                                .n_fds = f.n_fds,
                                .fds = (const struct trace_fd *)(const void *)(at + sizeof f),
                                .data = at + sizeof f + f.n_fds * sizeof(struct trace_fd)};
    for (unsigned i = 0; i < m->n_fds; i++) {
        if (m->fds[i].kind >= TRACE_FD_KINDS) {
            return false;
        }
    }
    return true;
}
