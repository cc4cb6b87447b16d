/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command poemctl audit: options, output and exit codes of its actions. See poemctl-audit(1).
 * Never writes to a log.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "audit/audit_disk.h"
#include "audit/audit_key.h"
#include "audit/audit_proof.h"
#include "audit/audit_report.h"
#include "audit/audit_verify.h"
#include "ctl/poemctl.h"
#include "ctl/poemctl_json.h"

/* Exit codes of verify, beyond those of every command. */
enum audit_exit {
    AUDIT_EXIT_TRUNCATED = 4,
    AUDIT_EXIT_UNSEALED = 5,
    AUDIT_EXIT_WRONG_KEY = 6,
};

/* Keys of one call: the keys of hosts that are verified together. */
#define KEYS_MAX 64u

struct options {
    const char *keys[KEYS_MAX];
    unsigned n_keys;
    const char *checkpoint;
    const char *format;
    const char *name;
    const char *output;
    bool json;
    int n;             /* number of operands */
    const char **args; /* the operands, in argv */
};

/* Parses an action's options; `allowed` has their letters. */
static bool poemctl_audit_parse(int argc, char **argv, const char *allowed, struct options *o)
{
    static const struct option longs[] = {
        {"key", required_argument, NULL, 'k'},
        {"checkpoint", required_argument, NULL, 'c'},
        {"json", no_argument, NULL, 'j'},
        {"format", required_argument, NULL, 'f'},
        {"name", required_argument, NULL, 'n'},
        {"output", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };
    int c;

    *o = (struct options){.format = "text"};
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == '?') {
            return false;
        }
        if (!strchr(allowed, c)) {
            poemctl_error("audit", "%s: not an option of this action", argv[optind - 1]);
            return false;
        }
        switch (c) {
        case 'k':
            if (o->n_keys == KEYS_MAX) {
                poemctl_error("audit", "--key: more than %u of them", KEYS_MAX);
                return false;
            }
            o->keys[o->n_keys++] = optarg;
            break;
        case 'c':
            o->checkpoint = optarg;
            break;
        case 'f':
            o->format = optarg;
            break;
        case 'n':
            o->name = optarg;
            break;
        case 'o':
            o->output = optarg;
            break;
        default:
            o->json = true;
            break;
        }
    }
    o->n = argc - optind;
    o->args = (const char **)argv + optind;
    return true;
}

static int poemctl_audit_usage(const char *what)
{
    poemctl_error("audit", "%s", what);
    return poemctl_usage("audit");
}

/* Loads all given keys. */
static bool poemctl_audit_load_keys(const struct options *o, struct audit_vkey keys[KEYS_MAX])
{
    char why[512];

    for (unsigned i = 0; i < o->n_keys; i++) {
        if (audit_vkey_load(&keys[i], o->keys[i], why, sizeof why) < 0) {
            poemctl_error("audit", "%s", why);
            return false;
        }
    }
    return true;
}

/* Loads the only key of actions that take one. */
static bool poemctl_audit_load_key(const struct options *o, struct audit_vkey *key)
{
    char why[512];

    if (audit_vkey_load(key, o->keys[0], why, sizeof why) < 0) {
        poemctl_error("audit", "%s", why);
        return false;
    }
    return true;
}

/* Reports an error about a file. Returns POEMCTL_COULD_NOT. */
static int poemctl_audit_could_not(const char *path, const char *what)
{
    char name[256];

    poemctl_error("audit", "%s: %s", log_escape(name, sizeof name, path, strlen(path)), what);
    return POEMCTL_COULD_NOT;
}

/* Returns a file's bytes and a NUL, for the caller to free, or NULL after an error message. */
static char *poemctl_audit_read_small(const char *path, size_t max, size_t *n)
{
    char *const text = malloc(max + 1);
    const int r = text ? audit_disk_read_small(path, text, max + 1) : -ENOMEM;

    if (r < 0) {
        poemctl_audit_could_not(path, strerror(-r));
        free(text);
        return NULL;
    }
    *n = (size_t)r;
    return text;
}

/* Prints JSON and a line feed; takes the reference. */
static bool poemctl_audit_print_json(json_t *doc)
{
    return poemctl_json("audit", doc, POEMCTL_YES) == POEMCTL_YES;
}

static int poemctl_audit_exit_of(enum audit_verdict v)
{
    switch (v) {
    case AUDIT_INTACT:
        return POEMCTL_YES;
    case AUDIT_UNSEALED:
        return AUDIT_EXIT_UNSEALED;
    case AUDIT_TRUNCATED:
        return AUDIT_EXIT_TRUNCATED;
    case AUDIT_TAMPERED:
        return POEMCTL_NO;
    case AUDIT_WRONG_KEY:
        return AUDIT_EXIT_WRONG_KEY;
    case AUDIT_UNREADABLE:
        break;
    }
    return POEMCTL_COULD_NOT;
}

