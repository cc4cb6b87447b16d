/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command poemctl recite: demands the poem from the server at a socket, as a poem-aware QEMU
 * would, and judges the recital. See PROTOCOL.poem.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "client/client.h"
#include "base/text/hex.h"
#include "base/log.h"
#include "base/members.h"
#include "handshake/recital.h"
#include "handshake/version.h"
#include "poem/file.h"
#include "ctl/poemctl.h"
#include "ctl/poemctl_json.h"
#include "ctl/probe/probe.h"

#define FORMAT "poemd-recite/1"

/* Lines of the poem that are printed, including the title and the blank line after it. */
#define LINES_SHOWN 6

struct options {
    bool json;
    int timeout_ms;
    const char *poem; /* NULL: the built-in one */
    const char *path;
};

/* The result. */
struct result {
    const struct options *options;
    const struct poem *poem;
    bool stands;
    char why[512];     /* why it does not stand; "" if it does */
    bool refused;      /* by an error reply … */
    int refused_errno; /* … with this errno */
    struct recital_reply told;
};

static const char *poemctl_recite_printable(const char *text, char *out, size_t size)
{
    return log_escape(out, size, text, strlen(text));
}

/* ---- asking ---- */

/* Fills out with random bytes; n is at most 256, which getrandom returns at once after seeding. */
static bool poemctl_recite_draw(uint8_t *out, size_t n)
{
    return getrandom(out, n, 0) == (ssize_t)n;
}

/*
 * Composes the request's JSON: QEMU's offer, and the challenge. Returns NULL with errno set on
 * failure.
 */
static char *poemctl_recite_compose(struct recital_client *rc, const struct poem *poem)
{
    uint8_t challenge[RECITAL_RANDOM_SIZE];
    const struct recital_ask ask = {.poem = poem, .challenge = challenge, .with = true};
    json_t *json;
    char *text = NULL;

    if (!poemctl_recite_draw(challenge, sizeof challenge)) {
        return NULL;
    }
    json = json_loads(PROBE_OFFER, JSON_REJECT_DUPLICATES, NULL);
    if (json && recital_client_ask(rc, &ask, (struct wire_version){0, 0},
                                   json_object_get(json, "capabilities")) == RECITAL_OK) {
        text = json_dumps(json, JSON_COMPACT);
    }
    json_decref(json);
    errno = ENOMEM;
    return text;
}

/* Binds the recital to the request as it is sent. */
static bool poemctl_recite_bind_request(struct recital_client *rc, const struct client *c,
                                        const char *json)
{
    uint8_t message[2048];
    const size_t n = client_version_request(c, 0, 0, json, message, sizeof message);

    return n > 0 && recital_client_sent(rc, message, n) == RECITAL_OK;
}

/* Judges the reply. */
static void poemctl_recite_judge(struct result *r, const struct recital_client *rc,
                                 const struct client *c)
{
    enum json_outcome read = JSON_OK;
    enum recital_outcome o;
    json_t *json = NULL;

    /* The client keeps it as text with one NUL behind it. */
    if (c->json) {
        read = json_read(c->json, strlen(c->json) + 1, &json);
    }
    if (read != JSON_OK) {
        snprintf(r->why, sizeof r->why, "the reply is malformed: %s", json_outcome_text(read));
        return;
    }
    o = recital_client_judge(rc, json_object_get(json, "capabilities"), &r->told);
    json_decref(json);
    r->stands = o == RECITAL_OK;
    if (!r->stands) {
        snprintf(r->why, sizeof r->why, "%s%s", recital_text(o),
                 r->told.refrain ? ", but the refrain was recited" : "");
    }
}

