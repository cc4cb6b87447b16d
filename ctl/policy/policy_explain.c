/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command poemctl policy explain: shows how a route's rules judge a process, by which line, and
 * what would change the verdict. Decides with the broker's own functions.
 *
 * The process is judged as one party; rules on the other party are left out. Its claims in the
 * handshake are unknown here, and can be supposed by options.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/date.h"
#include "base/sock.h"
#include "base/members.h"
#include "ctl/policy/inspect.h"
#include "ctl/poemctl_json.h"
#include "ctl/policy/poemctl_policy.h"
#include "ctl/policy/policy_load.h"
#include "policy/peer/peer_vm.h"
#include "proxy/config/config_where.h"

#define FORMAT "poemd-explain/1"
#define NAME "policy explain"

struct options {
    bool json;
    const char *path;
    const char *route;
    pid_t pid;
    enum side party;
    const char *declares; /* supposed; NULL: not supposed */
    const char *recites;
};

/* A route's rules on one party only. */
struct part {
    struct rules rules;
    struct rules_allow *allow;
    struct rules_licence *licence;
    struct rules_code *code;
    struct rules_trait *trait;
    struct rules_assign *assign;
};

struct explained {
    const struct config *config;
    const struct options *options;
    const struct config_route *route;
    const struct inspect *found;
    struct rules_verdict verdict;
    json_t *steps; /* NULL: print as text */
};

/* ---- the command line ---- */

/* Whether a recital can name that licence; text may be NULL. */
static bool policy_explain_licence_fits(const char *option, const char *text)
{
    if (text && !recital_licence_fits(text)) {
        poemctl_error(NAME, "--%s: a licence expression of 1 to %u bytes", option,
                      RECITAL_LICENCE_MAX);
        return false;
    }
    return true;
}

static bool policy_explain_is_complete(const struct options *o)
{
    if (!o->path || !o->route || !o->pid) {
        poemctl_error(NAME, "--config FILE, --route NAME and --pid PID are needed");
        return false;
    }
    return policy_explain_licence_fits("declares", o->declares) &&
           policy_explain_licence_fits("recites", o->recites);
}

/* ---- the rules on one party ---- */

static void policy_explain_part_deinit(struct part *p)
{
    free(p->allow);
    free(p->licence);
    free(p->code);
    free(p->trait);
    free(p->assign);
}

/* Returns false if memory runs out. Call policy_explain_part_deinit in either case. */
static bool policy_explain_part_init(struct part *p, const struct rules *r, enum side party)
{
    *p = (struct part){.rules = *r,
                       .allow = calloc(r->n_allow + 1, sizeof *p->allow),
                       .licence = calloc(r->n_licence + 1, sizeof *p->licence),
                       .code = calloc(r->n_code + 1, sizeof *p->code),
                       .trait = calloc(r->n_trait + 1, sizeof *p->trait),
                       .assign = calloc(r->n_assign + 1, sizeof *p->assign)};
    if (!p->allow || !p->licence || !p->code || !p->trait || !p->assign) {
        return false;
    }
    p->rules.n_allow = p->rules.n_licence = p->rules.n_code = p->rules.n_assign = 0;
    p->rules.n_trait = 0;
    p->rules.allow = p->allow;
    p->rules.licence = p->licence;
    p->rules.code = p->code;
    p->rules.trait = p->trait;
    p->rules.assign = p->assign;
    for (size_t i = 0; i < r->n_allow; i++) {
        if (r->allow[i].party == party) {
            p->allow[p->rules.n_allow++] = r->allow[i];
        }
    }
    for (size_t i = 0; i < r->n_licence; i++) {
        if (r->licence[i].party == party) {
            p->licence[p->rules.n_licence++] = r->licence[i];
        }
    }
    for (size_t i = 0; i < r->n_code; i++) {
        if (r->code[i].party == party) {
            p->code[p->rules.n_code++] = r->code[i];
        }
    }
    for (size_t i = 0; i < r->n_trait; i++) {
        if (r->trait[i].party == party) {
            p->trait[p->rules.n_trait++] = r->trait[i];
        }
    }
    for (size_t i = 0; i < r->n_assign; i++) {
        if (r->assign[i].party == party) {
            p->assign[p->rules.n_assign++] = r->assign[i];
        }
    }
    p->rules.demand_recital[party == SIDE_CLIENT ? SIDE_BACKEND : SIDE_CLIENT] = false;
    return true;
}

