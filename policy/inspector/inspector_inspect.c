/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Inspects one executable through its open fd, slice by slice. Runs in the sandbox.
 *
 * First it computes SHA-256 of the whole file, in the same pass MD5 if a package that owns the path
 * has no better digest; then it collects evidence from notes, package and envelopes.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/evidence/evidence_elf.h"
#include "policy/inspector/inspector_channel.h"
#include "policy/inspector/inspector_hash.h"
#include "policy/inspector/inspector_ima.h"
#include "policy/inspector/inspector_index.h"

struct inspector_file {
    int fd;
    struct inspector_question question;
    struct inspector_hash *hash; /* NULL before the first slice */
    bool wants_md5;              /* a package that owns the path has no better digest */
    uint64_t build;              /* of the index of dpkg's lists; 0 before the first slice */
    bool indexed;                /* the index is complete, or failed with index_err */
    int index_err;
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
        inspector_hash_release(f->hash);
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

/* Returns the MD5 if it has been computed. */
static int inspector_file_md5(void *arg, uint8_t out[16])
{
    struct inspector_file *const f = arg;

    if (!f->hash || !f->hash->done || !f->hash->md5) {
        f->wants_md5 = true;
        return -EINPROGRESS;
    }
    memcpy(out, f->hash->md5, INSPECTOR_MD5_SIZE);
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
    memcpy(r->sha256, f->hash->sha256, sizeof r->sha256);
    for (int i = 0; i < INSPECTOR_IMA_CATCH_UP && inspector_ima_read(t->ima); i++) {
    }
    inspector_ima_look(t->ima, r);
    /* A well-formed file without notes needs no report. */
    (void)evidence_elf(&r->evidence, inspector_inspect_read_at, &f->fd);
    inspector_dpkg_add(t, f->index_err, f->question.path, inspector_file_md5, f, &r->evidence);
    inspector_rpm_add(t, f->question.path, f->hash->sha256, inspector_file_md5, f, &r->evidence);
    if (f->wants_md5 && !f->hash->md5) {
        return false;
    }
    inspector_claims_add(t->claims, r);
    return true;
}

/* Returns whether the MD5 is needed. */
static bool inspector_file_needs_md5(struct inspector_file *f, const struct inspector_tools *t)
{
    static const uint8_t no_digest[INSPECTION_SHA256_SIZE];
    static struct evidence unused;

    evidence_init(&unused);
    inspector_dpkg_add(t, f->index_err, f->question.path, inspector_file_md5, f, &unused);
    inspector_rpm_add(t, f->question.path, no_digest, inspector_file_md5, f, &unused);
    return f->wants_md5;
}

/* Reads a slice of dpkg's lists, if the index needs it. Returns false if there is more to read. */
static bool inspector_file_index(struct inspector_file *f, const struct inspector_tools *t)
{
    int r = 1;

    if (!f->indexed && t->dpkg_fd >= 0) {
        f->build = f->build > 0 ? f->build : inspector_index_want(t->index);
        r = inspector_index_step(t->index, f->build);
        f->index_err = r < 0 ? r : 0;
    }
    f->indexed = r != 0;
    return f->indexed;
}

/* Reads a slice. Returns 1 if the digests are known, 0 if there is more to read, or -errno. */
static int inspector_file_read(struct inspector_file *f, const struct inspector_tools *t)
{
    if (!inspector_file_index(f, t)) {
        return 0;
    }
    if (!f->hash) {
        f->hash = inspector_hash_get(&f->question.id, inspector_file_needs_md5(f, t));
    }
    return f->hash ? inspector_hash_step(f->hash, f->fd) : -ENOMEM;
}

bool inspector_file_step(struct inspector_file *f, const struct inspector_tools *t,
                         struct inspection *r, uint64_t *left)
{
    int done = inspector_inspect_still_same(f->fd, &f->question.id);

    if (done == 0) {
        done = inspector_file_read(f, t);
    }
    if (done == 1 && !inspector_file_look(f, t, r)) {
        /* A package has appeared since the pass began: another pass, with the MD5. */
        inspector_hash_release(f->hash);
        f->hash = NULL;
        done = 0;
    } else if (done == 1) {
        const int err = inspector_inspect_still_same(f->fd, &f->question.id);

        done = err ? err : 1;
    }
    if (done < 0) {
        inspector_inspect_fail(r, done);
    }
    *left = f->question.id.size - (f->hash ? f->hash->at : 0);
    return done != 0;
}