/* ---- verify, checkpoint ---- */

/* Reads the older checkpoint, which must be signed with the same key. Returns 0 or an exit code. */
static int poemctl_audit_read_older(const char *path, const struct audit_vkey *key,
                                    struct audit_checkpoint *out)
{
    size_t n;
    char *const text = poemctl_audit_read_small(path, AUDIT_NOTE_FOREIGN_MAX, &n);
    enum audit_note o;

    if (!text) {
        return POEMCTL_COULD_NOT;
    }
    o = audit_checkpoint_read(out, text, n, key);
    free(text);
    switch (o) {
    case AUDIT_NOTE_OK:
        return 0;
    case AUDIT_NOTE_OTHER_KEY:
        poemctl_audit_could_not(path, "a checkpoint of another key");
        return AUDIT_EXIT_WRONG_KEY;
    case AUDIT_NOTE_FORGED:
        return poemctl_audit_could_not(path,
                                       "the checkpoint's signature is wrong: it proves nothing");
    default:
        return poemctl_audit_could_not(path, "no checkpoint");
    }
}

/* Results of several logs, printed or collected one by one. */
struct verified {
    json_t *logs; /* NULL: print as text */
    unsigned n;
    struct audit_result first;
};

static void poemctl_audit_print_log(const struct audit_result *r, unsigned number)
{
    printf("log %u%s%s, from %s: %s: %s\n", number, r->host[0] ? " of " : "", r->host, r->begins,
           audit_verdict_word(r->verdict), r->text);
}

/* The log is named only if there are several. */
static void poemctl_audit_on_log(void *arg, const struct audit_result *r)
{
    struct verified *const v = arg;

    v->n++;
    if (v->logs) {
        (void)json_array_append_new(v->logs, audit_verify_json(r));
        return;
    }
    if (v->n == 1) {
        v->first = *r;
        return;
    }
    if (v->n == 2) {
        poemctl_audit_print_log(&v->first, 1);
    }
    poemctl_audit_print_log(r, v->n);
}

static bool poemctl_audit_print_verified(struct verified *v, const struct audit_result *worst)
{
    json_t *o;

    if (!v->logs) {
        if (v->n == 1 || worst->verdict == AUDIT_UNREADABLE) {
            printf("%s: %s\n", audit_verdict_word(worst->verdict), worst->text);
        }
        return true;
    }
    o = audit_verify_json(worst);
    if (o && v->n > 1) {
        (void)json_object_set(o, "logs", v->logs);
    }
    return poemctl_audit_print_json(o);
}

static int poemctl_audit_verify(const struct options *o)
{
    struct audit_vkey keys[KEYS_MAX];
    struct audit_checkpoint older;
    struct audit_result r;
    struct verified v = {.logs = o->json ? json_array() : NULL};
    struct audit_question q = {.files = o->args,
                               .n = (size_t)o->n,
                               .key = keys,
                               .n_keys = o->n_keys,
                               .on_log = poemctl_audit_on_log,
                               .arg = &v};
    bool ok;

    if (!poemctl_audit_load_keys(o, keys)) {
        json_decref(v.logs);
        return POEMCTL_COULD_NOT;
    }
    if (o->checkpoint) {
        const int code = poemctl_audit_read_older(o->checkpoint, keys, &older);

        if (code) {
            json_decref(v.logs);
            return code;
        }
        q.older = &older;
    }
    audit_verify(&q, &r);
    ok = poemctl_audit_print_verified(&v, &r);
    json_decref(v.logs);
    return ok ? poemctl_audit_exit_of(r.verdict) : POEMCTL_COULD_NOT;
}

static int poemctl_audit_verify_main(int argc, char **argv)
{
    struct options o;

    if (!poemctl_audit_parse(argc, argv, "kcj", &o)) {
        return poemctl_usage("audit");
    }
    if (o.n < 1 || !o.n_keys || (o.checkpoint && o.n_keys > 1)) {
        return poemctl_audit_usage(
            "verify FILE... --key PUBLIC-KEY... [--checkpoint FILE] [--json]");
    }
    return poemctl_audit_verify(&o);
}

