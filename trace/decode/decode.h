/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a captured message says, field by field, by the names of the specification and of PCI: for
 * people or as JSON, whatever its bytes are, as far as they go. Pure but for its memory.
 */
#ifndef POEMD_TRACE_DECODE_DECODE_H
#define POEMD_TRACE_DECODE_DECODE_H

#include "client/pci.h"
#include "trace/decode/pair.h"
#include "trace/decode/printer.h"

/* ---- a message laid open ---- */

struct decode_view {
    const struct trace_message *m;
    bool has_hdr;
    bool reply; /* by its type */
    struct wire_hdr hdr;
    enum wire_check check;
    const uint8_t *p; /* what was kept of the payload, in this machine's byte order; borrowed */
    size_t n;
    size_t total; /* the payload's bytes, kept or not */
};

/* What messages of the other byte order are turned round in. */
struct decode_scratch {
    uint8_t *p; /* NULL until it is needed */
};

void decode_scratch_deinit(struct decode_scratch *s);

/*
 * Lays m open; out is good as long as m and until scratch is used again. Where there is no memory
 * for the turning, as if no payload had been kept.
 */
void decode_open(struct decode_view *out, const struct trace_message *m,
                 struct decode_scratch *scratch);

/* ---- what a session's messages have shown of its configuration space ---- */

#define DECODE_CAPS_MAX 96u

struct decode_config {
    struct pci_config config;
    unsigned n_caps;
    struct pci_cap cap[DECODE_CAPS_MAX];
};

/* Takes in what a good reply to REGION_READ of the configuration space says. */
void decode_learn(struct decode_config *c, const struct decode_view *reply);

/* Whether v is such a reply. */
bool decode_teaches(const struct decode_view *v);

/* ---- what it says ---- */

/*
 * The request's arguments, without fds. config NULL: nothing is known of it. For people what is
 * between the parentheses, for programs the members of an object.
 */
void decode_request(struct printer *printer, const struct decode_view *v,
                    const struct decode_config *config);

/*
 * What a reply, no error, says; request NULL: not known. For people what stands behind "=": one
 * value, or several in braces. For programs the members of an object.
 */
void decode_reply(struct printer *printer, const struct decode_view *v,
                  const struct trace_request *request, const struct decode_config *config);

/* The name of a command, or "COMMAND_99", in out. */
const char *decode_command(uint16_t command, char out[static 16]);

#endif
