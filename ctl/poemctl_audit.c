/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command poemctl audit: options, output and exit codes of its actions. See poemctl-audit(1).
 * Never writes to a log.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit_disk.h"
#include "base/unconst.h"
#include "audit/audit_key.h"
#include "audit/audit_proof.h"
#include "audit/audit_prose.h"
#include "audit/report/audit_report.h"
#include "audit/audit_verify.h"
#include "ctl/bom/bom.h"
#include "ctl/poemctl.h"
#include "ctl/poemctl_json.h"
#include "ctl/poemctl_legend.h"

/* Exit codes of verify, beyond those of every command. */
enum audit_exit {
    AUDIT_EXIT_TRUNCATED = 4,
    AUDIT_EXIT_UNSEALED = 5,
    AUDIT_EXIT_WRONG_KEY = 6,
};

struct options {
    struct cli_list keys;
    const char *checkpoint;
    enum { FORM_TEXT, FORM_JSON, FORM_CSV, FORM_HTML, FORM_SPDX, FORM_CYCLONEDX } format;
    const char *sign;
    const char *name;
    const char *output;
    bool json;
    size_t n; /* operands */
    const char **args;
};

static const struct poemctl_command poemctl_audit_verify_command;
static const struct poemctl_command poemctl_audit_checkpoint_command;
static const struct poemctl_command poemctl_audit_prove_command;
static const struct poemctl_command poemctl_audit_check_proof_command;
static const struct poemctl_command poemctl_audit_report_command;
static const struct poemctl_command poemctl_audit_keygen_command;

/* Parses the command line of an action. */
static bool poemctl_audit_parse(const struct poemctl_command *c, int argc, char **argv,
                                struct options *o)
{
    char **const operands = poemctl_parse(c, argc, argv, o);

    if (!operands) {
        return false;
    }
    o->args = unconst_pointer(operands);
    while (o->args[o->n]) {
        o->n++;
    }
    return true;
}

/* The same of an action that takes exactly one key. */
static bool poemctl_audit_parse_with_key(const struct poemctl_command *c, int argc, char **argv,
                                         struct options *o)
{
    if (!poemctl_audit_parse(c, argc, argv, o)) {
        return false;
    }
    if (o->keys.n != 1) {
        poemctl_error(c->name, "--key is needed, once");
        (void)poemctl_usage(c);
        return false;
    }
    return true;
}

