/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A route's rules, and the verdict on a session: allow, allow tainted, deny.
 *
 * Pure: facts, evidence and a date in, a verdict with its explanation out; no file, clock, log or
 * socket. The same function decides for the daemon and explains for poemctl, so that the two cannot
 * differ. What is unknown meets no rule: a fact that cannot be had is not taken for granted.
 */
#ifndef POEMD_POLICY_RULES_RULES_H
#define POEMD_POLICY_RULES_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "handshake/recital.h"
#include "policy/evidence/evidence.h"
#include "policy/inspector/inspector.h"
#include "policy/peer/peer.h"
#include "policy/spdx/spdx.h"

/* ---- what is demanded ---- */

enum rules_party { RULES_CLIENT, RULES_BACKEND, RULES_PARTIES };

/* "client", "backend". Static. */
const char *rules_party_name(enum rules_party p);

/* Which fact of a party an "allow" rule goes by. */
enum rules_fact {
    RULES_USER,
    RULES_GROUP, /* its own or a supplementary one */
    RULES_EXE,   /* the path, of our mount table, not deleted */
    RULES_DIGEST,
    RULES_LABEL,
    RULES_UNIT,
    RULES_FACTS,
};

/* "user" … Static. */
const char *rules_fact_name(enum rules_fact f);

/*
 * Rules of one party and one fact are alternatives; those of different facts must all be met. A
 * party of whom no rule speaks may be anybody.
 */
struct rules_allow {
    enum rules_party party;
    enum rules_fact fact;
    uid_t id;         /* RULES_USER, RULES_GROUP */
    const char *text; /* RULES_EXE, _LABEL, _UNIT; of RULES_DIGEST 64 lower-case hex digits */
    unsigned line;    /* in the configuration, for explanations */
};

/* What a licence must be: compatible with a GPL (spdx.h), or approved by the OSI. */
enum rules_licence_kind { RULES_COMPATIBLE, RULES_OSI_APPROVED };

struct rules_licence {
    enum rules_party party;
    enum rules_licence_kind kind;
    enum spdx_target target; /* of RULES_COMPATIBLE */
    enum evidence_grade least;
    unsigned line;
};

/* The operator says under which licence a party comes: evidence of grade assigned. */
struct rules_assign {
    enum rules_party party;
    const char *licence; /* a valid SPDX expression */
    enum rules_fact
        fact; /* RULES_EXE or RULES_DIGEST: of whom this is said; RULES_FACTS: anybody */
    const char *text;
    unsigned line;
};

/* Calendar day, UTC; year 0: none. */
struct rules_date {
    uint16_t year;
    uint8_t month;
    uint8_t day;
};

/* Today, UTC. Not pure: it reads the clock that rules_decide is asked by. */
struct rules_date rules_today(void);

/* Whether a is b or before it. */
bool rules_date_not_after(struct rules_date a, struct rules_date b);

/* All borrowed. */
struct rules {
    size_t n_allow;
    const struct rules_allow *allow;
    size_t n_licence;
    const struct rules_licence *licence;
    size_t n_assign;
    const struct rules_assign *assign;
    bool demand_recital[RULES_PARTIES];
    unsigned demand_line[RULES_PARTIES];
    bool demand_all_the_way;            /* the backend's, and that of each server behind it */
    bool otherwise_taint;               /* what fails taints, instead of being denied */
    unsigned otherwise_line;            /* 0: not written; the default is to deny */
    struct rules_date permissive_until; /* up to that day, what would be denied is tainted */
    unsigned permissive_line;
};

/* ---- taint ---- */

/* Letters, each with a meaning: docs/man/poemctl-taint.1. Bits, in the order of the letters. */
enum taint {
    TAINT_PROPRIETARY = 1u << 0, /* P: a licence that the rule finds incompatible */
    TAINT_UNKNOWN = 1u << 1,     /* U: no licence known, or none that can be judged */
    TAINT_UNSIGNED = 1u << 2,    /* E: known by the peer's own word, or less well than asked */
    TAINT_OVERRIDE = 1u << 3,    /* O: an operator's assignment decided, or permissive until */
    TAINT_IDENTITY = 1u << 4,    /* I: a party that "allow" does not name was let in */
    TAINT_RECITAL = 1u << 5,     /* R: a recital was demanded and not given */
    TAINT_HANDED_ON = 1u << 6,   /* H: a socket was used by another process */
    TAINT_UNOBSERVED = 1u << 7,  /* M: a path that no proxy sees: mapped memory, eventfds */
    TAINT_INHERITED = 1u << 8,   /* V: from what "via" says of who is behind a broker */
    TAINT_DMA = 1u << 9,         /* D: an access to memory that was not mapped */
    TAINT_UNAUDITED = 1u << 10,  /* A: the audit log could not be written */
    TAINT_EXECUTABLE = 1u << 11, /* X: a party executes another file than the one judged */
};
#define TAINT_COUNT 12

