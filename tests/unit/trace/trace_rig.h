/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the suites of traces share: files put together from bytes, and a reading told as text, one
 * line an item with everything that the reader says of it.
 */
#ifndef POEMD_TESTS_UNIT_TRACE_TRACE_RIG_H
#define POEMD_TESTS_UNIT_TRACE_TRACE_RIG_H

#include <stdio.h>

#include "tests/unit/trace/trace_sample.h"
#include "trace/file/reader.h"

/* An fd from which the n bytes at p are read. */
int trace_rig_file(const void *p, size_t n);

/* A reading: as text, in items, and how it ended. */
struct reading {
    char *text;
    size_t size;
    size_t items;
    enum trace_outcome end;
    char why[192];
    FILE *f;
};

void reading_init(struct reading *r);
void reading_deinit(struct reading *r);

/* Reads on until there are no more items for now; the text grows. */
void reading_go_on(struct reading *r, struct trace_reader *from);

/* Reads all of the n bytes at p. */
void reading_of(struct reading *r, const void *p, size_t n);

/* A file in the making: blocks of pcapng in this machine's byte order. */
struct blocks {
    uint8_t *p;
    size_t n;
    size_t room;
};

void blocks_init(struct blocks *b);
void blocks_deinit(struct blocks *b);
void blocks_add(struct blocks *b, const void *p, size_t n);

/* A block of any type and body. */
void blocks_raw(struct blocks *b, uint32_t type, const void *body, size_t n);
void blocks_section(struct blocks *b);
void blocks_interface(struct blocks *b, const char *name, const char *comment);

/* An interface of a link type with the n bytes of options at p. */
void blocks_foreign(struct blocks *b, uint16_t linktype, const void *options, size_t n);
void blocks_message(struct blocks *b, uint32_t interface, const struct trace_message *m,
                    const char *comment);

/* A packet of n bytes that are the caller's. */
void blocks_packet(struct blocks *b, uint32_t interface, uint64_t time, const void *p, size_t n);

/* A message of 16 bytes, number 1 of session 1. */
struct trace_message trace_rig_message(void);

/* Turns a well-formed trace in this machine's byte order into one in the other. */
void trace_rig_swap(uint8_t *p, size_t n);

#endif
