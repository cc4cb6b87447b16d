/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The report as text, CSV and HTML. All output goes through one of three escapes: a path must not
 * control a terminal, begin a formula in a spreadsheet, or become markup.
 */
#include "audit/report/audit_report.h"

#include <string.h>

#include "audit/report/audit_report_page.h"
#include "base/log.h"
#include "base/members.h"
#include "base/page.h"
#include "base/unconst.h"

static const char *audit_report_forms_text_of(const json_t *o, const char *key)
{
    const char *const s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static json_int_t audit_report_forms_number_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

/*
 * Writes the names in an object of counters to out (size bytes): "2 allow, 1 deny", or
 * "allow, deny" if not counted. Cut if too long.
 */
static const char *audit_report_forms_names(const json_t *names, bool counted, char *out,
                                            size_t size)
{
    const char *name;
    const json_t *n;
    size_t at = 0;

    out[0] = '\0';
    json_object_foreach(unconst_pointer(names), name, n)
    {
        char count[32] = "";
        int w;

        if (counted) {
            snprintf(count, sizeof count, "%" JSON_INTEGER_FORMAT " ", json_integer_value(n));
        }
        w = snprintf(out + at, size - at, "%s%s%s", at ? ", " : "", count, name);
        if (w < 0 || (size_t)w >= size - at) {
            break;
        }
        at += (size_t)w;
    }
    return out;
}

/* Describes ranges of the client's memory: "3 passed, 1 without; 4096 bytes passed", or "none". */
static const char *audit_report_forms_memory_of(const json_t *row, char *out, size_t size)
{
    const json_t *const memory = json_object_get(row, "memory");
    size_t at;

    if (json_object_size(memory) == 0) {
        snprintf(out, size, "none");
        return out;
    }
    at = strlen(audit_report_forms_names(memory, true, out, size));
    snprintf(out + at, size - at, "; %" JSON_INTEGER_FORMAT " bytes passed",
             audit_report_forms_number_of(row, "memory_passed_bytes"));
    return out;
}

static const char *audit_report_forms_verification(const json_t *report, char *out, size_t size)
{
    const json_t *const v = json_object_get(report, "verification");

    if (!json_is_object(v)) {
        return "not verified: no key was given";
    }
    snprintf(out, size, "%s: %s", audit_report_forms_text_of(v, "verdict"),
             audit_report_forms_text_of(v, "text"));
    return out;
}

/* Describes the gaps that the log itself records; "" if there are none. */
static const char *audit_report_forms_missing_of(const json_t *report, char *out, size_t size)
{
    const json_t *const repeated = json_object_get(report, "repeated_sessions");
    const json_int_t lost = audit_report_forms_number_of(report, "lost_records");
    const json_int_t gone = audit_report_forms_number_of(report, "accepted_losses");
    const json_int_t back = audit_report_forms_number_of(report, "clock_set_back");
    const json_int_t unattributed = audit_report_forms_number_of(report, "unattributed");
    char routes[512];

    out[0] = '\0';
    if (lost > 0) {
        snprintf(out, size, "%" JSON_INTEGER_FORMAT " records could not be written. ", lost);
    }
    if (gone > 0) {
        const size_t n = strlen(out);

        snprintf(out + n, size - n, "%" JSON_INTEGER_FORMAT " sealed records are gone. ", gone);
    }
    if (back > 0) {
        const size_t n = strlen(out);

        snprintf(out + n, size - n, "The clock was set back %" JSON_INTEGER_FORMAT " times. ",
                 back);
    }
    if (unattributed > 0) {
        const size_t n = strlen(out);

        snprintf(out + n, size - n,
                 "%" JSON_INTEGER_FORMAT " records of an older version attribute their taint (%s) "
                 "to neither party. ",
                 unattributed, audit_report_forms_text_of(report, "unattributed_taint"));
    }
    if (json_object_size(repeated) > 0) {
        const size_t n = strlen(out);

        snprintf(out + n, size - n, "Repeats without records of their own: %s.",
                 audit_report_forms_names(repeated, true, routes, sizeof routes));
    }
    return out;
}

static int audit_report_forms_written(FILE *f)
{
    return ferror(f) ? -1 : 0;
}

/* ---- a row ---- */

enum kind { KIND_TEXT, KIND_COUNTS, KIND_NAMES, KIND_NUMBER, KIND_MEMORY };

/* In the order of the CSV form, whose names of columns are the keys. */
static const struct column {
    const char *key; /* in a row of the report */
    enum kind kind;
    const char *label;   /* in the text form */
    const char *heading; /* in the page */
} columns[] = {
    {"path", KIND_TEXT, "Executable:", "Executable"},
    {"role", KIND_TEXT, "  as", "As"},
    {"sha256", KIND_TEXT, "  SHA-256", "SHA-256"},
    {"licences", KIND_COUNTS, "  licence", "Licence (evidence)"},
    {"verdicts", KIND_COUNTS, "  verdicts", "Verdicts"},
    {"taint", KIND_TEXT, "  taint", "Taint"},
    {"sessions", KIND_NUMBER, "  sessions", "Sessions"},
    {"routes", KIND_NAMES, "  routes", "Routes"},
    {"users", KIND_NAMES, "  users", "Users"},
    {"first_seen", KIND_TEXT, "  first seen", "First seen"},
    {"last_seen", KIND_TEXT, "  last seen", "Last seen"},
    {"memory", KIND_MEMORY, "  memory", "Memory"},
};

#define COLUMNS (sizeof columns / sizeof *columns)

static const struct column *audit_report_forms_column(const char *key)
{
    const struct column *c = columns;

    while (strcmp(c->key, key) != 0) {
        c++;
    }
    return c;
}

/* A cell of a row, into out unless it is a text of the row. */
static const char *audit_report_forms_cell(const json_t *row, const struct column *c,
                                           enum kind kind, char *out, size_t size)
{
    const json_t *const value = json_object_get(row, c->key);

    switch (kind) {
    case KIND_COUNTS:
    case KIND_NAMES:
        return audit_report_forms_names(value, kind == KIND_COUNTS, out, size);
    case KIND_NUMBER:
        snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return out;
    case KIND_MEMORY:
        return audit_report_forms_memory_of(row, out, size);
    case KIND_TEXT:
        break;
    }
    return audit_report_forms_text_of(row, c->key);
}

/* ---- text ---- */

static void audit_report_forms_put_text(FILE *f, const char *label, const char *text)
{
    char line[2048];

    fprintf(f, "%-13s%s\n", label, log_escape(line, sizeof line, text, strlen(text)));
}

/* Has its own order, and counts routes. */
static void audit_report_forms_put_text_row(FILE *f, const json_t *row)
{
    static const char *const keys[] = {"path",     "role",  "sha256",     "licences",
                                       "verdicts", "taint", "sessions",   "memory",
                                       "routes",   "users", "first_seen", "last_seen"};
    char text[2048];

    fprintf(f, "\n");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct column *const c = audit_report_forms_column(keys[i]);
        const enum kind kind = strcmp(c->key, "routes") == 0 ? KIND_COUNTS : c->kind;
        const char *const cell = audit_report_forms_cell(row, c, kind, text, sizeof text);

        audit_report_forms_put_text(f, c->label,
                                    strcmp(c->key, "taint") == 0 && !*cell ? "none" : cell);
    }
}

