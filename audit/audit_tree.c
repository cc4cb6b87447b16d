/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The Merkle tree of RFC 9162, section 2.1, stored as its peaks. Knows nothing about logs. */
#include "audit/audit_tree.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

bool audit_hash_same(const struct audit_hash *a, const struct audit_hash *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* Computes SHA-256 of a prefix byte (omitted if negative) and two pieces. */
static int audit_tree_digest(int prefix, const void *a, size_t a_n, const void *b, size_t b_n,
                             struct audit_hash *out)
{
    const uint8_t byte = (uint8_t)prefix;
    EVP_MD_CTX *const ctx = EVP_MD_CTX_new();
    const bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
                    (prefix < 0 || EVP_DigestUpdate(ctx, &byte, 1) == 1) &&
                    EVP_DigestUpdate(ctx, a, a_n) == 1 && EVP_DigestUpdate(ctx, b, b_n) == 1 &&
                    EVP_DigestFinal_ex(ctx, out->b, NULL) == 1;

    EVP_MD_CTX_free(ctx);
    return ok ? 0 : -ENOMEM;
}

int audit_hash_leaf(const void *p, size_t n, struct audit_hash *out)
{
    return audit_tree_digest(0, p, n, "", 0, out);
}

int audit_hash_node(const struct audit_hash *left, const struct audit_hash *right,
                    struct audit_hash *out)
{
    return audit_tree_digest(1, left->b, sizeof left->b, right->b, sizeof right->b, out);
}

void audit_tree_init(struct audit_tree *t)
{
    t->size = 0;
    t->peaks = 0;
}

bool audit_tree_set(struct audit_tree *t, uint64_t size, const struct audit_hash *peak, unsigned n)
{
    if (n > AUDIT_PEAKS || n != (unsigned)__builtin_popcountll(size)) {
        return false;
    }
    t->size = size;
    t->peaks = n;
    if (n > 0) {
        memmove(t->peak, peak, n * sizeof *peak);
    }
    return true;
}

/*
 * As adding one to a binary number carries over all trailing ones, a new leaf absorbs the peaks of
 * those bits, the smallest first.
 */
int audit_tree_grow(struct audit_tree *t, const struct audit_hash *leaf, audit_node_fn *fn,
                    void *arg)
{
    struct audit_node at = {.level = 0, .index = t->size};
    struct audit_hash node = *leaf;
    unsigned peaks = t->peaks;

    fn(arg, at, &node);
    while (at.index & 1) {
        peaks--;
        if (audit_hash_node(&t->peak[peaks], &node, &node) < 0) {
            return -ENOMEM;
        }
        at.level++;
        at.index >>= 1;
        fn(arg, at, &node);
    }
    t->peak[peaks] = node;
    t->peaks = peaks + 1;
    t->size++;
    return 0;
}

static void audit_tree_ignore(void *arg, struct audit_node node, const struct audit_hash *root)
{
    (void)arg;
    (void)node;
    (void)root;
}

int audit_tree_add(struct audit_tree *t, const struct audit_hash *leaf)
{
    return audit_tree_grow(t, leaf, audit_tree_ignore, NULL);
}

void audit_tree_each_peak(const struct audit_tree *t, audit_node_fn *fn, void *arg)
{
    uint64_t at = 0;

    for (unsigned i = 0; i < t->peaks; i++) {
        const unsigned level = 63u - (unsigned)__builtin_clzll(t->size - at);

        fn(arg, (struct audit_node){level, at >> level}, &t->peak[i]);
        at += UINT64_C(1) << level;
    }
}

int audit_tree_root(const struct audit_tree *t, struct audit_hash *out)
{
    if (t->peaks == 0) {
        return audit_tree_digest(-1, "", 0, "", 0, out);
    }
    *out = t->peak[t->peaks - 1];
    for (unsigned i = t->peaks - 1; i > 0; i--) {
        if (audit_hash_node(&t->peak[i - 1], out, out) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}