/* ---- output ---- */

/* Returns "line 12", or the statement if its line is unknown. */
static const char *policy_explain_place(const struct config *c, unsigned line,
                                        enum rules_about about, char out[CONFIG_WHERE_SIZE])
{
    static const char *const words[] = {
        [RULES_ABOUT_IDENTITY] = "allow",      [RULES_ABOUT_RECITAL] = "demand recital",
        [RULES_ABOUT_LICENCE] = "licence",     [RULES_ABOUT_CODE] = "code",
        [RULES_ABOUT_CONSISTENCY] = "licence", [RULES_ABOUT_MEASURED] = "executable"};

    if (line) {
        return config_where(c, line, out);
    } else {
        snprintf(out, CONFIG_WHERE_SIZE, "%s", words[about]);
    }
    return out;
}

static json_t *policy_explain_step_json(const struct config *c, const struct rules_step *s)
{
    static const char *const words[] = {
        [RULES_ABOUT_IDENTITY] = "allow",      [RULES_ABOUT_RECITAL] = "demand",
        [RULES_ABOUT_LICENCE] = "licence",     [RULES_ABOUT_CODE] = "code",
        [RULES_ABOUT_CONSISTENCY] = "licence", [RULES_ABOUT_MEASURED] = "executable"};
    char letters[TAINT_COUNT + 1];

    return members_object(
        (const struct member[]){{"rule", json_string(words[s->about])},
                                {"line", json_integer(config_where_line(s->line))},
                                {"preset", members_optional(config_where_preset_of(s->line))},
                                {"file", members_optional(config_where_file_of(c, s->line))},
                                {"met", json_boolean(s->met)},
                                {"taint", json_string(taint_text(s->taint, letters))},
                                {"why", json_string(s->text)},
                                {"mend", members_text(*s->mend ? s->mend : NULL)},
                                {NULL, NULL}});
}

static void policy_explain_show_step(const struct rules_step *s, void *arg)
{
    struct explained *e = arg;
    char where[CONFIG_WHERE_SIZE];

    if (e->steps) {
        (void)json_array_append_new(e->steps, policy_explain_step_json(e->config, s));
        return;
    }
    printf("  %-4s %s: %s\n", s->met ? "yes" : "no",
           policy_explain_place(e->config, s->line, s->about, where), s->text);
    if (!s->met) {
        printf("       to meet it: %s\n", s->mend);
    }
}

static void policy_explain_show_verdict(const struct explained *e)
{
    const struct rules_verdict *v = &e->verdict;
    const struct rules *r = &e->route->rules;
    char date[DATE_SIZE];

    printf("\n%s: %s\n", rules_verdict_name(v->verdict), v->why);
    if (v->permissive) {
        printf("until %s, and denied from the next day on\n", date_text(r->permissive_until, date));
    }
    if (*v->mend) {
        printf("to change it: %s\n", v->mend);
    }
    for (unsigned i = 0; i < TAINT_COUNT; i++) {
        if (v->taint & (1u << i)) {
            printf("%s %c  %s\n", v->verdict == VERDICT_DENY ? "fault" : "taint", taint_letter(i),
                   taint_meaning(i));
        }
    }
}

/* Prints which facts are unknown here, although they may matter. */
static void policy_explain_show_limits(const struct explained *e)
{
    const struct options *o = e->options;

    if (e->found->inspection.outcome != INSPECTION_OK) {
        printf("its executable is unknown: %s\n", inspection_text(e->found->inspection.outcome));
    }
    if (!o->declares && !o->recites) {
        printf("its claims in the handshake are unknown here: suppose them with --declares and "
               "--recites\n");
    }
}

