/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The list of evidence: names, adding, checking. Pure. */
#include "policy/evidence/evidence.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text/date.h"
#include "base/log.h"

static const char *const grades[EVIDENCE_GRADES] = {
    [EVIDENCE_NONE] = "none",         [EVIDENCE_DECLARED] = "declared",
    [EVIDENCE_NOTED] = "noted",       [EVIDENCE_RECITED] = "recited",
    [EVIDENCE_PACKAGED] = "packaged", [EVIDENCE_SIGNED] = "signed",
    [EVIDENCE_ASSIGNED] = "assigned",
};

static const char *const grade_meanings[EVIDENCE_GRADES] = {
    [EVIDENCE_NONE] = "there is no evidence of the licence",
    [EVIDENCE_DECLARED] = "the program itself named its licence when it connected",
    [EVIDENCE_NOTED] = "a note in the program's file names the licence: the text that its builder "
                       "gave the linker",
    [EVIDENCE_RECITED] =
        "the program recited the poem, which is meant for GPL programs alone, under "
        "this licence",
    [EVIDENCE_PACKAGED] = "the distribution's package that the program's file belongs to names the "
                          "licence",
    [EVIDENCE_SIGNED] =
        "a statement about exactly this file is signed with a key that the operator "
        "trusts",
    [EVIDENCE_ASSIGNED] = "the operator vouches for the licence in the configuration",
};

static const char *const sources[EVIDENCE_SOURCES] = {
    [EVIDENCE_FROM_DECLARATION] = "declaration",
    [EVIDENCE_FROM_RECITAL] = "recital",
    [EVIDENCE_FROM_ELF_NOTE] = "elf-note",
    [EVIDENCE_FROM_DPKG] = "dpkg",
    [EVIDENCE_FROM_RPM] = "rpm",
    [EVIDENCE_FROM_ENVELOPE] = "envelope",
    [EVIDENCE_FROM_OPERATOR] = "operator",
};

const char *evidence_grade_name(enum evidence_grade g)
{
    return (unsigned)g < EVIDENCE_GRADES ? grades[g] : "?";
}

const char *evidence_grade_meaning(enum evidence_grade g)
{
    return (unsigned)g < EVIDENCE_GRADES ? grade_meanings[g] : "?";
}

int evidence_grade_find(const char *name)
{
    for (int g = 0; g < EVIDENCE_GRADES; g++) {
        if (strcmp(grades[g], name) == 0) {
            return g;
        }
    }
    return -1;
}

const char *evidence_source_name(enum evidence_source s)
{
    return (unsigned)s < EVIDENCE_SOURCES ? sources[s] : "?";
}

void evidence_init(struct evidence *e)
{
    /*
     * Clears padding as well: the struct is sent to other processes, and compared and stored as
     * bytes.
     */
    memset(e, 0, sizeof *e);
}

static bool evidence_printable(const char *p)
{
    for (; *p; p++) {
        if (*p < 0x20 || *p > 0x7e) {
            return false;
        }
    }
    return true;
}

void evidence_add_unknown(struct evidence *e, enum evidence_source source, int error,
                          const char *fmt, ...)
{
    struct evidence_unknown *u;
    char text[1024];
    va_list ap;

    if (e->n_unknown == EVIDENCE_UNKNOWNS) {
        e->cut = e->cut || source != EVIDENCE_FROM_ENVELOPE;
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    u = &e->unknowns[e->n_unknown++];
    u->source = source;
    u->error = error;
    log_escape(u->why, sizeof u->why, text, strlen(text));
}

void evidence_add(struct evidence *e, enum evidence_grade grade, enum evidence_source source,
                  const char *licence, const char *name, const char *detail)
{
    struct evidence_item *item;
    char text[EVIDENCE_NAME_SIZE];

    log_escape(text, sizeof text, name, strlen(name));
    if (licence[0] == '\0' || !evidence_printable(licence) ||
        strlen(licence) >= EVIDENCE_LICENCE_SIZE) {
        evidence_add_unknown(e, source, 0, "%s: its licence is empty, too long, or not plain text",
                             text);
        return;
    }
    if (e->n == EVIDENCE_ITEMS) {
        e->cut = true;
        return;
    }
    item = &e->items[e->n++];
    memset(item, 0, sizeof *item);
    item->grade = grade;
    item->source = source;
    snprintf(item->licence, sizeof item->licence, "%s", licence);
    memcpy(item->name, text, sizeof item->name);
    log_escape(item->detail, sizeof item->detail, detail, strlen(detail));
}

void evidence_add_signed(struct evidence *e, const char *licence, const char *name,
                         const char *detail, const struct evidence_signature *signature)
{
    const uint32_t n = e->n;

    evidence_add(e, EVIDENCE_SIGNED, EVIDENCE_FROM_ENVELOPE, licence, name, detail);
    if (e->n > n) {
        e->items[n].signature = *signature;
    }
}

/* ---- expiry ---- */

bool evidence_expired(const struct evidence_item *item, uint32_t today)
{
    return item->signature.expires != 0 && item->signature.expires < today;
}

const char *evidence_expired_text(const struct evidence_item *item, char out[EVIDENCE_DETAIL_SIZE])
{
    char date[DATE_SIZE];

    snprintf(out, EVIDENCE_DETAIL_SIZE, "%s: its statement expired after %s", item->name,
             date_text(item->signature.expires, date));
    return out;
}

void evidence_drop_expired(struct evidence *e, uint32_t today)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < e->n; i++) {
        char why[EVIDENCE_DETAIL_SIZE];

        if (evidence_expired(&e->items[i], today)) {
            evidence_add_unknown(e, e->items[i].source, 0, "%s",
                                 evidence_expired_text(&e->items[i], why));
        } else {
            if (kept != i) {
                e->items[kept] = e->items[i];
            }
            kept++;
        }
    }
    e->n = kept;
}

