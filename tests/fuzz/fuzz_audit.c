/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The audit log's parsers. The first byte says which:
 *
 *   l  a log: lines, walked over as verifying does, without looking at signatures
 *   c  a checkpoint      k  a public key      p  a proof      b  base64
 *
 * Whatever is taken is, written again, the same bytes; whatever is not leaves the walk as it was.
 */
#include <string.h>

#include "audit/audit_note.h"
#include "audit/audit_proof.h"
#include "audit/audit_walk.h"
#include "tests/fuzz/fuzz.h"

#include "base/text/base64.h"

static const char page_key[] =
    "example.org/poemd+e39767c5+AdwkcwfcuVCFLbOJgdN3Nu/ey70svtzw2TYKPx5ajmiM";

static void check_line(const struct audit_head *h, const char *line, size_t n)
{
    char prev[AUDIT_PREV_SIZE + 1];
    char time[AUDIT_TIME_SIZE + 1] = "";
    char head[AUDIT_HEAD_MAX];
    size_t head_n;

    memcpy(prev, h->prev, AUDIT_PREV_SIZE);
    prev[AUDIT_PREV_SIZE] = '\0';
    if (h->time) {
        memcpy(time, h->time, AUDIT_TIME_SIZE);
        time[AUDIT_TIME_SIZE] = '\0';
    }
    head_n = audit_line_head(head, h->seq, h->time ? time : NULL, prev, h->event->name);
    FUZZ_REQUIRE(head_n < sizeof head && head_n + h->rest_n == n);
    FUZZ_REQUIRE(memcmp(head, line, head_n) == 0 && h->rest == line + head_n);
}

static void check_note(const struct audit_head *h, const char *line, size_t n)
{
    char again[AUDIT_HEAD_MAX + 2 * AUDIT_NOTE_MAX];
    char prev[AUDIT_PREV_SIZE + 1];
    char note[AUDIT_NOTE_MAX];

    if (h->time || !audit_line_note(h, note)) {
        return;
    }
    memcpy(prev, h->prev, AUDIT_PREV_SIZE);
    prev[AUDIT_PREV_SIZE] = '\0';
    FUZZ_REQUIRE(audit_line_checkpoint(again, h->seq, prev, note) == n);
    FUZZ_REQUIRE(memcmp(again, line, n) == 0);
}

static void fuzz_log(const char *p, size_t n)
{
    struct audit_walk w;
    bool first = true;

    audit_walk_init(&w, NULL, 0);
    while (n > 0) {
        const char *const end = memchr(p, '\n', n);
        const size_t line_n = end ? (size_t)(end - p) : n;
        const uint64_t size = w.tree.size;
        const uint64_t sealed = w.sealed;
        struct audit_tree rotated;
        char latest[AUDIT_TIME_SIZE + 1];
        struct audit_head head;
        enum audit_step s;

        if (audit_line_read(&head, p, line_n)) {
            check_line(&head, p, line_n);
            check_note(&head, p, line_n);
            if (audit_line_rotated(&head, &rotated, latest)) {
                FUZZ_REQUIRE(rotated.size == head.seq);
            }
        }
        s = audit_walk_line(&w, p, line_n, first, &head);
        if (s == AUDIT_STEP_OK) {
            FUZZ_REQUIRE(w.tree.size == head.seq + 1 && w.sealed <= w.tree.size);
        } else {
            FUZZ_REQUIRE(first || (w.tree.size == size && w.sealed == sealed));
            return;
        }
        first = false;
        p += end ? line_n + 1 : line_n;
        n -= end ? line_n + 1 : line_n;
    }
}

static void fuzz_key(const char *p, size_t n)
{
    char text[AUDIT_VKEY_MAX];
    struct audit_vkey k;

    if (audit_vkey_read(&k, p, n) == 0) {
        audit_vkey_write(&k, text);
        FUZZ_REQUIRE(strlen(text) + (p[n - 1] == '\n') == n && memcmp(text, p, strlen(text)) == 0);
    }
}

static void fuzz_checkpoint(const char *p, size_t n, const struct audit_vkey *key)
{
    struct audit_checkpoint c;
    const enum audit_note read = audit_checkpoint_read(&c, p, n, key);
    const enum audit_note parsed = audit_checkpoint_parse(&c, p, n);

    FUZZ_REQUIRE(read != AUDIT_NOTE_OK || strcmp(c.origin, key->name) == 0);
    FUZZ_REQUIRE(read != AUDIT_NOTE_OK || parsed == AUDIT_NOTE_OK);
}

static void fuzz_base64(const char *p, size_t n)
{
    static char text[BASE64_SIZE(4096) + 1];
    static char bytes[4096];
    const size_t whole = n / 4 * 3;

    for (size_t out = whole < 2 ? 0 : whole - 2; out <= whole && whole <= sizeof bytes; out++) {
        if (base64_read(p, n, bytes, out)) {
            base64_write(bytes, out, text);
            FUZZ_REQUIRE(strlen(text) == n && memcmp(text, p, n) == 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static struct audit_proof proof;
    struct audit_vkey key;
    const char *const text = (const char *)p + 1;

    FUZZ_REQUIRE(audit_vkey_read(&key, page_key, sizeof page_key - 1) == 0);
    if (n == 0) {
        return 0;
    }
    switch (p[0]) {
    case 'l':
        fuzz_log(text, n - 1);
        break;
    case 'c':
        fuzz_checkpoint(text, n - 1, &key);
        break;
    case 'k':
        fuzz_key(text, n - 1);
        break;
    case 'p':
        if (audit_proof_check(&proof, text, n - 1, &key) == AUDIT_PROOF_OK) {
            FUZZ_REQUIRE(proof.index < proof.checkpoint.size);
        }
        break;
    default:
        fuzz_base64(text, n - 1);
        break;
    }
    return 0;
}
