/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reports on an audit log as a bill of materials, signed on request: see poemctl-audit(1). */
#ifndef POEMD_CTL_BOM_BOM_H
#define POEMD_CTL_BOM_BOM_H

#include "audit/audit_verify.h"

enum bom_format { BOM_SPDX, BOM_CYCLONEDX };

/*
 * Writes the bill of materials of the log of a question, which has a key, to standard output. If
 * sign is not NULL, it is the path of a private key, and an envelope with an in-toto statement is
 * written instead, whose subject is the log's newest checkpoint and whose predicate is the
 * document. Returns the verdict on the log, AUDIT_INTACT or AUDIT_UNSEALED, or after an error
 * message another one: AUDIT_UNREADABLE if the log is not at fault.
 */
enum audit_verdict bom_report(const struct audit_question *q, enum bom_format format,
                              const char *sign);

#endif
