/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Prints named values, for people and as JSON. Pure except for the buffer's memory. */
#include "trace/decode/printer.h"

#include <fcntl.h>
#include <stdlib.h>

#include "handshake/json.h"

#define DATA_TEXT 32u
#define DATA_VERBOSE 512u
#define DATA_JSON 4096u
#define LIST_TEXT 16u
#define LIST_JSON 1024u
#define JSON_NUMBER_MAX (UINT64_C(1) << 53)
#define STRING_TEXT 40u  /* longer strings are cut … */
#define STRING_SHORT 24u /* … after this many characters */

static void printer_separate(struct printer *p)
{
    if (p->first) {
        p->first = false;
    } else if (p->json) {
        strbuf_char(p->t, ',');
    } else {
        strbuf_put(p->t, ", ", 2);
    }
}

void printer_label(struct printer *p, const char *name)
{
    printer_separate(p);
    if (!name) {
        return;
    }
    if (p->json) {
        strbuf_char(p->t, '"');
        strbuf_str(p->t, name);
        strbuf_put(p->t, "\":", 2);
    } else {
        strbuf_str(p->t, name);
        strbuf_char(p->t, '=');
    }
}

static void printer_label_bare(struct printer *p, const char *name)
{
    printer_label(p, p->json ? name : NULL);
}

void printer_hex(struct printer *p, const char *name, uint64_t v)
{
    printer_label(p, name);
    if (p->json) {
        strbuf_char(p->t, '"');
        strbuf_hex(p->t, v);
        strbuf_char(p->t, '"');
    } else {
        strbuf_hex(p->t, v);
    }
}

/* Larger integers are strings in JSON, since many readers keep numbers in a double. */
static void printer_number(struct printer *p, uint64_t v)
{
    const bool quoted = p->json && v > JSON_NUMBER_MAX;

    if (quoted) {
        strbuf_char(p->t, '"');
    }
    strbuf_dec(p->t, v);
    if (quoted) {
        strbuf_char(p->t, '"');
    }
}

void printer_dec(struct printer *p, const char *name, uint64_t v)
{
    printer_label(p, name);
    printer_number(p, v);
}

void printer_true(struct printer *p, const char *name)
{
    printer_label(p, p->json ? name : NULL);
    strbuf_str(p->t, p->json ? "true" : name);
}

static void printer_word_or_number(struct printer *p, const char *word, uint64_t v)
{
    if (!word) {
        printer_number(p, v);
    } else if (p->json) {
        strbuf_char(p->t, '"');
        strbuf_str(p->t, word);
        strbuf_char(p->t, '"');
    } else {
        strbuf_str(p->t, word);
    }
}

void printer_word(struct printer *p, const char *name, const char *word, uint64_t v)
{
    printer_label(p, name);
    printer_word_or_number(p, word, v);
}

void printer_word_bare(struct printer *p, const char *name, const char *word, uint64_t v)
{
    printer_label_bare(p, name);
    printer_word_or_number(p, word, v);
}

static void printer_flags_json(struct printer *p, const struct wire_name *table, uint64_t v)
{
    const bool outer = p->first;

    strbuf_char(p->t, '[');
    p->first = true;
    for (; table->name; table++) {
        if (v & table->value) {
            printer_word(p, NULL, table->name, 0);
            v &= ~(uint64_t)table->value;
        }
    }
    if (v) {
        printer_hex(p, NULL, v);
    }
    strbuf_char(p->t, ']');
    p->first = outer;
}

void printer_flags(struct printer *p, const char *name, const struct wire_name *table, uint64_t v)
{
    bool any = false;

    printer_label_bare(p, name);
    if (p->json) {
        printer_flags_json(p, table, v);
        return;
    }
    for (; table->name; table++) {
        if (v & table->value) {
            if (any) {
                strbuf_char(p->t, '|');
            }
            strbuf_str(p->t, table->name);
            any = true;
            v &= ~(uint64_t)table->value;
        }
    }
    if (v || !any) {
        if (any) {
            strbuf_char(p->t, '|');
        } else if (!v) {
            strbuf_str(p->t, name);
            strbuf_char(p->t, '=');
        }
        strbuf_hex(p->t, v);
    }
}

void printer_text(struct printer *p, const char *name, const void *text, size_t n)
{
    printer_label(p, name);
    if (p->json) {
        strbuf_json(p->t, text, n);
    } else {
        strbuf_escape(p->t, text, n);
    }
}