/* Sends the request and judges the reply; returns an exit code. */
static int poemctl_recite_exchange(struct result *r, struct client *c)
{
    struct recital_client rc;
    enum client_outcome o;
    char text[256];
    char *json = poemctl_recite_compose(&rc, r->poem);

    if (!json || !poemctl_recite_bind_request(&rc, c, json)) {
        free(json);
        return poemctl_could_not("recite", r->options->path, strerror(errno));
    }
    o = client_version(c, 0, 0, json);
    free(json);
    switch (o) {
    case CLIENT_OK:
        poemctl_recite_judge(r, &rc, c);
        break;
    case CLIENT_REFUSED:
        r->refused = true;
        r->refused_errno = c->error;
        snprintf(r->why, sizeof r->why, "version %s", client_text(c, o, text, sizeof text));
        break;
    default:
        return poemctl_could_not("recite", r->options->path, client_text(c, o, text, sizeof text));
    }
    return r->stands ? POEMCTL_YES : POEMCTL_NO;
}

/* ---- output ---- */

static json_t *poemctl_recite_text_or_null(const char *text)
{
    return text[0] ? json_string(text) : json_null();
}

static json_t *poemctl_recite_via_json(const struct recital_via *via)
{
    json_t *list = json_array();
    char by[2 * RECITAL_IDENTITY_SIZE + 1];
    int bad = 0;

    for (unsigned i = 0; i < via->n; i++) {
        const struct recital_hop *hop = &via->hops[i];

        bad |= json_array_append_new(list,
                                     json_pack("{s:s, s:b, s:o}", "by",
                                               hex_text(hop->by.bytes, RECITAL_IDENTITY_SIZE, by),
                                               "recited", (int)hop->recited, "licence",
                                               poemctl_recite_text_or_null(hop->licence)));
    }
    if (bad) {
        json_decref(list);
        return NULL;
    }
    return list;
}

/* The last server on the way: the device, unless a broker hides what is behind it. */
static json_t *poemctl_recite_device_json(const struct result *r)
{
    const struct recital_via *via = &r->told.via;
    const bool recites = via->n > 0 ? via->hops[via->n - 1].recited : r->stands;
    const char *licence = via->n > 0 ? via->hops[via->n - 1].licence : r->told.licence;

    return json_pack("{s:b, s:o}", "recites", (int)recites, "licence",
                     poemctl_recite_text_or_null(recites ? licence : ""));
}

/* Returns the poem's title, its first line. */
static json_t *poemctl_recite_title(const struct poem *poem)
{
    const char *lf = memchr(poem->text, '\n', poem->size);

    return json_stringn(poem->text, lf ? (size_t)(lf - poem->text) : poem->size);
}

static int poemctl_recite_show_json(const struct result *r, int code)
{
    char hex[POEM_DIGEST_HEX_SIZE + 1];
    char path[256];
    char name[32];
    json_t *doc = members_object((const struct member[]){
        {"format", json_string(FORMAT)},
        {"socket", json_string(poemctl_recite_printable(r->options->path, path, sizeof path))},
        {"stands", json_boolean(r->stands)},
        {"why", poemctl_recite_text_or_null(r->why)},
        {"refused", r->refused ? json_string(probe_errno_name(r->refused_errno, name, sizeof name))
                               : json_null()},
        {"poem", members_object(
                     (const struct member[]){{"title", poemctl_recite_title(r->poem)},
                                             {"bytes", members_number(r->poem->size)},
                                             {"sha256", json_string(poem_digest_hex(r->poem, hex))},
                                             {NULL, NULL}})},
        {"licence", poemctl_recite_text_or_null(r->told.licence)},
        {"declared", poemctl_recite_text_or_null(r->told.declared)},
        {"refrain", json_boolean(r->told.refrain)},
        {"via", poemctl_recite_via_json(&r->told.via)},
        {"device", poemctl_recite_device_json(r)},
        {NULL, NULL}});

    return poemctl_json("recite", doc, code);
}

/* Prints the beginning of the poem, each line behind a tab. */
static void poemctl_recite_show_beginning(const struct poem *poem)
{
    const char *const end = poem->text + poem->size;
    const char *at = poem->text;
    char line[160];

    for (int i = 0; i < LINES_SHOWN && at < end; i++) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        const size_t n = (size_t)((lf ? lf : end) - at);

        printf("%s%s\n", n > 0 ? "\t" : "", log_escape(line, sizeof line, at, n));
        at = lf ? lf + 1 : end;
    }
    if (at < end) {
        printf("\t...\n");
    }
}

