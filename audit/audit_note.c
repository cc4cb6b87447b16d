/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Keys and checkpoints as text. Uses no files, no clock and no log. */
#include "audit/audit_note.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text/base64.h"
#include "base/text/hex.h"

#define ED25519 1 /* the algorithm's number in signed-note */

/* A line with a signature begins with an em dash and a blank. */
#define DASH "\xe2\x80\x94 "
#define DASH_SIZE 4u

/* ---- keys ---- */

bool audit_name_ok(const char *name, size_t n)
{
    if (n == 0 || n > AUDIT_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const char c = name[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == ':' || c == '/' || c == '-')) {
            return false;
        }
    }
    return true;
}

int audit_vkey_make(struct audit_vkey *k, const char *name, const uint8_t public_key[32])
{
    char hashed[AUDIT_NAME_MAX + 3 + AUDIT_PUBLIC_SIZE];
    uint8_t md[EVP_MAX_MD_SIZE];
    size_t n;

    if (!audit_name_ok(name, strlen(name))) {
        return -EINVAL;
    }
    snprintf(k->name, sizeof k->name, "%s", name);
    memcpy(k->public_key, public_key, AUDIT_PUBLIC_SIZE);
    n = (size_t)snprintf(hashed, sizeof hashed, "%s\n%c", name, ED25519);
    memcpy(hashed + n, public_key, AUDIT_PUBLIC_SIZE);
    if (EVP_Digest(hashed, n + AUDIT_PUBLIC_SIZE, md, NULL, EVP_sha256(), NULL) != 1) {
        return -ENOMEM;
    }
    memcpy(k->id, md, sizeof k->id);
    return 0;
}

int audit_vkey_read(struct audit_vkey *k, const char *text, size_t n)
{
    const char *const plus = memchr(text, '+', n);
    char name[AUDIT_NAME_MAX + 1];
    uint8_t bytes[1 + AUDIT_PUBLIC_SIZE];
    char id[9];
    size_t name_n;
    int r;

    if (n > 0 && text[n - 1] == '\n') {
        n--;
    }
    name_n = plus ? (size_t)(plus - text) : 0;
    if (!plus || !audit_name_ok(text, name_n) || n < name_n + 10 || plus[9] != '+' ||
        !base64_read(plus + 10, n - name_n - 10, bytes, sizeof bytes) || bytes[0] != ED25519) {
        return -EINVAL;
    }
    memcpy(name, text, name_n);
    name[name_n] = '\0';
    r = audit_vkey_make(k, name, bytes + 1);
    if (r < 0) {
        return r;
    }
    (void)hex_text(k->id, sizeof k->id, id);
    return memcmp(id, plus + 1, 8) == 0 ? 0 : -EINVAL;
}

void audit_vkey_write(const struct audit_vkey *k, char out[AUDIT_VKEY_MAX])
{
    char encoded[BASE64_SIZE(1 + AUDIT_PUBLIC_SIZE) + 1];
    uint8_t bytes[1 + AUDIT_PUBLIC_SIZE] = {ED25519};
    char id[9];

    memcpy(bytes + 1, k->public_key, AUDIT_PUBLIC_SIZE);
    base64_write(bytes, sizeof bytes, encoded);
    (void)hex_text(k->id, sizeof k->id, id);
    snprintf(out, AUDIT_VKEY_MAX, "%s+%s+%s", k->name, id, encoded);
}

/* ---- reading checkpoints ---- */

/* A piece of text. */
struct span {
    const char *p;
    size_t n;
};

/* Takes the next line of the text, without its newline, which must be present. */
static bool audit_note_take_line(struct span *text, struct span *line)
{
    const char *const end = memchr(text->p, '\n', text->n);

    if (!end) {
        return false;
    }
    *line = (struct span){text->p, (size_t)(end - text->p)};
    text->p = end + 1;
    text->n -= line->n + 1;
    return true;
}

static bool audit_note_read_size(const struct span *s, uint64_t *out)
{
    uint64_t v = 0;

    if (s->n == 0 || s->n > 20 || (s->n > 1 && s->p[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < s->n; i++) {
        const unsigned d = (unsigned)(s->p[i] - '0');

        if (d > 9 || __builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, d, &v)) {
            return false;
        }
    }
    *out = v;
    return true;
}

/*
 * Splits a note at its last empty line into the signed body, including its newline, and signatures.
 */
static bool audit_note_split_note(const char *text, size_t n, struct span *body,
                                  struct span *signatures)
{
    for (size_t i = 0; i < n; i++) {
        if ((uint8_t)text[i] < 0x20 && text[i] != '\n') {
            return false;
        }
    }
    for (size_t i = n; i >= 2; i--) {
        if (text[i - 1] == '\n' && text[i - 2] == '\n') {
            *body = (struct span){text, i - 1};
            *signatures = (struct span){text + i, n - i};
            return signatures->n > 0;
        }
    }
    return false;
}

static bool audit_note_read_body(struct audit_checkpoint *c, struct span body)
{
    struct span line;

    if (!audit_note_take_line(&body, &line) || !audit_name_ok(line.p, line.n)) {
        return false;
    }
    memcpy(c->origin, line.p, line.n);
    c->origin[line.n] = '\0';
    if (!audit_note_take_line(&body, &line) || !audit_note_read_size(&line, &c->size) ||
        !audit_note_take_line(&body, &line) ||
        !base64_read(line.p, line.n, c->root.b, sizeof c->root.b)) {
        return false;
    }
    while (body.n > 0) {
        if (!audit_note_take_line(&body, &line) || line.n == 0) {
            return false;
        }
    }
    return true;
}

/* Splits "— NAME BASE64". Only for our own key is the content of the base64 known. */
static bool audit_note_split_signature(const struct span *line, struct span *name,
                                       struct span *encoded)
{
    const char *blank;

    if (line->n < DASH_SIZE || memcmp(line->p, DASH, DASH_SIZE) != 0) {
        return false;
    }
    *name = (struct span){line->p + DASH_SIZE, line->n - DASH_SIZE};
    blank = memchr(name->p, ' ', name->n);
    if (!blank || blank == name->p) {
        return false;
    }
    *encoded = (struct span){blank + 1, name->n - (size_t)(blank + 1 - name->p)};
    name->n = (size_t)(blank - name->p);
    return encoded->n > 0 && !memchr(encoded->p, ' ', encoded->n);
}

static enum audit_note audit_note_verify(const struct span *body, const uint8_t *signature,
                                         const struct audit_vkey *key)
{
    EVP_PKEY *const pkey =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->public_key, AUDIT_PUBLIC_SIZE);
    EVP_MD_CTX *const ctx = EVP_MD_CTX_new();
    enum audit_note o = AUDIT_NOTE_NO_MEMORY;

    if (pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1) {
        o = EVP_DigestVerify(ctx, signature, AUDIT_SIGNATURE_SIZE, (const uint8_t *)body->p,
                             body->n) == 1
                ? AUDIT_NOTE_OK
                : AUDIT_NOTE_FORGED;
    }
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return o;
}

