/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A route's rules, and the verdict on a session: allow, allow tainted, deny.
 *
 * Pure: takes facts, evidence and a date, returns a verdict with its explanation; uses no file,
 * clock, log or socket. The same function decides for the daemon and explains for poemctl, so that
 * the two cannot differ. An unknown fact meets no rule.
 */
#ifndef POEMD_POLICY_RULES_RULES_H
#define POEMD_POLICY_RULES_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/side.h"
#include "handshake/recital.h"
#include "policy/evidence/evidence.h"
#include "policy/inspector/inspector.h"
#include "policy/peer/peer.h"
#include "policy/peer/peer_code.h"
#include "policy/spdx/spdx.h"

/* ---- requirements ---- */

/* The fact of a party that an "allow" rule checks. */
enum rules_fact {
    RULES_USER,
    RULES_GROUP, /* primary or supplementary */
    RULES_EXE,   /* a path in our mount table, not deleted */
    RULES_DIGEST,
    RULES_LABEL,
    RULES_UNIT,
    RULES_VM, /* the name of its virtual machine, by its own word */
    RULES_FACTS,
};

/* Returns "user" … Static. */
const char *rules_fact_name(enum rules_fact f);

/*
 * Returns whether a text has the form of a digest in rules: the SHA-256 of the file, in 64
 * lower-case hexadecimal digits, or "verity:" and its fs-verity digest (peer_verity.h).
 */
bool rules_is_digest(const char *text);

/* Returns whether a digest is that of fs-verity, which is known without an inspection. */
bool rules_is_verity(const char *digest);

/*
 * Rules of one party and one fact are alternatives; those of different facts must all be met.
 * Without rules for a party, any party is accepted.
 */
struct rules_allow {
    enum side party;
    enum rules_fact fact;
    uid_t id;         /* RULES_USER, RULES_GROUP */
    const char *text; /* RULES_EXE, _LABEL, _UNIT; for RULES_DIGEST see rules_is_digest */
    unsigned line;    /* in the configuration, for explanations */
};

/*
 * The requirement on a licence.
 *
 * RULES_WITH_OTHER: both parties' licences, each by evidence of the least grade, must be compatible
 * with one and the same version of the GPL. If the other party's is compatible with none, only the
 * same licence meets the rule.
 */
enum rules_licence_kind {
    RULES_COMPATIBLE, /* with a GPL (spdx.h) */
    RULES_OSI_APPROVED,
    RULES_WITH_OTHER, /* compatible with the other party's licence */
    RULES_SAME,       /* the same licence; never configured, see rules_with_resolve */
};

struct rules_licence {
    enum side party;
    enum rules_licence_kind kind;
    enum spdx_target target; /* for RULES_COMPATIBLE */
    const char *same;        /* for RULES_SAME */
    enum evidence_grade least;
    bool covers_code; /* all code that the party has mapped, and not its executable alone */
    unsigned line;
};

/*
 * The requirement that each file whose code a party has mapped has evidence of its origin: of its
 * licence, or a package that contains it, even if that names no licence that can be read.
 */
struct rules_code {
    enum side party;
    enum evidence_grade least;
    unsigned line;
};

/* A property that a party must have. */
enum rules_trait_kind {
    RULES_CONSISTENT, /* its package and its declaration do not contradict its recital */
    RULES_MEASURED,   /* the kernel guarantees its executable's contents, by fs-verity or IMA */
};

struct rules_trait {
    enum side party;
    enum rules_trait_kind kind;
    unsigned line;
};

/* A licence that the operator assigns to a party: evidence of grade assigned. */
struct rules_assign {
    enum side party;
    const char *licence; /* a valid SPDX expression */
    enum rules_fact
        fact; /* RULES_EXE or RULES_DIGEST: how the party is identified; RULES_FACTS: any party */
    const char *text;
    unsigned line;
};

/* All borrowed. */
struct rules {
    size_t n_allow;
    const struct rules_allow *allow;
    size_t n_licence;
    const struct rules_licence *licence;
    size_t n_code;
    const struct rules_code *code;
    size_t n_trait;
    const struct rules_trait *trait;
    size_t n_assign;
    const struct rules_assign *assign;
    bool demand_recital[SIDES];
    unsigned demand_line[SIDES];
    bool demand_all_the_way;   /* of the backend, and of each server behind it */
    bool otherwise_taint;      /* a failed rule taints instead of denying */
    unsigned otherwise_line;   /* 0 if not written; the default is to deny */
    uint32_t permissive_until; /* up to that day (base/text/date.h), sessions are tainted instead of
                                  denied; 0 if not written */
    unsigned permissive_line;
};

/* ---- taint ---- */

