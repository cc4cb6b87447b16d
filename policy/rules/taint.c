/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Taint letters and their meanings. Pure. */
#include <string.h>

#include "policy/rules/rules.h"

static const struct {
    char letter;
    const char *meaning;
} letters[TAINT_COUNT] = {
    {'P', "proprietary: the licence states of itself that it is not free"},
    {'U', "unknown licence: there is no evidence of one, or it cannot be judged"},
    {'E', "unsigned evidence only: the peer's or its maker's word, or less than the rule requires"},
    {'O', "operator override: an assigned licence or \"permissive until\" decided"},
    {'I', "identity: a party was accepted that no \"allow\" rule names"},
    {'R', "no recital: one was demanded and is missing"},
    {'H', "handed on: the socket was used by a process other than the one that was judged"},
    {'M', "observation, not a fault: mapped memory or an eventfd was passed, which no proxy sees"},
    {'V', "inherited: a broker reports that a server behind it falls short"},
    {'D', "DMA outside of mapped memory was attempted"},
    {'A', "unaudited: the audit log could not be written"},
    {'X', "executable: a party executes a file other than the one that was judged"},
    {'C', "incompatible: the licence does not meet the rule, and does not state to be proprietary"},
    {'F', "fault: the broker delayed, changed or left out a message on purpose (\"inject\")"},
};

char taint_letter(unsigned i)
{
    return i < TAINT_COUNT ? letters[i].letter : '?';
}

const char *taint_meaning(unsigned i)
{
    return i < TAINT_COUNT ? letters[i].meaning : "?";
}

const char *taint_text(uint32_t taint, char out[TAINT_COUNT + 1])
{
    size_t n = 0;

    for (unsigned i = 0; i < TAINT_COUNT; i++) {
        if (taint & (1u << i)) {
            out[n++] = letters[i].letter;
        }
    }
    if (n == 0) {
        out[n++] = '-';
    }
    out[n] = '\0';
    return out;
}

bool taint_read(const char *text, uint32_t *taint, char *bad)
{
    uint32_t bits = 0;

    *bad = '\0';
    if (strcmp(text, "-") == 0) {
        *taint = 0;
        return true;
    }
    for (const char *c = text; *c; c++) {
        unsigned i = 0;

        while (i < TAINT_COUNT && letters[i].letter != *c) {
            i++;
        }
        if (i == TAINT_COUNT) {
            *bad = *c;
            return false;
        }
        bits |= 1u << i;
    }
    if (*text == '\0') {
        return false;
    }
    *taint = bits;
    return true;
}
