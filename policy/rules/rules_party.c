/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Compares a party with the one that a rule names, and formats its facts. Pure. */
#include "policy/rules/rules_judge.h"

#include <stdio.h>
#include <string.h>

#include "base/text/hex.h"
#include "base/log.h"

/* The peer's fact that each kind of rule checks. */
static const enum peer_fact fact_of[RULES_FACTS] = {
    [RULES_USER] = PEER_UID,      [RULES_GROUP] = PEER_GID,   [RULES_EXE] = PEER_EXE_PATH,
    [RULES_DIGEST] = PEER_EXE_ID, [RULES_LABEL] = PEER_LABEL, [RULES_UNIT] = PEER_UNIT,
    [RULES_VM] = PEER_VM,
};

/* Before a digest of fs-verity, as in the lists of IMA. */
static const char verity_mark[] = "verity:";

bool rules_is_verity(const char *digest)
{
    return strncmp(digest, verity_mark, sizeof verity_mark - 1) == 0;
}

bool rules_is_digest(const char *text)
{
    return rules_is_verity(text)
               ? peer_verity_is_text(text + sizeof verity_mark - 1)
               : strlen(text) == 64 && text[strspn(text, "0123456789abcdef")] == '\0';
}

static bool rules_party_has_digest(const struct rules_known *k)
{
    return k->inspection && k->inspection->outcome == INSPECTION_OK;
}

static bool rules_party_in_groups(const struct peer *p, gid_t id)
{
    if (peer_knows(p, PEER_GID) && p->gid == id) {
        return true;
    }
    for (unsigned i = 0; peer_knows(p, PEER_GROUPS) && i < p->n_groups; i++) {
        if (p->groups[i] == id) {
            return true;
        }
    }
    return false;
}

static bool rules_party_is_digest(const struct rules_known *k, const char *text)
{
    char verity[PEER_VERITY_TEXT_SIZE];
    char digest[2 * INSPECTION_SHA256_SIZE + 1];

    if (rules_is_verity(text)) {
        return strcmp(peer_verity_text(&k->peer->exe.verity, verity),
                      text + sizeof verity_mark - 1) == 0;
    }
    return rules_party_has_digest(k) &&
           strcmp(hex_text(k->inspection->sha256, INSPECTION_SHA256_SIZE, digest), text) == 0;
}

bool rules_is_named(const struct rules_known *k, enum rules_fact fact, uid_t id, const char *text)
{
    const struct peer *p = k->peer;

    switch (fact) {
    case RULES_USER:
        return peer_knows(p, PEER_UID) && p->uid == id;
    case RULES_GROUP:
        return rules_party_in_groups(p, id);
    case RULES_EXE:
        /* A path of another mount table, or of a deleted file, proves nothing. */
        return peer_knows(p, PEER_EXE_PATH) && p->exe.path_ours && !p->exe.deleted &&
               strcmp(p->exe.path, text) == 0;
    case RULES_DIGEST:
        return rules_party_is_digest(k, text);
    case RULES_LABEL:
        return peer_knows(p, PEER_LABEL) && strcmp(p->label, text) == 0;
    case RULES_UNIT:
        return peer_knows(p, PEER_UNIT) && strcmp(p->unit, text) == 0;
    case RULES_VM:
        return peer_knows(p, PEER_VM) && strcmp(p->vm, text) == 0;
    case RULES_FACTS:
        break;
    }
    return true;
}

static void rules_party_show_digest(const struct rules_known *k, char *out, size_t size)
{
    char verity[PEER_VERITY_TEXT_SIZE];
    char digest[2 * INSPECTION_SHA256_SIZE + 1];
    size_t n;

    if (rules_party_has_digest(k)) {
        n = (size_t)snprintf(out, size, "%s",
                             hex_text(k->inspection->sha256, INSPECTION_SHA256_SIZE, digest));
    } else {
        n = (size_t)snprintf(out, size, "unknown: %s",
                             k->inspection ? inspection_text(k->inspection->outcome)
                                           : "not inspected");
    }
    if (k->peer->exe.verity.size > 0 && n < size) {
        snprintf(out + n, size - n, ", %s%s", verity_mark,
                 peer_verity_text(&k->peer->exe.verity, verity));
    }
}

static void rules_party_show_group(const struct peer *p, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "%u", (unsigned)p->gid);

    for (unsigned i = 0; peer_knows(p, PEER_GROUPS) && i < p->n_groups && n < size; i++) {
        if (p->groups[i] != p->gid) {
            n += (size_t)snprintf(out + n, size - n, " %u", (unsigned)p->groups[i]);
        }
    }
}

static void rules_party_show_exe(const struct peer_exe *exe, char *out, size_t size)
{
    char path[128];

    log_escape(path, sizeof path, exe->path, strlen(exe->path));
    snprintf(out, size, "%s%s", path,
             exe->deleted     ? ", which has been removed or replaced"
             : exe->path_ours ? ""
                              : ", as seen from another mount namespace");
}

void rules_show_fact(const struct rules_known *k, enum rules_fact fact, char *out, size_t size)
{
    const struct peer *p = k->peer;
    const char *text = fact == RULES_LABEL ? p->label : fact == RULES_VM ? p->vm : p->unit;

    if (fact == RULES_DIGEST) {
        rules_party_show_digest(k, out, size);
    } else if (!peer_knows(p, fact_of[fact])) {
        peer_why(p, fact_of[fact], out, size);
    } else if (fact == RULES_USER) {
        snprintf(out, size, "%u", (unsigned)p->uid);
    } else if (fact == RULES_GROUP) {
        rules_party_show_group(p, out, size);
    } else if (fact == RULES_EXE) {
        rules_party_show_exe(&p->exe, out, size);
    } else {
        log_escape(out, size, text, strlen(text));
    }
}
