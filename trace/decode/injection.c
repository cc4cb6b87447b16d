/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Rules for faults on purpose: parsed, matched, carried out on bytes. */
#define _GNU_SOURCE
#include "trace/decode/injection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text/hex.h"
#include "base/text/numbers.h"
#include "base/wire/wire.h"

/* Linux's errnos end there. */
#define ERRNO_LAST 133

static bool injection_read_time(struct injection *i, const char *p, size_t n)
{
    static const struct {
        const char *unit;
        uint32_t us;
    } units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}};
    const char *const end = p + n;
    uint64_t number;

    if (!numbers_take(&p, end, 10, UINT32_MAX, &number)) {
        return false;
    }
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        if (strlen(units[u].unit) == (size_t)(end - p) &&
            memcmp(units[u].unit, p, (size_t)(end - p)) == 0) {
            i->number =
                (uint32_t)(number <= LIMIT_INJECT_DELAY_US / units[u].us ? number * units[u].us
                                                                         : UINT32_MAX);
            return i->number <= LIMIT_INJECT_DELAY_US;
        }
    }
    return false;
}

static bool injection_read_errno(struct injection *i, const char *p, size_t n)
{
    uint64_t number;

    if (numbers_read(p, n, INT32_MAX, &number)) {
        i->number = (uint32_t)number;
        return number > 0;
    }
    for (int err = 1; err <= ERRNO_LAST; err++) {
        const char *const name = strerrorname_np(err);

        if (name && strlen(name) == n && memcmp(name, p, n) == 0) {
            i->number = (uint32_t)err;
            return true;
        }
    }
    return false;
}

static bool injection_read_bytes(struct injection *i, const char *p, size_t n)
{
    const char *const colon = memchr(p, ':', n);
    uint64_t number;
    size_t digits;

    if (!colon || !numbers_read(p, (size_t)(colon - p), LIMIT_MESSAGE, &number)) {
        return false;
    }
    digits = n - (size_t)(colon + 1 - p);
    i->number = (uint32_t)number;
    i->n_bytes = (uint32_t)(digits / 2);
    return digits > 0 && digits % 2 == 0 && i->n_bytes <= sizeof i->bytes &&
           hex_read(colon + 1, i->bytes, i->n_bytes);
}

static bool injection_read_size(struct injection *i, const char *p, size_t n)
{
    uint64_t number;

    if (!numbers_read(p, n, LIMIT_MESSAGE, &number)) {
        return false;
    }
    i->number = (uint32_t)number;
    return true;
}

static const struct {
    const char *word;
    bool (*read)(struct injection *i, const char *p, size_t n); /* its value; NULL: it has none */
    const char *value;
    bool replies; /* it applies only to these */
    bool whole;   /* it needs all of the message, which must fit a queue */
} actions[INJECTION_ACTIONS] = {
    [INJECTION_DELAY] = {"delay", injection_read_time, "a time up to 60s, such as 20ms", false,
                         true},
    [INJECTION_DROP] = {"drop", NULL, NULL, true, false},
    [INJECTION_ERROR] = {"error", injection_read_errno, "an errno, such as EIO or 5", true, false},
    [INJECTION_CHANGE] = {"change", injection_read_bytes,
                          "OFFSET:HEX, such as 16:00ff, at most 32 bytes", false, true},
    [INJECTION_CLOSE] = {"close", NULL, NULL, false, false},
    [INJECTION_DUPLICATE] = {"duplicate", NULL, NULL, true, true},
    [INJECTION_SHORT] = {"short", injection_read_size, "a number of bytes", true, true},
};

const char *injection_word(enum injection_action action)
{
    return (unsigned)action < INJECTION_ACTIONS ? actions[action].word : "?";
}

/* Reads the first word, of n characters. */
static bool injection_read_action(struct injection *i, const char *p, size_t n, char *why,
                                  size_t size)
{
    const char *const equals = memchr(p, '=', n);
    const size_t word = equals ? (size_t)(equals - p) : n;

    for (unsigned a = 0; a < INJECTION_ACTIONS; a++) {
        if (strlen(actions[a].word) != word || memcmp(actions[a].word, p, word) != 0) {
            continue;
        }
        i->action = (enum injection_action)a;
        if (!actions[a].read && !equals) {
            return true;
        }
        if (actions[a].read && equals && actions[a].read(i, equals + 1, n - word - 1)) {
            return true;
        }
        snprintf(why, size, actions[a].read ? "\"%s=\" takes %s" : "\"%s\" takes no value%s",
                 actions[a].word, actions[a].read ? actions[a].value : "");
        return false;
    }
    snprintf(why, size,
             "a rule begins with delay=, drop, error=, change=, close, duplicate or short=");
    return false;
}

static bool injection_read_chance(struct injection *i, const char *p, size_t n)
{
    uint64_t percent;

    if (n < 2 || p[n - 1] != '%' || !numbers_read(p, n - 1, 100, &percent) || percent == 0) {
        return false;
    }
    i->chance = (uint32_t)(UINT32_MAX * percent / 100);
    return true;
}

static bool injection_read_count(struct injection *i, const char *p, size_t n)
{
    uint64_t number;

    if (!numbers_read(p, n, LIMIT_INJECT_COUNT, &number) || number == 0) {
        return false;
    }
    i->most = (uint16_t)number;
    return true;
}

static bool injection_read_seed(struct injection *i, const char *p, size_t n)
{
    return numbers_read(p, n, UINT64_MAX, &i->seed);
}