/* Reads 1, 2, 4 or 8 bytes as a device's little-endian register. */
static uint64_t printer_little_endian(const uint8_t *data, size_t n)
{
    uint64_t v = 0;

    while (n > 0) {
        v = v << 8 | data[--n];
    }
    return v;
}

static bool printer_register_size(uint64_t n)
{
    return n == 1 || n == 2 || n == 4 || n == 8;
}

void printer_data(struct printer *p, const char *name, const uint8_t *data, size_t n,
                  uint64_t total)
{
    const size_t limit = p->json ? DATA_JSON : p->verbose ? DATA_VERBOSE : DATA_TEXT;
    const size_t shown = n < limit ? n : limit;

    if (p->json) {
        printer_label(p, name);
        strbuf_char(p->t, '"');
        strbuf_bytes(p->t, data, shown);
        strbuf_char(p->t, '"');
        if (printer_register_size(total) && n == total) {
            printer_hex(p, "value", printer_little_endian(data, n));
        }
        return;
    }
    printer_label_bare(p, name);
    if (printer_register_size(total) && n == total) {
        strbuf_hex_in(p->t, printer_little_endian(data, n), 2 * (unsigned)n);
        return;
    }
    if (shown > 0) {
        strbuf_bytes(p->t, data, shown);
        strbuf_str(p->t, shown < total ? "... (" : " (");
    }
    strbuf_dec(p->t, total);
    strbuf_str(p->t, total == 1 ? " byte" : " bytes");
    if (shown > 0) {
        strbuf_char(p->t, ')');
    }
}

static void printer_open_with(struct printer *p, const char *name, char c)
{
    printer_label(p, name);
    strbuf_char(p->t, c);
    p->first = true;
}

static void printer_close_with(struct printer *p, char c)
{
    strbuf_char(p->t, c);
    p->first = false;
}

void printer_open(struct printer *p, const char *name)
{
    printer_open_with(p, name, '{');
}

void printer_close(struct printer *p)
{
    printer_close_with(p, '}');
}

void printer_open_list(struct printer *p, const char *name)
{
    printer_open_with(p, name, '[');
}

void printer_close_list(struct printer *p)
{
    printer_close_with(p, ']');
}

uint32_t printer_list_max(const struct printer *p)
{
    return p->json || p->verbose ? LIST_JSON : LIST_TEXT;
}

void printer_more(struct printer *p, uint64_t more)
{
    if (more == 0) {
        return;
    }
    if (p->json) {
        printer_open(p, NULL);
        printer_dec(p, "more", more);
        printer_close(p);
        return;
    }
    printer_separate(p);
    strbuf_put(p->t, "... ", 4);
    strbuf_dec(p->t, more);
    strbuf_str(p->t, " more");
}

/* ---- JSON from the trace ---- */

/* Returns the end of the string that begins behind the quote at p: its closing quote, or n. */
static size_t printer_string_end(const uint8_t *p, size_t n)
{
    size_t i = 0;

    while (i < n && p[i] != '"') {
        i += p[i] == '\\' && i + 1 < n ? 2 : 1;
    }
    return i < n ? i : n;
}

static bool printer_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Prints a string; JSON's own escapes stay as they are, since both of their bytes are printable. */
static void printer_string_text(struct printer *p, const uint8_t *s, size_t n)
{
    while (n > 0) {
        size_t run = 0;

        while (run < n && s[run] != '\\') {
            run++;
        }
        strbuf_escape(p->t, s, run);
        s += run;
        n -= run;
        for (unsigned i = 0; i < 2 && n > 0 && *s >= 0x20 && *s < 0x7f; i++, s++, n--) {
            strbuf_char(p->t, (char)*s);
        }
    }
}

/* Prints a string value, or a name if a colon follows; returns the bytes read. */
static size_t printer_string_for_people(struct printer *p, const uint8_t *s, size_t n)
{
    const size_t end = printer_string_end(s + 1, n - 1);
    size_t after = 1 + end + (1 + end < n);
    size_t shown = end;

    while (after < n && printer_blank(s[after])) {
        after++;
    }
    if (after < n && s[after] == ':') {
        printer_string_text(p, s + 1, end);
        strbuf_char(p->t, '=');
        return after + 1;
    }
    if (end > STRING_TEXT && !p->verbose) {
        shown = 0;
        while (shown < STRING_SHORT) {
            shown += s[1 + shown] == '\\' ? 2 : 1;
        }
    }
    strbuf_char(p->t, '"');
    printer_string_text(p, s + 1, shown);
    strbuf_char(p->t, '"');
    if (shown < end) {
        strbuf_str(p->t, "... (");
        strbuf_dec(p->t, end);
        strbuf_str(p->t, " bytes)");
    }
    return after;
}

