/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Turns a message into a line. All that counts goes into a digest; the text comes from
 * trace/decode/decode.h, which shortens long data: then a part of the digest stands for the rest.
 */
#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "trace/decode/decode.h"
#include "trace/report/diff.h"

/*
 * Objects of fds that are distinguished, a power of two; further ones are number 0 of their kind.
 */
#define OBJECTS 16384u

/* Bytes of a line; longer ones end in "...". */
#define LINE_MAX_BYTES 1024u

/* Data longer than this is shown in part. */
#define SHOWN_DATA 32u

/* Device and inode, and the object's number in lines. */
struct object {
    uint64_t dev;
    uint64_t ino;
    uint32_t number; /* from 1, per kind; 0: the place is free */
    uint8_t kind;
};

struct diff_maker {
    uint64_t messages;
    uint64_t begin_ns;
    struct trace_pairs *pairs;
    struct decode_scratch scratch;
    struct strbuf text;
    EVP_MD_CTX *digest;
    uint32_t of_kind[UINT8_MAX + 1];
    uint32_t n_objects;
    struct object objects[OBJECTS];
    uint8_t version[WIRE_HDR_SIZE + LIMIT_VERSION_JSON + sizeof(struct wire_version)];
};

struct diff_maker *diff_maker_new(void)
{
    struct diff_maker *const d = calloc(1, sizeof *d);

    if (!d) {
        return NULL;
    }
    strbuf_init(&d->text);
    d->pairs = trace_pairs_new();
    d->digest = EVP_MD_CTX_new();
    if (!d->pairs || !d->digest) {
        diff_maker_free(d);
        return NULL;
    }
    return d;
}

void diff_maker_free(struct diff_maker *d)
{
    if (d) {
        trace_pairs_free(d->pairs);
        decode_scratch_deinit(&d->scratch);
        strbuf_deinit(&d->text);
        EVP_MD_CTX_free(d->digest);
        free(d);
    }
}

/* ---- values that differ from run to run ---- */

/* Returns the number of an fd's object among those of its kind, in their order of appearance. */
static uint32_t diff_line_object_number(struct diff_maker *d, const struct trace_fd *fd)
{
    uint32_t at = (uint32_t)((fd->dev * 31 + fd->ino) * UINT64_C(0x9e3779b97f4a7c15) >> 40);

    for (;; at++) {
        struct object *const o = &d->objects[at % OBJECTS];

        if (o->number == 0) {
            if (d->n_objects >= OBJECTS / 2) {
                return 0;
            }
            d->n_objects++;
            *o = (struct object){fd->dev, fd->ino, ++d->of_kind[fd->kind], fd->kind};
            return o->number;
        }
        if (o->dev == fd->dev && o->ino == fd->ino && o->kind == fd->kind) {
            return o->number;
        }
    }
}

/* Replaces strings of 32 or 64 hexadecimal digits by as many x. */
static void diff_line_mask_digits(uint8_t *p, size_t n)
{
    size_t begin = 0;

    for (size_t i = 0; i < n; i++) {
        if (isxdigit(p[i])) {
            continue;
        }
        if (p[i] == '"' && begin > 0 && p[begin - 1] == '"' &&
            (i - begin == 32 || i - begin == 64)) {
            memset(p + begin, 'x', i - begin);
        }
        begin = i + 1;
    }
}

/* Returns a VERSION message with its random values masked. */
static struct trace_message diff_line_unfreshened(struct diff_maker *d,
                                                  const struct trace_message *m)
{
    struct trace_message copy = *m;

    memcpy(d->version, m->data, m->kept);
    diff_line_mask_digits(d->version + WIRE_HDR_SIZE, m->kept - WIRE_HDR_SIZE);
    copy.data = d->version;
    return copy;
}

/* ---- the digest ---- */

static bool diff_line_put(struct diff_maker *d, const void *p, size_t n)
{
    return EVP_DigestUpdate(d->digest, p, n) == 1;
}

static bool diff_line_put_fds(struct diff_maker *d, const struct trace_message *m,
                              const uint32_t *objects)
{
    bool ok = true;

    for (unsigned i = 0; i < m->n_fds; i++) {
        const struct trace_fd *const fd = &m->fds[i];
        const uint64_t counts[] = {fd->kind,  fd->access, fd->flags,
                                   fd->seals, fd->size,   objects[i]};

        ok = ok && diff_line_put(d, counts, sizeof counts);
    }
    return ok;
}

/* Returns false if memory runs out. */
static bool diff_line_make_digest(struct diff_maker *d, const struct decode_view *v,
                                  uint32_t session, const uint32_t *objects, uint8_t *out)
{
    const struct trace_message *const m = v->m;
    const bool whole = v->has_hdr;
    const uint64_t counts[] = {session,
                               m->sender,
                               m->legs,
                               m->flags & ~TRACE_BIG_ENDIAN,
                               m->size,
                               m->n_fds,
                               whole,
                               whole ? v->hdr.command : 0u,
                               whole ? v->hdr.flags : 0u,
                               whole ? v->hdr.error : 0u,
                               whole ? v->n : m->kept};
    uint8_t digest[EVP_MAX_MD_SIZE];

    if (EVP_DigestInit_ex(d->digest, EVP_sha256(), NULL) != 1 ||
        !diff_line_put(d, counts, sizeof counts) || !diff_line_put_fds(d, m, objects) ||
        !(whole ? diff_line_put(d, v->p, v->n) : diff_line_put(d, m->data, m->kept)) ||
        EVP_DigestFinal_ex(d->digest, digest, NULL) != 1) {
        return false;
    }
    memcpy(out, digest, DIFF_DIGEST);
    return true;
}

