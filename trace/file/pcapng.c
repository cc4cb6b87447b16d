/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Writes the blocks of a trace. Numbers are in the machine's byte order; the packet's data
 * (trace/file/packet.h) is the same on every machine. The size of each block is calculated before
 * its first byte is written.
 */
#define _GNU_SOURCE
#include "trace/file/pcapng.h"

#include <string.h>

#include "trace/file/packet.h"
#include "trace/file/pcapng_blocks.h"

#define USERAPPL "poemd " POEMD_VERSION

/* A block: type, length, body, length. */
#define BLOCK_SIZE 12u
#define OPTION_SIZE 4u

static size_t pcapng_padded(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

/*
 * Bytes of a text that are written: a text that is too long is cut after a whole UTF-8 character (a
 * byte 10xxxxxx does not begin one).
 */
static size_t pcapng_text_size(const char *text)
{
    size_t n = strnlen(text, PCAPNG_COMMENT_MAX + 1);

    if (n > PCAPNG_COMMENT_MAX) {
        n = PCAPNG_COMMENT_MAX;
        while (n > 0 && ((unsigned char)text[n] & 0xc0u) == 0x80u) {
            n--;
        }
    }
    return n;
}

/* An option's size, or 0 if text is NULL. */
static size_t pcapng_text_option_size(const char *text)
{
    return text ? OPTION_SIZE + pcapng_padded(pcapng_text_size(text)) : 0;
}

/* ---- putting ---- */

static uint8_t *pcapng_put(uint8_t *at, const void *p, size_t n)
{
    memcpy(at, p, n);
    memset(at + n, 0, pcapng_padded(n) - n);
    return at + pcapng_padded(n);
}

static uint8_t *pcapng_put32(uint8_t *at, uint32_t v)
{
    return pcapng_put(at, &v, sizeof v);
}

static uint8_t *pcapng_put_pair(uint8_t *at, uint16_t a, uint16_t b)
{
    const uint16_t v[2] = {a, b};

    return pcapng_put(at, v, sizeof v);
}

/* A time is written as two halves, the higher first, in either byte order. */
static uint8_t *pcapng_put_time(uint8_t *at, uint64_t ns)
{
    return pcapng_put32(pcapng_put32(at, (uint32_t)(ns >> 32)), (uint32_t)ns);
}

static uint8_t *pcapng_put_option(uint8_t *at, uint16_t code, const void *p, size_t n)
{
    return pcapng_put(pcapng_put_pair(at, code, (uint16_t)n), p, n);
}

static uint8_t *pcapng_put_text(uint8_t *at, uint16_t code, const char *text)
{
    return text ? pcapng_put_option(at, code, text, pcapng_text_size(text)) : at;
}

static uint8_t *pcapng_put_time_option(uint8_t *at, uint16_t code, uint64_t ns)
{
    return pcapng_put_time(pcapng_put_pair(at, code, 8), ns);
}

/* Begins a block of size bytes in all. */
static uint8_t *pcapng_begin(void *p, uint32_t type, size_t size)
{
    return pcapng_put32(pcapng_put32(p, type), (uint32_t)size);
}

static size_t pcapng_end(uint8_t *at, size_t size)
{
    pcapng_put32(at, (uint32_t)size);
    return size;
}

/* Ends a block with options. */
static size_t pcapng_end_options(uint8_t *at, size_t size)
{
    return pcapng_end(pcapng_put_pair(at, PCAPNG_OPT_END, 0), size);
}

/* ---- the blocks ---- */

size_t pcapng_section(void *p, size_t n, const char *comment)
{
    static const uint64_t unknown_length = UINT64_MAX;
    const size_t size = BLOCK_SIZE + 16 + pcapng_text_option_size(USERAPPL) +
                        pcapng_text_option_size(comment) + OPTION_SIZE;
    uint8_t *at;

    if (size > n) {
        return 0;
    }
    at = pcapng_begin(p, PCAPNG_SECTION, size);
    at = pcapng_put32(at, PCAPNG_MAGIC);
    at = pcapng_put_pair(at, PCAPNG_MAJOR, 0);
    at = pcapng_put(at, &unknown_length, sizeof unknown_length);
    at = pcapng_put_text(at, PCAPNG_SHB_USERAPPL, USERAPPL);
    at = pcapng_put_text(at, PCAPNG_OPT_COMMENT, comment);
    return pcapng_end_options(at, size);
}

size_t pcapng_interface(void *p, size_t n, const char *name, const char *description,
                        const char *comment)
{
    static const uint8_t nanoseconds = 9;
    const size_t size = BLOCK_SIZE + 8 + pcapng_text_option_size(name) +
                        pcapng_text_option_size(description) + OPTION_SIZE + 4 +
                        pcapng_text_option_size(comment) + OPTION_SIZE;
    uint8_t *at;

    if (size > n) {
        return 0;
    }
    at = pcapng_begin(p, PCAPNG_INTERFACE, size);
    at = pcapng_put_pair(at, PCAPNG_LINKTYPE_UPPER_PDU, 0);
    at = pcapng_put32(at, 0);
    at = pcapng_put_text(at, PCAPNG_IF_NAME, name);
    at = pcapng_put_text(at, PCAPNG_IF_DESCRIPTION, description);
    at = pcapng_put_option(at, PCAPNG_IF_TSRESOL, &nanoseconds, sizeof nanoseconds);
    at = pcapng_put_text(at, PCAPNG_OPT_COMMENT, comment);
    return pcapng_end_options(at, size);
}

size_t pcapng_message(void *p, size_t n, uint32_t interface, const struct trace_message *m,
                      const char *comment)
{
    const size_t head = packet_head_size(m->n_fds);
    const size_t kept = m->kept < LIMIT_TRACE_PACKET - head ? m->kept : LIMIT_TRACE_PACKET - head;
    const uint64_t original = (uint64_t)head + m->size - m->missing;
    const uint64_t lost = m->lost;
    const uint32_t direction =
        m->sender == SIDE_CLIENT ? PCAPNG_FLAG_INBOUND : PCAPNG_FLAG_OUTBOUND;
    const size_t size = BLOCK_SIZE + 20 + pcapng_padded(head + kept) + OPTION_SIZE + 4 +
                        (lost ? OPTION_SIZE + 8 : 0) + OPTION_SIZE + 8 +
                        (m->waited_ns ? OPTION_SIZE + 8 : 0) + pcapng_text_option_size(comment) +
                        OPTION_SIZE;
    uint8_t *at;

    if (size > n) {
        return 0;
    }
    at = pcapng_begin(p, PCAPNG_PACKET, size);
    at = pcapng_put_time(pcapng_put32(at, interface), m->read_ns);
    at = pcapng_put32(at, (uint32_t)(head + kept));
    at = pcapng_put32(at, original > UINT32_MAX ? UINT32_MAX : (uint32_t)original);
    packet_put_head(at, m);
    at = kept > 0 ? pcapng_put(at + head, m->data, kept) : at + head;
    at = pcapng_put_option(at, PCAPNG_EPB_FLAGS, &direction, sizeof direction);
    if (lost) {
        at = pcapng_put_option(at, PCAPNG_EPB_DROPCOUNT, &lost, sizeof lost);
    }
    at = pcapng_put_option(at, PCAPNG_EPB_PACKETID, &m->number, sizeof m->number);
    if (m->waited_ns) {
        at = pcapng_put_option(at, PCAPNG_EPB_WAITED, &m->waited_ns, sizeof m->waited_ns);
    }
    at = pcapng_put_text(at, PCAPNG_OPT_COMMENT, comment);
    return pcapng_end_options(at, size);
}

size_t pcapng_statistics(void *p, size_t n, uint32_t interface, const struct pcapng_statistics *s,
                         const char *comment)
{
    const size_t size = BLOCK_SIZE + 12 + (s->over ? 4u : 3u) * (OPTION_SIZE + 8) +
                        pcapng_text_option_size(comment) + OPTION_SIZE;
    uint8_t *at;

    if (size > n) {
        return 0;
    }
    at = pcapng_begin(p, PCAPNG_STATISTICS, size);
    at = pcapng_put_time(pcapng_put32(at, interface), s->now_ns);
    at = pcapng_put_time_option(at, PCAPNG_ISB_STARTTIME, s->begin_ns);
    if (s->over) {
        at = pcapng_put_time_option(at, PCAPNG_ISB_ENDTIME, s->now_ns);
    }
    at = pcapng_put_option(at, PCAPNG_ISB_IFRECV, &s->seen, sizeof s->seen);
    at = pcapng_put_option(at, PCAPNG_ISB_IFDROP, &s->lost, sizeof s->lost);
    at = pcapng_put_text(at, PCAPNG_OPT_COMMENT, comment);
    return pcapng_end_options(at, size);
}
