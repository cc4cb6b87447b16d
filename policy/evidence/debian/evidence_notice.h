/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Licence notices that are recognised by their words. A text is recognised only as a whole: every
 * word of it belongs to a notice of the list, or to a sentence of which is known that it grants and
 * restricts nothing ("On Debian systems, the complete text of the GPL is in ..."). Anything else
 * stays unknown. Pure, except that it allocates, and keeps the notices in the form that it matches
 * with: for one thread.
 */
#ifndef POEMD_POLICY_EVIDENCE_DEBIAN_EVIDENCE_NOTICE_H
#define POEMD_POLICY_EVIDENCE_DEBIAN_EVIDENCE_NOTICE_H

#include "policy/evidence/debian/evidence_deb822.h"

/*
 * Writes the SPDX expression of a licence text to out (size bytes): all of its notices, joined by
 * AND. Returns false if a part of the text is not recognised, if it contains no notice, or if the
 * expression does not fit.
 */
bool evidence_notice_read(struct evidence_span text, char *out, size_t size)
    __attribute__((warn_unused_result));

/* ---- the list: evidence_notice_list.c, evidence_notice_debian.c ---- */

enum evidence_notice_kind {
    EVIDENCE_NOTICE_GRANTS, /* a notice */
    EVIDENCE_NOTICE_REFERS, /* where to find a licence: counts if there is no notice */
    EVIDENCE_NOTICE_SILENT, /* grants and restricts nothing */
};

/*
 * A notice. Its words are as evidence_words.h writes them, with
 *
 *     ( one | two words | )   one of them, or none
 *     *12                     up to 12 words, such as a name
 *     ~12                     the same without the words of licences (evidence_words_can_name)
 *     *                       any number of words
 *     $v                      a version; it is the same wherever it occurs
 *
 * licence is a synopsis of Debian's format, in which $v is that version; "" if the notice is
 * silent.
 */
struct evidence_notice {
    enum evidence_notice_kind kind;
    const char *licence;
    const char *words;
};

/* Returns the number of notices, and the notice with that index. */
size_t evidence_notices(void);
const struct evidence_notice *evidence_notice_at(size_t index);

/* The last part of that list: sentences of Debian's copyright files, all of them silent. */
size_t evidence_notice_sentences(void);
const struct evidence_notice *evidence_notice_sentence_at(size_t index);

/* Operations that the words of a notice become; each word or place for one is an operation. */
#define EVIDENCE_NOTICE_OPS 1536u

#endif
