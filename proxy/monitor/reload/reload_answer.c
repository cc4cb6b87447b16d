/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Makes the parts of a reload's answer. */
#include "proxy/monitor/reload/reload_answer.h"

#include <string.h>

#include "audit/audit_line.h"
#include "base/members.h"
#include "proxy/config/config_difference.h"
#include "proxy/config/config_where.h"
#include "proxy/config/options.h"

void reload_answer_add(struct reload *r, const char *name, json_t *value)
{
    if (json_array_append_new(r->parts, json_pack("{s:o}", name, value)) < 0) {
        /* An answer with a gap would mislead. */
        json_decref(r->parts);
        r->parts = NULL;
    }
}

static json_t *reload_answer_digest(const char *digest)
{
    return members_text(*digest ? digest : NULL);
}

void reload_answer_begin(struct reload *r, const char *outcome, const char *why,
                         const struct generation *old, const char *new_digest)
{
    const char *const file = options_file(r->subject.options);

    r->parts = json_array();
    reload_answer_add(r, "reload",
                      members_object((const struct member[]){
                          {"outcome", json_string(outcome)},
                          {"file", file ? audit_text(file, strlen(file)) : json_null()},
                          {"old", reload_answer_digest(old->digest)},
                          {"new", reload_answer_digest(new_digest)},
                          {"why", members_text(why)},
                          {NULL, NULL}}));
}

void reload_answer_faults(struct reload *r, const struct reload_job *j)
{
    const json_t *text;
    size_t i;

    for (i = 0; i < j->errors.n; i++) {
        const struct config_error *const e = &j->errors.error[i];

        reload_answer_add(r, "error",
                          json_pack("{s:s*,s:i,s:i,s:s,s:s}", "file", *e->file ? e->file : NULL,
                                    "line", (int)config_where_line(e->at.line), "column",
                                    (int)e->at.column, "text", e->text, "hint", e->hint));
    }
    if (j->errors.total > j->errors.n) {
        reload_answer_add(r, "errors", json_integer((json_int_t)j->errors.total));
    }
    json_array_foreach(j->warnings, i, text)
    {
        reload_answer_add(r, "warning", json_string(json_string_value(text)));
    }
}

struct reload_answer_difference {
    struct reload *reload;
    const char *route; /* of the object under construction; NULL: the file's */
    json_t *words;     /* NULL: no object is under construction */
};

static void reload_answer_end_words(struct reload_answer_difference *d)
{
    if (d->words) {
        reload_answer_add(
            d->reload, "difference",
            json_pack("{s:s?,s:s,s:o}", "route", d->route, "change", "changed", "words", d->words));
        d->words = NULL;
    }
}

static void reload_answer_on_difference(const struct config_difference *d, void *arg)
{
    struct reload_answer_difference *const a = arg;
    char word[64];

    if (d->kind != CONFIG_DIFFERENCE_WORD) {
        reload_answer_end_words(a);
        reload_answer_add(a->reload, "difference",
                          json_pack("{s:s,s:s,s:[]}", "route", d->route, "change",
                                    d->kind == CONFIG_DIFFERENCE_ADDED ? "added" : "gone",
                                    "words"));
        return;
    }
    /* Differences of one route follow each other. */
    if (a->words && a->route != d->route) {
        reload_answer_end_words(a);
    }
    if (!a->words) {
        a->words = json_array();
        a->route = d->route;
    }
    (void)json_array_append_new(a->words, json_string(config_difference_word(d->word, word)));
}

void reload_answer_differences(struct reload *r, const struct config *before,
                               const struct config *after)
{
    struct reload_answer_difference d = {.reload = r};

    config_differences(before, after, reload_answer_on_difference, &d);
    reload_answer_end_words(&d);
}
