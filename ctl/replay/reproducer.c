/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Writes a session as a program: the fixed part, the tables of fields and messages, the end. */
#define _GNU_SOURCE
#include "ctl/replay/reproducer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire/wire_command.h"
#include "ctl/poemctl.h"
#include "ctl/replay/replay.h"
#include "ctl/reproducer_c.h"
#include "ctl/reproducer_python.h"
#include "ctl/reproducer_types.h"
#include "trace/decode/decode.h"

/* Bytes of payload on a line. */
#define ROW 32u

/* Longest pause of the client, however long it was silent, as in trace replay. */
#define REPRODUCER_PAUSE_NS UINT64_C(1000000000)

static const char reproducer_c[] = {REPRODUCER_TYPES REPRODUCER_C '\0'};
static const char reproducer_python[] = {REPRODUCER_PYTHON '\0'};

/* The words that differ between the languages. */
struct grammar {
    const char *comment, *comment_end;
    const char *fields, *fields_open,
        *fields_end; /* of a command; its code is before fields_open */
    const char *field, *field_end;
    const char *message, *message_end;
    const char *yes, *no;
    const char *no_files, *files, *files_end;
    bool counts_files; /* their number follows them */
    const char *tables, *session, *end;
};

static const struct grammar grammars[] = {
    [REPRODUCER_IN_C] =
        {
            .comment = "/* ",
            .comment_end = " */",
            .fields = "    {",
            .fields_open = ", {",
            .fields_end = "}},\n",
            .field = "{",
            .field_end = "}",
            .message = "{",
            .message_end = "},\n",
            .yes = "true",
            .no = "false",
            .no_files = "NULL, 0",
            .files = "(const struct file[]){",
            .files_end = "}, ",
            .counts_files = true,
            .tables = "\nstatic const struct fields command_fields[] = {\n",
            .session =
                "    {0, {{0, 0, NULL}}},\n};\n\nstatic const struct message recorded[] = {\n",
            .end = "};\n\nint main(int argc, char **argv)\n{\n    return playback_main(recorded, "
                   "sizeof recorded / sizeof *recorded, command_fields, argc, argv);\n}\n",
        },
    [REPRODUCER_IN_PYTHON] =
        {
            .comment = "# ",
            .comment_end = "",
            .fields = "    ",
            .fields_open = ": [",
            .fields_end = "],\n",
            .field = "(",
            .field_end = ")",
            .message = "Message(",
            .message_end = "),\n",
            .yes = "True",
            .no = "False",
            .no_files = "()",
            .files = "(",
            .files_end = ",)",
            .tables = "\n\nFIELDS = {\n",
            .session = "}\n\nSESSION = [\n",
            .end = "]\n\nif __name__ == \"__main__\":\n    sys.exit(main(SESSION, FIELDS, "
                   "sys.argv))\n",
        },
};

/* ---- the head ---- */

/* Prints n characters from a trace; in C, they must not end the comment. */
static void reproducer_print_text(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        putchar(p[i]);
        if (i + 1 < n && ((p[i] == '*' && p[i + 1] == '/') || (p[i] == '/' && p[i + 1] == '*'))) {
            putchar(' ');
        }
    }
}

static bool reproducer_leaves_out(const struct replay_message *m)
{
    return (m->flags & TRACE_UNDELIVERED) != 0 && !replay_whole(m);
}

