/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The report as text, CSV and HTML. All output goes through one of three escapes: a path must not
 * control a terminal, begin a formula in a spreadsheet, or become markup.
 */
#include "audit/audit_report.h"

#include <string.h>

#include "base/log.h"

static const char *audit_report_forms_text_of(const json_t *o, const char *key)
{
    const char *const s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static json_int_t audit_report_forms_number_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

/* Writes "2 allow, 1 deny" to out (size bytes), cut if too long. */
static const char *audit_report_forms_counts(const json_t *names, char *out, size_t size)
{
    const char *name;
    const json_t *n;
    size_t at = 0;

    out[0] = '\0';
    json_object_foreach((json_t *)names, name, n)
    {
        const int w = snprintf(out + at, size - at, "%s%" JSON_INTEGER_FORMAT " %s", at ? ", " : "",
                               json_integer_value(n), name);

        if (w < 0 || (size_t)w >= size - at) {
            break;
        }
        at += (size_t)w;
    }
    return out;
}

/* Writes the names without counts: "a, b". */
static const char *audit_report_forms_names_of(const json_t *names, char *out, size_t size)
{
    const char *name;
    const json_t *n;
    size_t at = 0;

    out[0] = '\0';
    json_object_foreach((json_t *)names, name, n)
    {
        const int w = snprintf(out + at, size - at, "%s%s", at ? ", " : "", name);

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
    at = strlen(audit_report_forms_counts(memory, out, size));
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
    if (json_object_size(repeated) > 0) {
        const size_t n = strlen(out);

        snprintf(out + n, size - n, "Repeats without records of their own: %s.",
                 audit_report_forms_counts(repeated, routes, sizeof routes));
    }
    return out;
}

static int audit_report_forms_written(FILE *f)
{
    return ferror(f) ? -1 : 0;
}

/* ---- text ---- */

static void audit_report_forms_put_text(FILE *f, const char *label, const char *text)
{
    char line[2048];

    fprintf(f, "%-13s%s\n", label, log_escape(line, sizeof line, text, strlen(text)));
}

int audit_report_text(const json_t *report, FILE *f)
{
    const json_t *const rows = json_object_get(report, "executables");
    char text[2048];
    const json_t *row;
    size_t i;

    audit_report_forms_put_text(f,
                                "Log:", audit_report_forms_verification(report, text, sizeof text));
    audit_report_forms_put_text(f, "Since:", audit_report_forms_text_of(report, "since"));
    audit_report_forms_put_text(f, "Until:", audit_report_forms_text_of(report, "until"));
    audit_report_forms_put_text(
        f, "Records:",
        audit_report_forms_counts(json_object_get(report, "events"), text, sizeof text));
    if (*audit_report_forms_missing_of(report, text, sizeof text)) {
        audit_report_forms_put_text(f, "Missing:", text);
    }
    json_array_foreach(rows, i, row)
    {
        fprintf(f, "\n");
        audit_report_forms_put_text(f, "Executable:", audit_report_forms_text_of(row, "path"));
        audit_report_forms_put_text(f, "  as", audit_report_forms_text_of(row, "role"));
        audit_report_forms_put_text(f, "  SHA-256", audit_report_forms_text_of(row, "sha256"));
        audit_report_forms_put_text(
            f, "  licence",
            audit_report_forms_counts(json_object_get(row, "licences"), text, sizeof text));
        audit_report_forms_put_text(
            f, "  verdicts",
            audit_report_forms_counts(json_object_get(row, "verdicts"), text, sizeof text));
        audit_report_forms_put_text(f, "  taint",
                                    audit_report_forms_text_of(row, "taint")[0]
                                        ? audit_report_forms_text_of(row, "taint")
                                        : "none");
        fprintf(f, "%-13s%" JSON_INTEGER_FORMAT "\n", "  sessions",
                audit_report_forms_number_of(row, "sessions"));
        audit_report_forms_put_text(f, "  memory",
                                    audit_report_forms_memory_of(row, text, sizeof text));
        audit_report_forms_put_text(
            f, "  routes",
            audit_report_forms_counts(json_object_get(row, "routes"), text, sizeof text));
        audit_report_forms_put_text(
            f, "  users",
            audit_report_forms_names_of(json_object_get(row, "users"), text, sizeof text));
        audit_report_forms_put_text(f, "  first seen",
                                    audit_report_forms_text_of(row, "first_seen"));
        audit_report_forms_put_text(f, "  last seen", audit_report_forms_text_of(row, "last_seen"));
    }
    return audit_report_forms_written(f);
}

/* ---- CSV (RFC 4180) ---- */

static void audit_report_forms_put_cell(FILE *f, const char *text, const char *end)
{
    /* A cell that begins like a formula is marked as text, since spreadsheets would run it. */
    fprintf(f, "\"%s", strchr("=+-@\t\r", *text) && *text ? "'" : "");
    for (; *text; text++) {
        if (*text == '"') {
            fputc('"', f);
        }
        if ((unsigned char)*text >= 0x20 && *text != 0x7f) {
            fputc(*text, f);
        }
    }
    fprintf(f, "\"%s", end);
}

int audit_report_csv(const json_t *report, FILE *f)
{
    const json_t *const rows = json_object_get(report, "executables");
    char text[2048];
    const json_t *row;
    size_t i;

    fprintf(f, "path,role,sha256,licences,verdicts,taint,sessions,routes,users,first_seen,"
               "last_seen,memory\r\n");
    json_array_foreach(rows, i, row)
    {
        audit_report_forms_put_cell(f, audit_report_forms_text_of(row, "path"), ",");
        audit_report_forms_put_cell(f, audit_report_forms_text_of(row, "role"), ",");
        audit_report_forms_put_cell(f, audit_report_forms_text_of(row, "sha256"), ",");
        audit_report_forms_put_cell(
            f, audit_report_forms_counts(json_object_get(row, "licences"), text, sizeof text), ",");
        audit_report_forms_put_cell(
            f, audit_report_forms_counts(json_object_get(row, "verdicts"), text, sizeof text), ",");
        audit_report_forms_put_cell(f, audit_report_forms_text_of(row, "taint"), ",");
        fprintf(f, "%" JSON_INTEGER_FORMAT ",", audit_report_forms_number_of(row, "sessions"));
        audit_report_forms_put_cell(
            f, audit_report_forms_names_of(json_object_get(row, "routes"), text, sizeof text), ",");
        audit_report_forms_put_cell(
            f, audit_report_forms_names_of(json_object_get(row, "users"), text, sizeof text), ",");
        audit_report_forms_put_cell(f, audit_report_forms_text_of(row, "first_seen"), ",");
        audit_report_forms_put_cell(f, audit_report_forms_text_of(row, "last_seen"), ",");
        audit_report_forms_put_cell(f, audit_report_forms_memory_of(row, text, sizeof text),
                                    "\r\n");
    }
    return audit_report_forms_written(f);
}

/* ---- HTML: one page, no external resources, no scripts ---- */

static void audit_report_forms_put_html(FILE *f, const char *text)
{
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c == 0x7f || strchr("<>&\"'", c)) {
            fprintf(f, "&#%u;", c < 0x20 || c == 0x7f ? 0xfffdu : c);
        } else {
            fputc(c, f);
        }
    }
}

