/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Computes digests in one pass over the file, and keeps unfinished passes. */
#define _GNU_SOURCE
#include "policy/inspector/inspector_hash.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "policy/inspector/inspector_cache.h"
#include "policy/inspector/inspector_channel.h"

struct hash_work {
    TAILQ_ENTRY(hash_work) link;
    struct inspector_hash shown;
    struct peer_file_id id;
    unsigned users;
    bool shared; /* may be found by the file's identity */
    EVP_MD_CTX *sha256_ctx;
    EVP_MD_CTX *md5_ctx; /* NULL if the MD5 was not asked for */
    uint8_t sha256[INSPECTION_SHA256_SIZE];
    uint8_t md5[INSPECTOR_MD5_SIZE];
};

/* All works, most recently released first; so few that a linear search is the fastest. */
TAILQ_HEAD(hash_works, hash_work);
static struct hash_works works = TAILQ_HEAD_INITIALIZER(works);
static unsigned n_unused;

/* Buffer for reading; static, so that it is available even when memory is short. */
static uint8_t hash_chunk[256u << 10];

static struct hash_work *inspector_hash_work(struct inspector_hash *h)
{
    return (struct hash_work *)((char *)h - offsetof(struct hash_work, shown));
}

static void inspector_hash_free(struct hash_work *w)
{
    TAILQ_REMOVE(&works, w, link);
    EVP_MD_CTX_free(w->sha256_ctx);
    EVP_MD_CTX_free(w->md5_ctx);
    free(w);
}

static EVP_MD_CTX *inspector_hash_begin(const EVP_MD *md)
{
    EVP_MD_CTX *const ctx = EVP_MD_CTX_new();

    if (ctx && EVP_DigestInit_ex(ctx, md, NULL) != 1) {
        EVP_MD_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static struct hash_work *inspector_hash_new(const struct peer_file_id *id, bool md5)
{
    struct hash_work *const w = calloc(1, sizeof *w);

    if (!w) {
        return NULL;
    }
    w->id = *id;
    w->shared = id->ctime <= clock_time_ns() - INSPECTOR_CACHE_AGE;
    w->shown.sha256 = w->sha256;
    w->sha256_ctx = inspector_hash_begin(EVP_sha256());
    if (md5) {
        w->shown.md5 = w->md5;
        w->md5_ctx = inspector_hash_begin(EVP_md5());
    }
    TAILQ_INSERT_HEAD(&works, w, link);
    if (!w->sha256_ctx || (md5 && !w->md5_ctx)) {
        inspector_hash_free(w);
        return NULL;
    }
    return w;
}

struct inspector_hash *inspector_hash_get(const struct peer_file_id *id, bool md5)
{
    struct hash_work *w;

    TAILQ_FOREACH(w, &works, link)
    {
        if (w->shared && peer_file_id_same(&w->id, id) && (w->shown.md5 || !md5)) {
            n_unused -= w->users == 0;
            w->users++;
            return &w->shown;
        }
    }
    w = inspector_hash_new(id, md5);
    if (!w) {
        return NULL;
    }
    w->users = 1;
    return &w->shown;
}

/* Returns the unused work that was released first. */
static struct hash_work *inspector_hash_oldest(void)
{
    struct hash_work *w;

    TAILQ_FOREACH_REVERSE(w, &works, hash_works, link)
    {
        if (w->users == 0) {
            return w;
        }
    }
    return NULL;
}

void inspector_hash_release(struct inspector_hash *h)
{
    struct hash_work *w = h ? inspector_hash_work(h) : NULL;

    if (!w || --w->users > 0) {
        return;
    }
    if (!w->shared) {
        inspector_hash_free(w);
        return;
    }
    TAILQ_REMOVE(&works, w, link);
    TAILQ_INSERT_HEAD(&works, w, link);
    n_unused++;
    if (n_unused > INSPECTOR_HASHES_KEPT && (w = inspector_hash_oldest())) {
        inspector_hash_free(w);
        n_unused--;
    }
}

static int inspector_hash_end(struct hash_work *w)
{
    if (EVP_DigestFinal_ex(w->sha256_ctx, w->sha256, NULL) != 1 ||
        (w->md5_ctx && EVP_DigestFinal_ex(w->md5_ctx, w->md5, NULL) != 1)) {
        return -ENOMEM;
    }
    w->shown.done = true;
    return 1;
}

/* Reads up to a chunk, but not beyond `end`. */
static int inspector_hash_chunk(struct hash_work *w, int fd, uint64_t end)
{
    const uint64_t left = end - w->shown.at;
    const size_t most = left < sizeof hash_chunk ? (size_t)left : sizeof hash_chunk;
    const ssize_t n = pread(fd, hash_chunk, most, (off_t)w->shown.at);

    if (n <= 0) {
        return n < 0 ? -errno : -ESTALE;
    }
    if (EVP_DigestUpdate(w->sha256_ctx, hash_chunk, (size_t)n) != 1 ||
        (w->md5_ctx && EVP_DigestUpdate(w->md5_ctx, hash_chunk, (size_t)n) != 1)) {
        return -ENOMEM;
    }
    w->shown.at += (uint64_t)n;
    return 0;
}

int inspector_hash_step(struct inspector_hash *h, int fd)
{
    struct hash_work *const w = inspector_hash_work(h);
    const uint64_t size = w->id.size;
    const uint64_t end = h->at + INSPECTOR_SLICE < size ? h->at + INSPECTOR_SLICE : size;
    int err = 0;

    if (h->done) {
        return 1;
    }
    /* The disk reads the next slice while this one is hashed. A hint: errors do not matter. */
    (void)posix_fadvise(fd, (off_t)h->at, 2 * (off_t)INSPECTOR_SLICE, POSIX_FADV_WILLNEED);
    while (!err && h->at < end) {
        err = inspector_hash_chunk(w, fd, end);
    }
    if (!err && h->at == size) {
        err = inspector_hash_end(w);
    }
    w->shared = w->shared && err >= 0;
    return err;
}