/* Lists the messages of the device that can be compared only in part. */
static void reproducer_print_head(const struct replay_reading *in, const struct grammar *g)
{
    const struct replay_script *const s = &in->script;
    char name[64];

    printf("%sSession %" PRIu64 "%s", g->comment, in->session, in->route[0] ? " of " : "");
    reproducer_print_text(in->route, strlen(in->route));
    printf(" of a trace, made by \"poemctl trace export --test\".%s\n", g->comment_end);
    printf("%susage: PROGRAM SOCKET, at which the device listens%s\n", g->comment, g->comment_end);
    printf("%sexit status: 0 same, 1 differs, 2 usage, 3 the device is gone%s\n", g->comment,
           g->comment_end);
    for (size_t i = 0; i < s->n; i++) {
        const struct replay_message *const m = &s->messages[i];

        if (reproducer_leaves_out(m)) {
            printf("%sleft out, since it was not sent whole: %s%s\n", g->comment,
                   replay_name(m, name, sizeof name), g->comment_end);
        } else if (m->kept < m->hdr.size) {
            printf("%s%s: %u of %u bytes are not in the trace%s%s\n", g->comment,
                   replay_name(m, name, sizeof name), m->hdr.size - m->kept, m->hdr.size,
                   m->sender == SIDE_CLIENT ? ", and come from memory" : ", and are not checked",
                   g->comment_end);
        }
    }
}

/* ---- the tables ---- */

static void reproducer_print_fields(const struct grammar *g)
{
    const struct wire_command_info *c;

    for (size_t i = 0; (c = wire_command_at(i)); i++) {
        if (!c->structure) {
            continue;
        }
        printf("%s%u%s", g->fields, (unsigned)c->code, g->fields_open);
        for (unsigned f = 0; f < c->structure->n_fields; f++) {
            const struct wire_field *const field = &c->structure->fields[f];

            printf("%s%s%u, %u, \"%s\"%s", f > 0 ? ", " : "", g->field, field->offset, field->size,
                   field->name, g->field_end);
        }
        fputs(g->fields_end, stdout);
    }
}

/* Prints a comment with the message's fields. */
static void reproducer_print_comment(const struct replay_message *m, const struct grammar *g)
{
    const struct trace_message t = replay_captured(m);
    struct decode_scratch scratch = {.p = NULL};
    struct decode_view view;
    struct strbuf text;
    struct printer printer = {.t = &text, .first = true};
    char name[64];

    strbuf_init(&text);
    decode_open(&view, &t, &scratch);
    if (m->reply && !(m->hdr.flags & WIRE_ERROR)) {
        decode_reply(&printer, &view, NULL, NULL);
    } else if (!m->reply) {
        decode_request(&printer, &view, NULL);
    }
    printf("    %s%s: ", g->comment, replay_name(m, name, sizeof name));
    reproducer_print_text(text.p, text.n);
    printf("%s\n", g->comment_end);
    strbuf_deinit(&text);
    decode_scratch_deinit(&scratch);
}

static void reproducer_print_payload(const struct replay_message *m)
{
    putchar('"');
    for (uint32_t i = WIRE_HDR_SIZE; i < m->kept; i++) {
        if (i > WIRE_HDR_SIZE && (i - WIRE_HDR_SIZE) % ROW == 0) {
            fputs("\"\n     \"", stdout);
        }
        printf("%02x", m->data[i]);
    }
    putchar('"');
}

/* Returns a number that is the same for fds of the same file; those unknown have their own. */
static size_t reproducer_file(const struct replay_script *s, const struct trace_fd *fd)
{
    size_t number = 0;

    for (size_t i = 0; i < s->n; i++) {
        for (unsigned j = 0; j < s->messages[i].n_fds; j++, number++) {
            const struct trace_fd *const other = &s->messages[i].fds[j];

            if (other == fd || (fd->ino != 0 && fd->kind == other->kind && fd->ino == other->ino &&
                                fd->dev == other->dev)) {
                return number;
            }
        }
    }
    return number;
}

static void reproducer_print_files(const struct replay_script *s, const struct replay_message *m,
                                   const struct grammar *g)
{
    if (m->n_fds == 0) {
        fputs(g->no_files, stdout);
        return;
    }
    fputs(g->files, stdout);
    for (unsigned i = 0; i < m->n_fds; i++) {
        printf("%s%s\"%s\", %zu, %" PRIu64 "%s", i > 0 ? ", " : "", g->field,
               names_fd_kind(m->fds[i].kind), reproducer_file(s, &m->fds[i]), m->fds[i].size,
               g->field_end);
    }
    fputs(g->files_end, stdout);
    if (g->counts_files) {
        printf("%u", m->n_fds);
    }
}