static void printer_json_for_people(struct printer *p, const uint8_t *s, size_t n)
{
    size_t i = 0;

    while (n > 0 && s[n - 1] == '\0') {
        n--;
    }
    while (i < n) {
        if (s[i] == '"') {
            i += printer_string_for_people(p, s + i, n - i);
        } else if (s[i] == ',') {
            strbuf_put(p->t, ", ", 2);
            i++;
        } else {
            if (!printer_blank(s[i])) {
                strbuf_escape(p->t, s + i, 1);
            }
            i++;
        }
    }
}

/* Escapes DEL, which jansson's ASCII output leaves as it is. */
static void printer_printable(struct strbuf *t, const char *s)
{
    size_t run;

    while (*s) {
        run = strcspn(s, "\x7f");
        strbuf_put(t, s, run);
        s += run;
        if (*s) {
            strbuf_str(t, "\\u007f");
            s++;
        }
    }
}

static void printer_json_for_programs(struct printer *p, const char *name, const void *s, size_t n)
{
    json_t *doc;
    const enum json_outcome o = json_read(s, n, &doc);
    char *const dump = o == JSON_OK ? json_text(doc, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    json_decref(doc);
    if (dump) {
        printer_label(p, name);
        printer_printable(p->t, dump);
        free(dump);
        return;
    }
    printer_text(p, name, s, n);
    printer_text(p, "wrong", json_outcome_text(o), strlen(json_outcome_text(o)));
}

void printer_json(struct printer *p, const char *name, const void *json, size_t n)
{
    if (p->json) {
        printer_json_for_programs(p, name, json, n);
        return;
    }
    printer_label_bare(p, name);
    printer_json_for_people(p, json, n);
}

/* ---- fds ---- */

static void printer_fd_json(struct printer *p, const struct trace_fd *fd)
{
    static const char *const access[] = {
        [O_RDONLY] = "read", [O_WRONLY] = "write", [O_RDWR] = "both"};

    printer_open(p, NULL);
    printer_word(p, "kind", names_fd_kind(fd->kind), fd->kind);
    printer_word(p, "access", fd->access <= O_RDWR ? access[fd->access] : NULL, fd->access);
    printer_dec(p, "device", fd->dev);
    printer_dec(p, "inode", fd->ino);
    printer_dec(p, "size", fd->size);
    printer_flags(p, "seals", name_seals, fd->seals);
    if (fd->flags & TRACE_FD_WITHHELD) {
        printer_true(p, "withheld");
    }
    printer_close(p);
}

static void printer_fd_text(struct printer *p, const struct trace_fd *fd)
{
    static const char *const access[] = {
        [O_RDONLY] = " read", [O_WRONLY] = " write", [O_RDWR] = ""};
    const char *kind = names_fd_kind(fd->kind);

    strbuf_str(p->t, kind ? kind : "fd");
    strbuf_char(p->t, ':');
    strbuf_dec(p->t, fd->ino);
    if (fd->size) {
        strbuf_char(p->t, ' ');
        strbuf_dec(p->t, fd->size);
        strbuf_str(p->t, " bytes");
    }
    strbuf_str(p->t, fd->access <= O_RDWR ? access[fd->access] : "");
    if (p->verbose && fd->seals) {
        strbuf_str(p->t, " sealed ");
        p->first = true;
        printer_flags(p, "seals", name_seals, fd->seals);
    }
    if (fd->flags & TRACE_FD_WITHHELD) {
        strbuf_str(p->t, " withheld");
    }
}

void printer_fds(struct printer *p, const struct trace_message *m)
{
    const uint32_t max = printer_list_max(p);

    if (m->n_fds == 0) {
        return;
    }
    if (!p->json && m->n_fds == 1) {
        printer_label(p, "fd");
        printer_fd_text(p, &m->fds[0]);
        return;
    }
    printer_open_list(p, "fds");
    for (uint32_t i = 0; i < m->n_fds && i < max; i++) {
        if (p->json) {
            printer_fd_json(p, &m->fds[i]);
        } else {
            printer_separate(p);
            printer_fd_text(p, &m->fds[i]);
            p->first = false;
        }
    }
    printer_more(p, m->n_fds > max ? m->n_fds - max : 0);
    printer_close_list(p);
}
