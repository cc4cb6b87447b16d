/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Prints named values one after another, as text for people ("address=0x0, READABLE") or as the
 * members of a JSON object. The caller gives the values; the printer decides how they look.
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
    bool first; /* no value was printed yet */
};

/*
 * Prints the comma and the name; `bare` leaves out the name for people. name NULL: an element of a
 * list.
 */
void printer_label(struct printer *p, const char *name);

void printer_hex(struct printer *p, const char *name, uint64_t v);
void printer_dec(struct printer *p, const char *name, uint64_t v); /* in JSON a string above 2^53 */
void printer_true(struct printer *p, const char *name);

/* Prints a named number by its name, or as a number if word is NULL. */
void printer_word(struct printer *p, const char *name, const char *word, uint64_t v);
void printer_word_bare(struct printer *p, const char *name, const char *word, uint64_t v);

/*
 * Prints the flags that are set; the unnamed ones as one number. For people, without the field's
 * name.
 */
void printer_flags(struct printer *p, const char *name, const struct wire_name *table, uint64_t v);

/* Prints foreign text, escaped. */
void printer_text(struct printer *p, const char *name, const void *text, size_t n);

/*
 * Prints some of n bytes in hexadecimal, and how many there are; `total` is their announced number.
 */
void printer_data(struct printer *p, const char *name, const uint8_t *data, size_t n,
                  uint64_t total);

void printer_open(struct printer *p, const char *name); /* { */
void printer_close(struct printer *p);                  /* } */
void printer_open_list(struct printer *p, const char *name);
void printer_close_list(struct printer *p);

/* Entries of a list that are printed at most. */
uint32_t printer_list_max(const struct printer *p);

/* Prints that `more` entries of the list are left out. */
void printer_more(struct printer *p, uint64_t more);

/*
 * Prints JSON from a peer or the broker. For people: names without quotes and long texts shortened,
 * valid or not. For programs: unchanged if it is valid JSON, else as a string.
 */
void printer_json(struct printer *p, const char *name, const void *json, size_t n);

/* Prints the fds of a message, if any. */
void printer_fds(struct printer *p, const struct trace_message *m);

#endif