/* The sessions that need an eye: all that were not simply allowed, the newest first. */
static void audit_report_forms_put_sessions(FILE *f, const json_t *report)
{
    const json_t *const sessions = json_object_get(report, "sessions");

    for (size_t i = json_array_size(sessions); i-- > 0;) {
        const json_t *const s = json_array_get(sessions, i);

        if (strcmp(audit_report_forms_text_of(s, "verdict"), "allow") != 0) {
            fprintf(f, "\nRecord %" JSON_INTEGER_FORMAT ": %s\n",
                    audit_report_forms_number_of(s, "record"),
                    audit_report_forms_text_of(s, "text"));
        }
    }
}

int audit_report_text(const json_t *report, FILE *f)
{
    char text[2048];
    const json_t *row;
    size_t i;

    audit_report_forms_put_text(f,
                                "Log:", audit_report_forms_verification(report, text, sizeof text));
    audit_report_forms_put_text(f, "Since:", audit_report_forms_text_of(report, "since"));
    audit_report_forms_put_text(f, "Until:", audit_report_forms_text_of(report, "until"));
    audit_report_forms_put_text(
        f, "Host:",
        audit_report_forms_names(json_object_get(report, "hosts"), false, text, sizeof text));
    audit_report_forms_put_text(
        f, "poemd:",
        audit_report_forms_names(json_object_get(report, "versions"), false, text, sizeof text));
    audit_report_forms_put_text(
        f, "Records:",
        audit_report_forms_names(json_object_get(report, "events"), true, text, sizeof text));
    if (*audit_report_forms_missing_of(report, text, sizeof text)) {
        audit_report_forms_put_text(f, "Missing:", text);
    }
    json_array_foreach(json_object_get(report, "executables"), i, row)
    {
        audit_report_forms_put_text_row(f, row);
    }
    audit_report_forms_put_sessions(f, report);
    return audit_report_forms_written(f);
}

/* ---- CSV (RFC 4180) ---- */