/* ---- the text ---- */

static void diff_line_put_fd_texts(struct strbuf *t, const struct trace_message *m,
                                   const uint32_t *objects)
{
    for (unsigned i = 0; i < m->n_fds; i++) {
        strbuf_str(t, i == 0 ? " fds=[" : ", ");
        strbuf_str(t, names_fd_kind(m->fds[i].kind) ? names_fd_kind(m->fds[i].kind) : "fd");
        strbuf_char(t, '#');
        strbuf_dec(t, objects[i]);
        if (m->fds[i].size > 0) {
            strbuf_str(t, " of ");
            strbuf_dec(t, m->fds[i].size);
            strbuf_str(t, " bytes");
        }
        if ((m->fds[i].flags & TRACE_FD_WITHHELD) != 0) {
            strbuf_str(t, " withheld");
        }
    }
    if (m->n_fds > 0) {
        strbuf_char(t, ']');
    }
}

static void diff_line_put_error(struct strbuf *t, uint32_t error)
{
    strbuf_str(t, " = error ");
    if (names_errno(error)) {
        strbuf_str(t, names_errno(error));
    } else {
        strbuf_dec(t, error);
    }
}

static void diff_line_put_said(struct strbuf *t, const struct decode_view *v,
                               const struct trace_request *request)
{
    struct printer printer = {.t = t, .first = true};
    char name[16];

    if (!v->has_hdr) {
        strbuf_str(t, "? ");
        printer_data(&printer, "raw", v->m->data, v->m->kept, v->m->size);
        return;
    }
    strbuf_str(t, decode_command(v->hdr.command, name));
    if (!v->reply) {
        strbuf_char(t, '(');
        decode_request(&printer, v, NULL);
        strbuf_char(t, ')');
        strbuf_str(t, (v->hdr.flags & WIRE_NO_REPLY) != 0 ? " no reply" : "");
    } else if ((v->hdr.flags & WIRE_ERROR) != 0) {
        diff_line_put_error(t, v->hdr.error);
    } else {
        strbuf_str(t, " = ");
        decode_reply(&printer, v, request, NULL);
    }
}

static void diff_line_make_text(struct strbuf *t, const struct decode_view *v,
                                const struct trace_request *request, uint32_t session,
                                const uint32_t *objects, const uint8_t *digest)
{
    strbuf_clear(t);
    if (session > 0) {
        strbuf_str(t, "session ");
        strbuf_dec(t, session + 1);
        strbuf_char(t, ' ');
    }
    strbuf_str(t, v->m->sender == SIDE_CLIENT ? "client  " : "backend ");
    diff_line_put_said(t, v, request);
    diff_line_put_fd_texts(t, v->m, objects);
    if (v->m->legs != TRACE_LEGS) {
        strbuf_str(t, v->m->legs == TRACE_LEG_CLIENT ? " (client's side)" : " (backend's side)");
    }
    if ((v->m->flags & TRACE_UNDELIVERED) != 0) {
        strbuf_str(t, " undelivered");
    }
    if (t->n > LINE_MAX_BYTES) {
        t->n = LINE_MAX_BYTES;
        strbuf_str(t, "...");
    }
    if (v->n > SHOWN_DATA) {
        strbuf_str(t, " #");
        strbuf_bytes(t, digest, 4);
    }
}

/* ---- the line ---- */

static struct diff_line *line_new(struct diff_maker *d, const struct trace_message *m)
{
    struct diff_line *const line = malloc(sizeof *line + d->text.n + 1);

    if (line) {
        if (d->messages++ == 0) {
            d->begin_ns = m->read_ns;
        }
        line->message = d->messages;
        line->session = m->session;
        line->read_ns = m->read_ns > d->begin_ns ? m->read_ns - d->begin_ns : 0;
        line->n = d->text.n;
        memcpy(line->text, d->text.p, d->text.n);
        line->text[d->text.n] = '\0';
    }
    return line;
}

struct diff_line *diff_maker_line(struct diff_maker *d, const struct trace_session *s,
                                  const struct trace_message *m)
{
    uint32_t objects[LIMIT_FDS_KERNEL];
    uint8_t digest[DIFF_DIGEST];
    struct trace_request request;
    struct trace_message copy = *m;
    struct diff_line *line;
    struct decode_view v;
    bool answers;

    for (unsigned i = 0; i < m->n_fds; i++) {
        objects[i] = diff_line_object_number(d, &m->fds[i]);
    }
    answers = trace_pairs_feed(d->pairs, s, m, 0, &request) == TRACE_PAIR_REPLY;
    decode_open(&v, m, &d->scratch);
    if (v.has_hdr && v.hdr.command == WIRE_VERSION && m->kept <= sizeof d->version) {
        copy = diff_line_unfreshened(d, m);
        decode_open(&v, &copy, &d->scratch);
    }
    if (!diff_line_make_digest(d, &v, s->index, objects, digest)) {
        return NULL;
    }
    diff_line_make_text(&d->text, &v, answers ? &request : NULL, s->index, objects, digest);
    line = d->text.failed ? NULL : line_new(d, m);
    if (line) {
        memcpy(line->digest, digest, sizeof digest);
    }
    return line;
}
