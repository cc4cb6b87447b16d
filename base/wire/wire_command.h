/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The commands of vfio-user, described once, as data.
 *
 * The tables of wire_command.c are used by the checks of wire_check.c, captures (how much of a
 * message to keep), the conversion to this machine's byte order, decoding, the lint of form, and
 * filters. A test compares the Wireshark dissector's tables with them. A new command is a number
 * in wire.h, a structure and a row here. Pure.
 */
#ifndef POEMD_BASE_WIRE_WIRE_COMMAND_H
#define POEMD_BASE_WIRE_WIRE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/side.h"
#include "base/wire/wire.h"
#include "base/wire/wire_names.h"

/* ---- fields ---- */

/* The kind of a field. All kinds except WIRE_BYTES are numbers in the host's byte order. */
enum wire_kind {
    WIRE_DEC,
    WIRE_HEX,
    WIRE_FLAGS,   /* named by its masks */
    WIRE_NAMED,   /* named by its value */
    WIRE_ARGSZ,   /* bytes that the sender has room for in the reply, or of this payload */
    WIRE_COUNT,   /* of the bytes or entries that follow, or are accessed */
    WIRE_REGION,  /* a region's index */
    WIRE_OFFSET,  /* an offset in that region */
    WIRE_ADDRESS, /* an address in guest memory */
    WIRE_LENGTH,  /* a number of bytes there */
    WIRE_MAJOR,   /* a version; its minor number is the next field */
    WIRE_FEATURE, /* a feature's index and methods */
    WIRE_MATCH,   /* of an I/O fd: named by the fd's type */
    WIRE_BYTES,   /* data of WIRE_COUNT bytes */
};

/* When to show a field. */
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

/* Returns a field's number, of any size; missing bytes count as 0. */
uint64_t wire_field_partial(const struct wire_field *f, const void *p, size_t n);

/* Returns the field's number from a structure with n bytes at p; missing bytes count as 0. */
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
    const char *name; /* of the C structure, without wire_ */
    uint32_t size;
    bool whole; /* shown field by field only if it was kept completely */
    uint8_t n_fields;
    const struct wire_field *fields; /* in display order */
    const struct wire_field *argsz;  /* or NULL */
    const struct wire_field *count;
    const struct wire_struct *entry; /* of the list that may follow, or NULL */
    const char *list;                /* the list's name; NULL: shown as bytes */
};

/* Returns the first field of the kind, or NULL. */
const struct wire_field *wire_field_find(const struct wire_struct *s, enum wire_kind kind);

/* Returns true if a request has a field that must be 0 and is not; n of its bytes are at p. */
bool wire_reserved_set(const struct wire_struct *s, const void *p, size_t n);

/* A part of a payload selected by a number: a feature's data, a region's capability. */
struct wire_part {
    uint16_t code;
    const char *name;
    const struct wire_struct *structure; /* NULL: no structure */
};

/* Precedes every payload. */
extern const struct wire_struct wire_header;

/* Precedes a capability's own structure. */
extern const struct wire_struct wire_cap_header;

/* Return the part by feature index, or by capability id; NULL if not in the specification. */
const struct wire_part *wire_feature_find(uint32_t index);
const struct wire_part *wire_cap_find(uint16_t id);

/* Return their names, or NULL. Static. */
const char *wire_feature_name(uint32_t index);
const char *wire_cap_name(uint16_t id);

/* ---- commands ---- */

/* The data after the fixed part. */
enum wire_tail {
    WIRE_TAIL_NONE,
    WIRE_TAIL_DATA,    /* as many bytes as the structure's count */
    WIRE_TAIL_WRITES,  /* as many entries */
    WIRE_TAIL_IO_FDS,  /* as many entries, or none; entries may be larger than known here */
    WIRE_TAIL_BOOLS,   /* as many bytes, if a flag announces them */
    WIRE_TAIL_JSON,    /* a text with its NUL */
    WIRE_TAIL_CAPS,    /* a list of capabilities, by their offsets */
    WIRE_TAIL_FEATURE, /* the feature's own structure */
    WIRE_TAIL_REST,    /* the rest of the structure, or nothing */
};

/* A request's or a reply's payload. */
struct wire_body {
    uint32_t fixed;  /* bytes that are required; 0: there is no payload */
    uint32_t bitmap; /* bytes before an optional dirty bitmap; 0: no bitmap may follow */
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

/* Indexed by code; a code that is not in the specification has no name. */
extern const struct wire_command_info wire_commands[WIRE_COMMAND_CODES];

/* Returns the table's row for a received command code, or NULL if unknown. */
static inline const struct wire_command_info *wire_command_find(uint16_t code)
{
    return code < WIRE_COMMAND_CODES && wire_commands[code].name ? &wire_commands[code] : NULL;
}

/* Returns the payload's form for a message with this header; an empty one if unknown. */
static inline const struct wire_body *wire_body_of(const struct wire_hdr *hdr)
{
    const struct wire_command_info *const c =
        &wire_commands[hdr->command < WIRE_COMMAND_CODES ? hdr->command : 0];

    return wire_is_reply(hdr) ? &c->reply : &c->request;
}

/* Returns a row by position, in the order of codes; NULL from wire_command_count() on. */
const struct wire_command_info *wire_command_at(size_t i);
size_t wire_command_count(void);

/* Returns the command's name, or "?" if unknown. Never NULL; static. */
const char *wire_command_name(uint16_t code);

#endif