/* Loads all given keys. */
static bool poemctl_audit_load_keys(const struct options *o, struct audit_vkey keys[CLI_LIST_MAX])
{
    char why[512];

    for (unsigned i = 0; i < o->keys.n; i++) {
        if (audit_vkey_load(&keys[i], o->keys.items[i], why, sizeof why) < 0) {
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

    if (audit_vkey_load(key, o->keys.items[0], why, sizeof why) < 0) {
        poemctl_error("audit", "%s", why);
        return false;
    }
    return true;
}

/* Returns a file's bytes and a NUL, for the caller to free, or NULL after an error message. */
static char *poemctl_audit_read_small(const char *path, size_t max, size_t *n)
{
    char *const text = malloc(max + 1);
    const int r = text ? audit_disk_read_small(path, text, max + 1) : -ENOMEM;

    if (r < 0) {
        (void)poemctl_could_not("audit", path, strerror(-r));
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
        (void)poemctl_could_not("audit", path, "a checkpoint signed with another key");
        return AUDIT_EXIT_WRONG_KEY;
    case AUDIT_NOTE_FORGED:
        return poemctl_could_not("audit", path, "the checkpoint's signature is wrong");
    default:
        return poemctl_could_not("audit", path, "not a checkpoint");
    }
}

/* Results of several logs, printed or collected one by one. */
struct verified {
    json_t *logs; /* NULL: print as text */
    unsigned n;
    struct audit_result first;
};

/* The verdict for people: programs read audit_verdict_word in the JSON. */
static const char *poemctl_audit_label(enum audit_verdict v)
{
    return v == AUDIT_UNSEALED ? "OK so far" : audit_verdict_word(v);
}

static void poemctl_audit_print_log(const struct audit_result *r, unsigned number)
{
    printf("log %u%s%s, from %s: %s: %s\n", number, r->host[0] ? " of " : "", r->host, r->begins,
           poemctl_audit_label(r->verdict), r->text);
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
            printf("%s: %s\n", poemctl_audit_label(worst->verdict), worst->text);
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
    struct audit_vkey keys[CLI_LIST_MAX];
    struct audit_checkpoint older;
    struct audit_result r;
    struct verified v = {.logs = o->json ? json_array() : NULL};
    struct audit_question q = {.files = o->args,
                               .n = o->n,
                               .key = keys,
                               .n_keys = o->keys.n,
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
    struct options o = {.n = 0};

    if (!poemctl_audit_parse(&poemctl_audit_verify_command, argc, argv, &o)) {
        return POEMCTL_USAGE;
    }
    if (!o.keys.n || (o.checkpoint && o.keys.n > 1)) {
        poemctl_error("audit", o.keys.n ? "--checkpoint goes with one --key" : "--key is needed");
        return poemctl_usage(&poemctl_audit_verify_command);
    }
    return poemctl_audit_verify(&o);
}

static const struct cli_option verify_options[] = {
    {"key", 0, "KEY", "a public key; for each log its own", CLI_LIST(struct options, keys)},
    {"checkpoint", 0, "OLD", "the log must have grown from this checkpoint",
     CLI_TEXT(struct options, checkpoint)},
    POEMCTL_JSON_OPTION(struct options, json),
    POEMCTL_END_OPTION,
};

static const struct poemctl_command poemctl_audit_verify_command = {
    .name = "audit verify",
    .synopsis = "FILE ... --key KEY ... [--checkpoint OLD] [--json]",
    .what = "verify logs",
    .manual = "poemctl-audit(1)",
    .options = verify_options,
    .least = 1,
    .most = POEMCTL_ANY,
    .run = poemctl_audit_verify_main,
};

static int poemctl_audit_checkpoint_main(int argc, char **argv)
{
    struct audit_result r;
    struct audit_vkey key;
    struct options o = {.n = 0};

    if (!poemctl_audit_parse_with_key(&poemctl_audit_checkpoint_command, argc, argv, &o)) {
        return POEMCTL_USAGE;
    }
    if (!poemctl_audit_load_key(&o, &key)) {
        return POEMCTL_COULD_NOT;
    }
    audit_verify(&(struct audit_question){.files = o.args, .n = o.n, .key = &key}, &r);
    if (r.verdict > AUDIT_UNSEALED || !r.has_checkpoint) {
        poemctl_error("audit", "%s: %s", audit_verdict_word(r.verdict), r.text);
        return poemctl_audit_exit_of(r.verdict);
    }
    if (r.logs > 1) {
        poemctl_error("audit", "the files belong to %u logs: give the files of one log", r.logs);
        return POEMCTL_COULD_NOT;
    }
    fputs(r.note, stdout);
    return POEMCTL_YES;
}

static const struct cli_option checkpoint_options[] = {
    {"key", 0, "KEY", "the public key of the log", CLI_LIST(struct options, keys)},
    POEMCTL_END_OPTION,
};

static const struct poemctl_command poemctl_audit_checkpoint_command = {
    .name = "audit checkpoint",
    .synopsis = "FILE ... --key KEY",
    .what = "print the last signed checkpoint of a log",
    .manual = "poemctl-audit(1)",
    .options = checkpoint_options,
    .least = 1,
    .most = POEMCTL_ANY,
    .run = poemctl_audit_checkpoint_main,
};

/* ---- prove, check-proof ---- */

static int poemctl_audit_save(const char *path, const char *text, size_t n)
{
    int fd;

    if (!path) {
        return fwrite(text, 1, n, stdout) == n ? POEMCTL_YES : POEMCTL_COULD_NOT;
    }
    fd = audit_disk_create(path, 0644, text, n);
    if (fd < 0) {
        return poemctl_could_not("audit", path, strerror(-fd));
    }
    close(fd);
    return POEMCTL_YES;
}

static int poemctl_audit_prove_main(int argc, char **argv)
{
    struct audit_result r;
    struct audit_vkey key;
    struct options o = {.n = 0};
    uint64_t record;
    char why[1024];
    char *text;
    char *proof;
    size_t n;
    int code;

    if (!poemctl_audit_parse_with_key(&poemctl_audit_prove_command, argc, argv, &o)) {
        return POEMCTL_USAGE;
    }
    if (!cli_number(o.args[0], 0, UINT64_MAX, &record)) {
        poemctl_error("audit", "prove: the first argument is a record's number");
        return poemctl_usage(&poemctl_audit_prove_command);
    }
    if (!poemctl_audit_load_key(&o, &key)) {
        return POEMCTL_COULD_NOT;
    }
    proof =
        audit_proof_make(&(struct audit_question){.files = o.args + 1, .n = o.n - 1, .key = &key},
                         record, &r, &n, why, sizeof why);
    if (!proof) {
        poemctl_error("audit", "%s", why);
        return r.verdict > AUDIT_UNSEALED ? poemctl_audit_exit_of(r.verdict) : POEMCTL_COULD_NOT;
    }
    text = audit_proof_describe(proof, n, &n);
    free(proof);
    if (!text) {
        poemctl_error("audit", "out of memory");
        return POEMCTL_COULD_NOT;
    }
    code = poemctl_audit_save(o.output, text, n);
    free(text);
    return code;
}

static const struct cli_option prove_options[] = {
    {"key", 0, "KEY", "the public key of the log", CLI_LIST(struct options, keys)},
    {"output", 0, "PROOF", "write the proof to this file instead of to standard output",
     CLI_TEXT(struct options, output)},
    POEMCTL_END_OPTION,
};

static const struct poemctl_command poemctl_audit_prove_command = {
    .name = "audit prove",
    .synopsis = "RECORD FILE ... --key KEY [--output PROOF]",
    .what = "prove that a record is in a log",
    .manual = "poemctl-audit(1)",
    .options = prove_options,
    .least = 2,
    .most = POEMCTL_ANY,
    .run = poemctl_audit_prove_main,
};

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
    const bool ok = outcome == AUDIT_PROOF_OK;
    json_t *const record = ok ? json_loadb(p->record, p->record_n, 0, NULL) : NULL;
    char prose[AUDIT_PROSE_MAX];
    bool printed = true;

    if (json) {
        printed = poemctl_audit_print_json(
            json_pack("{s:s, s:b, s:s, s:o, s:O?, s:s?}", "format", "poemd-audit-proof/1", "proved",
                      ok, "text", audit_proof_text(outcome), "tree_size",
                      ok ? json_integer((json_int_t)p->checkpoint.size) : json_null(), "record",
                      record, "prose", record ? audit_prose(record, prose) : NULL));
    } else if (ok) {
        /* The record comes from the verified log: ASCII without control characters. */
        printf("record %" PRIu64 " is in the log, among its first %" PRIu64 ":\n%s\n%.*s\n",
               p->index, p->checkpoint.size, audit_prose(record, prose), (int)p->record_n,
               p->record);
    } else {
        printf("%s\n", audit_proof_text(outcome));
    }
    json_decref(record);
    return printed;
}

static int poemctl_audit_check_proof_main(int argc, char **argv)
{
    enum audit_proof_outcome outcome;
    struct audit_proof *p;
    struct audit_vkey key;
    struct options o = {.n = 0};
    char *text;
    bool ok;
    size_t n;

    if (!poemctl_audit_parse_with_key(&poemctl_audit_check_proof_command, argc, argv, &o)) {
        return POEMCTL_USAGE;
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

static const struct cli_option check_proof_options[] = {
    {"key", 0, "KEY", "the public key of the log", CLI_LIST(struct options, keys)},
    POEMCTL_JSON_OPTION(struct options, json),
    POEMCTL_END_OPTION,
};

static const struct poemctl_command poemctl_audit_check_proof_command = {
    .name = "audit check-proof",
    .synopsis = "PROOF --key KEY [--json]",
    .what = "check such a proof",
    .manual = "poemctl-audit(1)",
    .options = check_proof_options,
    .least = 1,
    .most = 1,
    .run = poemctl_audit_check_proof_main,
};

/* ---- report ---- */

static int poemctl_audit_report_page(const json_t *report)
{
    json_t *const legend = poemctl_legend();
    const int err = legend ? audit_report_html(report, legend, stdout) : -1;

    json_decref(legend);
    return err;
}

static int poemctl_audit_report_print(json_t *report, const struct options *o)
{
    switch (o->format) {
    case FORM_TEXT:
        return audit_report_text(report, stdout);
    case FORM_CSV:
        return audit_report_csv(report, stdout);
    case FORM_HTML:
        return poemctl_audit_report_page(report);
    case FORM_JSON:
    case FORM_SPDX:
    case FORM_CYCLONEDX:
        break;
    }
    return poemctl_audit_print_json(json_incref(report)) ? 0 : -1;
}

static bool poemctl_audit_is_bom(const struct options *o)
{
    return o->format == FORM_SPDX || o->format == FORM_CYCLONEDX;
}

static int poemctl_audit_report_bom(const struct options *o, const struct audit_vkey *key)
{
    const struct audit_question q = {.files = o->args, .n = o->n, .key = key};

    return poemctl_audit_exit_of(
        bom_report(&q, o->format == FORM_SPDX ? BOM_SPDX : BOM_CYCLONEDX, o->sign));
}

/* Checks which options go together. */
static bool poemctl_audit_report_parse(int argc, char **argv, struct options *o)
{
    const char *wrong = NULL;

    if (!poemctl_audit_parse(&poemctl_audit_report_command, argc, argv, o)) {
        return false;
    }
    if (poemctl_audit_is_bom(o) && o->keys.n != 1) {
        wrong = "--format spdx and cyclonedx prove their rows: --key is needed, once";
    } else if (o->sign && !poemctl_audit_is_bom(o)) {
        wrong = "--sign goes with --format spdx or cyclonedx";
    }
    if (wrong) {
        poemctl_error("audit", "%s", wrong);
        (void)poemctl_usage(&poemctl_audit_report_command);
    }
    return !wrong;
}

static int poemctl_audit_report_main(int argc, char **argv)
{
    struct audit_result r;
    struct audit_vkey keys[CLI_LIST_MAX];
    struct options o = {.n = 0};
    json_t *report;
    int err;

    if (!poemctl_audit_report_parse(argc, argv, &o)) {
        return POEMCTL_USAGE;
    }
    if (o.keys.n && !poemctl_audit_load_keys(&o, keys)) {
        return POEMCTL_COULD_NOT;
    }
    if (poemctl_audit_is_bom(&o)) {
        return poemctl_audit_report_bom(&o, keys);
    }
    report = audit_report_make(
        &(struct audit_question){
            .files = o.args, .n = o.n, .key = o.keys.n ? keys : NULL, .n_keys = o.keys.n},
        &r);
    if (!report) {
        poemctl_error("audit", "out of memory");
        return POEMCTL_COULD_NOT;
    }
    if (r.verdict > AUDIT_UNSEALED) {
        poemctl_error("audit", "the report covers only the records before this fault: %s: %s",
                      audit_verdict_word(r.verdict), r.text);
    }
    err = poemctl_audit_report_print(report, &o);
    json_decref(report);
    return err < 0 ? POEMCTL_COULD_NOT : poemctl_audit_exit_of(r.verdict);
}

static const struct cli_option report_options[] = {
    {"key", 0, "KEY", "verify the log by this public key, too", CLI_LIST(struct options, keys)},
    {"format", 0, "text|json|csv|html|spdx|cyclonedx", "the form of the report (text)",
     CLI_CHOICE(struct options, format)},
    {"sign", 0, "PRIVATE-KEY", "sign the bill of materials as an attestation",
     CLI_TEXT(struct options, sign)},
    POEMCTL_END_OPTION,
};

static const struct poemctl_command poemctl_audit_report_command = {
    .name = "audit report",
    .synopsis = "FILE ... [--key KEY ...] [--format text | json | csv | html]\n"
                "FILE ... --key KEY --format spdx | cyclonedx [--sign PRIVATE-KEY]",
    .what = "report executables, licences and verdicts",
    .manual = "poemctl-audit(1)",
    .options = report_options,
    .least = 1,
    .most = POEMCTL_ANY,
    .run = poemctl_audit_report_main,
};

/* ---- keygen ---- */

static int poemctl_audit_keygen_main(int argc, char **argv)
{
    struct audit_vkey key;
    struct options o = {.n = 0};
    char line[AUDIT_VKEY_MAX];
    char why[512];
    int err;

    if (!poemctl_audit_parse(&poemctl_audit_keygen_command, argc, argv, &o)) {
        return POEMCTL_USAGE;
    }
    if (!o.name) {
        poemctl_error("audit", "keygen: --name is needed");
        return poemctl_usage(&poemctl_audit_keygen_command);
    }
    if (!audit_name_ok(o.name, strlen(o.name))) {
        poemctl_error("audit", "--name: 1 to 128 letters, digits and . _ : / -, such as "
                               "example.org/poemd");
        return poemctl_usage(&poemctl_audit_keygen_command);
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

static const struct cli_option keygen_options[] = {
    {"name", 0, "NAME", "the name of the key, such as example.org/poemd",
     CLI_TEXT(struct options, name)},
    POEMCTL_END_OPTION,
};

static const struct poemctl_command poemctl_audit_keygen_command = {
    .name = "audit keygen",
    .synopsis = "--name NAME PATH",
    .what = "make a key to sign a log with",
    .manual = "poemctl-audit(1)",
    .options = keygen_options,
    .least = 1,
    .most = 1,
    .run = poemctl_audit_keygen_main,
};

static const struct poemctl_command *const actions[] = {
    &poemctl_audit_verify_command,
    &poemctl_audit_checkpoint_command,
    &poemctl_audit_prove_command,
    &poemctl_audit_check_proof_command,
    &poemctl_audit_report_command,
    &poemctl_audit_keygen_command,
    NULL,
};

const struct poemctl_command poemctl_audit = {
    .name = "audit",
    .what = "verify an audit log, prove a record of it, report on it",
    .manual = "poemctl-audit(1)",
    .actions = actions,
};