static void reproducer_print_message(const struct replay_script *s, const struct replay_message *m,
                                     const struct grammar *g)
{
    const struct replay_message *const partner =
        m->partner == REPLAY_NONE ? NULL : &s->messages[m->partner];

    reproducer_print_comment(m, g);
    printf("    %s%" PRIu64 ", \"%s\", %s, %u, %u, 0x%x, %u, %u,\n     ", g->message, m->number,
           wire_command_name(m->hdr.command), m->sender == SIDE_CLIENT ? g->yes : g->no, m->hdr.id,
           m->hdr.command, m->hdr.flags, m->hdr.error, m->hdr.size);
    reproducer_print_payload(m);
    printf(",\n     %zu, %" PRIu64 ", %" PRIu64 ", ", m->after[REPLAY_MAIN],
           m->pause_ns < REPRODUCER_PAUSE_NS ? m->pause_ns / 1000 : REPRODUCER_PAUSE_NS / 1000,
           partner && !reproducer_leaves_out(partner) ? partner->number : 0);
    reproducer_print_files(s, m, g);
    fputs(g->message_end, stdout);
}

/* ---- checks ---- */

/* Returns false, with a reason in out, if the session cannot be made a program. */
static bool reproducer_can_write(const struct replay_reading *in, struct replay_result *out)
{
    const struct replay_settings settings = {.script = &in->script, .leg = in->leg};
    char name[64];

    if (!replay_can_play(&settings, out)) {
        return false;
    }
    for (size_t i = 0; i < in->script.n; i++) {
        const struct replay_message *const m = &in->script.messages[i];

        if (m->socket != REPLAY_MAIN) {
            return replay_could_not(out, "%s is on the twin socket, which only trace replay plays",
                                    replay_name(m, name, sizeof name));
        }
        for (unsigned j = 0; m->sender == SIDE_CLIENT && j < m->n_fds; j++) {
            const uint8_t kind = m->fds[j].kind;

            if (kind != TRACE_FD_MEMFD && kind != TRACE_FD_FILE && kind != TRACE_FD_EVENTFD) {
                return replay_could_not(out, "%s had a %s with it, which cannot be made anew",
                                        replay_name(m, name, sizeof name), names_fd_kind(kind));
            }
        }
    }
    return true;
}

static void reproducer_print(const struct replay_reading *in, enum reproducer_language language)
{
    const struct grammar *const g = &grammars[language];

    if (language == REPRODUCER_IN_PYTHON) {
        /* Python looks for an encoding in the first two lines; a route's name could name one. */
        puts("#!/usr/bin/python3\n# -*- coding: ascii -*-");
    }
    reproducer_print_head(in, g);
    fputs(language == REPRODUCER_IN_PYTHON ? reproducer_python : reproducer_c, stdout);
    fputs(g->tables, stdout);
    reproducer_print_fields(g);
    fputs(g->session, stdout);
    for (size_t i = 0; i < in->script.n; i++) {
        if (!reproducer_leaves_out(&in->script.messages[i])) {
            reproducer_print_message(&in->script, &in->script.messages[i], g);
        }
    }
    fputs(g->end, stdout);
}

int reproducer_write(const struct replay_reading *in, enum reproducer_language language,
                     const char *action, const char *file)
{
    struct replay_result *const r = malloc(sizeof *r);
    int code = POEMCTL_YES;

    if (!r) {
        return poemctl_could_not(action, file, "out of memory");
    }
    replay_result_init(r);
    if (reproducer_can_write(in, r)) {
        reproducer_print(in, language);
        if (fflush(stdout) != 0 || ferror(stdout)) {
            code = poemctl_could_not(action, "standard output", strerror(errno));
        }
    } else {
        code = poemctl_could_not(action, file, r->why);
    }
    replay_result_deinit(r);
    free(r);
    return code;
}