static void poemctl_recite_show_via(const struct recital_via *via)
{
    char by[2 * RECITAL_IDENTITY_SIZE + 1];
    char licence[2 * RECITAL_LICENCE_MAX];

    for (unsigned i = 0; i < via->n; i++) {
        const struct recital_hop *hop = &via->hops[i];

        printf("Broker %s: the server behind it %s",
               hex_text(hop->by.bytes, RECITAL_IDENTITY_SIZE, by),
               hop->recited ? "recites" : "DOES NOT RECITE");
        if (hop->licence[0]) {
            printf(", %s %s", hop->recited ? "under" : "and declares",
                   poemctl_recite_printable(hop->licence, licence, sizeof licence));
        }
        putchar('\n');
    }
}

static int poemctl_recite_show(const struct result *r, int code)
{
    char hex[POEM_DIGEST_HEX_SIZE + 1];
    char text[4 * RECITAL_LICENCE_MAX];

    if (!r->stands) {
        (void)poemctl_could_not("recite", r->options->path, r->why);
    }
    if (r->options->json) {
        return poemctl_recite_show_json(r, code);
    }
    if (r->stands) {
        printf("%s recites:\n\n", poemctl_recite_printable(r->options->path, text, sizeof text));
        poemctl_recite_show_beginning(r->poem);
        printf("\nSHA-256: %s (%zu bytes)\n", poem_digest_hex(r->poem, hex), r->poem->size);
        printf("Licence: %s\n", poemctl_recite_printable(r->told.licence, text, sizeof text));
    }
    if (r->told.declared[0] && strcmp(r->told.declared, r->told.licence) != 0) {
        printf("Declares: %s\n", poemctl_recite_printable(r->told.declared, text, sizeof text));
    }
    poemctl_recite_show_via(&r->told.via);
    return code;
}

/* Asks with the poem loaded; opens the connection. */
static int poemctl_recite_ask(const struct options *o, const struct poem *poem)
{
    struct result r = {.options = o, .poem = poem};
    struct client c;
    int code;
    const int err = client_init(&c, o->path, o->timeout_ms);

    if (err) {
        return poemctl_could_not("recite", o->path, strerror(-err));
    }
    code = poemctl_recite_exchange(&r, &c);
    client_deinit(&c);
    return code == POEMCTL_COULD_NOT ? code : poemctl_recite_show(&r, code);
}

static int poemctl_recite_main(int argc, char **argv)
{
    struct options o = {.timeout_ms = POEMCTL_TIMEOUT_MS};
    char **const operands = poemctl_parse(&poemctl_recite, argc, argv, &o);
    struct poem_file file;
    enum poem_outcome outcome;
    int code;
    int err;

    if (!operands) {
        return POEMCTL_USAGE;
    }
    o.path = operands[0];
    if (!poemctl_socket("recite", o.path)) {
        return poemctl_usage(&poemctl_recite);
    }
    err = poem_file_init(&file, o.poem, &outcome);
    if (err) {
        return poemctl_could_not("recite", o.poem ? o.poem : "poem", poem_file_why(err, outcome));
    }
    code = poemctl_recite_ask(&o, &file.poem);
    poem_file_deinit(&file);
    return code;
}

static const struct cli_option options[] = {
    POEMCTL_JSON_OPTION(struct options, json),
    POEMCTL_TIMEOUT_OPTION(struct options, timeout_ms),
    {"poem", 0, "FILE", "the poem to demand, instead of the one that is built in",
     CLI_TEXT(struct options, poem)},
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_recite = {
    .name = "recite",
    .synopsis = "[--json] [--timeout MS] [--poem FILE] SOCKET",
    .what = "demand the poem of the server at a socket",
    .manual = "poemctl(1)",
    .options = options,
    .least = 1,
    .most = 1,
    .missing = "which socket?",
    .surplus = "one socket at a time",
    .run = poemctl_recite_main,
};