static int poemctl_audit_checkpoint_main(int argc, char **argv)
{
    struct audit_result r;
    struct audit_vkey key;
    struct options o;

    if (!poemctl_audit_parse(argc, argv, "k", &o)) {
        return poemctl_usage("audit");
    }
    if (o.n < 1 || o.n_keys != 1) {
        return poemctl_audit_usage("checkpoint FILE... --key PUBLIC-KEY");
    }
    if (!poemctl_audit_load_key(&o, &key)) {
        return POEMCTL_COULD_NOT;
    }
    audit_verify(&(struct audit_question){.files = o.args, .n = (size_t)o.n, .key = &key}, &r);
    if (r.verdict > AUDIT_UNSEALED || !r.has_checkpoint) {
        poemctl_error("audit", "%s: %s", audit_verdict_word(r.verdict), r.text);
        return poemctl_audit_exit_of(r.verdict);
    }
    if (r.logs > 1) {
        poemctl_error("audit", "the files are of %u logs: give those of one", r.logs);
        return POEMCTL_COULD_NOT;
    }
    fputs(r.note, stdout);
    return POEMCTL_YES;
}

/* ---- prove, check-proof ---- */

static bool poemctl_audit_parse_record(const char *text, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *text >= '0' && *text <= '9';
}

static int poemctl_audit_save(const char *path, const char *text, size_t n)
{
    int fd;

    if (!path) {
        return fwrite(text, 1, n, stdout) == n ? POEMCTL_YES : POEMCTL_COULD_NOT;
    }
    fd = audit_disk_create(path, 0644, text, n);
    if (fd < 0) {
        return poemctl_audit_could_not(path, strerror(-fd));
    }
    close(fd);
    return POEMCTL_YES;
}

static int poemctl_audit_prove_main(int argc, char **argv)
{
    struct audit_result r;
    struct audit_vkey key;
    struct options o;
    uint64_t record;
    char why[1024];
    char *text;
    size_t n;
    int code;

    if (!poemctl_audit_parse(argc, argv, "ko", &o)) {
        return poemctl_usage("audit");
    }
    if (o.n < 2 || o.n_keys != 1 || !poemctl_audit_parse_record(o.args[0], &record)) {
        return poemctl_audit_usage("prove RECORD FILE... --key PUBLIC-KEY [--output FILE]");
    }
    if (!poemctl_audit_load_key(&o, &key)) {
        return POEMCTL_COULD_NOT;
    }
    text = audit_proof_make(
        &(struct audit_question){.files = o.args + 1, .n = (size_t)o.n - 1, .key = &key}, record,
        &r, &n, why, sizeof why);
    if (!text) {
        poemctl_error("audit", "%s", why);
        return r.verdict > AUDIT_UNSEALED ? poemctl_audit_exit_of(r.verdict) : POEMCTL_COULD_NOT;
    }
    code = poemctl_audit_save(o.output, text, n);
    free(text);
    return code;
}

static int poemctl_audit_proof_exit(enum audit_proof_outcome o)
{
    switch (o) {
    case AUDIT_PROOF_OK:
        return POEMCTL_YES;
    case AUDIT_PROOF_FORGED:
    case AUDIT_PROOF_WRONG:
        return POEMCTL_NO;
    case AUDIT_PROOF_OTHER_KEY:
        return AUDIT_EXIT_WRONG_KEY;
    case AUDIT_PROOF_MALFORMED:
    case AUDIT_PROOF_NO_MEMORY:
        break;
    }
    return POEMCTL_COULD_NOT;
}

static bool poemctl_audit_print_proof(const struct audit_proof *p, enum audit_proof_outcome outcome,
                                      bool json)
{
    if (json) {
        const bool ok = outcome == AUDIT_PROOF_OK;

        return poemctl_audit_print_json(
            json_pack("{s:s, s:b, s:s, s:o, s:o}", "format", "poemd-audit-proof/1", "proved", ok,
                      "text", audit_proof_text(outcome), "tree_size",
                      ok ? json_integer((json_int_t)p->checkpoint.size) : json_null(), "record",
                      ok ? json_loadb(p->record, p->record_n, 0, NULL) : json_null()));
    }
    if (outcome == AUDIT_PROOF_OK) {
        /* The record comes from the verified log: ASCII without control characters. */
        printf("record %" PRIu64 " is in the log, among its first %" PRIu64 ":\n%.*s\n", p->index,
               p->checkpoint.size, (int)p->record_n, p->record);
    } else {
        printf("%s\n", audit_proof_text(outcome));
    }
    return true;
}

