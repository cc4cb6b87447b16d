/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The commands of vfio-user, described once, as data.
 *
 * From the tables of wire_command.c are made: the checks of wire.c, how much of a message a capture
 * keeps, its conversion to this machine's byte order, decoding, the lint of its form, and filters.
 * A test compares the Wireshark dissector's tables with them. A new command is its number in
 * wire.h, its structure and its row here. Pure.
 */
#ifndef POEMD_BASE_WIRE_COMMAND_H
#define POEMD_BASE_WIRE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/side.h"
#include "base/wire.h"
#include "base/wire_names.h"

/* ---- fields ---- */

/* What a field is. All but WIRE_BYTES are numbers in the host's byte order. */
enum wire_kind {
    WIRE_DEC,
    WIRE_HEX,
    WIRE_FLAGS,   /* named by its masks */
    WIRE_NAMED,   /* named by its value */
    WIRE_ARGSZ,   /* bytes of the reply that the sender has room for, or of this payload */
    WIRE_COUNT,   /* of the bytes or entries that follow, or are accessed */
    WIRE_REGION,  /* a region's index */
    WIRE_OFFSET,  /* a place in that region */
    WIRE_ADDRESS, /* a place in guest memory */
    WIRE_LENGTH,  /* bytes there */
    WIRE_MAJOR,   /* a version; its minor number is the next field */
    WIRE_FEATURE, /* a feature's index and methods */
    WIRE_MATCH,   /* of an I/O fd: named by the fd's type */
    WIRE_BYTES,   /* data, of which WIRE_COUNT bytes count */
};

/* When a field is shown. */
enum wire_show {
    WIRE_HIDDEN,
    WIRE_SHOWN,
    WIRE_BARE,     /* … to people without its name */
    WIRE_JSON,     /* to programs */
    WIRE_VERBOSE,  /* to programs, and to people who ask for more */
    WIRE_NONZERO,  /* 0 in a request; to programs, and to people unless it is 0 */
    WIRE_RESERVED, /* 0 in a request; all fields of this kind are shown if one is not 0 */
};

struct wire_field {
    const char *name;
    uint8_t offset;
    uint8_t size;
    uint8_t kind;    /* enum wire_kind */
    uint8_t request; /* enum wire_show */
    uint8_t reply;
    const struct wire_name *names; /* of WIRE_FLAGS and WIRE_NAMED */
};

static inline bool wire_field_whole(const struct wire_field *f, size_t n)
{
    return n >= (size_t)f->offset + f->size;
}

/* The number of a field of any size of which not all bytes may be there: the others are 0. */
uint64_t wire_field_partial(const struct wire_field *f, const void *p, size_t n);

/* The field's number out of a structure of which n bytes are at p; bytes that are missing are 0. */
static inline uint64_t wire_field_value(const struct wire_field *f, const void *p, size_t n)
{
    uint32_t v;

    if (f->size != sizeof v || !wire_field_whole(f, n)) {
        return wire_field_partial(f, p, n);
    }
    memcpy(&v, (const uint8_t *)p + f->offset, sizeof v);
    return v;
}

/* ---- structures ---- */

struct wire_struct {
    const char *name; /* the C structure's, without wire_ */
    uint32_t size;
    bool whole; /* shown field by field only if all of it was kept */
    uint8_t n_fields;
    const struct wire_field *fields; /* in the order in which they are shown */
    const struct wire_field *argsz;  /* NULL: none */
    const struct wire_field *count;
    const struct wire_struct *entry; /* of the list that may follow; NULL: none */
    const char *list;                /* the list's name; NULL: it is shown as bytes */
};

/* The first field of the kind; NULL if there is none. */
const struct wire_field *wire_field_find(const struct wire_struct *s, enum wire_kind kind);

/* Returns true if a request has a field that must be 0 and is not; n of its bytes are at p. */
bool wire_reserved_set(const struct wire_struct *s, const void *p, size_t n);

/* Part of a payload that is chosen by a number: a feature's data, a region's capability. */
struct wire_part {
    uint16_t code;
    const char *name;
    const struct wire_struct *structure; /* NULL: nothing */
};

/* What precedes a capability's own structure. */
extern const struct wire_struct wire_cap_header;

/* By feature index, by capability id; NULL if the specification has none. */
const struct wire_part *wire_feature_find(uint32_t index);
const struct wire_part *wire_cap_find(uint16_t id);

/* Their names, or NULL. Static. */
const char *wire_feature_name(uint32_t index);
const char *wire_cap_name(uint16_t id);

/* ---- commands ---- */

/* What follows the fixed part. */
enum wire_tail {
    WIRE_TAIL_NONE,
    WIRE_TAIL_DATA,    /* as many bytes as the structure's count */
    WIRE_TAIL_WRITES,  /* as many entries */
    WIRE_TAIL_IO_FDS,  /* as many entries or none; they may be larger than the structure known here
                        */
    WIRE_TAIL_BOOLS,   /* as many bytes, if a flag announces them */
    WIRE_TAIL_JSON,    /* a text with its NUL */
    WIRE_TAIL_CAPS,    /* a list of capabilities, by their offsets */
    WIRE_TAIL_FEATURE, /* the feature's own structure */
    WIRE_TAIL_REST,    /* the rest of the structure, or nothing */
};

/* A request's or a reply's payload. */
struct wire_body {
    uint32_t fixed;  /* bytes that must be there; 0: there is no payload */
    uint32_t bitmap; /* bytes that precede a dirty bitmap, which may follow; 0: none may */
    uint8_t tail;    /* enum wire_tail */
    bool fds;        /* fds may come with it */
    bool repeats;    /* of a reply: begins with its request's structure */
};

struct wire_command_info {
    enum wire_command code;
    enum side sender;                    /* of the request */
    const char *name;                    /* without its VFIO_USER_ */
    const char *section;                 /* of the specification */
    const struct wire_struct *structure; /* of request and reply; NULL: neither has a payload */
    struct wire_body request;
    struct wire_body reply;
    bool guest; /* its data is the guest's memory */
};

#define WIRE_COMMAND_CODES (WIRE_MIG_DATA_WRITE + 1)

/* By code; a code that the specification does not have has no name. */
extern const struct wire_command_info wire_commands[WIRE_COMMAND_CODES];

/* A protocol of this family: its header's form, and its commands by code. */
struct wire_protocol {
    const char *name;
    const struct wire_struct *header;
    const struct wire_command_info *commands;
    uint16_t codes;
};

extern const struct wire_protocol wire_vfio_user;

/* The table's row for a command code as it came off the wire; NULL if the page has none. */
static inline const struct wire_command_info *wire_command_find(uint16_t code)
{
    return code < WIRE_COMMAND_CODES && wire_commands[code].name ? &wire_commands[code] : NULL;
}

/* The payload's form for a message with this header; an empty one if the page has no such command.
 */
static inline const struct wire_body *wire_body_of(const struct wire_hdr *hdr)
{
    const struct wire_command_info *const c =
        &wire_commands[hdr->command < WIRE_COMMAND_CODES ? hdr->command : 0];

    return wire_is_reply(hdr) ? &c->reply : &c->request;
}

/* Row by position, 0 … wire_command_count() - 1, in the order of codes. */
const struct wire_command_info *wire_command_at(size_t i);
size_t wire_command_count(void);

/* The command's name, or "?" if the page has none. Never NULL; static. */
const char *wire_command_name(uint16_t code);

#endif
