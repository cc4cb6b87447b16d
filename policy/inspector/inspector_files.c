/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The operator's files for inspectors: trusted keys, and envelopes, which are opened here and read
 * by the inspector. Used only at start-up and in tools.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    size_t n = sizeof k->bytes;
    EVP_PKEY *key;
    int err = 0;

    if (!f) {
        return fd < 0 ? fd : -ENOMEM;
    }
    key = PEM_read_PUBKEY(f, NULL, NULL, NULL);
    fclose(f);
    if (!key || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_public_key(key, k->bytes, &n) != 1 || n != sizeof k->bytes) {
        err = -EINVAL;
    }
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
