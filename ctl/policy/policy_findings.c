/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Finds the statements of a policy that can never have an effect. Decides nothing. */
#define _GNU_SOURCE
#include "ctl/policy/policy_findings.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text/date.h"
#include "base/text/hex.h"
#include "base/log.h"
#include "proxy/config/config_where.h"
#include "proxy/config/preset.h"

struct search {
    const struct config *config;
    const struct config_route *route; /* NULL: not in a route */
    const struct rules *rules;        /* the route's */
    uint32_t today;
    policy_finding_fn *fn;
    void *arg;
};

static void policy_findings_found(const struct search *s, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void policy_findings_found(const struct search *s, unsigned line, const char *fmt, ...)
{
    struct policy_finding f = {.line = line       ? line
                                       : s->route ? s->route->at.line
                                                  : 0,
                               .route = s->route ? s->route->name : NULL};
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(f.text, sizeof f.text, fmt, ap);
    va_end(ap);
    s->fn(&f, s->arg);
}

/* ---- identity rules ---- */

static bool policy_findings_has_id(enum rules_fact f)
{
    return f == RULES_USER || f == RULES_GROUP;
}

static bool policy_findings_same_allow(const struct rules_allow *a, const struct rules_allow *b)
{
    return a->party == b->party && a->fact == b->fact &&
           (policy_findings_has_id(a->fact) ? a->id == b->id : strcmp(a->text, b->text) == 0);
}

static void policy_findings_repeated_allow(const struct search *s)
{
    const struct rules *r = s->rules;
    char place[CONFIG_WHERE_SIZE];

    for (size_t i = 0; i < r->n_allow; i++) {
        for (size_t k = 0; k < i; k++) {
            if (policy_findings_same_allow(&r->allow[i], &r->allow[k])) {
                policy_findings_found(s, r->allow[i].line, "this \"allow %s %s\" repeats %s",
                                      side_name(r->allow[i].party),
                                      rules_fact_name(r->allow[i].fact),
                                      config_where(s->config, r->allow[k].line, place));
                break;
            }
        }
    }
}

/*
 * The kernel reports an executable's real path: one with a link, "." or "//" in it matches no
 * process.
 */
static void policy_findings_unreal_path(const struct search *s, unsigned line, const char *path)
{
    char *real = realpath(path, NULL);
    char shown[160];
    char meant[160];

    if (real && strcmp(real, path) != 0) {
        policy_findings_found(s, line,
                              "\"%s\" matches no process, since its real path is \"%s\": use that",
                              log_escape(shown, sizeof shown, path, strlen(path)),
                              log_escape(meant, sizeof meant, real, strlen(real)));
    }
    free(real);
}

static bool policy_findings_is_unit(const char *text)
{
    static const char *const kinds[] = {".service", ".scope", ".socket", ".mount", ".swap"};
    const size_t n = strlen(text);

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const size_t k = strlen(kinds[i]);

        if (n > k && strcmp(text + n - k, kinds[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void policy_findings_impossible_values(const struct search *s)
{
    for (size_t i = 0; i < s->rules->n_allow; i++) {
        const struct rules_allow *a = &s->rules->allow[i];
        char shown[160];

        if (a->fact == RULES_EXE) {
            policy_findings_unreal_path(s, a->line, a->text);
        } else if (a->fact == RULES_UNIT && !policy_findings_is_unit(a->text)) {
            policy_findings_found(s, a->line,
                                  "\"%s\" matches no process: a unit's name ends in .service, "
                                  ".scope, .socket, .mount or .swap",
                                  log_escape(shown, sizeof shown, a->text, strlen(a->text)));
        }
    }
}

/*
 * Compares the rules with the facts that are known beforehand of a device that the broker starts.
 */
static void policy_findings_unlike_spawned(const struct search *s)
{
    const struct config_route *c = s->route;
    unsigned line = 0;

    if (!c->spawn) {
        return;
    }
    for (size_t i = 0; i < s->rules->n_allow; i++) {
        const struct rules_allow *a = &s->rules->allow[i];

        if (a->party == SIDE_BACKEND && a->fact == RULES_LABEL) {
            policy_findings_found(s, a->line,
                                  "the label of a device that poemd starts is not known");
        } else if (a->party == SIDE_BACKEND && a->fact == RULES_USER && c->spawn_user) {
            line = line ? line : a->line;
        }
    }
    for (size_t i = 0; line && i < s->rules->n_allow; i++) {
        const struct rules_allow *a = &s->rules->allow[i];

        if (a->party == SIDE_BACKEND && a->fact == RULES_USER && a->id == c->spawn_uid) {
            return;
        }
    }
    if (line) {
        policy_findings_found(s, line, "the device is started as user %ld, whom no rule admits",
                              (long)c->spawn_uid);
    }
}

/* Computes the file's SHA-256 in hexadecimal. Returns false if it cannot be read. */
static bool policy_findings_digest_of(const char *path, char out[2 * EVP_MAX_MD_SIZE + 1])
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned char block[65536];
    bool good = fd >= 0 && md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;
    unsigned size = 0;
    ssize_t n = 0;

    while (good && (n = read(fd, block, sizeof block)) > 0) {
        good = EVP_DigestUpdate(md, block, (size_t)n) == 1;
    }
    good = good && n == 0 && EVP_DigestFinal_ex(md, digest, &size) == 1;
    if (good) {
        hex_text(digest, size, out);
    }
    EVP_MD_CTX_free(md);
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

static bool policy_findings_names_text(const struct rules *r, enum side party, enum rules_fact fact,
                                       const char *text)
{
    for (size_t i = 0; i < r->n_allow; i++) {
        const struct rules_allow *a = &r->allow[i];

        if (a->party == party && a->fact == fact && strcmp(a->text, text) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * Reports rules that demand executables and digests, if none of the executables has such a digest.
 * A digest of fs-verity may be that of any file.
 */
static void policy_findings_contrary_digests(const struct search *s, enum side party)
{
    const struct rules *r = s->rules;
    char digest[2 * EVP_MAX_MD_SIZE + 1];
    unsigned line = 0;
    size_t paths = 0;

    for (size_t i = 0; i < r->n_allow; i++) {
        const struct rules_allow *a = &r->allow[i];

        if (a->party == party && a->fact == RULES_DIGEST) {
            if (rules_is_verity(a->text)) {
                return;
            }
            line = line ? line : a->line;
        } else if (a->party == party && a->fact == RULES_EXE) {
            /* An executable that cannot be read may have the digest. */
            if (!policy_findings_digest_of(a->text, digest) ||
                policy_findings_names_text(r, party, RULES_DIGEST, digest)) {
                return;
            }
            paths++;
        }
    }
    if (line && paths > 0) {
        policy_findings_found(s, line,
                              "contradiction: at present, no executable of \"allow %s exe\" has a "
                              "digest of \"allow %s digest\"",
                              side_name(party), side_name(party));
    }
}

/* Reports a socket that only its owner may open, if the rules admit only other users. */
static void policy_findings_locked_out(const struct search *s)
{
    const struct config_route *r = s->route;
    unsigned line = 0;

    if (r->owner == (uid_t)-1 || (r->mode & (S_IWGRP | S_IWOTH))) {
        return;
    }
    for (size_t i = 0; i < s->rules->n_allow; i++) {
        const struct rules_allow *a = &s->rules->allow[i];

        if (a->party == SIDE_CLIENT && a->fact == RULES_USER) {
            if (a->id == r->owner || a->id == 0) {
                return;
            }
            line = line ? line : a->line;
        }
    }
    if (line) {
        policy_findings_found(s, line,
                              "none of these users may open the listening socket: its mode is %04o "
                              "and its owner another user",
                              (unsigned)r->mode);
    }
}

/* ---- licence rules ---- */

static bool policy_findings_assigns(const struct rules *r, enum side party)
{
    for (size_t i = 0; i < r->n_assign; i++) {
        if (r->assign[i].party == party) {
            return true;
        }
    }
    return false;
}

/* Reports the rule of that line if no evidence of a party can have the grade. */
static void policy_findings_unreachable(const struct search *s, unsigned line, enum side party,
                                        enum evidence_grade least)
{
    const struct config *c = s->config;

    if (least < EVIDENCE_SIGNED || policy_findings_assigns(s->rules, party)) {
        return;
    }
    if (least == EVIDENCE_ASSIGNED) {
        policy_findings_found(
            s, line, "no evidence is ever \"assigned\": there is no \"assign licence\" for the %s",
            side_name(party));
    } else if (c->trust_keys.n == 0 || c->envelopes.n == 0) {
        policy_findings_found(s, line, "no evidence is ever \"signed\": there is no \"%s\"",
                              c->trust_keys.n == 0 ? "trust-key" : "envelope");
    }
}

static void policy_findings_unreachable_grades(const struct search *s)
{
    const struct rules *r = s->rules;

    for (size_t i = 0; i < r->n_licence; i++) {
        policy_findings_unreachable(s, r->licence[i].line, r->licence[i].party,
                                    r->licence[i].least);
    }
    for (size_t i = 0; i < r->n_code; i++) {
        policy_findings_unreachable(s, r->code[i].line, r->code[i].party, r->code[i].least);
    }
}

/* Returns true if every licence that meets a also meets b. */
static bool policy_findings_implies(const struct rules_licence *a, const struct rules_licence *b)
{
    if (a->party != b->party || a->kind != b->kind || a->least < b->least ||
        (b->covers_code && !a->covers_code)) {
        return false;
    }
    return a->kind == RULES_OSI_APPROVED || a->kind == RULES_WITH_OTHER || a->target == b->target ||
           b->target == SPDX_WITH_GPL_2_0_OR_LATER;
}

static void policy_findings_implied_licences(const struct search *s)
{
    const struct rules *r = s->rules;
    char place[CONFIG_WHERE_SIZE];

    for (size_t i = 0; i < r->n_licence; i++) {
        for (size_t k = 0; k < r->n_licence; k++) {
            /* Of two equivalent rules, the later one is reported. */
            if (i != k && policy_findings_implies(&r->licence[k], &r->licence[i]) &&
                (k < i || !policy_findings_implies(&r->licence[i], &r->licence[k]))) {
                policy_findings_found(s, r->licence[i].line,
                                      "every licence that meets %s meets this one",
                                      config_where(s->config, r->licence[k].line, place));
                break;
            }
        }
    }
}

/* Returns true if the party is assigned a licence as a whole, with all of its code. */
static bool policy_findings_assigns_whole(const struct rules *r, enum side party)
{
    for (size_t i = 0; i < r->n_assign; i++) {
        if (r->assign[i].party == party && r->assign[i].fact == RULES_FACTS) {
            return true;
        }
    }
    return false;
}

/* Reports the rule on code if another one implies it; of two equal rules, the later one. */
static void policy_findings_implied_code(const struct search *s, size_t i)
{
    const struct rules *r = s->rules;
    const struct rules_code *code = &r->code[i];
    char place[CONFIG_WHERE_SIZE];

    for (size_t k = 0; k < r->n_code; k++) {
        if (k != i && r->code[k].party == code->party &&
            (r->code[k].least > code->least || (k < i && r->code[k].least == code->least))) {
            policy_findings_found(s, code->line, "all code that meets %s meets this one",
                                  config_where(s->config, r->code[k].line, place));
            return;
        }
    }
    for (size_t k = 0; k < r->n_licence; k++) {
        /* Files of a party that is assigned as a whole need no evidence of their licence. */
        if (r->licence[k].covers_code && r->licence[k].party == code->party &&
            r->licence[k].least >= code->least && !policy_findings_assigns_whole(r, code->party)) {
            policy_findings_found(s, code->line, "all code that meets %s meets this one",
                                  config_where(s->config, r->licence[k].line, place));
            return;
        }
    }
}

/* Returns true if there are "allow" rules for that party and fact, but none names the text. */
static bool policy_findings_kept_out(const struct rules *r, enum side party, enum rules_fact fact,
                                     const char *text)
{
    for (size_t i = 0; i < r->n_allow; i++) {
        if (r->allow[i].party == party && r->allow[i].fact == fact) {
            return !policy_findings_names_text(r, party, fact, text);
        }
    }
    return false;
}

/* Returns true if a names every process that b names. */
static bool policy_findings_covers(const struct rules_assign *a, const struct rules_assign *b)
{
    return a->party == b->party &&
           (a->fact == RULES_FACTS || (a->fact == b->fact && strcmp(a->text, b->text) == 0));
}

static bool policy_findings_asks_licence(const struct rules *r, enum side party)
{
    for (size_t i = 0; i < r->n_licence; i++) {
        if (r->licence[i].party == party || r->licence[i].kind == RULES_WITH_OTHER) {
            return true;
        }
    }
    return false;
}

static void policy_findings_idle_assign(const struct search *s, size_t i)
{
    const struct rules *r = s->rules;
    const struct rules_assign *a = &r->assign[i];
    const char *who = side_name(a->party);
    char place[CONFIG_WHERE_SIZE];

    for (size_t k = 0; k < i; k++) {
        if (policy_findings_covers(&r->assign[k], a)) {
            policy_findings_found(
                s, a->line, "the \"assign\" in %s comes first and covers every process of this one",
                config_where(s->config, r->assign[k].line, place));
            return;
        }
    }
    /* With a rule on code, it may be meant for a file that the party has mapped. */
    if (!r->otherwise_taint && a->fact != RULES_FACTS && !rules_ask_code(r, a->party) &&
        policy_findings_kept_out(r, a->party, a->fact, a->text)) {
        policy_findings_found(s, a->line, "no process that this names meets an \"allow %s %s\"",
                              who, rules_fact_name(a->fact));
    } else if (a->party == SIDE_CLIENT && !rules_ask_code(r, SIDE_CLIENT) &&
               !policy_findings_asks_licence(r, SIDE_CLIENT)) {
        /* For a backend it has an effect nevertheless, see rules_decide. */
        policy_findings_found(s, a->line, "no \"licence of client\" uses this licence");
    }
    if (a->fact == RULES_EXE) {
        policy_findings_unreal_path(s, a->line, a->text);
    }
}

/* ---- other statements ---- */

static void policy_findings_idle_ends(const struct search *s)
{
    const struct rules *r = s->rules;
    char until[DATE_SIZE];
    const bool asks =
        rules_ask_processes(r) || r->demand_recital[SIDE_CLIENT] || r->demand_recital[SIDE_BACKEND];

    if (s->route->preset != PRESET_NONE && !s->config->audit_file &&
        strcmp(preset_names[s->route->preset], "audit-only") == 0) {
        policy_findings_found(
            s, s->route->preset_at.line,
            "\"preset audit-only\" admits sessions without a record: there is no \"audit\"");
    }
    if (!asks && r->otherwise_taint) {
        policy_findings_found(s, r->otherwise_line,
                              "\"otherwise taint\" has no effect: the route has no rule");
    }
    if (r->permissive_until == 0) {
        return;
    }
    if (s->today > r->permissive_until) {
        policy_findings_found(s, r->permissive_line, "\"permissive until %s\" has expired",
                              date_text(r->permissive_until, until));
    } else if (!asks) {
        policy_findings_found(s, r->permissive_line,
                              "\"permissive\" has no effect: the route has no rule");
    }
    if (r->otherwise_taint) {
        policy_findings_found(
            s, r->permissive_line,
            "\"permissive\" has no effect: \"otherwise taint\" denies no session");
    }
}

static void policy_findings_search_route(const struct search *s)
{
    policy_findings_repeated_allow(s);
    policy_findings_impossible_values(s);
    policy_findings_contrary_digests(s, SIDE_CLIENT);
    policy_findings_contrary_digests(s, SIDE_BACKEND);
    policy_findings_locked_out(s);
    policy_findings_unlike_spawned(s);
    policy_findings_unreachable_grades(s);
    policy_findings_implied_licences(s);
    for (size_t i = 0; i < s->rules->n_code; i++) {
        policy_findings_implied_code(s, i);
    }
    for (size_t i = 0; i < s->rules->n_assign; i++) {
        policy_findings_idle_assign(s, i);
    }
    policy_findings_idle_ends(s);
}

static void policy_findings_revoked_keys(const struct search *s)
{
    const struct config *c = s->config;

    for (size_t i = 0; i < c->n_trusted; i++) {
        for (size_t k = 0; k < c->n_revoked; k++) {
            const struct inspector_revoked *r = &c->revoked[k];

            if (memcmp(r->digest, c->trusted[i].key.fingerprint, sizeof r->digest) == 0) {
                policy_findings_found(s, c->trust_keys.items[i].at.line,
                                      "this \"trust-key\" has no effect: it is revoked%s%s",
                                      *r->reason ? ": " : "", r->reason);
            }
        }
    }
}

static void policy_findings_search_file(const struct search *s)
{
    const struct config *c = s->config;

    if (c->envelopes.n > 0 && c->trust_keys.n == 0) {
        policy_findings_found(s, c->envelopes.items[0].at.line,
                              "\"envelope\" has no effect without a \"trust-key\"");
    }
    if (c->trust_keys.n > 0 && c->envelopes.n == 0) {
        policy_findings_found(s, c->trust_keys.items[0].at.line,
                              "\"trust-key\" has no effect without an \"envelope\"");
    }
    policy_findings_revoked_keys(s);
    if (c->revoked_file && c->envelopes.n == 0) {
        policy_findings_found(s, c->revoked_at.line,
                              "\"revoked\" has no effect without an \"envelope\"");
    }
    if (c->on_audit_failure == CONFIG_AUDIT_TAINT && !c->audit_file) {
        policy_findings_found(s, 0,
                              "\"on-audit-failure taint\" has no effect: there is no \"audit\"");
    }
}

void policy_findings(const struct config *c, uint32_t today, policy_finding_fn *fn, void *arg)
{
    struct search s = {.config = c, .today = today, .fn = fn, .arg = arg};

    policy_findings_search_file(&s);
    for (size_t i = 0; i < c->n_routes; i++) {
        s.route = &c->routes[i];
        s.rules = &c->routes[i].rules;
        policy_findings_search_route(&s);
    }
}