static int policy_explain_show_json(struct explained *e, int code)
{
    const struct options *o = e->options;
    const struct rules_verdict *v = &e->verdict;
    const struct peer *p = &e->found->peer;
    const bool exe = peer_knows(p, PEER_EXE_PATH);
    char letters[TAINT_COUNT + 1];

    return poemctl_json(NAME,
                        members_object((const struct member[]){
                            {"format", json_string(FORMAT)},
                            {"route", json_string(e->route->name)},
                            {"party", json_string(side_name(o->party))},
                            {"pid", json_integer(o->pid)},
                            {"exe", exe ? poemctl_json_text(p->exe.path) : json_null()},
                            {"supposed", members_object((const struct member[]){
                                             {"declares", members_text(o->declares)},
                                             {"recites", members_text(o->recites)},
                                             {NULL, NULL}})},
                            {"verdict", json_string(rules_verdict_name(v->verdict))},
                            {"taint", json_string(taint_text(v->taint, letters))},
                            {"permissive", json_boolean(v->permissive)},
                            {"line", json_integer(config_where_line(v->line))},
                            {"preset", members_optional(config_where_preset_of(v->line))},
                            {"file", members_optional(config_where_file_of(e->config, v->line))},
                            {"why", json_string(v->why)},
                            {"mend", members_text(*v->mend ? v->mend : NULL)},
                            {"rules", e->steps},
                            {NULL, NULL}}),
                        code);
}

static void policy_explain_show_head(const struct explained *e)
{
    const struct peer *p = &e->found->peer;
    char text[512];

    if (peer_knows(p, PEER_EXE_PATH)) {
        log_escape(text, sizeof text, p->exe.path, strlen(p->exe.path));
    } else {
        peer_why(p, PEER_EXE_PATH, text, sizeof text);
    }
    printf("route %s, %s: process %d, %s\n\n", e->route->name, side_name(e->options->party),
           (int)e->options->pid, text);
}

/* ---- deciding ---- */

static int policy_explain_decide(struct explained *e, const struct rules *rules)
{
    const struct options *o = e->options;
    struct peer nobody;
    struct rules_known known[SIDES];
    int code;

    peer_init_unknown(&nobody, "not judged here");
    for (int p = 0; p < SIDES; p++) {
        known[p] = (struct rules_known){
            .peer = &nobody, .recital = RECITAL_MISSING, .recited = "", .declared = ""};
    }
    known[o->party].peer = &e->found->peer;
    known[o->party].inspection = &e->found->inspection;
    known[o->party].mapped = e->found->found ? &e->found->mapped : NULL;
    known[o->party].declared = o->declares ? o->declares : "";
    if (o->recites) {
        known[o->party].recital = RECITAL_OK;
        known[o->party].recited = o->recites;
    }
    rules_decide(rules, known, date_today(), &e->verdict);
    code = e->verdict.verdict == VERDICT_DENY ? POEMCTL_NO : POEMCTL_YES;
    if (!o->json) {
        policy_explain_show_head(e);
    }
    e->steps = o->json ? json_array() : NULL;
    rules_explain(rules, known, date_today(), policy_explain_show_step, e);
    if (o->json) {
        code = policy_explain_show_json(e, code);
    } else {
        policy_explain_show_verdict(e);
        policy_explain_show_limits(e);
    }
    peer_deinit(&nobody);
    return code;
}

/*
 * Opens the envelopes that can be opened; the broker, too, goes on without the others. Returns
 * their number.
 */
static size_t policy_explain_open_envelopes(const struct config *c, struct inspector_envelope *out)
{
    size_t n = 0;

    for (size_t i = 0; i < c->envelopes.n && n < INSPECTOR_ENVELOPES; i++) {
        const char *path = c->envelopes.items[i].text;
        const int err = inspector_envelope_open(&out[n], path);

        if (err == 0) {
            n++;
        } else {
            (void)poemctl_could_not(NAME, path, strerror(-err));
        }
    }
    return n;
}

