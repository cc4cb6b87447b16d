/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Licence evidence and its grade: a bounded list of items, and of facts that could not be
 * determined, each with the reason.
 *
 * Expressions are texts here, as in their source; policy/spdx/spdx.h decides whether one is an SPDX
 * expression and with which licences it is compatible. The struct is a plain value: it holds no
 * pointers, and is sent between processes as it is.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/evidence/evidence_place.h"

/* In ascending order. */
enum evidence_grade {
    EVIDENCE_NONE,
    EVIDENCE_DECLARED, /* the licence capability in VERSION */
    EVIDENCE_NOTED,    /* an ELF note in the executable: the text that a linker was given */
    EVIDENCE_RECITED,  /* a valid recital of the poem under that licence */
    EVIDENCE_PACKAGED, /* the package that owns the executable */
    EVIDENCE_SIGNED,   /* an envelope signed with a key that the operator trusts */
    EVIDENCE_ASSIGNED, /* by the operator, in the policy */
    EVIDENCE_GRADES,
};

/* Returns "declared" …; "none" for EVIDENCE_NONE. Static. */
const char *evidence_grade_name(enum evidence_grade g);

/* Returns the grade's meaning for people, half a sentence. Static. */
const char *evidence_grade_meaning(enum evidence_grade g);

/* Returns the grade with this name, or -1. */
int evidence_grade_find(const char *name);

enum evidence_source {
    EVIDENCE_FROM_DECLARATION,
    EVIDENCE_FROM_RECITAL,
    EVIDENCE_FROM_ELF_NOTE,
    EVIDENCE_FROM_DPKG,
    EVIDENCE_FROM_RPM,
    EVIDENCE_FROM_ENVELOPE,
    EVIDENCE_FROM_OPERATOR,
    EVIDENCE_SOURCES,
};

/* Returns "declaration", "recital", "elf-note", "dpkg", "rpm", "envelope" or "operator". Static. */
const char *evidence_source_name(enum evidence_source s);

/*
 * Sizes in bytes, including the NUL. The many licences of a Debian package, joined by AND, must
 * fit.
 */
#define EVIDENCE_LICENCE_SIZE 1024u
#define EVIDENCE_NAME_SIZE 160u
#define EVIDENCE_DETAIL_SIZE 256u

#define EVIDENCE_SHA256_SIZE 32u

/* The signature behind an item of grade signed; all 0 in other items. */
struct evidence_signature {
    uint8_t key[EVIDENCE_SHA256_SIZE];      /* SHA-256 of the SubjectPublicKeyInfo in DER */
    uint8_t envelope[EVIDENCE_SHA256_SIZE]; /* SHA-256 of the envelope's bytes */
    uint32_t issued;                        /* a day (base/text/date.h), or 0 if unknown */
    uint32_t expires;                       /* the last day on which it holds; 0: no such day */
};

/* All texts are printable ASCII, NUL-terminated. */
struct evidence_item {
    enum evidence_grade grade;
    enum evidence_source source;
    char licence[EVIDENCE_LICENCE_SIZE]; /* an expression, not checked yet; never empty */
    char
        name[EVIDENCE_NAME_SIZE]; /* identifies the source: a package and version, a key's name … */
    char detail[EVIDENCE_DETAIL_SIZE]; /* for people: how the evidence was found, what it is based
                                          on */
    struct evidence_signature signature;
};

#define EVIDENCE_FILES_SIZE 96u
#define EVIDENCE_FILES_LICENCE_SIZE 96u

/*
 * Source files of the package that decide about its licence, or that do not count for it: a stanza
 * of its copyright file. Of sources only those are listed that are not compatible with the GPL
 * together with the main licence, or with those before them.
 */
struct evidence_files {
    uint32_t place; /* enum evidence_place: anything but sources is set apart */
    uint32_t line;
    char files[EVIDENCE_FILES_SIZE]; /* its patterns; cut ones end in "..." */
    char licence[EVIDENCE_FILES_LICENCE_SIZE];
};

/* A source that should have provided evidence but could not, or must not be trusted. */
struct evidence_unknown {
    enum evidence_source source;
    int error; /* errno, or 0 if no system call failed */
    char why[EVIDENCE_DETAIL_SIZE];
};

#define EVIDENCE_ITEMS 8u
#define EVIDENCE_UNKNOWNS 8u
/* Stanzas that are listed; the sources among them come first. Few packages have more. */
#define EVIDENCE_FILES 24u

/*
 * Several items of one source hold together: an executable with two notes is under both licences
 * (AND). Items of different sources are independent statements about the same licence.
 */
struct evidence {
    uint32_t n;
    uint32_t n_unknown;
    bool cut; /* more items than fit: an AND of the items is incomplete */
    struct evidence_item items[EVIDENCE_ITEMS];
    struct evidence_unknown unknowns[EVIDENCE_UNKNOWNS];
    uint32_t n_files;
    bool files_cut; /* more stanzas than fit; says nothing about the items */
    struct evidence_files files[EVIDENCE_FILES];
    /*
     * Name and version of the package that contains the file with the same digest, even if it names
     * no licence that can be read; "" if there is none.
     */
    char package[EVIDENCE_NAME_SIZE];
};

void evidence_init(struct evidence *e);

/*
 * Adds an item; licence, name and detail are cut or escaped if necessary. An unusable licence
 * (empty, too long, or not printable ASCII) is added as an unknown instead.
 */
void evidence_add(struct evidence *e, enum evidence_grade grade, enum evidence_source source,
                  const char *licence, const char *name, const char *detail);

/* Adds an item of grade signed, from an envelope, in the same way. */
void evidence_add_signed(struct evidence *e, const char *licence, const char *name,
                         const char *detail, const struct evidence_signature *signature);

/* Returns true if the item's statement has expired on a day (base/text/date.h). */
bool evidence_expired(const struct evidence_item *item, uint32_t today);

/* Writes why an expired item is no evidence. Returns out. */
const char *evidence_expired_text(const struct evidence_item *item, char out[EVIDENCE_DETAIL_SIZE]);

/* Makes unknowns, with the reason, of the items that have expired on a day. */
void evidence_drop_expired(struct evidence *e, uint32_t today);

/*
 * Adds an unknown. If there is no room, the evidence is cut, but not for an envelope: envelopes are
 * independent statements, of which any number may be invalid.
 */
void evidence_add_unknown(struct evidence *e, enum evidence_source source, int error,
                          const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Adds a stanza; its texts are escaped, and cut with "..." at the end. */
void evidence_add_files(struct evidence *e, const struct evidence_files *f);

/* Sets the package that contains the file; name is escaped, and cut if necessary. */
void evidence_set_package(struct evidence *e, const char *name);

/* Adds all items, unknowns and stanzas of from, and its package if there is none yet. */
void evidence_append(struct evidence *to, const struct evidence *from);

/* Returns the highest grade of all items, or EVIDENCE_NONE. */
enum evidence_grade evidence_best(const struct evidence *e);

/*
 * Returns whether all texts are terminated and printable, and all enums and counts in range. For
 * values from another process.
 */
bool evidence_sound(const struct evidence *e) __attribute__((warn_unused_result));

#endif
