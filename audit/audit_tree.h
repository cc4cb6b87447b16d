/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The Merkle tree of the audit log: RFC 9162, section 2.1, with SHA-256.
 *
 * A tree is stored as its peaks: the roots of the complete subtrees of its leaves, the largest
 * first, one for each set bit in the number of leaves. Adding a leaf and computing the root need
 * nothing else, so that a log of any length takes 2 KiB.
 *
 * The functions are pure, except that libcrypto allocates memory. Unless stated otherwise, -ENOMEM
 * is the only error.
 */
#ifndef POEMD_AUDIT_AUDIT_TREE_H
#define POEMD_AUDIT_AUDIT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_HASH_SIZE 32u

/* Of a tree with 2^64 - 1 leaves; also the length of the longest inclusion proof. */
#define AUDIT_PEAKS 64u

struct audit_hash {
    uint8_t b[AUDIT_HASH_SIZE];
};

struct audit_tree {
    uint64_t size;  /* number of leaves */
    unsigned peaks; /* number of bits set in size */
    struct audit_hash peak[AUDIT_PEAKS];
};

bool audit_hash_same(const struct audit_hash *a, const struct audit_hash *b);

/* Hashes a leaf: SHA-256 of 0x00 and the bytes. Returns 0 or -ENOMEM. */
int audit_hash_leaf(const void *p, size_t n, struct audit_hash *out)
    __attribute__((warn_unused_result));

/*
 * Hashes a node: SHA-256 of 0x01 and both children. out may be one of them. Returns 0 or -ENOMEM.
 */
int audit_hash_node(const struct audit_hash *left, const struct audit_hash *right,
                    struct audit_hash *out) __attribute__((warn_unused_result));

/* Initialises a tree without leaves. */
void audit_tree_init(struct audit_tree *t);

/*
 * Sets the tree to one of size leaves with these n peaks. Returns false unless n is the number of
 * bits set in size.
 */
bool audit_tree_set(struct audit_tree *t, uint64_t size, const struct audit_hash *peak, unsigned n)
    __attribute__((warn_unused_result));

/* Adds a leaf, already hashed. Returns 0, or -ENOMEM, which leaves the tree unchanged. */
int audit_tree_add(struct audit_tree *t, const struct audit_hash *leaf)
    __attribute__((warn_unused_result));

/*
 * A complete subtree: the 2^level leaves from index * 2^level on. A leaf is a node of level 0.
 */
struct audit_node {
    unsigned level;
    uint64_t index;
};

/* Receives the root of a complete subtree. */
typedef void audit_node_fn(void *arg, struct audit_node node, const struct audit_hash *root);

/*
 * Adds a leaf like audit_tree_add, and passes it and every subtree that it completes to fn, the
 * smallest first. After -ENOMEM some may have been passed.
 */
int audit_tree_grow(struct audit_tree *t, const struct audit_hash *leaf, audit_node_fn *fn,
                    void *arg) __attribute__((warn_unused_result));

/* Passes the peaks to fn, the largest first. */
void audit_tree_each_peak(const struct audit_tree *t, audit_node_fn *fn, void *arg);

/* Computes the tree's root; without leaves it is SHA-256 of nothing. Returns 0 or -ENOMEM. */
int audit_tree_root(const struct audit_tree *t, struct audit_hash *out)
    __attribute__((warn_unused_result));

#endif