/* Checks one signature. Returns OTHER_KEY if a different key made it. */
static enum audit_note audit_note_read_signature(const struct span *line, const struct span *body,
                                                 const struct audit_vkey *key)
{
    uint8_t bytes[4 + AUDIT_SIGNATURE_SIZE];
    struct span name;
    struct span encoded;

    if (!audit_note_split_signature(line, &name, &encoded)) {
        return AUDIT_NOTE_MALFORMED;
    }
    if (!key || name.n != strlen(key->name) || memcmp(name.p, key->name, name.n) != 0 ||
        !base64_read(encoded.p, encoded.n, bytes, sizeof bytes) ||
        memcmp(bytes, key->id, sizeof key->id) != 0) {
        return AUDIT_NOTE_OTHER_KEY;
    }
    return audit_note_verify(body, bytes + 4, key);
}

static enum audit_note audit_note_read_note(struct audit_checkpoint *c, const char *text, size_t n,
                                            const struct audit_vkey *key)
{
    enum audit_note o = AUDIT_NOTE_OTHER_KEY;
    struct span signatures;
    struct span body;
    struct span line;

    if (n > AUDIT_NOTE_FOREIGN_MAX || !audit_note_split_note(text, n, &body, &signatures) ||
        !audit_note_read_body(c, body)) {
        return AUDIT_NOTE_MALFORMED;
    }
    while (signatures.n > 0) {
        enum audit_note found;

        if (!audit_note_take_line(&signatures, &line)) {
            return AUDIT_NOTE_MALFORMED;
        }
        found = audit_note_read_signature(&line, &body, key);
        if (found != AUDIT_NOTE_OTHER_KEY && found != AUDIT_NOTE_OK) {
            return found;
        }
        if (found == AUDIT_NOTE_OK) {
            o = AUDIT_NOTE_OK;
        }
    }
    return o;
}

enum audit_note audit_checkpoint_read(struct audit_checkpoint *c, const char *text, size_t n,
                                      const struct audit_vkey *key)
{
    const enum audit_note o = audit_note_read_note(c, text, n, key);

    return o == AUDIT_NOTE_OK && strcmp(c->origin, key->name) != 0 ? AUDIT_NOTE_OTHER_KEY : o;
}

enum audit_note audit_checkpoint_parse(struct audit_checkpoint *c, const char *text, size_t n)
{
    const enum audit_note o = audit_note_read_note(c, text, n, NULL);

    return o == AUDIT_NOTE_OTHER_KEY ? AUDIT_NOTE_OK : o;
}

/* ---- writing checkpoints ---- */

static bool audit_note_sign(EVP_PKEY *pkey, const char *body, size_t n, uint8_t *out)
{
    EVP_MD_CTX *const ctx = EVP_MD_CTX_new();
    size_t size = AUDIT_SIGNATURE_SIZE;
    const bool ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                    EVP_DigestSign(ctx, out, &size, (const uint8_t *)body, n) == 1;

    EVP_MD_CTX_free(ctx);
    return ok && size == AUDIT_SIGNATURE_SIZE;
}

int audit_checkpoint_write(const struct audit_tree *t, const struct audit_vkey *key,
                           EVP_PKEY *private_key, char out[AUDIT_NOTE_MAX])
{
    char encoded[BASE64_SIZE(4 + AUDIT_SIGNATURE_SIZE) + 1];
    uint8_t bytes[4 + AUDIT_SIGNATURE_SIZE];
    struct audit_hash root;
    int n;

    if (audit_tree_root(t, &root) < 0) {
        return -ENOMEM;
    }
    base64_write(root.b, sizeof root.b, encoded);
    n = snprintf(out, AUDIT_NOTE_MAX, "%s\n%" PRIu64 "\n%s\n", key->name, t->size, encoded);
    memcpy(bytes, key->id, sizeof key->id);
    if (!audit_note_sign(private_key, out, (size_t)n, bytes + 4)) {
        return -ENOMEM;
    }
    base64_write(bytes, sizeof bytes, encoded);
    return n +
           snprintf(out + n, AUDIT_NOTE_MAX - (size_t)n, "\n" DASH "%s %s\n", key->name, encoded);
}
