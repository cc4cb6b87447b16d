/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command poemctl attest: signs an executable's licence, for hosts that trust the key; or
 * prints how to link a licence note into an executable.
 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text/date.h"
#include "base/log.h"
#include "policy/evidence/evidence_dsse.h"
#include "policy/rules/rules.h"
#include "policy/spdx/spdx.h"
#include "ctl/poemctl.h"
#include "ctl/policy/attest_key.h"

struct options {
    const char *exe;
    const char *licence;
    const char *key;
    uint32_t expires; /* a day (base/text/date.h); 0: never */
    const char *out;  /* NULL: standard output */
    const char *note; /* exclusive: used without all others */
};

/*
 * Writes the canonical form of a licence. Returns false, after an error message, if it is not an
 * expression.
 */
static bool poemctl_attest_canonical(const char *licence, char out[EVIDENCE_LICENCE_SIZE])
{
    /* Static, since some 20 KiB are too much for the stack. */
    static struct spdx e;
    struct spdx_error why;

    if (spdx_parse(&e, licence, strlen(licence), SPDX_LISTED, &why) != SPDX_OK) {
        poemctl_error("attest", "not an SPDX expression: %s%s%s", why.text, why.hint[0] ? "; " : "",
                      why.hint);
        return false;
    }
    if (spdx_canonical(&e, out, EVIDENCE_LICENCE_SIZE) >= EVIDENCE_LICENCE_SIZE) {
        poemctl_error("attest", "the expression is too long");
        return false;
    }
    return true;
}

/*
 * Prints the compiler's option, quoted for a shell. An expression has no comma, quote or backslash.
 */
static int poemctl_attest_note(const char *licence)
{
    char text[EVIDENCE_LICENCE_SIZE];

    if (!poemctl_attest_canonical(licence, text)) {
        return POEMCTL_USAGE;
    }
    printf("'-Wl,--package-metadata={\"license\":\"%s\"}'\n", text);
    return POEMCTL_YES;
}

/* Computes the file's SHA-256. Returns 0 or -errno. */
static int poemctl_attest_digest(const char *path, uint8_t out[EVIDENCE_SHA256_SIZE])
{
    static uint8_t chunk[256u << 10];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    ssize_t n = 0;
    int err = fd < 0 ? -errno : 0;

    if (!err && (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)) {
        err = -ENOMEM;
    }
    while (!err && (n = read(fd, chunk, sizeof chunk)) > 0) {
        err = EVP_DigestUpdate(ctx, chunk, (size_t)n) == 1 ? 0 : -ENOMEM;
    }
    if (!err && n < 0) {
        err = -errno;
    }
    if (!err && EVP_DigestFinal_ex(ctx, out, NULL) != 1) {
        err = -ENOMEM;
    }
    EVP_MD_CTX_free(ctx);
    if (fd >= 0) {
        close(fd);
    }
    return err;
}

static int poemctl_attest_write_out(const char *envelope, const char *path)
{
    const char *const name = path ? path : "standard output";
    FILE *f = path ? fopen(path, "we") : stdout;
    bool good;

    if (!f) {
        return poemctl_could_not("attest", name, strerror(errno));
    }
    good = fprintf(f, "%s\n", envelope) > 0 && fflush(f) == 0;
    if (path) {
        good = fclose(f) == 0 && good;
    }
    if (!good) {
        return poemctl_could_not("attest", name, strerror(errno));
    }
    return POEMCTL_YES;
}

static int poemctl_attest_sign(const struct options *o)
{
    const char *slash = strrchr(o->exe, '/');
    char name[EVIDENCE_NAME_SIZE];
    char licence[EVIDENCE_LICENCE_SIZE];
    uint8_t sha256[EVIDENCE_SHA256_SIZE];
    struct evidence_dsse_plan plan = {
        .sha256 = sha256, .licence = licence, .issued = date_today(), .expires = o->expires};
    char *envelope = NULL;
    EVP_PKEY *key;
    int err;
    int code = POEMCTL_COULD_NOT;

    if (!poemctl_attest_canonical(o->licence, licence)) {
        return POEMCTL_USAGE;
    }
    err = poemctl_attest_digest(o->exe, sha256);
    if (err) {
        return poemctl_could_not("attest", o->exe, strerror(-err));
    }
    key = attest_key_load("attest", o->key);
    if (!key) {
        return POEMCTL_COULD_NOT;
    }
    slash = slash ? slash + 1 : o->exe;
    plan.name = log_escape(name, sizeof name, slash, strlen(slash));
    envelope = evidence_dsse_make(key, &plan);
    if (envelope) {
        code = poemctl_attest_write_out(envelope, o->out);
    } else {
        poemctl_error("attest", "signing failed: no memory");
    }
    free(envelope);
    EVP_PKEY_free(key);
    return code;
}

static int poemctl_attest_main(int argc, char **argv)
{
    struct options o = {.exe = NULL};
    char **const operands = poemctl_parse(&poemctl_attest, argc, argv, &o);

    if (!operands) {
        return POEMCTL_USAGE;
    }
    o.exe = operands[0];
    if (o.note && (o.licence || o.key || o.expires || o.out || o.exe)) {
        poemctl_error("attest", "--note stands alone");
        return poemctl_usage(&poemctl_attest);
    }
    if (!o.note && (!o.licence || !o.key || !o.exe)) {
        poemctl_error("attest", "an executable, --licence and --key are needed");
        return poemctl_usage(&poemctl_attest);
    }
    return o.note ? poemctl_attest_note(o.note) : poemctl_attest_sign(&o);
}

static bool poemctl_attest_read_expires(void *values, const char *text)
{
    struct options *o = values;

    if (strlen(text) != DATE_SIZE - 1 || !date_read(text, &o->expires)) {
        poemctl_error("attest", "\"%s\" is not a date: YYYY-MM-DD, from 2000 on", text);
        return false;
    }
    return true;
}

static const struct cli_option options[] = {
    {"licence", 0, "EXPRESSION", "the SPDX expression that the executable is under",
     CLI_TEXT(struct options, licence)},
    {"key", 0, "KEY", "the private key to sign with", CLI_TEXT(struct options, key)},
    {"expires", 0, "DATE", "the last day on which the statement holds: YYYY-MM-DD",
     CLI_READ(poemctl_attest_read_expires)},
    {"output", 'o', "FILE", "write the envelope here instead of to standard output",
     CLI_TEXT(struct options, out)},
    {"note", 0, "EXPRESSION", "print the linker option that notes this licence in an executable",
     CLI_TEXT(struct options, note)},
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_attest = {
    .name = "attest",
    .synopsis = "EXE --licence EXPRESSION --key KEY [--expires DATE] [-o FILE]\n--note EXPRESSION",
    .what = "sign under which licence an executable is, or have it noted inside",
    .manual = "poemctl-attest(1)",
    .options = options,
    .most = 1,
    .surplus = "an executable, --licence and --key are needed",
    .run = poemctl_attest_main,
};