static void audit_report_forms_put_td(FILE *f, const char *class, const char *text)
{
    fprintf(f, "<td%s%s%s>", class[0] ? " class=\"" : "", class, class[0] ? "\"" : "");
    audit_report_forms_put_html(f, text);
    fprintf(f, "</td>");
}

static void audit_report_forms_put_row(FILE *f, const json_t *row)
{
    const char *const taint = audit_report_forms_text_of(row, "taint");
    const bool refused = json_object_get(json_object_get(row, "verdicts"), "deny") != NULL;
    char text[2048];

    fprintf(f, "<tr%s>", refused ? " class=\"deny\"" : taint[0] ? " class=\"taint\"" : "");
    audit_report_forms_put_td(f, "", audit_report_forms_text_of(row, "path"));
    audit_report_forms_put_td(f, "", audit_report_forms_text_of(row, "role"));
    audit_report_forms_put_td(
        f, "", audit_report_forms_counts(json_object_get(row, "licences"), text, sizeof text));
    audit_report_forms_put_td(
        f, "", audit_report_forms_counts(json_object_get(row, "verdicts"), text, sizeof text));
    audit_report_forms_put_td(f, "", taint);
    snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT,
             audit_report_forms_number_of(row, "sessions"));
    audit_report_forms_put_td(f, "n", text);
    audit_report_forms_put_td(
        f, "", audit_report_forms_names_of(json_object_get(row, "routes"), text, sizeof text));
    audit_report_forms_put_td(
        f, "", audit_report_forms_names_of(json_object_get(row, "users"), text, sizeof text));
    audit_report_forms_put_td(f, "", audit_report_forms_text_of(row, "first_seen"));
    audit_report_forms_put_td(f, "", audit_report_forms_text_of(row, "last_seen"));
    audit_report_forms_put_td(f, "", audit_report_forms_memory_of(row, text, sizeof text));
    audit_report_forms_put_td(f, "d", audit_report_forms_text_of(row, "sha256"));
    fprintf(f, "</tr>\n");
}

static const char html_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" "
    "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    "<title>poemd: audit report</title>\n<style>\n"
    "body{font:15px/1.4 sans-serif;margin:2em;color:#222}\n"
    "table{border-collapse:collapse}th,td{border:1px solid #bbb;padding:.3em .6em;"
    "text-align:left;vertical-align:top}\n"
    "th{background:#eee}td.n{text-align:right}td.d{font:11px monospace;word-break:break-all}\n"
    "tr.deny{background:#fbe3e0}tr.taint{background:#fdf4d3}\n"
    "</style></head><body>\n<h1>Audit report</h1>\n";

int audit_report_html(const json_t *report, FILE *f)
{
    const json_t *const rows = json_object_get(report, "executables");
    char text[2048];
    const json_t *row;
    size_t i;

    fprintf(f, "%s<p><b>Log:</b> ", html_head);
    audit_report_forms_put_html(f, audit_report_forms_verification(report, text, sizeof text));
    fprintf(f, "</p>\n<p><b>From</b> ");
    audit_report_forms_put_html(f, audit_report_forms_text_of(report, "since"));
    fprintf(f, " <b>to</b> ");
    audit_report_forms_put_html(f, audit_report_forms_text_of(report, "until"));
    fprintf(f, ": ");
    audit_report_forms_put_html(
        f, audit_report_forms_counts(json_object_get(report, "events"), text, sizeof text));
    fprintf(f, "</p>\n<p>");
    audit_report_forms_put_html(f, audit_report_forms_missing_of(report, text, sizeof text));
    fprintf(f, "</p>\n<table><thead><tr><th>Executable</th><th>As</th><th>Licence (evidence)</th>"
               "<th>Verdicts</th><th>Taint</th><th>Sessions</th><th>Routes</th><th>Users</th>"
               "<th>First seen</th><th>Last "
               "seen</th><th>Memory</th><th>SHA-256</th></tr></thead><tbody>\n");
    json_array_foreach(rows, i, row)
    {
        audit_report_forms_put_row(f, row);
    }
    fprintf(f, "</tbody></table>\n</body></html>\n");
    return audit_report_forms_written(f);
}
