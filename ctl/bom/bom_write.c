/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Joins members and elements. Names are literals of this program, without escapes. */
#include "ctl/bom/bom_write.h"

void bom_write_init(struct bom_write *w, FILE *f)
{
    *w = (struct bom_write){.f = f, .join = "{\n"};
}

static void bom_write_text(struct bom_write *w, const char *text)
{
    w->failed = w->failed || fputs(text, w->f) < 0;
}

static void bom_write_value(struct bom_write *w, json_t *value)
{
    w->failed = w->failed || !value ||
                json_dumpf(value, w->f, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY) < 0;
    json_decref(value);
}

static void bom_write_name(struct bom_write *w, const char *name)
{
    bom_write_text(w, w->join);
    bom_write_text(w, " \"");
    bom_write_text(w, name);
    bom_write_text(w, "\": ");
    w->join = ",\n";
}

void bom_write_member(struct bom_write *w, const char *name, json_t *value)
{
    bom_write_name(w, name);
    bom_write_value(w, value);
}

void bom_write_list(struct bom_write *w, const char *name)
{
    bom_write_name(w, name);
    bom_write_text(w, "[");
    w->join_element = "\n  ";
}

void bom_write_element(struct bom_write *w, json_t *value)
{
    bom_write_text(w, w->join_element);
    bom_write_value(w, value);
    w->join_element = ",\n  ";
}

void bom_write_list_end(struct bom_write *w)
{
    bom_write_text(w, "]");
}

int bom_write_end(struct bom_write *w)
{
    bom_write_text(w, "\n}\n");
    return w->failed || fflush(w->f) != 0 ? -1 : 0;
}
