/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Decodes a captured message field by field, with the names of the specification and of PCI, for
 * people or as JSON. Decodes any bytes, as far as they were kept. Pure except for its memory.
 */
#ifndef POEMD_TRACE_DECODE_DECODE_H
#define POEMD_TRACE_DECODE_DECODE_H

#include "base/wire/wire_command.h"
#include "client/pci.h"
#include "trace/decode/pair.h"
#include "trace/decode/printer.h"

/* ---- views of messages ---- */

struct decode_view {
    const struct trace_message *m;
    bool has_hdr;
    bool reply; /* by its type */
    struct wire_hdr hdr;
    enum wire_check check;
    const uint8_t *p; /* the payload's kept bytes, in this machine's order; borrowed */
    size_t n;
    size_t total; /* the payload's bytes, kept or not */
};

/* Memory for swapping messages of the other byte order. */
struct decode_scratch {
    uint8_t *p; /* NULL until needed */
};

void decode_scratch_deinit(struct decode_scratch *s);

/*
 * Opens m for decoding. out is valid as long as m, and until scratch is used again. If memory for
 * swapping runs out, out is as if no payload had been kept.
 */
void decode_open(struct decode_view *out, const struct trace_message *m,
                 struct decode_scratch *scratch);

/* ---- the configuration space of a session, as far as its messages have shown it ---- */

#define DECODE_CAPS_MAX 96u

struct decode_config {
    struct pci_config config;
    unsigned n_caps;
    struct pci_cap cap[DECODE_CAPS_MAX];
};

/* Adds what a good reply to REGION_READ shows of the configuration space. */
void decode_learn(struct decode_config *c, const struct decode_view *reply);

/* Returns true if v is such a reply. */
bool decode_teaches(const struct decode_view *v);

/* ---- decoding ---- */

/*
 * Prints the request's arguments, without fds: for people the text between the parentheses, for
 * programs the members of an object. config may be NULL if nothing is known of it.
 */
void decode_request(struct printer *printer, const struct decode_view *v,
                    const struct decode_config *config);

/*
 * Prints a reply that is not an error: for people the text behind "=", one value or several in
 * braces; for programs the members of an object. request may be NULL if it is not known.
 */
void decode_reply(struct printer *printer, const struct decode_view *v,
                  const struct trace_request *request, const struct decode_config *config);

/* Returns a command's name, or "COMMAND_99" in out. */
const char *decode_command(uint16_t command, char out[static 16]);

#endif