static int poemctl_audit_check_proof_main(int argc, char **argv)
{
    enum audit_proof_outcome outcome;
    struct audit_proof *p;
    struct audit_vkey key;
    struct options o;
    char *text;
    bool ok;
    size_t n;

    if (!poemctl_audit_parse(argc, argv, "kj", &o)) {
        return poemctl_usage("audit");
    }
    if (o.n != 1 || o.n_keys != 1) {
        return poemctl_audit_usage("check-proof FILE --key PUBLIC-KEY [--json]");
    }
    if (!poemctl_audit_load_key(&o, &key)) {
        return POEMCTL_COULD_NOT;
    }
    text = poemctl_audit_read_small(o.args[0], AUDIT_PROOF_MAX, &n);
    p = text ? calloc(1, sizeof *p) : NULL;
    if (!p) {
        free(text);
        return POEMCTL_COULD_NOT;
    }
    outcome = audit_proof_check(p, text, n, &key);
    ok = poemctl_audit_print_proof(p, outcome, o.json);
    free(p);
    free(text);
    return ok ? poemctl_audit_proof_exit(outcome) : POEMCTL_COULD_NOT;
}

/* ---- report ---- */

static int poemctl_audit_report_json(const json_t *report, FILE *f)
{
    return json_dumpf(report, f, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0 || fputc('\n', f) < 0 ? -1
                                                                                               : 0;
}

static const struct form {
    const char *name;
    int (*print)(const json_t *report, FILE *f);
} forms[] = {
    {"text", audit_report_text},
    {"json", poemctl_audit_report_json},
    {"csv", audit_report_csv},
    {"html", audit_report_html},
};

static const struct form *poemctl_audit_find_form(const char *name)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (strcmp(forms[i].name, name) == 0) {
            return &forms[i];
        }
    }
    return NULL;
}

static int poemctl_audit_report_main(int argc, char **argv)
{
    const struct form *form;
    struct audit_result r;
    struct audit_vkey keys[KEYS_MAX];
    struct options o;
    json_t *report;
    int err;

    if (!poemctl_audit_parse(argc, argv, "kf", &o)) {
        return poemctl_usage("audit");
    }
    form = poemctl_audit_find_form(o.format);
    if (o.n < 1 || !form) {
        return poemctl_audit_usage(
            "report FILE... [--key PUBLIC-KEY]... [--format text|json|csv|html]");
    }
    if (o.n_keys && !poemctl_audit_load_keys(&o, keys)) {
        return POEMCTL_COULD_NOT;
    }
    report = audit_report_make(
        &(struct audit_question){
            .files = o.args, .n = (size_t)o.n, .key = o.n_keys ? keys : NULL, .n_keys = o.n_keys},
        &r);
    if (!report) {
        poemctl_error("audit", "out of memory");
        return POEMCTL_COULD_NOT;
    }
    if (r.verdict > AUDIT_UNSEALED) {
        poemctl_error("audit", "the report is of what was before this: %s: %s",
                      audit_verdict_word(r.verdict), r.text);
    }
    err = form->print(report, stdout);
    json_decref(report);
    return err < 0 ? POEMCTL_COULD_NOT : poemctl_audit_exit_of(r.verdict);
}

/* ---- keygen ---- */

static int poemctl_audit_keygen_main(int argc, char **argv)
{
    struct audit_vkey key;
    struct options o;
    char line[AUDIT_VKEY_MAX];
    char why[512];
    int err;

    if (!poemctl_audit_parse(argc, argv, "n", &o)) {
        return poemctl_usage("audit");
    }
    if (o.n != 1 || !o.name) {
        return poemctl_audit_usage("keygen --name NAME FILE");
    }
    if (!audit_name_ok(o.name, strlen(o.name))) {
        return poemctl_audit_usage(
            "--name: 1 to 128 letters, digits and . _ : / -, such as example.org/poemd");
    }
    err = audit_key_generate(o.args[0], o.name, &key, why, sizeof why);
    if (err < 0) {
        poemctl_error("audit", "%s", why);
        return POEMCTL_COULD_NOT;
    }
    audit_vkey_write(&key, line);
    printf("%s\n", line);
    return POEMCTL_YES;
}

static const struct action {
    const char *name;
    poemctl_command *run;
} actions[] = {
    {"verify", poemctl_audit_verify_main}, {"checkpoint", poemctl_audit_checkpoint_main},
    {"prove", poemctl_audit_prove_main},   {"check-proof", poemctl_audit_check_proof_main},
    {"report", poemctl_audit_report_main}, {"keygen", poemctl_audit_keygen_main},
};

int audit_main(int argc, char **argv)
{
    if (argc < 2) {
        return poemctl_audit_usage("which action?");
    }
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(actions[i].name, argv[1]) == 0) {
            return poemctl_finish("audit",
                                  poemctl_run(actions[i].run, "audit", argc - 1, argv + 1));
        }
    }
    return poemctl_audit_usage("no such action");
}
