/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Writes named values one after another, as a person reads them ("address=0x0, READABLE") or as the
 * members of a JSON object. Whoever writes says what there is, not how it looks.
 */
#ifndef POEMD_TRACE_DECODE_PRINTER_H
#define POEMD_TRACE_DECODE_PRINTER_H

#include "trace/file/message.h"
#include "trace/decode/names.h"
#include "trace/decode/strbuf.h"

struct printer {
    struct strbuf *t;
    bool json;
    bool verbose;
    bool first; /* nothing stands before what comes next */
};

/* The comma and the name; bare: without a name where people read. NULL: an element of a list. */
void printer_label(struct printer *p, const char *name);
void printer_label_bare(struct printer *p, const char *name);

void printer_hex(struct printer *p, const char *name, uint64_t v);
void printer_dec(struct printer *p, const char *name, uint64_t v); /* in JSON a string above 2^53 */
void printer_true(struct printer *p, const char *name);

/* A number that has a name, or the number where word is NULL. */
void printer_word(struct printer *p, const char *name, const char *word, uint64_t v);
void printer_word_bare(struct printer *p, const char *name, const char *word, uint64_t v);

/* The flags that are set, those without a name as a number. People read them without the name. */
void printer_flags(struct printer *p, const char *name, const struct name_flag *table, uint64_t v);

/* Foreign text. */
void printer_text(struct printer *p, const char *name, const void *text, size_t n);

/* Bytes, of which `total` were said and n are here: some of them in hexadecimal, and how many. */
void printer_data(struct printer *p, const char *name, const uint8_t *data, size_t n,
                  uint64_t total);

void printer_open(struct printer *p, const char *name); /* { */
void printer_close(struct printer *p);                  /* } */
void printer_open_list(struct printer *p, const char *name);
void printer_close_list(struct printer *p);

/* Entries of a list that are shown. */
uint32_t printer_list_max(const struct printer *p);

/* Says that `more` entries of the list are not shown. */
void printer_more(struct printer *p, uint64_t more);

/*
 * JSON that a peer or the broker wrote: for people its names without quotes and its long texts
 * shortened, whatever it is; for programs as it is where it is JSON, else as a text.
 */
void printer_json(struct printer *p, const char *name, const void *json, size_t n);

/* The fds of a message, if any. */
void printer_fds(struct printer *p, const struct trace_message *m);

#endif
