/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Inspects one executable through its open fd, slice by slice. Runs in the sandbox.
 *
 * First it computes SHA-256 of the whole file, then it collects evidence from notes, package and
 * envelopes. If a package owns the path, MD5 is needed as well: after another pass the package is
 * looked up again.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/evidence/evidence_elf.h"
#include "policy/inspector/inspector_channel.h"

/* Buffer for reading; static, so that it is available even when memory is short. */
static uint8_t chunk[256u << 10];

#define MD5_SIZE 16u

struct inspector_file {
    int fd;
    struct inspector_question question;
    EVP_MD_CTX *ctx; /* of the current pass; NULL before it begins */
    uint64_t at;     /* bytes read in this pass */
    bool has_sha256;
    bool has_md5;
    bool wants_md5; /* a package owns the path */
    uint8_t sha256[INSPECTION_SHA256_SIZE];
    uint8_t md5[MD5_SIZE];
};

struct inspector_file *inspector_file_new_take(int exe_fd, const struct inspector_question *q)
{
    struct inspector_file *const f = calloc(1, sizeof *f);

    if (!f) {
        close(exe_fd);
        return NULL;
    }
    f->fd = exe_fd;
    f->question = *q;
    return f;
}

void inspector_file_free(struct inspector_file *f)
{
    if (f) {
        EVP_MD_CTX_free(f->ctx);
        close(f->fd);
        free(f);
    }
}

static ssize_t inspector_inspect_read_at(void *arg, uint64_t offset, void *out, size_t n)
{
    const int fd = *(const int *)arg;
    size_t have = 0;

    if (offset > INT64_MAX - n) {
        return -1;
    }
    while (have < n) {
        const ssize_t r = pread(fd, (uint8_t *)out + have, n - have, (off_t)(offset + have));

        if (r <= 0) {
            return -1;
        }
        have += (size_t)r;
    }
    return (ssize_t)n;
}

/* ---- digests ---- */

static int inspector_file_begin_pass(struct inspector_file *f, const EVP_MD *md)
{
    f->at = 0;
    f->ctx = EVP_MD_CTX_new();
    return f->ctx && EVP_DigestInit_ex(f->ctx, md, NULL) == 1 ? 0 : -ENOMEM;
}

static int inspector_file_end_pass(struct inspector_file *f, uint8_t *out)
{
    const int err = f->at != f->question.id.size                 ? -ESTALE
                    : EVP_DigestFinal_ex(f->ctx, out, NULL) != 1 ? -ENOMEM
                                                                 : 0;

    EVP_MD_CTX_free(f->ctx);
    f->ctx = NULL;
    return err;
}

/*
 * Continues a pass over the file by one slice. Returns 1 if out has the digest, 0 if there is more
 * to read, or -errno (-ESTALE if the file has become shorter).
 */
static int inspector_file_pass(struct inspector_file *f, const EVP_MD *md, uint8_t *out)
{
    const uint64_t size = f->question.id.size;
    uint64_t end;
    int err = f->ctx ? 0 : inspector_file_begin_pass(f, md);

    end = f->at + INSPECTOR_SLICE < size ? f->at + INSPECTOR_SLICE : size;
    while (!err && f->at < end) {
        const ssize_t r = pread(f->fd, chunk, sizeof chunk, (off_t)f->at);

        if (r <= 0) {
            err = r < 0 ? -errno : -ESTALE;
        } else if (EVP_DigestUpdate(f->ctx, chunk, (size_t)r) != 1) {
            err = -ENOMEM;
        } else {
            f->at += (uint64_t)r;
        }
    }
    if (err || f->at < size) {
        return err;
    }
    err = inspector_file_end_pass(f, out);
    return err ? err : 1;
}

/* Returns the MD5 if it has been computed. */
static int inspector_file_md5(void *arg, uint8_t out[16])
{
    struct inspector_file *const f = arg;

    if (!f->has_md5) {
        f->wants_md5 = true;
        return -EINPROGRESS;
    }
    memcpy(out, f->md5, MD5_SIZE);
    return 0;
}

/* Returns 0, -ESTALE if the file was replaced or changed, or another -errno. */
static int inspector_inspect_still_same(int fd, const struct peer_file_id *want)
{
    struct peer_file_id have;
    const int err = peer_file_id_get(fd, &have);

    if (err) {
        return err;
    }
    return peer_file_id_same(&have, want) ? 0 : -ESTALE;
}

static void inspector_inspect_fail(struct inspection *r, int err)
{
    /* Clears everything: a partial answer must not look like a complete one. */
    memset(r, 0, sizeof *r);
    r->outcome = err == -ESTALE ? INSPECTION_CHANGED : INSPECTION_UNREAD;
    r->error = err == -ESTALE ? 0 : -err;
}

/*
 * Collects everything but the digests, which have been computed. Returns false if the MD5 is
 * needed.
 */
static bool inspector_file_look(struct inspector_file *f, const struct inspector_tools *t,
                                struct inspection *r)
{
    memset(r, 0, sizeof *r);
    r->outcome = INSPECTION_OK;
    evidence_init(&r->evidence);
    memcpy(r->sha256, f->sha256, sizeof r->sha256);
    /* A well-formed file without notes needs no report. */
    (void)evidence_elf(&r->evidence, inspector_inspect_read_at, &f->fd);
    inspector_dpkg_add(t, f->question.path, inspector_file_md5, f, &r->evidence);
    inspector_rpm_add(t, f->question.path, f->sha256, inspector_file_md5, f, &r->evidence);
    if (f->wants_md5 && !f->has_md5) {
        return false;
    }
    inspector_claims_add(t->claims, r);
    return true;
}

bool inspector_file_step(struct inspector_file *f, const struct inspector_tools *t,
                         struct inspection *r, uint64_t *left)
{
    int done = inspector_inspect_still_same(f->fd, &f->question.id);

    if (done == 0 && !f->has_sha256) {
        done = inspector_file_pass(f, EVP_sha256(), f->sha256);
        f->has_sha256 = done == 1;
    } else if (done == 0) {
        done = inspector_file_pass(f, EVP_md5(), f->md5);
        f->has_md5 = done == 1;
    }
    if (done == 1 && !inspector_file_look(f, t, r)) {
        f->at = 0;
        done = 0;
    } else if (done == 1) {
        const int err = inspector_inspect_still_same(f->fd, &f->question.id);

        done = err ? err : 1;
    }
    if (done < 0) {
        inspector_inspect_fail(r, done);
    }
    *left = f->question.id.size - f->at;
    return done != 0;
}
