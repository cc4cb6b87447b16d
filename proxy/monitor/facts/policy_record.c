/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Splits the configuration's text into lines, and these into records. */
#include "proxy/monitor/facts/policy_record.h"

#include <string.h>

#include "audit/audit_line.h"
#include "base/text/hex.h"
#include "base/members.h"
#include "proxy/config/preset.h"

/* The rest of a text; at the end p is NULL. */
struct lines {
    const char *p;
    size_t n;
};

/* Takes the next line. The text after the last line feed is a line, too, be it empty. */
static json_t *policy_record_take_line(struct lines *l)
{
    const char *const from = l->p;
    const char *const end = memchr(from, '\n', l->n);
    const size_t n = end ? (size_t)(end - from) : l->n;
    json_t *line = json_stringn(from, n);

    l->p = end ? end + 1 : NULL;
    l->n -= end ? n + 1 : n;
    return line ? line : audit_text(from, n);
}

/* Takes lines of about "most" bytes, at least one. Returns NULL if out of memory. */
static json_t *policy_record_take(struct lines *l, size_t most)
{
    json_t *const list = json_array();
    const size_t had = l->n;

    do {
        if (json_array_append_new(list, policy_record_take_line(l)) < 0) {
            json_decref(list);
            return NULL;
        }
    } while (l->p && had - l->n < most);
    return list;
}

/* Returns the presets that routes use, each with its lines and the number of the first one. */
static json_t *policy_record_presets(const struct config *c)
{
    json_t *const presets = json_object();

    for (size_t i = 0; i < c->n_routes; i++) {
        const struct preset *p;
        struct lines l;

        if (c->routes[i].preset == PRESET_NONE) {
            continue;
        }
        p = preset_get(c->routes[i].preset);
        l = (struct lines){p->text, p->n};
        if (!json_object_get(presets, p->name) &&
            json_object_set_new(presets, p->name,
                                json_pack("{s:i, s:o}", "from", (int)p->first_line, "lines",
                                          policy_record_take(&l, p->n + 1))) < 0) {
            json_decref(presets);
            return NULL;
        }
    }
    return presets;
}

static size_t policy_record_count(const struct lines *l)
{
    size_t n = 1;

    for (size_t i = 0; i < l->n; i++) {
        n += l->p[i] == '\n';
    }
    return n;
}

void policy_record_write(struct audit_writer *w, const struct config *c)
{
    struct lines l = {c->text, c->text_size};
    char digest[2 * CONFIG_DIGEST_SIZE + 1];
    const size_t total = c->text ? policy_record_count(&l) : 0;
    size_t at = 1;
    bool queued = true;

    if (!c->from_file || !c->text || !audit_writer_on(w)) {
        return;
    }
    hex_text(c->digest, sizeof c->digest, digest);
    while (l.p && queued) {
        json_t *const part = policy_record_take(&l, POLICY_RECORD_PART);
        const size_t n = json_array_size(part);

        queued = audit_writer_note(
            w, "config",
            members_object((const struct member[]){
                {"sha256", json_string(digest)},
                {"from", members_number(at)},
                {"lines", part},
                {"lines-total", members_number(total)},
                {"presets", at == 1 ? policy_record_presets(c) : &members_omitted},
                {NULL, NULL}}));
        at += n;
    }
}
