/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Converts the policy statements of a configuration into the rules of policy/rules/rules_decide.c:
 * looks up names, reads licences and keys. Invalid ones are errors with their places.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "policy/inspector/inspector.h"
#include "proxy/config/config_rules.h"
#include "proxy/config/config_value.h"

#include "base/text/numbers.h"
#include "base/unconst.h"

/* Ids up to this are written as numbers; the next one is never an account's. */
#define ID_MOST 4294967294ul

static void config_rules_shown_error(struct config_errors *e, struct config_place at,
                                     const char *hint, const char *what, const char *value)
{
    char shown[96];

    config_errors_add(e, at, hint, "%s \"%s\"", what,
                      log_escape(shown, sizeof shown, value, strlen(value)));
}

static bool config_rules_find_id(const struct config_allow *a, uid_t *id)
{
    const struct passwd *pw;
    const struct group *gr;
    uint64_t number;

    if (numbers_decimal(a->value, ID_MOST, &number)) {
        *id = (uid_t)number;
        return true;
    }
    if (a->fact == RULES_USER) {
        pw = getpwnam(a->value);
        *id = pw ? pw->pw_uid : 0;
        return pw != NULL;
    }
    gr = getgrnam(a->value);
    *id = gr ? gr->gr_gid : 0;
    return gr != NULL;
}

static void config_rules_check_digest(const char *text, struct config_place at,
                                      struct config_errors *e)
{
    if (!rules_is_digest(text)) {
        config_rules_shown_error(e, at,
                                 "64 lower-case hexadecimal digits, as sha256sum prints, or "
                                 "verity:sha256:DIGITS, as fsverity measure prints after verity:",
                                 "not a digest:", text);
    }
}

static void config_rules_resolve_allow(const struct config_allow *from, struct rules_allow *to,
                                       struct config_errors *e)
{
    *to = (struct rules_allow){.party = (enum side)from->party,
                               .fact = (enum rules_fact)from->fact,
                               .text = from->value,
                               .line = from->at.line};
    if ((to->fact == RULES_USER || to->fact == RULES_GROUP) &&
        !config_rules_find_id(from, &to->id)) {
        config_rules_shown_error(
            e, from->value_at, "use a name that exists on this machine, or a number",
            to->fact == RULES_USER ? "there is no user" : "there is no group", from->value);
    }
    if (to->fact == RULES_EXE && from->value[0] != '/') {
        config_rules_shown_error(e, from->value_at, "an absolute path",
                                 "not an executable's path:", from->value);
    }
    if (to->fact == RULES_DIGEST) {
        config_rules_check_digest(from->value, from->value_at, e);
    }
    if (to->fact == RULES_VM && to->party == SIDE_BACKEND) {
        config_errors_add(e, from->at, "allow client vm NAME", "a backend has no virtual machine");
    }
}

static enum evidence_grade config_rules_grade(unsigned grade)
{
    return grade == CONFIG_GRADE_NONE ? EVIDENCE_DECLARED
                                      : (enum evidence_grade)(grade + EVIDENCE_DECLARED);
}

static void config_rules_resolve_consistent(const struct config_licence *from,
                                            struct rules_trait *to, struct config_errors *e)
{
    *to = (struct rules_trait){
        .party = (enum side)from->party, .kind = RULES_CONSISTENT, .line = from->at.line};
    if (from->target != CONFIG_TARGET_NONE || from->grade != CONFIG_GRADE_NONE ||
        from->covers == CONFIG_COVERS_CODE) {
        config_errors_add(e, from->at, "licence of PARTY consistent",
                          "\"consistent\" is the statement's last word");
    }
}

static void config_rules_resolve_licence(const struct config_licence *from,
                                         struct rules_licence *to, struct config_errors *e)
{
    *to = (struct rules_licence){.party = (enum side)from->party,
                                 .kind = (enum rules_licence_kind)from->kind,
                                 .target = (enum spdx_target)from->target,
                                 .least = config_rules_grade(from->grade),
                                 .covers_code = from->covers == CONFIG_COVERS_CODE,
                                 .line = from->at.line};
    if (to->kind == RULES_COMPATIBLE && from->target == CONFIG_TARGET_NONE) {
        config_errors_add(e, from->at, "licence of PARTY compatible with GPL-2.0-only",
                          "\"compatible\" needs \"with\"");
    }
    if (from->target == CONFIG_TARGET_CLIENT + (unsigned)to->party) {
        config_errors_add(e, from->at, "name the other party", "a party has its own licence");
    }
    if (to->kind == RULES_COMPATIBLE && from->target >= CONFIG_TARGET_CLIENT) {
        to->kind = RULES_WITH_OTHER;
    }
    if (to->kind == RULES_OSI_APPROVED && from->target != CONFIG_TARGET_NONE) {
        config_errors_add(e, from->at, NULL, "\"osi-approved\" takes no \"with\"");
    }
}

static void config_rules_resolve_assign(const struct config_assign *from, struct rules_assign *to,
                                        struct config_errors *e)
{
    struct spdx_error why;
    struct spdx expression;

