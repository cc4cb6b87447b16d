/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * One executable inspected, from its open file. Runs in the sandbox.
 */
#include <errno.h>
#include <linux/fsverity.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "policy/evidence_elf.h"
#include "policy/inspector_channel.h"

/* Read at once; static, so that it needs no memory when there is none. */
static uint8_t chunk[256u << 10];

static ssize_t read_at(void *arg, uint64_t offset, void *out, size_t n)
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

/* The digest of a whole file, size bytes of it. 0 or -errno; -ESTALE: it has fewer. */
static int digest(int fd, uint64_t size, const EVP_MD *md, uint8_t *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint64_t at = 0;
    int err = ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1 ? 0 : -ENOMEM;

    while (!err && at < size) {
        const ssize_t r = pread(fd, chunk, sizeof chunk, (off_t)at);

        if (r <= 0) {
            err = r < 0 ? -errno : -ESTALE;
        } else if (EVP_DigestUpdate(ctx, chunk, (size_t)r) != 1) {
            err = -ENOMEM;
        } else {
            at += (uint64_t)r;
        }
    }
    if (!err && at != size) {
        err = -ESTALE;
    }
    if (!err && EVP_DigestFinal_ex(ctx, out, NULL) != 1) {
        err = -ENOMEM;
    }
    EVP_MD_CTX_free(ctx);
    return err;
}

struct file {
    int fd;
    uint64_t size;
};

static int md5_of(void *arg, uint8_t out[16])
{
    const struct file *f = arg;

    return digest(f->fd, f->size, EVP_md5(), out);
}

static void measure_verity(int fd, struct inspection *r)
{
    union {
        struct fsverity_digest head;
        uint8_t room[sizeof(struct fsverity_digest) + INSPECTION_VERITY_MAX];
    } d;

    memset(&d, 0, sizeof d);
    d.head.digest_size = INSPECTION_VERITY_MAX;
    if (ioctl(fd, FS_IOC_MEASURE_VERITY, &d) == 0 && d.head.digest_size <= INSPECTION_VERITY_MAX) {
        r->verity_algorithm = d.head.digest_algorithm;
        r->verity_size = d.head.digest_size;
        memcpy(r->verity, d.room + sizeof d.head, d.head.digest_size);
    }
}

/* 0, -ESTALE: the file is not, or not as, the one asked of; or -errno. */
static int still_same(int fd, const struct peer_file_id *want)
{
    struct peer_file_id have;
    const int err = peer_file_id_get(fd, &have);

    if (err) {
        return err;
    }
    return peer_file_id_same(&have, want) ? 0 : -ESTALE;
}

static void fail(struct inspection *r, int err)
{
    /* All of it again: a part of an answer must not be taken for one. */
    memset(r, 0, sizeof *r);
    r->outcome = err == -ESTALE ? INSPECTION_CHANGED : INSPECTION_UNREAD;
    r->error = err == -ESTALE ? 0 : -err;
}

void inspector_inspect(const struct inspector_tools *t, int exe_fd,
                       const struct inspector_question *q, struct inspection *r)
{
    struct file f = {.fd = exe_fd, .size = q->id.size};
    int err;

    memset(r, 0, sizeof *r);
    r->outcome = INSPECTION_OK;
    evidence_init(&r->evidence);
    err = still_same(exe_fd, &q->id);
    if (!err) {
        err = digest(exe_fd, f.size, EVP_sha256(), r->sha256);
    }
    if (err) {
        fail(r, err);
        return;
    }
    measure_verity(exe_fd, r);
    /* What is not malformed and says nothing has nothing to be told of. */
    (void)evidence_elf(&r->evidence, read_at, &f.fd);
    inspector_dpkg_add(t, q->path, md5_of, &f, &r->evidence);
    inspector_claims_add(t->claims, r);
    err = still_same(exe_fd, &q->id);
    if (err) {
        fail(r, err);
    }
}
