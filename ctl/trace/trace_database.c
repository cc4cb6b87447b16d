/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Fills the tables: messages as they are read, findings as they are made, sessions at the end. */
#define _GNU_SOURCE
#include "ctl/trace/trace_database.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/poemctl.h"
#include "ctl/trace_schema.h"
#include "ctl/trace/trace_sessions.h"
#include "ctl/trace/trace_source.h"
#include "trace/decode/access.h"
#include "trace/decode/decode.h"
#include "trace/decode/names.h"
#include "trace/lint/lint.h"

#define FORMAT "poemd-trace-sqlite/1"

static const char trace_database_schema[] = {TRACE_SCHEMA '\0'};

static const char insert_trace[] = "INSERT INTO trace VALUES (?,?,?,?)";
static const char insert_session[] = "INSERT INTO session VALUES (?,?,?,?,?,?,?,?,?)";
static const char insert_message[] =
    "INSERT INTO message VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
static const char insert_pair[] = "INSERT OR IGNORE INTO pair VALUES (?,?,?,?)";
static const char insert_finding[] = "INSERT INTO finding VALUES (?,?,?,?,?,?,?,?,?,?)";

struct database {
    const char *action;
    const char *out;
    struct trace_source source;
    sqlite3 *db;
    sqlite3_stmt *message;
    sqlite3_stmt *pair;
    sqlite3_stmt *finding;
    struct trace_pairs *pairs;
    struct lint *lint;
    struct trace_sessions sessions; /* their user pointers belong to the lint */
    struct decode_scratch scratch;
    struct strbuf fields;
    uint64_t messages; /* the last one's id */
    bool failed;       /* reported */
};

/* A row in the making. */
struct row {
    sqlite3_stmt *statement;
    int column;
};

/* ---- rows ---- */

static void database_fail(struct database *d)
{
    if (!d->failed) {
        (void)poemctl_could_not(d->action, d->out, sqlite3_errmsg(d->db));
        d->failed = true;
    }
}

/* Above 2^63 - 1, which sqlite does not have, it becomes negative. */
static void database_number(struct row *r, uint64_t v)
{
    (void)sqlite3_bind_int64(r->statement, ++r->column, (sqlite3_int64)v);
}

static void database_null(struct row *r)
{
    (void)sqlite3_bind_null(r->statement, ++r->column);
}

/* The bytes are borrowed until the row is added; NULL or none at all: NULL. */
static void database_bytes(struct row *r, const char *p, size_t n)
{
    if (p && n > 0) {
        (void)sqlite3_bind_text64(r->statement, ++r->column, p, n, SQLITE_STATIC, SQLITE_UTF8);
    } else {
        database_null(r);
    }
}

static void database_text(struct row *r, const char *text)
{
    database_bytes(r, text, text ? strlen(text) : 0);
}

static void database_number_if(struct row *r, bool known, uint64_t v)
{
    if (known) {
        database_number(r, v);
    } else {
        database_null(r);
    }
}

static void database_add(struct database *d, const struct row *r)
{
    if (sqlite3_step(r->statement) != SQLITE_DONE) {
        database_fail(d);
    }
    (void)sqlite3_reset(r->statement);
}

static sqlite3_stmt *database_prepare(struct database *d, const char *text)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(d->db, text, -1, &statement, NULL) != SQLITE_OK) {
        database_fail(d);
    }
    return statement;
}

/* ---- messages ---- */

static const char *database_type(const struct wire_hdr *hdr)
{
    switch (hdr->flags & WIRE_TYPE_MASK) {
    case WIRE_TYPE_COMMAND:
        return "request";
    case WIRE_TYPE_REPLY:
        return "reply";
    default:
        return NULL;
    }
}

/* Adds the columns of what the message was seen as. */
static void database_put_capture(struct row *r, const struct trace_message *m)
{
    static const char *const legs[] = {
        [TRACE_LEG_CLIENT] = "client", [TRACE_LEG_BACKEND] = "backend", [TRACE_LEGS] = NULL};

    database_number(r, m->number);
    database_number(r, m->read_ns);
    database_number(r, m->passed_ns);
    database_number(r, m->waited_ns);
    database_text(r, side_name(m->sender));
    database_text(r, legs[m->legs & TRACE_LEGS]);
    database_number(r, (m->flags & TRACE_TWIN) != 0);
    database_number(r, (m->flags & TRACE_BROKER) != 0);
    database_number(r, (m->flags & TRACE_UNDELIVERED) != 0);
    database_number(r, m->lost);
    database_number(r, m->size);
    database_number(r, m->missing);
    database_number(r, m->n_fds);
}

