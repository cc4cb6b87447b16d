/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command poemctl attest: signs an executable's licence, for hosts that trust the key; or
 * prints how to link a licence note into an executable.
 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/trust.h"
#include "policy/evidence/evidence_dsse.h"
#include "policy/spdx/spdx.h"
#include "ctl/poemctl.h"

struct options {
    const char *exe;
    const char *licence;
    const char *key;
    const char *out;  /* NULL: standard output */
    const char *note; /* exclusive: used without all others */
};

static void poemctl_attest_write_file(const char *path, const char *what)
{
    char text[512];

    poemctl_error("attest", "%s: %s", log_escape(text, sizeof text, path, strlen(path)), what);
}

static bool poemctl_attest_parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"key", required_argument, NULL, 'k'},
        {"licence", required_argument, NULL, 'l'},
        {"note", required_argument, NULL, 'n'},
        {"output", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };
    int c;

    *o = (struct options){.exe = NULL};
    while ((c = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
        switch (c) {
        case 'k':
            o->key = optarg;
            break;
        case 'l':
            o->licence = optarg;
            break;
        case 'n':
            o->note = optarg;
            break;
        case 'o':
            o->out = optarg;
            break;
        default:
            return false;
        }
    }
    if (o->note && (o->licence || o->key || o->out || argc != optind)) {
        poemctl_error("attest", "--note stands alone");
        return false;
    }
    if (!o->note && (!o->licence || !o->key || argc - optind != 1)) {
        poemctl_error("attest", "an executable, --licence and --key are needed");
        return false;
    }
    o->exe = o->note ? NULL : argv[optind];
    return true;
}

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
        poemctl_error("attest", "no SPDX expression: %s%s%s", why.text, why.hint[0] ? "; " : "",
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
static int poemctl_attest_digest(const char *path, uint8_t out[EVIDENCE_DSSE_SHA256_SIZE])
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

/* Returns the private key, or NULL after an error message. */
static EVP_PKEY *poemctl_attest_load_key(const char *path)
{
    FILE *f = fopen(path, "re");
    EVP_PKEY *key;
    struct stat st;

    if (!f) {
        poemctl_attest_write_file(path, strerror(errno));
        return NULL;
    }
    if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) &&
        (trust_is_other(st.st_uid) || (st.st_mode & (S_IRWXG | S_IRWXO)))) {
        poemctl_attest_write_file(
            path, "warning: others can read or write this private key; chmod 600 it");
    }
    key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    fclose(f);
    ERR_clear_error();
    if (!key || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) {
        poemctl_attest_write_file(path, "no Ed25519 private key in PEM");
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

static int poemctl_attest_write_out(const char *envelope, const char *path)
{
    const char *const name = path ? path : "standard output";
    FILE *f = path ? fopen(path, "we") : stdout;
    bool good;

    if (!f) {
        poemctl_attest_write_file(name, strerror(errno));
        return POEMCTL_COULD_NOT;
    }
    good = fprintf(f, "%s\n", envelope) > 0 && fflush(f) == 0;
    if (path) {
        good = fclose(f) == 0 && good;
    }
    if (!good) {
        poemctl_attest_write_file(name, strerror(errno));
        return POEMCTL_COULD_NOT;
    }
    return POEMCTL_YES;
}

static int poemctl_attest_attest(const struct options *o)
{
    const char *slash = strrchr(o->exe, '/');
    char name[EVIDENCE_NAME_SIZE];
    char licence[EVIDENCE_LICENCE_SIZE];
    uint8_t sha256[EVIDENCE_DSSE_SHA256_SIZE];
    char *envelope = NULL;
    EVP_PKEY *key;
    int err;
    int code = POEMCTL_COULD_NOT;

    if (!poemctl_attest_canonical(o->licence, licence)) {
        return POEMCTL_USAGE;
    }
    err = poemctl_attest_digest(o->exe, sha256);
    if (err) {
        poemctl_attest_write_file(o->exe, strerror(-err));
        return POEMCTL_COULD_NOT;
    }
    key = poemctl_attest_load_key(o->key);
    if (!key) {
        return POEMCTL_COULD_NOT;
    }
    slash = slash ? slash + 1 : o->exe;
    envelope = evidence_dsse_make(key, log_escape(name, sizeof name, slash, strlen(slash)), sha256,
                                  licence);
    if (envelope) {
        code = poemctl_attest_write_out(envelope, o->out);
    } else {
        poemctl_error("attest", "signing failed: no memory");
    }
    free(envelope);
    EVP_PKEY_free(key);
    return code;
}

int attest_main(int argc, char **argv)
{
    struct options o;
    int code;

    if (!poemctl_attest_parse(argc, argv, &o)) {
        return poemctl_usage("attest");
    }
    code = o.note ? poemctl_attest_note(o.note) : poemctl_attest_attest(&o);
    return poemctl_finish("attest", code);
}