static const struct {
    const char *word;
    bool (*read)(struct injection *i, const char *p, size_t n);
    const char *value;
} terms[] = {
    {"count=", injection_read_count, "a number from 1 to 65534"},
    {"chance=", injection_read_chance, "1% to 100%"},
    {"seed=", injection_read_seed, "a number"},
};

/* Reads a term of the rule's own. Returns false if it is one of the filter's; sets *wrong. */
static bool injection_read_term(struct injection *i, const char *p, size_t n, const char **wrong,
                                const char **value)
{
    for (size_t t = 0; t < sizeof terms / sizeof *terms; t++) {
        const size_t word = strlen(terms[t].word);

        if (n >= word && memcmp(p, terms[t].word, word) == 0) {
            if (!terms[t].read(i, p + word, n - word)) {
                *wrong = terms[t].word;
                *value = terms[t].value;
            }
            return true;
        }
    }
    return false;
}

bool injection_read(struct injection *i, const char *text, char *why, size_t size)
{
    char filter[LIMIT_INJECT_TEXT + 1] = "";
    const char *wrong = NULL;
    const char *value = NULL;
    size_t used = 0;
    size_t n;

    *i = (struct injection){.most = UINT16_MAX, .chance = UINT32_MAX};
    if (strlen(text) > LIMIT_INJECT_TEXT) {
        snprintf(why, size, "a rule has at most %u characters", LIMIT_INJECT_TEXT);
        return false;
    }
    text += strspn(text, " ");
    n = strcspn(text, " ");
    if (!injection_read_action(i, text, n, why, size)) {
        return false;
    }
    for (text += n; *(text += strspn(text, " ")); text += n) {
        n = strcspn(text, " ");
        if (!injection_read_term(i, text, n, &wrong, &value)) {
            used += (size_t)snprintf(filter + used, sizeof filter - used, "%s%.*s",
                                     used > 0 ? " " : "", (int)n, text);
        }
    }
    if (wrong) {
        snprintf(why, size, "\"%s\" takes %s", wrong, value);
        return false;
    }
    i->filter = filter_new(filter, why, size);
    return i->filter != NULL;
}

void injection_deinit(struct injection *i)
{
    filter_free(i->filter);
    i->filter = NULL;
}

/* ---- matching ---- */

static void injection_on_selected(const struct trace_session *s, const struct trace_message *m,
                                  const char *comment, void *arg)
{
    const struct trace_message **const last = arg;

    (void)s;
    (void)comment;
    *last = m;
}

/* Returns 32 bits that depend on the seed and the place alone, evenly spread (splitmix64). */
static uint32_t injection_draw(uint64_t seed, uint64_t place)
{
    uint64_t z = seed + UINT64_C(0x9e3779b97f4a7c15) * (place + 1);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) >> 32);
}

/* Returns true if the action can be carried out on such a message. */
static bool injection_can(const struct injection *i, const struct wire_hdr *hdr)
{
    const size_t payload = hdr->size - WIRE_HDR_SIZE;

    if ((actions[i->action].replies && !wire_is_reply(hdr)) ||
        (actions[i->action].whole && hdr->size > LIMIT_QUEUE)) {
        return false;
    }
    if (i->action == INJECTION_CHANGE) {
        return i->number <= payload && i->n_bytes <= payload - i->number;
    }
    return i->action != INJECTION_SHORT || i->number < payload;
}

bool injection_applies(struct injection *i, uint16_t times, uint64_t place,
                       const struct trace_session *s, const struct trace_message *m)
{
    const struct trace_message *selected = NULL;
    struct wire_hdr hdr;

    filter_feed(i->filter, s, m, NULL, injection_on_selected, &selected);
    /* A request that the filter has kept comes before its reply, and is a copy. */
    return selected == m && times < i->most &&
           wire_get_hdr(m->data, m->kept, UINT32_MAX, &hdr) == WIRE_FRAME_OK &&
           injection_can(i, &hdr) &&
           (i->chance == UINT32_MAX || injection_draw(i->seed, place) < i->chance);
}

/* ---- carrying out ---- */

size_t injection_room(const struct injection *i, size_t size)
{
    switch (i->action) {
    case INJECTION_DROP:
    case INJECTION_CLOSE:
        return 0;
    case INJECTION_ERROR:
        return WIRE_HDR_SIZE;
    case INJECTION_SHORT:
        return WIRE_HDR_SIZE + i->number;
    case INJECTION_DUPLICATE:
        return 2 * size;
    default:
        return size;
    }
}

size_t injection_make(const struct injection *i, const uint8_t *message, size_t n, uint8_t *out)
{
    const size_t room = injection_room(i, n);
    struct wire_hdr hdr;

    if (room == 0 || wire_get_hdr(message, n, UINT32_MAX, &hdr) != WIRE_FRAME_OK) {
        return 0;
    }
    if (i->action == INJECTION_ERROR) {
        hdr = wire_error_hdr(&hdr, (int)i->number);
        wire_put_hdr(out, &hdr);
        return room;
    }
    memcpy(out, message, room < n ? room : n);
    if (i->action == INJECTION_SHORT) {
        hdr.size = (uint32_t)room;
        wire_put_hdr(out, &hdr);
    } else if (i->action == INJECTION_DUPLICATE) {
        memcpy(out + n, message, n);
    } else if (i->action == INJECTION_CHANGE) {
        memcpy(out + WIRE_HDR_SIZE + i->number, i->bytes, i->n_bytes);
    }
    return room;
}
