/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The operator's files for inspectors: trusted keys, the revocation list, and envelopes, which are
 * opened here and read by the inspector. Used only at start-up and in tools.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text/hex.h"
#include "base/log.h"
#include "policy/inspector/inspector.h"

static int inspector_files_open_regular(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    int err;

    if (fd < 0) {
        return -errno;
    }
    err = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
    if (err) {
        close(fd);
        return err;
    }
    return fd;
}

static void inspector_files_take_name(char out[EVIDENCE_NAME_SIZE], const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    log_escape(out, EVIDENCE_NAME_SIZE, name, strlen(name));
}

int inspector_key_load(struct inspector_key *k, const char *path)
{
    const int fd = inspector_files_open_regular(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
    EVP_PKEY *key;
    int err;

    if (!f) {
        return fd < 0 ? fd : -ENOMEM;
    }
    key = PEM_read_PUBKEY(f, NULL, NULL, NULL);
    fclose(f);
    err = key ? evidence_key_init(&k->key, key) : -EINVAL;
    EVP_PKEY_free(key);
    ERR_clear_error();
    inspector_files_take_name(k->name, path);
    return err;
}

int inspector_envelope_open(struct inspector_envelope *e, const char *path)
{
    e->fd = inspector_files_open_regular(path);
    inspector_files_take_name(e->name, path);
    return e->fd < 0 ? e->fd : 0;
}

/* ---- revocations ---- */

const struct inspector_revoked *inspector_revocation(const struct inspector_revoked *revoked,
                                                     size_t n,
                                                     const uint8_t digest[EVIDENCE_SHA256_SIZE])
{
    for (size_t i = 0; i < n; i++) {
        if (memcmp(revoked[i].digest, digest, EVIDENCE_SHA256_SIZE) == 0) {
            return &revoked[i];
        }
    }
    return NULL;
}

/* Reads a line of n characters. Returns 1 for an entry, 0 for none, -EINVAL if malformed. */
static int inspector_revoked_read_line(struct inspector_revoked *out, const char *line, size_t n)
{
    static const char white[] = " \t\r\n";
    const size_t digits = 2 * sizeof out->digest;
    size_t at = strspn(line, white);

    if (at == n || line[at] == '#') {
        return 0;
    }
    if (strcspn(line + at, white) != digits ||
        !hex_read(line + at, out->digest, sizeof out->digest)) {
        return -EINVAL;
    }
    at += digits;
    at += strspn(line + at, white);
    while (n > at && strchr(white, line[n - 1])) {
        n--;
    }
    log_escape(out->reason, sizeof out->reason, line + at, n - at);
    return 1;
}

int inspector_revoked_load(struct inspector_revoked *out, size_t *n, const char *path,
                           unsigned *line)
{
    const int fd = inspector_files_open_regular(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
    struct inspector_revoked one;
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    int r = 0;

    *n = 0;
    *line = 0;
    if (!f) {
        return fd < 0 ? fd : -ENOMEM;
    }
    while (r >= 0 && (length = getline(&text, &room, f)) >= 0) {
        ++*line;
        r = strlen(text) == (size_t)length ? inspector_revoked_read_line(&one, text, (size_t)length)
                                           : -EINVAL;
        if (r == 1 && *n == INSPECTOR_REVOKED) {
            r = -E2BIG;
        } else if (r == 1) {
            out[(*n)++] = one;
        }
    }
    r = r >= 0 && ferror(f) ? -EIO : r;
    free(text);
    fclose(f);
    return r < 0 ? r : 0;
}
