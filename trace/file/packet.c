/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Writes and reads a packet's tags and capture header. Does not allocate, nor copy the message. */
#define _DEFAULT_SOURCE
#include "trace/file/packet.h"

#include <endian.h>
#include <string.h>

#include "trace/file/snap_length.h"

#define TAG_END 0u
#define TAG_DISSECTOR 12u
#define TAG_SIZE 4u

/* Room for the name, padded by NULs to a multiple of four; its length counts them. */
#define NAME_SIZE ((sizeof TRACE_DISSECTOR - 1 + 3) / 4 * 4)
#define TAGS_SIZE (TAG_SIZE + NAME_SIZE + TAG_SIZE)

_Static_assert(TAGS_SIZE + TRACE_CAPTURE_HDR_SIZE + SNAP_LENGTH_MOST == LIMIT_TRACE_PACKET,
               "what is kept of a message without fds fills a packet");

size_t packet_head_size(uint16_t n_fds)
{
    return TAGS_SIZE + TRACE_CAPTURE_HDR_SIZE + (size_t)n_fds * TRACE_CAPTURE_FD_SIZE;
}

/* ---- writing ---- */

static uint8_t *packet_put16be(uint8_t *at, uint16_t v)
{
    v = htobe16(v);
    memcpy(at, &v, sizeof v);
    return at + sizeof v;
}

static uint8_t *packet_put16(uint8_t *at, uint16_t v)
{
    v = htole16(v);
    memcpy(at, &v, sizeof v);
    return at + sizeof v;
}

static uint8_t *packet_put32(uint8_t *at, uint32_t v)
{
    v = htole32(v);
    memcpy(at, &v, sizeof v);
    return at + sizeof v;
}

static uint8_t *packet_put64(uint8_t *at, uint64_t v)
{
    v = htole64(v);
    memcpy(at, &v, sizeof v);
    return at + sizeof v;
}

static uint8_t *packet_put_tags(uint8_t *at)
{
    at = packet_put16be(at, TAG_DISSECTOR);
    at = packet_put16be(at, NAME_SIZE);
    memset(at, 0, NAME_SIZE);
    memcpy(at, TRACE_DISSECTOR, sizeof TRACE_DISSECTOR - 1);
    at = packet_put16be(at + NAME_SIZE, TAG_END);
    return packet_put16be(at, 0);
}

static uint8_t *packet_put_fd(uint8_t *at, const struct trace_fd *fd)
{
    *at++ = fd->kind;
    *at++ = fd->access;
    at = packet_put16(at, fd->flags);
    at = packet_put32(at, fd->seals);
    at = packet_put64(at, fd->dev);
    at = packet_put64(at, fd->ino);
    return packet_put64(at, fd->size);
}

void packet_put_head(void *p, const struct trace_message *m)
{
    const uint32_t size = TRACE_CAPTURE_HDR_SIZE + (uint32_t)m->n_fds * TRACE_CAPTURE_FD_SIZE;
    uint8_t *at = packet_put_tags(p);

    *at++ = TRACE_CAPTURE_VERSION;
    *at++ = m->flags;
    at = packet_put16(at, (uint16_t)size);
    *at++ = m->legs;
    *at++ = m->sender;
    at = packet_put16(at, m->n_fds);
    at = packet_put64(at, m->session);
    at = packet_put64(at, m->passed_ns);
    at = packet_put32(at, m->size);
    at = packet_put32(at, m->lost);
    at = packet_put64(at, m->number);
    for (unsigned i = 0; i < m->n_fds; i++) {
        at = packet_put_fd(at, &m->fds[i]);
    }
}

/* ---- reading ---- */

static uint16_t packet_get16be(const uint8_t *at)
{
    uint16_t v;

    memcpy(&v, at, sizeof v);
    return be16toh(v);
}

static uint16_t packet_get16(const uint8_t *at)
{
    uint16_t v;

    memcpy(&v, at, sizeof v);
    return le16toh(v);
}

static uint32_t packet_get32(const uint8_t *at)
{
    uint32_t v;

    memcpy(&v, at, sizeof v);
    return le32toh(v);
}

