/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The Merkle tree of the audit log: RFC 9162, section 2.1, with SHA-256.
 *
 * A tree is kept as its peaks: the roots of the complete subtrees that its leaves fall into, the
 * largest first, one for each bit that is set in the number of leaves. That is all that adding a
 * leaf and computing the root need, so that a log of any length takes 2 KiB.
 *
 * Pure but for what libcrypto allocates: -ENOMEM is the only failure where nothing else is said.
 */
#ifndef POEMD_AUDIT_AUDIT_TREE_H
#define POEMD_AUDIT_AUDIT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_HASH_SIZE 32u

/* Of a tree with 2^64 - 1 leaves; also the longest inclusion proof. */
#define AUDIT_PEAKS 64u

struct audit_hash {
    uint8_t b[AUDIT_HASH_SIZE];
};

struct audit_tree {
    uint64_t size;  /* leaves */
    unsigned peaks; /* bits set in size */
    struct audit_hash peak[AUDIT_PEAKS];
};

bool audit_hash_same(const struct audit_hash *a, const struct audit_hash *b);

/* SHA-256 of 0x00 and the bytes: a leaf. 0 or -ENOMEM. */
int audit_hash_leaf(const void *p, size_t n, struct audit_hash *out)
    __attribute__((warn_unused_result));

/* SHA-256 of 0x01 and both: a node. out may be one of them. 0 or -ENOMEM. */
int audit_hash_node(const struct audit_hash *left, const struct audit_hash *right,
                    struct audit_hash *out) __attribute__((warn_unused_result));

/* Makes it a tree without leaves. */
void audit_tree_init(struct audit_tree *t);

/*
 * Makes it the tree of size leaves with these peaks, n of them. False: not so many peaks as bits
 * are set in size.
 */
bool audit_tree_set(struct audit_tree *t, uint64_t size, const struct audit_hash *peak, unsigned n)
    __attribute__((warn_unused_result));

/* Adds a leaf, already hashed. 0 or -ENOMEM: then the tree is as it was. */
int audit_tree_add(struct audit_tree *t, const struct audit_hash *leaf)
    __attribute__((warn_unused_result));

/* The tree's root; of a tree without leaves SHA-256 of nothing. 0 or -ENOMEM. */
int audit_tree_root(const struct audit_tree *t, struct audit_hash *out)
    __attribute__((warn_unused_result));

#endif