/* ---- lists ---- */

void evidence_add_files(struct evidence *e, const struct evidence_files *f)
{
    struct evidence_files *to;

    if (e->n_files == EVIDENCE_FILES) {
        e->files_cut = true;
        return;
    }
    to = &e->files[e->n_files++];
    to->place = f->place;
    to->line = f->line;
    log_escape(to->files, sizeof to->files, f->files, strlen(f->files));
    log_escape(to->licence, sizeof to->licence, f->licence, strlen(f->licence));
}

void evidence_set_package(struct evidence *e, const char *name)
{
    log_escape(e->package, sizeof e->package, name, strlen(name));
}

void evidence_append(struct evidence *to, const struct evidence *from)
{
    for (uint32_t i = 0; i < from->n; i++) {
        if (to->n == EVIDENCE_ITEMS) {
            to->cut = true;
            break;
        }
        to->items[to->n++] = from->items[i];
    }
    for (uint32_t i = 0; i < from->n_unknown; i++) {
        if (to->n_unknown == EVIDENCE_UNKNOWNS) {
            to->cut = to->cut || from->unknowns[i].source != EVIDENCE_FROM_ENVELOPE;
            continue;
        }
        to->unknowns[to->n_unknown++] = from->unknowns[i];
    }
    for (uint32_t i = 0; i < from->n_files; i++) {
        evidence_add_files(to, &from->files[i]);
    }
    to->cut = to->cut || from->cut;
    to->files_cut = to->files_cut || from->files_cut;
    if (!*to->package) {
        memcpy(to->package, from->package, sizeof to->package);
    }
}

enum evidence_grade evidence_best(const struct evidence *e)
{
    enum evidence_grade best = EVIDENCE_NONE;

    for (uint32_t i = 0; i < e->n; i++) {
        best = e->items[i].grade > best ? e->items[i].grade : best;
    }
    return best;
}

static bool evidence_text_sound(const char *p, size_t size)
{
    return memchr(p, '\0', size) && evidence_printable(p);
}

static bool evidence_date_sound(uint32_t date)
{
    return date == 0 || date_valid(date);
}

static bool evidence_item_sound(const struct evidence_item *i)
{
    return i->grade > EVIDENCE_NONE && (unsigned)i->grade < EVIDENCE_GRADES &&
           (unsigned)i->source < EVIDENCE_SOURCES &&
           evidence_text_sound(i->licence, sizeof i->licence) && i->licence[0] != '\0' &&
           evidence_text_sound(i->name, sizeof i->name) &&
           evidence_text_sound(i->detail, sizeof i->detail) &&
           evidence_date_sound(i->signature.issued) && evidence_date_sound(i->signature.expires);
}

static bool evidence_files_sound(const struct evidence *e)
{
    unsigned char cut;

    memcpy(&cut, &e->files_cut, 1);
    if (cut > 1 || e->n_files > EVIDENCE_FILES) {
        return false;
    }
    for (uint32_t i = 0; i < e->n_files; i++) {
        const struct evidence_files *f = &e->files[i];

        if (f->place >= EVIDENCE_PLACES || !evidence_text_sound(f->files, sizeof f->files) ||
            !evidence_text_sound(f->licence, sizeof f->licence)) {
            return false;
        }
    }
    return true;
}

bool evidence_sound(const struct evidence *e)
{
    unsigned char cut;

    /* A bool that is neither 0 nor 1 must not be read as a bool. */
    memcpy(&cut, &e->cut, 1);
    if (cut > 1 || e->n > EVIDENCE_ITEMS || e->n_unknown > EVIDENCE_UNKNOWNS) {
        return false;
    }
    for (uint32_t i = 0; i < e->n; i++) {
        if (!evidence_item_sound(&e->items[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < e->n_unknown; i++) {
        const struct evidence_unknown *u = &e->unknowns[i];

        if ((unsigned)u->source >= EVIDENCE_SOURCES ||
            !evidence_text_sound(u->why, sizeof u->why)) {
            return false;
        }
    }
    return evidence_text_sound(e->package, sizeof e->package) && evidence_files_sound(e);
}