    *to = (struct rules_assign){.party = (enum side)from->party,
                                .licence = from->licence,
                                .fact = from->exe      ? RULES_EXE
                                        : from->digest ? RULES_DIGEST
                                                       : RULES_FACTS,
                                .text = from->exe ? from->exe : from->digest,
                                .line = from->at.line};
    if (spdx_parse(&expression, from->licence, strlen(from->licence), SPDX_LISTED, &why) !=
        SPDX_OK) {
        config_errors_add(e, from->at, why.hint, "not a licence expression: %s", why.text);
    }
    if (from->exe && from->digest) {
        config_errors_add(e, from->at, "use two statements if both are meant",
                          "\"exe\" and \"digest\" exclude each other");
    }
    if (from->digest) {
        config_rules_check_digest(from->digest, from->at, e);
    }
}

/* Allocates n rules of a size, at least one, so that 0 does not look like an error. */
static void *config_rules_room(size_t n, size_t size)
{
    return calloc(n > 0 ? n : 1, size);
}

/* A configuration is resolved again after the command line has been applied. */
static void config_rules_free_rules(struct config_route *r)
{
    free(unconst_pointer(r->rules.allow));
    free(unconst_pointer(r->rules.licence));
    free(unconst_pointer(r->rules.code));
    free(unconst_pointer(r->rules.trait));
    free(unconst_pointer(r->rules.assign));
    r->rules = (struct rules){.n_allow = 0};
}

/* Resolves rules on licences and on properties, which statements about licences can also be. */
static void config_rules_resolve_licences(struct config_route *r, struct rules_licence *licence,
                                          struct rules_trait *trait, struct config_errors *e)
{
    for (size_t i = 0; i < r->n_licence; i++) {
        if (r->licence[i].kind == CONFIG_KIND_CONSISTENT) {
            config_rules_resolve_consistent(&r->licence[i], &trait[r->rules.n_trait++], e);
        } else {
            config_rules_resolve_licence(&r->licence[i], &licence[r->rules.n_licence++], e);
        }
    }
    for (size_t i = 0; i < r->n_executable; i++) {
        trait[r->rules.n_trait++] = (struct rules_trait){.party = (enum side)r->executable[i].party,
                                                         .kind = RULES_MEASURED,
                                                         .line = r->executable[i].at.line};
    }
}

static int config_rules_resolve_route(struct config_route *r, struct config_errors *e)
{
    struct rules_allow *allow;
    struct rules_licence *licence;
    struct rules_code *code;
    struct rules_trait *trait;
    struct rules_assign *assign;

    config_rules_free_rules(r);
    allow = config_rules_room(r->n_allow, sizeof *allow);
    licence = config_rules_room(r->n_licence, sizeof *licence);
    code = config_rules_room(r->n_code, sizeof *code);
    trait = config_rules_room(r->n_licence + r->n_executable, sizeof *trait);
    assign = config_rules_room(r->n_assign, sizeof *assign);

    r->rules = (struct rules){
        .n_allow = r->n_allow,
        .allow = allow,
        .licence = licence,
        .n_code = r->n_code,
        .code = code,
        .trait = trait,
        .n_assign = r->n_assign,
        .assign = assign,
        .otherwise_taint = r->otherwise == CONFIG_OTHERWISE_TAINT,
        .otherwise_line = r->otherwise_at.line,
        .permissive_line = r->permissive_at.line,
        /* In the order of CONFIG_FROM_*: the backend comes first. */
        .demand_line =
            {[SIDE_CLIENT] = r->demand_at[1].line, [SIDE_BACKEND] = r->demand_at[0].line},
        .demand_recital = {[SIDE_CLIENT] = r->demand_from & CONFIG_FROM_CLIENT,
                           [SIDE_BACKEND] = r->demand_from & CONFIG_FROM_BACKEND},
        .demand_all_the_way = r->demand_how == CONFIG_DEMAND_ALL_THE_WAY,
        .permissive_until = r->permissive_until,
    };
    if (!allow || !licence || !code || !trait || !assign) {
        return -ENOMEM;
    }
    if (r->demand_how == CONFIG_DEMAND_ALL_THE_WAY &&
        r->demand_how_at.line == r->demand_at[1].line) {
        config_errors_add(e, r->demand_how_at, "demand recital from backend all the way",
                          "a client has no servers behind it");
    }
    config_rules_resolve_licences(r, licence, trait, e);
    for (size_t i = 0; i < r->n_allow; i++) {
        config_rules_resolve_allow(&r->allow[i], &allow[i], e);
    }
    for (size_t i = 0; i < r->n_code; i++) {
        code[i] = (struct rules_code){
            .party = (enum side)r->code[i].party,
            .least = (enum evidence_grade)(r->code[i].grade + EVIDENCE_DECLARED),
            .line = r->code[i].at.line};
    }
    for (size_t i = 0; i < r->n_assign; i++) {
        config_rules_resolve_assign(&r->assign[i], &assign[i], e);
    }
    return 0;
}

