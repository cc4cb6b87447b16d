/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Writes named values one after another, as a person reads them ("address=0x0, READABLE") or as the
 * members of a JSON object. Whoever writes says what there is, not how it looks.
 */
#ifndef POEMD_TRACE_DECODE_PEN_H
#define POEMD_TRACE_DECODE_PEN_H

#include "trace/file/message.h"
#include "trace/decode/names.h"
#include "trace/decode/text.h"

struct pen {
    struct text *t;
    bool json;
    bool verbose;
    bool first; /* nothing stands before what comes next */
};

/* The comma and the name; bare: without a name where people read. NULL: an element of a list. */
void pen_label(struct pen *p, const char *name);
void pen_label_bare(struct pen *p, const char *name);

void pen_hex(struct pen *p, const char *name, uint64_t v);
void pen_dec(struct pen *p, const char *name, uint64_t v); /* in JSON a string above 2^53 */
void pen_true(struct pen *p, const char *name);

/* A number that has a name, or the number where word is NULL. */
void pen_word(struct pen *p, const char *name, const char *word, uint64_t v);
void pen_word_bare(struct pen *p, const char *name, const char *word, uint64_t v);

/* The flags that are set, those without a name as a number. People read them without the name. */
void pen_flags(struct pen *p, const char *name, const struct name_flag *table, uint64_t v);

/* Foreign text. */
void pen_text(struct pen *p, const char *name, const void *text, size_t n);

/* Bytes, of which `total` were said and n are here: some of them in hexadecimal, and how many. */
void pen_data(struct pen *p, const char *name, const uint8_t *data, size_t n, uint64_t total);

void pen_open(struct pen *p, const char *name); /* { */
void pen_close(struct pen *p);                  /* } */
void pen_open_list(struct pen *p, const char *name);
void pen_close_list(struct pen *p);

/* Entries of a list that are shown. */
uint32_t pen_list_max(const struct pen *p);

/* Says that `more` entries of the list are not shown. */
void pen_more(struct pen *p, uint64_t more);

/*
 * JSON that a peer or the broker wrote: for people its names without quotes and its long texts
 * shortened, whatever it is; for programs as it is where it is JSON, else as a text.
 */
void pen_json(struct pen *p, const char *name, const void *json, size_t n);

/* The fds of a message, if any. */
void pen_fds(struct pen *p, const struct trace_message *m);

#endif