static uint64_t packet_get64(const uint8_t *at)
{
    uint64_t v;

    memcpy(&v, at, sizeof v);
    return le64toh(v);
}

/* Returns true if a tag's value is our dissector's name, with any number of NULs behind it. */
static bool packet_is_ours(const uint8_t *p, size_t n)
{
    static const char name[] = TRACE_DISSECTOR;
    const size_t name_n = sizeof name - 1;

    if (n < name_n || memcmp(p, name, name_n) != 0) {
        return false;
    }
    return n == name_n || p[name_n] == '\0';
}

/* Skips the tags. *ours: one of them names our dissector. */
static bool packet_skip_tags(const uint8_t **at, size_t *n, bool *ours)
{
    *ours = false;
    while (*n >= TAG_SIZE) {
        const uint16_t tag = packet_get16be(*at);
        const size_t size = packet_get16be(*at + 2);

        if (size > *n - TAG_SIZE) {
            return false;
        }
        if (tag == TAG_DISSECTOR) {
            *ours = packet_is_ours(*at + TAG_SIZE, size);
        }
        *at += TAG_SIZE + size;
        *n -= TAG_SIZE + size;
        if (tag == TAG_END) {
            return true;
        }
    }
    return false;
}

static bool packet_get_fd(const uint8_t *at, struct trace_fd *fd)
{
    fd->kind = at[0];
    fd->access = at[1];
    fd->flags = packet_get16(at + 2);
    fd->seals = packet_get32(at + 4);
    fd->dev = packet_get64(at + 8);
    fd->ino = packet_get64(at + 16);
    fd->size = packet_get64(at + 24);
    return fd->kind < TRACE_FD_KINDS;
}

/* Returns the fault of a capture header, or NULL. */
static const char *packet_judge(const struct trace_message *m, size_t n, size_t size)
{
    if (m->n_fds > LIMIT_FDS_KERNEL) {
        return "more fds than a message can have";
    }
    if (size != TRACE_CAPTURE_HDR_SIZE + (size_t)m->n_fds * TRACE_CAPTURE_FD_SIZE || size > n) {
        return "the capture header's length does not agree with its fds or its packet";
    }
    if (m->sender >= SIDES || m->legs == 0 || (m->legs & ~TRACE_LEGS) != 0 ||
        (m->flags & ~TRACE_FLAGS) != 0) {
        return "a capture header with invalid values";
    }
    return n - size > m->size ? "more bytes kept than the message had" : NULL;
}

static const char *packet_get_message(const uint8_t *at, size_t n, struct trace_message *m,
                                      struct trace_fd *fds)
{
    const char *why;
    size_t size;

    if (n < TRACE_CAPTURE_HDR_SIZE) {
        return "the packet ends inside its capture header";
    }
    if (at[0] != TRACE_CAPTURE_VERSION) {
        return "a capture header of another version";
    }
    m->flags = at[1];
    size = packet_get16(at + 2);
    m->legs = at[4];
    m->sender = at[5];
    m->n_fds = packet_get16(at + 6);
    m->session = packet_get64(at + 8);
    m->passed_ns = packet_get64(at + 16);
    m->size = packet_get32(at + 24);
    m->lost = packet_get32(at + 28);
    m->number = packet_get64(at + 32);
    why = packet_judge(m, n, size);
    if (why) {
        return why;
    }
    at += TRACE_CAPTURE_HDR_SIZE;
    for (unsigned i = 0; i < m->n_fds; i++, at += TRACE_CAPTURE_FD_SIZE) {
        if (!packet_get_fd(at, &fds[i])) {
            return "an fd of an unknown kind";
        }
    }
    m->fds = fds;
    m->data = at;
    m->kept = (uint32_t)(n - size);
    return NULL;
}

enum packet_outcome packet_get(const void *p, size_t n, struct trace_message *m,
                               struct trace_fd *fds, const char **why)
{
    const uint8_t *at = p;
    bool ours;

    if (!packet_skip_tags(&at, &n, &ours)) {
        *why = "tags without an end";
        return PACKET_MALFORMED;
    }
    if (!ours) {
        return PACKET_FOREIGN;
    }
    *why = packet_get_message(at, n, m, fds);
    return *why ? PACKET_MALFORMED : PACKET_OK;
}