static int config_rules_resolve_keys(struct config *c, struct config_errors *e)
{
    free(c->trusted);
    c->n_trusted = 0;
    c->trusted = config_rules_room(c->trust_keys.n, sizeof *c->trusted);
    if (!c->trusted) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < c->trust_keys.n; i++) {
        const char *path = c->trust_keys.items[i].text;
        struct inspector_key *k = &c->trusted[c->n_trusted];

        if (inspector_key_load(k, path) < 0) {
            config_rules_shown_error(e, c->trust_keys.items[i].at,
                                     "a PEM file with a public key, Ed25519 or ECDSA over P-256: "
                                     "openssl pkey -pubout",
                                     "cannot read a public key from", path);
            continue;
        }
        log_escape(k->name, sizeof k->name, path, strlen(path));
        c->n_trusted++;
    }
    if (c->trust_keys.n > INSPECTOR_KEYS) {
        config_errors_add(e, c->trust_keys.items[INSPECTOR_KEYS].at, NULL,
                          "more than %u trusted keys", INSPECTOR_KEYS);
    }
    return 0;
}

/* Without its revocation list, poemd would trust what the operator does not: that is an error. */
static int config_rules_resolve_revoked(struct config *c, struct config_errors *e)
{
    char shown[160];
    unsigned line;
    int err;

    free(c->revoked);
    c->revoked = NULL;
    c->n_revoked = 0;
    if (!c->revoked_file) {
        return 0;
    }
    c->revoked = config_rules_room(INSPECTOR_REVOKED, sizeof *c->revoked);
    if (!c->revoked) {
        return -ENOMEM;
    }
    err = inspector_revoked_load(c->revoked, &c->n_revoked, c->revoked_file, &line);
    log_escape(shown, sizeof shown, c->revoked_file, strlen(c->revoked_file));
    if (err == -E2BIG) {
        config_errors_add(e, c->revoked_at, NULL, "more than %u revocations in \"%s\"",
                          INSPECTOR_REVOKED, shown);
    } else if (err == -EINVAL && line > 0) {
        config_errors_add(e, c->revoked_at,
                          "the fingerprint of a key or the SHA-256 of an envelope, and a reason",
                          "line %u of \"%s\" does not begin with 64 hexadecimal digits", line,
                          shown);
    } else if (err) {
        config_errors_add(e, c->revoked_at, NULL, "cannot read \"%s\": %s", shown,
                          err == -EINVAL ? "not a regular file" : strerror(-err));
    }
    return 0;
}

static int config_rules_resolve_envelopes(struct config *c)
{
    free(c->envelope_ids);
    c->envelope_ids = config_rules_room(c->envelopes.n, sizeof *c->envelope_ids);
    for (size_t i = 0; c->envelope_ids && i < c->envelopes.n; i++) {
        struct stat st;

        if (stat(c->envelopes.items[i].text, &st) == 0) {
            c->envelope_ids[i] =
                (struct config_file_id){.dev = st.st_dev,
                                        .ino = st.st_ino,
                                        .size = (uint64_t)st.st_size,
                                        .mtime_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000u +
                                                    (uint64_t)st.st_mtim.tv_nsec};
        }
    }
    return c->envelope_ids ? 0 : -ENOMEM;
}

int config_resolve_rules(struct config *c, struct config_errors *e)
{
    int err = config_rules_resolve_keys(c, e);

    if (!err) {
        err = config_rules_resolve_envelopes(c);
    }

    if (!err) {
        err = config_rules_resolve_revoked(c, e);
    }
    if (c->audit_file && !c->audit_key) {
        config_errors_add(e, c->audit_at, "audit FILE key FILE; poemctl audit keygen makes one",
                          "\"audit\" needs a key");
    }

    for (size_t i = 0; !err && i < c->n_routes; i++) {
        err = config_rules_resolve_route(&c->routes[i], e);
    }
    return err;
}

/* ---- lifetimes ---- */

void config_list_deinit(struct config_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->items[i].text);
    }
    free(l->items);
}

void config_route_deinit_rules(struct config_route *r)
{
    for (size_t i = 0; i < r->n_allow; i++) {
        free(r->allow[i].value);
    }
    for (size_t i = 0; i < r->n_assign; i++) {
        free(r->assign[i].licence);
        free(r->assign[i].exe);
        free(r->assign[i].digest);
    }
    free(r->allow);
    free(r->licence);
    free(r->code);
    free(r->executable);
    free(r->assign);
    config_list_deinit(&r->dma_ranges);
    config_list_deinit(&r->inject_rules);
    config_rules_free_rules(r);
}

void config_deinit_rules(struct config *c)
{
    config_list_deinit(&c->trust_keys);
    config_list_deinit(&c->envelopes);
    free(c->trusted);
    free(c->envelope_ids);
    free(c->revoked);
    free(c->revoked_file);
    free(c->audit_file);
    free(c->audit_key);
}