/* Letter and meaning of bit number i, 0 … TAINT_COUNT - 1. Static. */
char taint_letter(unsigned i);
const char *taint_meaning(unsigned i);

/* The letters of a set, in order, "-" for none; out has TAINT_COUNT + 1 bytes. Returns out. */
const char *taint_text(uint32_t taint, char out[TAINT_COUNT + 1]);

/*
 * Reads letters (any order; "-" alone is none). False: an unknown letter, *bad is it, or an empty
 * text, *bad is NUL; *taint is untouched.
 */
bool taint_read(const char *text, uint32_t *taint, char *bad);

/* ---- the verdict ---- */

/* What is known of one party when it is decided. */
struct rules_known {
    const struct peer *peer;
    const struct inspection
        *inspection; /* NULL: none was made; then digest and files are unknown */
    enum recital_outcome recital;
    const char *recited;           /* the licence recited under; "" where none */
    const char *declared;          /* the licence capability; "" where none */
    const struct recital_via *via; /* of a backend that is a broker; NULL: nothing said */
};

enum verdict { VERDICT_ALLOW, VERDICT_TAINTED, VERDICT_DENY };

/* "allow", "allow-tainted", "deny". Static. */
const char *rules_verdict_name(enum verdict v);

#define RULES_TEXT_SIZE 512u

struct rules_verdict {
    enum verdict verdict;
    uint32_t taint;
    bool permissive;            /* it would have been denied but for "permissive until" */
    enum rules_party party;     /* whom the deciding rule speaks of, where one decided */
    unsigned line;              /* of the rule that decided; 0: none did */
    char why[RULES_TEXT_SIZE];  /* which rule, which evidence, which party */
    char mend[RULES_TEXT_SIZE]; /* what would make it pass; "" where it passes */
};

/*
 * What the operator says of the party's licence: the first "assign" that names it, or NULL. k is
 * what is known of the party.
 */
const struct rules_assign *rules_assigned(const struct rules *r, enum rules_party party,
                                          const struct rules_known *k);

/*
 * Returns whether the party's own two statements contradict each other: of the licences that it
 * recites under and declares, one is compatible with GPL-2.0-or-later, and the other is not known
 * to be.
 */
bool rules_contradicts_itself(const struct rules_known *k);

/* Whether a rule goes by what is in this party's executable: its digest, or its licence. */
bool rules_ask_executable(const struct rules *r, enum rules_party party);

/*
 * Decides. known[RULES_CLIENT] and known[RULES_BACKEND]; today: UTC.
 *
 * Of all evidence of a party's licence that of the highest grade counts, and it must be at least of
 * the rule's; several items of that grade hold together (AND), on one version of the GPL. Items
 * that are known not to be all are worth no more than unknown. What a party says of itself is held
 * against it: what it declares counts beside a recital, and a party that contradicts itself meets
 * no rule on its licence. So is what a broker says in "via": a rule on the backend's licence must
 * be met by each server behind it, whose evidence is a recital or a declaration. Only the
 * operator's word is above all of that.
 *
 * A backend that was looked at, and for whose licence no rule asks, is tainted as if it had to be
 * compatible with GPL-2.0-or-later; it is not refused.
 */
void rules_decide(const struct rules *r, const struct rules_known known[RULES_PARTIES],
                  struct rules_date today, struct rules_verdict *out);

/* What a rule is about. */
enum rules_about {
    RULES_ABOUT_IDENTITY, /* "allow" */
    RULES_ABOUT_RECITAL,  /* "demand recital" */
    RULES_ABOUT_LICENCE,  /* "licence" */
};

/* One rule, judged alone: what "policy explain" shows. */
struct rules_step {
    enum rules_about about;
    enum rules_party party;
    unsigned line;
    bool met;
    uint32_t taint;             /* what it adds to the session's, met or not */
    char text[RULES_TEXT_SIZE]; /* why */
    char mend[RULES_TEXT_SIZE]; /* what would make it met; "" where it is */
};
typedef void rules_step_fn(const struct rules_step *s, void *arg);

/*
 * Calls fn for each rule there is, in the order in which they are looked at. Alternatives ("allow"
 * of one party and one fact) are one step.
 */
void rules_explain(const struct rules *r, const struct rules_known known[RULES_PARTIES],
                   rules_step_fn *fn, void *arg);

#endif