/* Adds the columns of its header. name has room for a command's. */
static void database_put_header(struct row *r, const struct decode_view *v, char name[static 16])
{
    const char *error = NULL;

    if (!v->has_hdr) {
        for (int i = 0; i < 5; i++) {
            database_null(r);
        }
        return;
    }
    if (v->hdr.flags & WIRE_ERROR) {
        error = names_errno(v->hdr.error);
        error = error ? error : "unknown";
    }
    database_number(r, v->hdr.id);
    database_text(r, decode_command(v->hdr.command, name));
    database_text(r, database_type(&v->hdr));
    database_number(r, (v->hdr.flags & WIRE_NO_REPLY) != 0);
    database_text(r, error);
}

static void database_put_access(struct row *r, const struct trace_message *m)
{
    struct access a = {.kind = ACCESS_NONE};
    const bool any = access_read(m, &a) && a.kind != ACCESS_NONE;
    const bool region = any && a.kind == ACCESS_REGION;

    database_number_if(r, region, a.region);
    database_number_if(r, region && a.count > 0, a.offset);
    database_number_if(r, any && !region, a.offset);
    database_number_if(r, any && a.count > 0, a.count);
}

/* Makes the object of the decoded fields; request is NULL unless it is known. */
static void database_decode(struct database *d, const struct decode_view *v,
                            const struct trace_request *request)
{
    struct printer p = {.t = &d->fields, .json = true, .verbose = true, .first = true};

    strbuf_clear(&d->fields);
    if (!v->has_hdr || (v->hdr.flags & WIRE_ERROR)) {
        return;
    }
    printer_open(&p, NULL);
    if (v->reply) {
        decode_reply(&p, v, request, NULL);
    } else {
        decode_request(&p, v, NULL);
    }
    printer_close(&p);
}

static void database_add_pair(struct database *d, const struct trace_message *m,
                              const struct trace_request *request)
{
    struct row r = {.statement = d->pair};

    database_number(&r, request->tag);
    database_number(&r, d->messages);
    database_number(&r, trace_latency(request, m));
    database_number(&r, request->broker_ns + trace_message_broker_ns(m));
    database_add(d, &r);
}

static void database_add_message(const struct trace_session *session, const struct trace_message *m,
                                 const char *comment, void *arg)
{
    struct database *const d = arg;
    struct row r = {.statement = d->message};
    struct trace_request request;
    struct decode_view v;
    char name[16];
    bool paired;

    paired = trace_pairs_feed(d->pairs, session, m, ++d->messages, &request) == TRACE_PAIR_REPLY;
    decode_open(&v, m, &d->scratch);
    database_decode(d, &v, paired ? &request : NULL);
    database_number(&r, d->messages);
    database_number(&r, session->index);
    database_put_capture(&r, m);
    database_put_header(&r, &v, name);
    database_put_access(&r, m);
    database_bytes(&r, d->fields.p, d->fields.n);
    database_text(&r, comment);
    (void)sqlite3_bind_blob64(r.statement, ++r.column, m->data, m->kept, SQLITE_STATIC);
    database_add(d, &r);
    if (paired) {
        database_add_pair(d, m, &request);
    }
}

/* ---- findings and sessions ---- */

static void database_add_finding(const struct lint_finding *f, void *arg)
{
    struct database *const d = arg;
    const struct lint_rule *const rule = lint_rule(f->code);
    struct row r = {.statement = d->finding};

    database_number(&r, f->session->index);
    database_number_if(&r, f->number > 0, f->number);
    database_text(&r, lint_level_name(f->level));
    database_text(&r, rule->name);
    database_text(&r, side_name(f->party));
    database_text(&r, rule->text);
    database_text(&r, f->detail);
    database_text(&r, f->effect);
    database_text(&r, f->section);
    database_number(&r, f->more);
    database_add(d, &r);
}

static void database_add_session(struct database *d, sqlite3_stmt *statement,
                                 const struct trace_session *s)
{
    struct row r = {.statement = statement};

    database_number(&r, s->index);
    database_number(&r, s->number);
    (void)sqlite3_bind_text(statement, ++r.column, s->route, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, ++r.column, s->name, -1, SQLITE_STATIC);
    database_text(&r, s->comment);
    database_number(&r, s->seen);
    database_number(&r, s->lost);
    database_number_if(&r, s->ended_ns > 0, s->ended_ns);
    database_text(&r, s->ending);
    database_add(d, &r);
}

