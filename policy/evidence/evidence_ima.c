/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The lists of IMA: Documentation/security/IMA-templates.rst, and the kernel's
 * ima_ascii_measurements_show.
 */
#include "policy/evidence/evidence_ima.h"

#include <string.h>

#include "base/text/hex.h"

#define PCR_DIGITS 3u /* PCR 0 to 23; the kernel pads them to two columns */

/* Digits of a template hash: of SHA-1, unless another algorithm's list is read. */
#define HASH_DIGITS_LEAST 40u
#define HASH_DIGITS_MOST 128u

/* The templates whose first field is the digest of a file's contents, and the second its name. */
static const struct {
    const char *name;
    const char *kind; /* before the digest's algorithm, if it is of the contents */
} templates[] = {
    {"ima-ng", ""},       {"ima-sig", ""},       {"ima-modsig", ""},
    {"ima-ngv2", "ima:"}, {"ima-sigv2", "ima:"}, {"evm-sig", ""},
};

struct ima_word {
    const char *p;
    size_t n;
};

/* Takes the word up to the next space. Returns false if there is no space, or no word. */
static bool evidence_ima_word(const char **p, const char *end, struct ima_word *w)
{
    const char *const space = *p < end ? memchr(*p, ' ', (size_t)(end - *p)) : NULL;

    if (!space || space == *p) {
        return false;
    }
    *w = (struct ima_word){*p, (size_t)(space - *p)};
    *p = space + 1;
    return true;
}

static bool evidence_ima_consists(const struct ima_word *w, const char *of)
{
    for (size_t i = 0; i < w->n; i++) {
        if (w->p[i] == '\0' || !strchr(of, w->p[i])) {
            return false;
        }
    }
    return true;
}

static bool evidence_ima_read_pcr(const struct ima_word *w, uint32_t *pcr)
{
    *pcr = 0;
    if (w->n > PCR_DIGITS || !evidence_ima_consists(w, "0123456789")) {
        return false;
    }
    for (size_t i = 0; i < w->n; i++) {
        *pcr = *pcr * 10 + (uint32_t)(w->p[i] - '0');
    }
    return true;
}

static bool evidence_ima_is_hash(const struct ima_word *w)
{
    return w->n >= HASH_DIGITS_LEAST && w->n <= HASH_DIGITS_MOST && w->n % 2 == 0 &&
           evidence_ima_consists(w, "0123456789abcdef");
}

/* Returns the mark before the digest of a file, or NULL if the template is about something else. */
static const char *evidence_ima_kind(const struct ima_word *name)
{
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        if (strlen(templates[i].name) == name->n &&
            memcmp(templates[i].name, name->p, name->n) == 0) {
            return templates[i].kind;
        }
    }
    return NULL;
}

/* A violation, a file that was measured while others wrote to it, has a digest of zeros. */
static bool evidence_ima_is_violation(const uint8_t sha256[EVIDENCE_SHA256_SIZE])
{
    static const uint8_t zeros[EVIDENCE_SHA256_SIZE];

    return memcmp(sha256, zeros, sizeof zeros) == 0;
}

static void evidence_ima_read_digest(struct evidence_ima_entry *e, const struct ima_word *w,
                                     const char *kind)
{
    static const char algorithm[] = "sha256:";
    const size_t before = strlen(kind) + sizeof algorithm - 1;
    char digits[2 * EVIDENCE_SHA256_SIZE + 1];

    if (w->n != before + sizeof digits - 1 || memcmp(w->p, kind, strlen(kind)) != 0 ||
        memcmp(w->p + strlen(kind), algorithm, sizeof algorithm - 1) != 0) {
        return;
    }
    memcpy(digits, w->p + before, sizeof digits - 1);
    digits[sizeof digits - 1] = '\0';
    e->has_sha256 =
        hex_read(digits, e->sha256, sizeof e->sha256) && !evidence_ima_is_violation(e->sha256);
}

bool evidence_ima_read(struct evidence_ima_entry *e, const char *line, size_t n)
{
    const char *p = line;
    const char *const end = line + (n < EVIDENCE_IMA_LINE ? n : EVIDENCE_IMA_LINE);
    struct ima_word pcr, hash, name, digest;
    const char *kind;

    memset(e, 0, sizeof *e);
    if (p < end && *p == ' ') {
        p++;
    }
    if (!evidence_ima_word(&p, end, &pcr) || !evidence_ima_read_pcr(&pcr, &e->pcr) ||
        !evidence_ima_word(&p, end, &hash) || !evidence_ima_is_hash(&hash) ||
        !evidence_ima_word(&p, end, &name) ||
        !evidence_ima_consists(&name, "abcdefghijklmnopqrstuvwxyz0123456789-|")) {
        return false;
    }
    kind = evidence_ima_kind(&name);
    if (kind && evidence_ima_word(&p, end, &digest)) {
        evidence_ima_read_digest(e, &digest, kind);
    }
    return true;
}

void evidence_ima_feed(struct evidence_ima_reader *r, const char *p, size_t n, evidence_ima_fn *fn,
                       void *arg)
{
    const char *const end = p + n;

    while (p < end) {
        const char *const feed = memchr(p, '\n', (size_t)(end - p));
        const size_t more = (size_t)((feed ? feed : end) - p);
        const size_t room = sizeof r->line - r->n;
        struct evidence_ima_entry e;

        memcpy(r->line + r->n, p, more < room ? more : room);
        r->n += more < room ? more : room;
        if (!feed) {
            return;
        }
        if (evidence_ima_read(&e, r->line, r->n)) {
            fn(&e, arg);
        }
        r->n = 0;
        p = feed + 1;
    }
}
