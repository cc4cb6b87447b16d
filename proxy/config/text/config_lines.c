/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#include "proxy/config/text/config_lines.h"

#include <string.h>

static void config_lines_add_word(struct config_line *out, const struct lex_token *t)
{
    if (out->n < CONFIG_LINES_WORDS) {
        out->at[out->n] = t->at;
        memcpy(out->words[out->n], t->text, t->n + 1);
    }
    out->n++;
}

bool config_lines_next(struct lex *l, struct config_line *out)
{
    const struct lex before = *l;
    struct lex_token t;
    size_t tokens = 0;

    out->n = 0;
    out->fault = out->opens = out->closes = false;
    for (lex_next(l, &t); t.kind != LEX_NEWLINE; lex_next(l, &t)) {
        switch (t.kind) {
        case LEX_END:
            return false;
        case LEX_WORD:
            config_lines_add_word(out, &t);
            break;
        case LEX_OPEN:
            out->opens = true;
            break;
        case LEX_CLOSE:
            out->closes = out->closes || !out->opens;
            break;
        default:
            out->fault = true;
            out->opens = out->opens || t.fault_opens;
        }
        tokens++;
    }
    out->alone = tokens == 1;
    out->lex = before;
    out->start = l->line_start;
    out->end = l->line_end + (l->line_end < l->n);
    return true;
}
