/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The Merkle tree: roots that other implementations publish for the same leaves, and for many sizes
 * what the definitions of RFC 9162 give when they are followed word by word.
 */
#include "audit/audit_tree.h"

#include <stdio.h>
#include <string.h>

#include "audit/audit_proof.h"
#include "tests/support/unit.h"

static const char *hex(const struct audit_hash *h)
{
    static char text[65];

    for (size_t i = 0; i < sizeof h->b; i++) {
        snprintf(text + 2 * i, 3, "%02x", h->b[i]);
    }
    return text;
}

/* ---- published vectors: the eight leaves of Certificate Transparency's reference tree ---- */

static const struct {
    size_t n;
    const char *bytes;
    const char *root; /* of the tree with all leaves up to this one */
} published[] = {
    {0, "", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {1, "\x00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {1, "\x10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {2, "\x20\x21", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {2, "\x30\x31", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {4, "\x40\x41\x42\x43", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {8, "\x50\x51\x52\x53\x54\x55\x56\x57",
     "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {16, "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
     "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

START_TEST(published_roots)
{
    struct audit_tree t;
    struct audit_hash h;

    audit_tree_init(&t);
    ck_assert_int_eq(audit_tree_root(&t, &h), 0);
    ck_assert_str_eq(hex(&h), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        ck_assert_int_eq(audit_hash_leaf(published[i].bytes, published[i].n, &h), 0);
        ck_assert_int_eq(audit_tree_add(&t, &h), 0);
        ck_assert_int_eq(audit_tree_root(&t, &h), 0);
        ck_assert_str_eq(hex(&h), published[i].root);
        ck_assert_uint_eq(t.size, i + 1);
    }
}
END_TEST

/* ---- the definitions ---- */

#define LEAVES 130

static struct audit_hash leaves[LEAVES];

static void make_leaves(void)
{
    for (unsigned i = 0; i < LEAVES; i++) {
        ck_assert_int_eq(audit_hash_leaf(&i, sizeof i, &leaves[i]), 0);
    }
}

/* MTH(D[n]), section 2.1.1. */
static struct audit_hash root_of(size_t from, size_t n)
{
    struct audit_hash left;
    struct audit_hash right;
    size_t k = 1;

    if (n == 1) {
        return leaves[from];
    }
    while (2 * k < n) {
        k *= 2;
    }
    left = root_of(from, k);
    right = root_of(from + k, n - k);
    ck_assert_int_eq(audit_hash_node(&left, &right, &left), 0);
    return left;
}

/* PATH(m, D[n]), section 2.1.3.1. Returns its length. */
static unsigned path_of(size_t m, size_t from, size_t n, struct audit_hash *out)
{
    unsigned length;
    size_t k = 1;

    if (n == 1) {
        return 0;
    }
    while (2 * k < n) {
        k *= 2;
    }
    if (m < k) {
        length = path_of(m, from, k, out);
        out[length] = root_of(from + k, n - k);
    } else {
        length = path_of(m - k, from + k, n - k, out);
        out[length] = root_of(from, k);
    }
    return length + 1;
}

START_TEST(every_root_is_the_definition_s)
{
    struct audit_hash expected;
    struct audit_tree again;
    struct audit_hash root;
    struct audit_tree t;

    make_leaves();
    audit_tree_init(&t);
    for (size_t n = 1; n <= LEAVES; n++) {
        ck_assert_int_eq(audit_tree_add(&t, &leaves[n - 1]), 0);
        ck_assert_int_eq(audit_tree_root(&t, &root), 0);
        expected = root_of(0, n);
        ck_assert(audit_hash_same(&root, &expected));
        /* A tree can be set up from its peaks, and no other number of them. */
        ck_assert(audit_tree_set(&again, t.size, t.peak, t.peaks));
        ck_assert_int_eq(audit_tree_root(&again, &root), 0);
        ck_assert(audit_hash_same(&root, &expected));
        ck_assert(!audit_tree_set(&again, t.size, t.peak, t.peaks + 1));
        ck_assert(!audit_tree_set(&again, t.size, t.peak, t.peaks - 1));
    }
}
END_TEST

START_TEST(every_path_leads_to_the_root_and_no_other_does)
{
    make_leaves();
    for (size_t n = 1; n <= 66; n++) {
        const struct audit_hash expected = root_of(0, n);

        for (size_t m = 0; m < n; m++) {
            struct audit_hash path[AUDIT_PEAKS];
            struct audit_hash root;
            const unsigned length = path_of(m, 0, n, path);

            ck_assert_int_eq(audit_proof_root(&leaves[m], m, n, path, length, &root), 0);
            ck_assert(audit_hash_same(&root, &expected));
            /* Too short, too long. */
            if (length > 0) {
                ck_assert_int_ne(audit_proof_root(&leaves[m], m, n, path, length - 1, &root), 0);
            }
            path[length] = expected;
            ck_assert_int_ne(audit_proof_root(&leaves[m], m, n, path, length + 1, &root), 0);
            /* Another leaf, another place: another root, or none. */
            ck_assert_int_eq(audit_proof_root(&leaves[n], m, n, path, length, &root), 0);
            ck_assert(!audit_hash_same(&root, &expected));
            for (size_t other = 0; other < n; other++) {
                if (other != m &&
                    audit_proof_root(&leaves[m], other, n, path, length, &root) == 0) {
                    ck_assert(!audit_hash_same(&root, &expected));
                }
            }
            ck_assert_int_ne(audit_proof_root(&leaves[m], n, n, path, length, &root), 0);
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("audit_tree");
    TCase *tc = unit_case(s, "tree");

    tcase_add_test(tc, published_roots);
    tcase_add_test(tc, every_root_is_the_definition_s);
    tcase_add_test(tc, every_path_leads_to_the_root_and_no_other_does);
    return unit_run(s);
}
