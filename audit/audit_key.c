/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Key files; checks who may read and write them. */
#define _GNU_SOURCE
#include "audit/audit_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/trust.h"
#include "audit/audit_disk.h"

/* An Ed25519 key in PEM takes 119 bytes; text before it is allowed. */
#define PEM_MAX 8192

/* Writes the reason with the file's name to why, and returns err. */
static int audit_key_fail(char *why, size_t size, const char *path, int err, const char *what)
{
    char name[256];

    snprintf(why, size, "%s: %s", log_escape(name, sizeof name, path, strlen(path)), what);
    return err;
}

int audit_vkey_load(struct audit_vkey *k, const char *path, char *why, size_t size)
{
    char text[AUDIT_VKEY_MAX + 1];
    int r = audit_disk_read_small(path, text, sizeof text);

    if (r < 0 && r != -EFBIG) {
        return audit_key_fail(why, size, path, r, strerror(-r));
    }
    r = r < 0 ? -EINVAL : audit_vkey_read(k, text, (size_t)r);
    return r == 0
               ? 0
               : audit_key_fail(why, size, path, r, "not a public key of the form NAME+ID+BASE64");
}

/* Forbidden permissions. The group may read: service managers pass keys that way. */
#define MODE_FORBIDDEN (S_IWGRP | S_IXGRP | S_IRWXO)

static int audit_key_read_private(const char *path, EVP_PKEY **out, char *why, size_t size)
{
    char text[PEM_MAX];
    struct stat st;
    BIO *bio;
    int n;

    if (stat(path, &st) < 0) {
        return audit_key_fail(why, size, path, -errno, strerror(errno));
    }
    if (trust_is_other(st.st_uid)) {
        return audit_key_fail(why, size, path, -EPERM,
                              "another user owns this private key; chown it, or make a new one");
    }
    if (st.st_mode & MODE_FORBIDDEN) {
        return audit_key_fail(
            why, size, path, -EPERM,
            "others may read or write this private key; chmod 600 it, or make a new one");
    }
    n = audit_disk_read_small(path, text, sizeof text);
    if (n < 0) {
        return audit_key_fail(why, size, path, n, strerror(-n));
    }
    bio = BIO_new_mem_buf(text, n);
    /* An empty password prevents a prompt on the terminal. */
    *out = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, "") : NULL;
    BIO_free(bio);
    OPENSSL_cleanse(text, sizeof text);
    if (!*out || EVP_PKEY_get_base_id(*out) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(*out);
        *out = NULL;
        return audit_key_fail(why, size, path, -EINVAL, "not an Ed25519 private key in PEM");
    }
    return 0;
}

int audit_key_load(struct audit_key *k, const char *path, char *why, size_t size)
{
    uint8_t public_key[AUDIT_PUBLIC_SIZE];
    size_t n = sizeof public_key;
    char pub[PATH_MAX];
    int r;

    k->pkey = NULL;
    if ((size_t)snprintf(pub, sizeof pub, "%s.pub", path) >= sizeof pub) {
        return audit_key_fail(why, size, path, -ENAMETOOLONG, strerror(ENAMETOOLONG));
    }
    r = audit_key_read_private(path, &k->pkey, why, size);
    if (r < 0) {
        return r;
    }
    r = audit_vkey_load(&k->vkey, pub, why, size);
    if (r == 0 && (EVP_PKEY_get_raw_public_key(k->pkey, public_key, &n) != 1 ||
                   memcmp(public_key, k->vkey.public_key, sizeof public_key) != 0)) {
        r = audit_key_fail(why, size, pub, -EINVAL,
                           "not the public key of the private key beside it");
    }
    if (r < 0) {
        audit_key_deinit(k);
    }
    return r;
}

void audit_key_deinit(struct audit_key *k)
{
    EVP_PKEY_free(k->pkey);
    k->pkey = NULL;
}

/* Generates the key pair's texts; pem has PEM_MAX bytes. Returns the length of pem or -errno. */
static int audit_key_make_pair(const char *name, struct audit_vkey *vkey, char *pem)
{
    uint8_t public_key[AUDIT_PUBLIC_SIZE];
    size_t n = sizeof public_key;
    EVP_PKEY *const pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    BIO *const bio = BIO_new(BIO_s_mem());
    int r = -ENOMEM;

    if (pkey && bio && EVP_PKEY_get_raw_public_key(pkey, public_key, &n) == 1 &&
        PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) == 1) {
        r = audit_vkey_make(vkey, name, public_key);
    }
    if (r == 0) {
        r = BIO_read(bio, pem, PEM_MAX);
    }
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return r;
}

int audit_key_generate(const char *path, const char *name, struct audit_vkey *out, char *why,
                       size_t size)
{
    char pub[PATH_MAX];
    char vkey[AUDIT_VKEY_MAX];
    char line[AUDIT_VKEY_MAX + 1];
    char pem[PEM_MAX];
    int private_fd;
    int pub_fd;
    int r;

    if ((size_t)snprintf(pub, sizeof pub, "%s.pub", path) >= sizeof pub) {
        return audit_key_fail(why, size, path, -ENAMETOOLONG, strerror(ENAMETOOLONG));
    }
    r = audit_key_make_pair(name, out, pem);
    if (r < 0) {
        return audit_key_fail(why, size, name, r,
                              r == -EINVAL
                                  ? "a key's name is 1 to 128 letters, digits and . _ : / -"
                                  : "libcrypto cannot generate a key");
    }
    audit_vkey_write(out, vkey);
    snprintf(line, sizeof line, "%s\n", vkey);
    private_fd = audit_disk_create(path, 0600, pem, (size_t)r);
    OPENSSL_cleanse(pem, sizeof pem);
    if (private_fd < 0) {
        return audit_key_fail(why, size, path, private_fd, strerror(-private_fd));
    }
    close(private_fd);
    pub_fd = audit_disk_create(pub, 0644, line, strlen(line));
    if (pub_fd < 0) {
        unlink(path);
        return audit_key_fail(why, size, pub, pub_fd, strerror(-pub_fd));
    }
    close(pub_fd);
    r = audit_disk_sync_folder(path);
    if (r < 0) {
        unlink(path);
        unlink(pub);
        return audit_key_fail(why, size, path, r, strerror(-r));
    }
    return 0;
}