static void audit_report_forms_put_cell(FILE *f, const char *text)
{
    /* Text that begins like a formula is marked as text, as spreadsheets would run it. */
    fprintf(f, "\"%s", strchr("=+-@\t\r", *text) && *text ? "'" : "");
    for (; *text; text++) {
        if (*text == '"') {
            fputc('"', f);
        }
        if ((unsigned char)*text >= 0x20 && *text != 0x7f) {
            fputc(*text, f);
        }
    }
    fputc('"', f);
}

static void audit_report_forms_put_csv_row(FILE *f, const json_t *row)
{
    char text[2048];

    for (size_t i = 0; i < COLUMNS; i++) {
        const struct column *const c = &columns[i];
        const char *const cell = audit_report_forms_cell(row, c, c->kind, text, sizeof text);

        if (c->kind == KIND_NUMBER) {
            fputs(cell, f);
        } else {
            audit_report_forms_put_cell(f, cell);
        }
        fputs(i + 1 < COLUMNS ? "," : "\r\n", f);
    }
}

int audit_report_csv(const json_t *report, FILE *f)
{
    const json_t *row;
    size_t i;

    for (size_t k = 0; k < COLUMNS; k++) {
        fprintf(f, "%s%s", columns[k].key, k + 1 < COLUMNS ? "," : "\r\n");
    }
    json_array_foreach(json_object_get(report, "executables"), i, row)
    {
        audit_report_forms_put_csv_row(f, row);
    }
    return audit_report_forms_written(f);
}

/* ---- HTML: audit_report_page.html, with its texts as JSON ---- */

static json_t *audit_report_forms_page_row(const json_t *row)
{
    const bool denied = json_object_get(json_object_get(row, "verdicts"), "deny") != NULL;
    json_t *cells[COLUMNS];
    char text[2048];

    for (size_t i = 0; i < COLUMNS; i++) {
        cells[i] = json_string(
            audit_report_forms_cell(row, &columns[i], columns[i].kind, text, sizeof text));
    }
    return members_object(
        (const struct member[]){{"denied", json_boolean(denied)},
                                {"taint", json_string(audit_report_forms_text_of(row, "taint"))},
                                {"cells", members_array(cells, COLUMNS)},
                                {NULL, NULL}});
}

static json_t *audit_report_forms_page_rows(const json_t *report)
{
    json_t *const rows = json_array();
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(report, "executables"), i, row)
    {
        if (json_array_append_new(rows, audit_report_forms_page_row(row)) < 0) {
            json_decref(rows);
            return NULL;
        }
    }
    return rows;
}

static json_t *audit_report_forms_page_columns(void)
{
    json_t *list[COLUMNS];

    for (size_t i = 0; i < COLUMNS; i++) {
        list[i] = json_pack("{s:s, s:s}", "name", columns[i].key, "heading", columns[i].heading);
    }
    return members_array(list, COLUMNS);
}

/* Returns the legend with the words of the report's own. */
static json_t *audit_report_forms_legend(const json_t *report, const json_t *legend)
{
    json_t *const all = json_copy(unconst_pointer(legend));

    if (json_object_set(all, "findings", json_object_get(report, "findings")) < 0) {
        json_decref(all);
        return NULL;
    }
    return all;
}

int audit_report_html(const json_t *report, const json_t *legend, FILE *f)
{
    static const char page[] = {AUDIT_REPORT_PAGE 0};
    char log[2048];
    char records[2048];
    char missing[2048];
    char hosts[2048];
    char versions[2048];
    json_t *const data = members_object((const struct member[]){
        {"log", json_string(audit_report_forms_verification(report, log, sizeof log))},
        {"since", json_string(audit_report_forms_text_of(report, "since"))},
        {"until", json_string(audit_report_forms_text_of(report, "until"))},
        {"records", json_string(audit_report_forms_names(json_object_get(report, "events"), true,
                                                         records, sizeof records))},
        {"missing", json_string(audit_report_forms_missing_of(report, missing, sizeof missing))},
        {"hosts", json_string(audit_report_forms_names(json_object_get(report, "hosts"), false,
                                                       hosts, sizeof hosts))},
        {"versions", json_string(audit_report_forms_names(json_object_get(report, "versions"),
                                                          false, versions, sizeof versions))},
        {"columns", audit_report_forms_page_columns()},
        {"rows", audit_report_forms_page_rows(report)},
        {"legend", audit_report_forms_legend(report, legend)},
        {"sessions", json_incref(json_object_get(report, "sessions"))},
        {"older_sessions", json_incref(json_object_get(report, "older_sessions"))},
        {"policies", json_incref(json_object_get(report, "policies"))},
        {NULL, NULL}});
    const int err = data ? page_write(page, data, f) : -1;

    json_decref(data);
    return err < 0 ? -1 : 0;
}