/* Finds the facts about the process as the broker does. */
static bool policy_explain_find_out(struct inspect *found, const struct options *o,
                                    const struct config *c, const struct rules *rules)
{
    static struct inspector_envelope envelopes[INSPECTOR_ENVELOPES];
    struct inspector_settings trust = {.n_keys = c->n_trusted,
                                       .keys = c->trusted,
                                       .envelopes = envelopes,
                                       .n_revoked = c->n_revoked,
                                       .revoked = c->revoked};
    int err;

    peer_init_pid(&found->peer, o->pid, false);
    if (o->party == SIDE_CLIENT) {
        peer_vm_find(&found->peer);
    }
    if (!peer_knows(&found->peer, PEER_PID)) {
        poemctl_error(NAME, "process %d: %s", (int)o->pid,
                      strerror(found->peer.unknown[PEER_PID].error));
        return false;
    }
    found->wants_code = rules_ask_code(rules, o->party);
    trust.n_envelopes = policy_explain_open_envelopes(c, envelopes);
    err = inspect_ask(found, &trust);
    while (trust.n_envelopes > 0) {
        sock_close(&envelopes[--trust.n_envelopes].fd);
    }
    if (err) {
        poemctl_error(NAME, "cannot start the inspector: %s", strerror(-err));
    }
    return err == 0;
}

static const struct config_route *policy_explain_find_route(const struct config *c,
                                                            const char *name)
{
    char shown[160];

    for (size_t i = 0; i < c->n_routes; i++) {
        if (strcmp(c->routes[i].name, name) == 0) {
            return &c->routes[i];
        }
    }
    poemctl_error(NAME, "there is no route \"%s\"",
                  log_escape(shown, sizeof shown, name, strlen(name)));
    return NULL;
}

static int policy_explain_verdict(const struct options *o, const struct config *c)
{
    /* Static, since some tens of KiB are too much for the stack. */
    static struct inspect found;
    struct explained e = {.config = c,
                          .options = o,
                          .route = policy_explain_find_route(c, o->route),
                          .found = &found};
    struct part part;
    int code = POEMCTL_COULD_NOT;

    if (!e.route) {
        return code;
    }
    if (policy_explain_find_out(&found, o, c, &e.route->rules)) {
        if (policy_explain_part_init(&part, &e.route->rules, o->party)) {
            code = policy_explain_decide(&e, &part.rules);
        } else {
            poemctl_error(NAME, "%s", strerror(ENOMEM));
        }
        policy_explain_part_deinit(&part);
    }
    inspect_deinit(&found);
    peer_deinit(&found.peer);
    return code;
}

static int policy_explain_main(int argc, char **argv)
{
    struct options o = {.party = SIDE_BACKEND};
    struct config c;
    int code;

    log_init("poemctl", LOG_ERROR);
    if (!poemctl_parse(&policy_explain, argc, argv, &o)) {
        return POEMCTL_USAGE;
    }
    if (!policy_explain_is_complete(&o)) {
        return poemctl_usage(&policy_explain);
    }
    if (!policy_load(NAME, &c, o.path)) {
        return POEMCTL_COULD_NOT;
    }
    code = policy_explain_verdict(&o, &c);
    config_deinit(&c);
    return code;
}

_Static_assert(SIDE_CLIENT == 0 && SIDE_BACKEND == 1, "the words of --party in order");

static const struct cli_option options[] = {
    POEMCTL_JSON_OPTION(struct options, json),
    {"party", 0, "client|backend", "as which party the process is judged (backend)",
     CLI_CHOICE(struct options, party)},
    {"declares", 0, "EXPRESSION", "suppose that it declares this licence",
     CLI_TEXT(struct options, declares)},
    {"recites", 0, "EXPRESSION", "suppose that it recites the poem under this licence",
     CLI_TEXT(struct options, recites)},
    POLICY_CONFIG_OPTION(struct options, path),
    {"route", 0, "NAME", "the route whose rules are asked", CLI_TEXT(struct options, route)},
    {"pid", 0, "PID", "the process", CLI_NUMBER(struct options, pid, 1, INT32_MAX)},
    POEMCTL_END_OPTION,
};

const struct poemctl_command policy_explain = {
    .name = NAME,
    .synopsis = "[--json] [--party client | backend] [--declares EXPRESSION] "
                "[--recites EXPRESSION] --config FILE --route NAME --pid PID",
    .what = "explain the verdict that a route's rules have on a process",
    .manual = "poemctl-policy(1)",
    .options = options,
    .surplus = "--config FILE, --route NAME and --pid PID are needed",
    .run = policy_explain_main,
};