/* Letters, each with a meaning: docs/man/poemctl-taint.1. Bits in the order of the letters. */
enum taint {
    TAINT_PROPRIETARY = 1u << 0, /* P: the licence states of itself that it is proprietary */
    TAINT_UNKNOWN = 1u << 1,     /* U: the licence is unknown or cannot be judged */
    TAINT_UNSIGNED = 1u << 2,    /* E: only the peer's or its maker's word, or too low a grade */
    TAINT_OVERRIDE = 1u << 3,    /* O: an operator's assignment decided, or permissive until */
    TAINT_IDENTITY = 1u << 4,    /* I: accepted although "allow" does not name the party */
    TAINT_RECITAL = 1u << 5,     /* R: a recital was demanded and is missing */
    TAINT_HANDED_ON = 1u << 6,   /* H: a socket was used by another process */
    TAINT_UNOBSERVED = 1u << 7,  /* M: not a fault, see TAINT_OBSERVATIONS: traffic that no proxy
                                    sees: mapped memory, eventfds */
    TAINT_INHERITED = 1u << 8,   /* V: from the statements in "via" about servers behind a broker */
    TAINT_DMA = 1u << 9,         /* D: an access to memory that was not mapped */
    TAINT_UNAUDITED = 1u << 10,  /* A: the audit log could not be written */
    TAINT_EXECUTABLE = 1u << 11, /* X: a party executes another file than the one judged */
    TAINT_INCOMPATIBLE = 1u << 12, /* C: another licence that does not meet the rule */
    TAINT_INJECTED = 1u << 13,     /* F: the broker injected a fault on purpose */
};
#define TAINT_COUNT 14

/*
 * Letters for what a healthy session does as well. They are recorded beside the taint, and taint
 * nothing.
 */
#define TAINT_OBSERVATIONS ((uint32_t)TAINT_UNOBSERVED)

/* Return letter and meaning of bit number i, 0 … TAINT_COUNT - 1. Static. */
char taint_letter(unsigned i);
const char *taint_meaning(unsigned i);

/*
 * Writes the letters of a set in order, "-" for an empty set; out has TAINT_COUNT + 1 bytes.
 * Returns out.
 */
const char *taint_text(uint32_t taint, char out[TAINT_COUNT + 1]);

/*
 * Reads letters in any order; "-" alone is the empty set. Returns false for an unknown letter,
 * which is then in *bad, or for an empty text, for which *bad is NUL; *taint is unchanged then.
 */
bool taint_read(const char *text, uint32_t *taint, char *bad);

/* ---- the verdict ---- */

/* The code that a party has mapped. */
struct rules_mapped {
    const struct peer_code *list;
    const struct inspection *const *found; /* by item of the list; NULL if it was not inspected */
};

/* The facts known of one party when a session is decided. */
struct rules_known {
    const struct peer *peer;
    const struct inspection
        *inspection; /* NULL if there was none; then digest and file evidence are unknown */
    enum recital_outcome recital;
    const char *recited;               /* the licence of the recital, or "" */
    const char *declared;              /* the licence capability, or "" */
    const struct recital_via *via;     /* of a backend that is a broker; may be NULL */
    const struct rules_mapped *mapped; /* NULL if nothing asked for it */
};

enum verdict { VERDICT_ALLOW, VERDICT_TAINTED, VERDICT_DENY };

/* Returns "allow", "allow-tainted" or "deny". Static. */
const char *rules_verdict_name(enum verdict v);

#define RULES_TEXT_SIZE 512u

/*
 * The evidence of a licence by which a rule was met or not. The grade is EVIDENCE_NONE if there is
 * none, or if the rule is about something else; then the texts are "". All are borrowed from the
 * facts.
 */
struct rules_cause {
    enum evidence_grade grade;
    const char *licence;
    const char *source;
    const char *name;
};

/* The subject of a rule. */
enum rules_about {
    RULES_ABOUT_IDENTITY,    /* "allow" */
    RULES_ABOUT_RECITAL,     /* "demand recital" */
    RULES_ABOUT_LICENCE,     /* "licence" */
    RULES_ABOUT_CODE,        /* "code" */
    RULES_ABOUT_CONSISTENCY, /* "licence of PARTY consistent" */
    RULES_ABOUT_MEASURED,    /* "executable of PARTY measured" */
};

struct rules_verdict {
    enum verdict verdict;
    uint32_t taint;           /* of the whole session, which includes permissive until */
    uint32_t taint_of[SIDES]; /* the part of it that each party caused */
    bool permissive;          /* denied if it were not for "permissive until" */
    bool decided;             /* a rule decided: the next four are its own */
    enum rules_about about;   /* … the subject of the rule … */
    enum side party;          /* … the party that it is about */
    unsigned line;            /* … or 0 */
    struct rules_cause cause;
    char why[RULES_TEXT_SIZE];  /* the rule, the evidence and the party */
    char mend[RULES_TEXT_SIZE]; /* how to make it pass; "" if it passes */
};