/* Adds what is known at the end. */
static void database_finish(struct database *d, const char *filter)
{
    sqlite3_stmt *const sessions = database_prepare(d, insert_session);
    sqlite3_stmt *const trace = database_prepare(d, insert_trace);
    struct row r = {.statement = trace};

    for (size_t i = 0; i < d->sessions.n && sessions; i++) {
        database_add_session(d, sessions, d->sessions.session[i]);
    }
    if (trace) {
        database_text(&r, FORMAT);
        (void)sqlite3_bind_text(trace, ++r.column, d->source.path, -1, SQLITE_STATIC);
        database_text(&r, filter);
        database_text(&r, d->source.broken);
        database_add(d, &r);
    }
    (void)sqlite3_finalize(sessions);
    (void)sqlite3_finalize(trace);
}

/* ---- the whole ---- */

static enum trace_outcome database_read(struct database *d)
{
    enum trace_outcome outcome = TRACE_FAILED;
    struct trace_item item;

    while (!d->failed &&
           (outcome = trace_reader_next(d->source.reader, &item)) <= TRACE_STATISTICS) {
        if (outcome == TRACE_SESSION) {
            if (!trace_sessions_add(&d->sessions, item.session) ||
                !lint_session(d->lint, item.session, trace_reader_section(d->source.reader))) {
                return TRACE_FAILED;
            }
        } else if (outcome == TRACE_STATISTICS) {
            lint_statistics(d->lint, item.session);
        } else {
            lint_message(d->lint, item.session, &item.message);
            if (d->source.filter) {
                filter_feed(d->source.filter, item.session, &item.message, item.comment,
                            database_add_message, d);
            } else {
                database_add_message(item.session, &item.message, item.comment, d);
            }
        }
    }
    return d->failed ? TRACE_FAILED : outcome;
}

static int database_fill(struct database *d, const char *filter)
{
    enum trace_outcome outcome;
    int code;

    d->message = database_prepare(d, insert_message);
    d->pair = database_prepare(d, insert_pair);
    d->finding = database_prepare(d, insert_finding);
    d->pairs = trace_pairs_new();
    d->lint = lint_new(PROFILE_QEMU, database_add_finding, d);
    if (!d->failed && (!d->pairs || !d->lint)) {
        return poemctl_could_not(d->action, d->out, "out of memory");
    }
    if (d->failed) {
        return POEMCTL_COULD_NOT;
    }
    outcome = database_read(d);
    lint_end(d->lint);
    for (size_t i = 0; i < d->sessions.n; i++) {
        lint_forget(d->lint, d->sessions.session[i]);
    }
    code = d->failed ? POEMCTL_COULD_NOT : trace_source_ended(&d->source, outcome);
    database_finish(d, filter);
    return d->failed ? POEMCTL_COULD_NOT : code;
}

/* Creates the file, since sqlite would write into one that exists. Returns false after an error. */
static bool database_open(struct database *d)
{
    const int fd = open(d->out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    char *path = NULL;

    if (fd < 0) {
        (void)poemctl_could_not(d->action, d->out,
                                errno == EEXIST ? "this file exists: choose another one"
                                                : strerror(errno));
        return false;
    }
    close(fd);
    /* To sqlite, ":memory:" and "file:..." are other places than files of these names. */
    if (asprintf(&path, "%s%s", d->out[0] == '/' ? "" : "./", d->out) < 0) {
        (void)poemctl_could_not(d->action, d->out, "out of memory");
        return false;
    }
    if (sqlite3_open_v2(path, &d->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_exec(d->db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN", NULL, NULL,
                     NULL) != SQLITE_OK ||
        sqlite3_exec(d->db, trace_database_schema, NULL, NULL, NULL) != SQLITE_OK) {
        database_fail(d);
    }
    free(path);
    return !d->failed;
}

int trace_database_write(const char *action, const char *file, const char *filter, const char *out)
{
    struct database d = {.action = action, .out = out};
    int code = trace_source_open(&d.source, action, file, filter);

    if (code == POEMCTL_YES) {
        code = database_open(&d) ? database_fill(&d, filter) : POEMCTL_COULD_NOT;
    }
    lint_free(d.lint);
    trace_pairs_free(d.pairs);
    decode_scratch_deinit(&d.scratch);
    strbuf_deinit(&d.fields);
    trace_sessions_deinit(&d.sessions);
    (void)sqlite3_finalize(d.message);
    (void)sqlite3_finalize(d.pair);
    (void)sqlite3_finalize(d.finding);
    if (d.db && !d.failed && sqlite3_exec(d.db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        database_fail(&d);
        code = POEMCTL_COULD_NOT;
    }
    (void)sqlite3_close(d.db);
    trace_source_close(&d.source);
    return code;
}
