/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The rows of a bill of materials, gathered from the sealed records of a verified audit log: the
 * parties of its sessions, and which of them spoke with which. FORMAT.audit, section 11.
 *
 * A party is an executable with the evidence that was found of it: the same executable with other
 * evidence is another row. A conversation is a client, a backend, a route and a verdict. Memory
 * grows with the number of rows, not with the log.
 *
 * The broker wrote the records, but their contents came from peers: no member is assumed to exist.
 */
#ifndef POEMD_CTL_BOM_BOM_LOG_H
#define POEMD_CTL_BOM_BOM_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/audit_proofs.h"
#include "audit/audit_verify.h"

/* Maximum number of parties, and of conversations; sessions of others are counted. */
#define BOM_ROWS 10000u

/* Maximum number of records listed in a conversation; others are counted. */
#define BOM_RECORDS 32u

struct bom {
    struct audit_result verified;
    json_t *parties;                 /* maps an id of 32 hexadecimal digits to a row */
    json_t *conversations;           /* likewise */
    json_t *open;                    /* maps the number of an open session to its conversation */
    json_t *host;                    /* of the newest record with one; NULL if there is none */
    char until[AUDIT_TIME_SIZE + 1]; /* the latest time of a sealed record; "" if there is none */
    uint64_t left_out;               /* sessions for which there was no room */
    uint64_t unread;                 /* records that are not JSON */
    bool failed;                     /* out of memory */
    struct audit_proofs *proofs;     /* of each row's newest record */
};

/*
 * Members of a row of parties:
 *   name, path, sha256     of the executable; sha256 and path "" if unknown
 *   evidence               the record's items about the party, without "of"
 *   contradiction          as in the record, if there is one
 *   roles                  {"client": true} and so on
 *   pid, uid, taint        of the newest process; absent if unknown
 *   distribution           {"id", "version"} of the host, if the record has them
 * of conversations:
 *   client, backend        ids of the parties
 *   route, verdict, of, why, taint, session, client_pid, backend_pid
 *   records                numbers of the first BOM_RECORDS verdicts
 *   executables_changed    number of executables replaced during its sessions; absent if none
 * and of both:
 *   sessions, first, record, time    number of sessions; first and newest record; its time
 */

/*
 * Reads the log, which must be signed with q's key; ignores q's on_line, on_log and older. Returns
 * false with the reason in why (size bytes): b->verified has the verdict. The caller calls
 * bom_log_deinit in either case.
 */
bool bom_log_init(struct bom *b, const struct audit_question *q, char *why, size_t size)
    __attribute__((warn_unused_result));
void bom_log_deinit(struct bom *b);

/* Returns the member's text, or "". */
const char *bom_log_text(const json_t *o, const char *key);

/* Writes 32 hexadecimal digits that identify a text, and a NUL. */
void bom_log_id(const char *text, size_t n, char out[33]);

#endif