/*
 * Returns the first "assign" rule that matches the party, or NULL. k has the facts known of the
 * party.
 */
const struct rules_assign *rules_assigned(const struct rules *r, enum side party,
                                          const struct rules_known *k);

/* The evidence of a party's licence that counts (rules_decide). Texts are borrowed. */
struct rules_counted {
    enum evidence_grade grade; /* the highest */
    const char *partial;       /* why the items are incomplete; NULL if they are complete */
    char expired[EVIDENCE_DETAIL_SIZE]; /* why a statement does not count any more; or "" */
    const char *interpreter; /* evidence of the executable was left out: it is this interpreter */
    size_t n;
    struct {
        const char *licence;
        const char *source;
        const char *name;
    } items[EVIDENCE_ITEMS + 2]; /* notes count with a recital and a declaration */
};

void rules_count(const struct rules *r, enum side party, const struct rules_known *k,
                 uint32_t today, struct rules_counted *c);

/* Returns whether the evidence counts whose licence is at this address in the facts. */
bool rules_counted_has(const struct rules_counted *c, const char *licence);

/* A licence that contradicts the one of a recital. */
struct rules_contradiction {
    const char *licence; /* borrowed */
    const char *how;     /* "declares" or "is packaged as". Static */
};

/*
 * Returns whether a party's recital is contradicted, and by what: one of its recited and its
 * declared licence is compatible with GPL-2.0-or-later, and the other is not known to be; or the
 * recited one is, and its executable is packaged under one that is incompatible. The package of an
 * interpreter is not that of the program.
 */
bool rules_contradicts_itself(const struct rules_known *k, struct rules_contradiction *by);

/* Returns whether a rule depends on facts about the processes, rather than on recitals alone. */
bool rules_ask_processes(const struct rules *r);

/*
 * Returns whether a rule depends on the contents of this party's executable: its digest or its
 * licence.
 */
bool rules_ask_executable(const struct rules *r, enum side party);

/* Returns whether a rule depends on the code that this party has mapped. */
bool rules_ask_code(const struct rules *r, enum side party);

/* The evidence of one item of the mapped code, in short; texts are borrowed. */
struct rules_code_evidence {
    enum evidence_grade grade; /* EVIDENCE_NONE if there is none, or if it is not a file */
    const char *licence;       /* of the first evidence of that grade, or "" */
    const char *name;          /* of its source, such as a package; or "" */
    const char *why;           /* why there is no licence; NULL otherwise */
};

/* Returns the evidence that counts of item i of the code that the party has mapped. */
struct rules_code_evidence rules_code_evidence(const struct rules *r, enum side party,
                                               const struct rules_mapped *m, size_t i,
                                               uint32_t today);

/*
 * Decides about a session. known[SIDE_CLIENT] and known[SIDE_BACKEND] have the facts; today is in
 * UTC.
 *
 * Of all evidence of a party's licence, that of the highest grade counts, and the grade must be at
 * least the rule's. Several items of that grade hold together (AND), on one version of the GPL.
 * Incomplete items count as unknown, and a signed statement that has expired does not count. A
 * party's own statements are held against it: its declaration and a note in its executable count
 * beside a recital, and a party that contradicts itself meets no licence rule. The same holds for a
 * broker's statements in "via": a rule on the backend's licence must be met by each server behind
 * it, for which the evidence is a recital or a declaration. Only an assignment by the operator
 * overrides all of that.
 *
 * If the executable is an interpreter, its package and its notes are evidence of the interpreter
 * alone, not of the program that it runs, and do not count.
 *
 * A rule that covers code is met if the executable meets it, and each file that the party has
 * mapped executable, all on one version of the GPL. Code that is not in a file meets no such rule.
 *
 * If a backend was inspected and no rule requires a licence of it, it is tainted as if it had to be
 * compatible with QEMU, which is under GPL-2.0-only; it is not refused.
 */
void rules_decide(const struct rules *r, const struct rules_known known[SIDES], uint32_t today,
                  struct rules_verdict *out);

/* One rule, judged alone, as shown by "policy explain". */
struct rules_step {
    enum rules_about about;
    enum side party;
    unsigned line;
    bool met;
    uint32_t taint; /* added to the party's taint, met or not */
    struct rules_cause cause;
    char text[RULES_TEXT_SIZE]; /* the reason */
    char mend[RULES_TEXT_SIZE]; /* how to meet the rule; "" if it is met */
};
typedef void rules_step_fn(const struct rules_step *s, void *arg);

/*
 * Calls fn for each rule in order of evaluation. Alternatives ("allow" rules of one party and one
 * fact) are one step.
 */
void rules_explain(const struct rules *r, const struct rules_known known[SIDES], uint32_t today,
                   rules_step_fn *fn, void *arg);

#endif
