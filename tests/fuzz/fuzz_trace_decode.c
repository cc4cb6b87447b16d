/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Messages of any bytes, filtered, shown and judged. What is shown to people is printable whatever
 * the messages hold, what is shown to programs is JSON, and each byte that is looked at was kept.
 *
 * The input: a line with a filter, then messages, each with a head of 8 bytes: what it is, fds,
 * time, reserved, bytes kept (2), bytes not kept (2).
 */
#include <jansson.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "trace/decode/filter.h"
#include "trace/lint/lint.h"
#include "trace/decode/show.h"

#define HEAD 8u
#define FDS_MAX 40u

struct run {
    struct trace_session session[2]; /* the show's and the lint's: each has its user pointer */
    struct filter *filter;
    struct show *text;
    struct show *json;
    struct lint *lint;
    uint64_t now_ns;
    uint64_t number;
    uint64_t fed;
    uint64_t wanted;
};

static bool printable(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((p[i] < 0x20 || p[i] > 0x7e) && p[i] != '\n') {
            return false;
        }
    }
    return true;
}

static bool take_text(const char *p, size_t n, void *arg)
{
    (void)arg;
    FUZZ_REQUIRE(n > 0 && p[n - 1] == '\n');
    FUZZ_REQUIRE(printable(p, n));
    return true;
}

static bool take_json(const char *p, size_t n, void *arg)
{
    (void)take_text(p, n, arg);
    while (n > 0) {
        const size_t line = (size_t)((const char *)memchr(p, '\n', n) - p) + 1;
        json_t *const o = json_loadb(p, line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

        if (!json_is_object(o)) {
            fprintf(stderr, "%.*s", (int)line, p);
        }
        FUZZ_REQUIRE(json_is_object(o));
        json_decref(o);
        p += line;
        n -= line;
    }
    return true;
}

static void finding(const struct lint_finding *f, void *arg)
{
    (void)arg;
    FUZZ_REQUIRE(f->code < LINT_CODES && f->section && *f->section);
    FUZZ_REQUIRE(printable(f->detail, strlen(f->detail)));
}

static void wanted(const struct trace_session *s, const struct trace_message *m,
                   const char *comment, void *arg)
{
    struct run *const r = arg;

    r->wanted++;
    show_message(r->text, s, m, comment);
}

static void begin(struct run *r, const char *filter)
{
    const struct show_options text = {.verbose = strlen(filter) % 2 == 1};
    const struct show_options json = {.json = true};
    char why[512];

    *r = (struct run){.now_ns = UINT64_C(1795410000000000000)};
    for (unsigned i = 0; i < 2; i++) {
        r->session[i] = (struct trace_session){.number = 1,
                                               .route = "edu0",
                                               .name = "edu0/1",
                                               .description = "client qemu; backend edu",
                                               .comment = "{\"session\":1}",
                                               .ending = "{\"ended\":\"client-closed\"}"};
    }
    r->filter = filter_new(filter, why, sizeof why);
    if (!r->filter) {
        FUZZ_REQUIRE(printable(why, strlen(why)));
        r->filter = filter_new("", why, sizeof why);
    }
    r->text = show_new(&text, take_text, NULL);
    r->json = show_new(&json, take_json, NULL);
    r->lint = lint_new(PROFILE_QEMU, finding, NULL);
    FUZZ_REQUIRE(r->filter && r->text && r->json && r->lint);
    show_session(r->text, &r->session[0]);
    FUZZ_REQUIRE(lint_session(r->lint, &r->session[1], ""));
}

static void end(struct run *r)
{
    for (unsigned i = 0; i < 2; i++) {
        r->session[i].over = true;
    }
    show_end(r->text);
    show_end(r->json);
    lint_statistics(r->lint, &r->session[1]);
    lint_end(r->lint);
    lint_forget(r->lint, &r->session[1]);
    show_statistics(r->text, &r->session[0]);
    show_end(r->text);
    show_forget(&r->session[0]);
    FUZZ_REQUIRE(!show_failed(r->text) && !show_failed(r->json));
    FUZZ_REQUIRE(r->wanted <= r->fed);
    filter_free(r->filter);
    show_free(r->text);
    show_free(r->json);
    lint_free(r->lint);
}

/* One message, whose bytes are a piece of memory of their own. */
static void feed(struct run *r, const uint8_t head[HEAD], const uint8_t *p, size_t n)
{
    const struct trace_fd fd = {.kind = (uint8_t)(head[1] % TRACE_FD_KINDS),
                                .access = (uint8_t)(head[1] % 4u),
                                .flags = head[1] & 1u,
                                .seals = head[1],
                                .ino = 7,
                                .size = 4096};
    struct trace_fd fds[FDS_MAX];
    uint8_t *const bytes = malloc(n + 1);
    struct trace_message m = {.session = 1,
                              .number = ++r->number,
                              .read_ns = r->now_ns += UINT64_C(1) << head[2] % 32u,
                              .passed_ns = head[3],
                              .size = (uint32_t)n + head[6] + head[7] * 256u,
                              .kept = (uint32_t)n,
                              .lost = head[3] == 255 ? 2 : 0,
                              .sender = head[0] & 1u,
                              .legs = (uint8_t)(head[0] >> 1 & 3u ? head[0] >> 1 & 3u : TRACE_LEGS),
                              .flags = (uint8_t)(head[0] >> 3 & TRACE_FLAGS),
                              .n_fds =
                                  (uint16_t)(head[1] > 200 ? head[1] % FDS_MAX : head[1] / 100),
                              .fds = fds,
                              .data = bytes};

    FUZZ_REQUIRE(bytes != NULL);
    memcpy(bytes, p, n);
    for (unsigned i = 0; i < FDS_MAX; i++) {
        fds[i] = fd;
    }
    r->fed++;
    show_begin(r->text, m.read_ns);
    filter_feed(r->filter, &r->session[0], &m, head[0] & 0x80u ? "unseen: \x1b" : NULL, wanted, r);
    show_message(r->json, &r->session[0], &m, NULL);
    lint_message(r->lint, &r->session[1], &m);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    char filter[256] = "";
    const uint8_t *const line = n ? memchr(p, '\n', n) : NULL;
    size_t used = line ? (size_t)(line - p) : 0;
    struct run r;

    if (line && used < sizeof filter && !memchr(p, '\0', used)) {
        memcpy(filter, p, used);
        filter[used] = '\0';
        used++;
    } else {
        used = 0;
    }
    begin(&r, filter);
    while (n - used >= HEAD) {
        const uint8_t *const head = p + used;
        size_t kept = head[4] + head[5] * (size_t)256;

        used += HEAD;
        kept = kept < n - used ? kept : n - used;
        feed(&r, head, p + used, kept);
        used += kept;
    }
    end(&r);
    return 0;
}
