/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads single values, and suggests corrections of misspelt words. Looks nothing up: neither files
 * nor accounts.
 */
#include "proxy/config/config_value.h"

#include <ctype.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/text/date.h"
#include "base/text/edit_distance.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text/numbers.h"
#include "base/sock_path.h"
#include "proxy/config/command.h"
#include "proxy/config/config_trace.h"

#define SOCKET_PATH (sizeof((struct sockaddr_un *)NULL)->sun_path - 1)

/* Maximum length of a foreign word in a message. */
#define SHOWN 72

struct value_in {
    const char *text;
    unsigned least;
    unsigned most;
    unsigned number; /* the result */
    char shown[SHOWN];
};

#define FAULT_TEXT(f, ...) snprintf((f)->text, sizeof(f)->text, __VA_ARGS__)
#define FAULT_HINT(f, ...) snprintf((f)->hint, sizeof(f)->hint, __VA_ARGS__)

static bool config_value_is_name_byte(unsigned char c)
{
    return isalnum(c) || c == '.' || c == '_' || c == '-';
}

static bool config_value_read_name(struct value_in *v, struct value_fault *f)
{
    const size_t n = strlen(v->text);
    size_t good = 0;

    while (good < n && config_value_is_name_byte((unsigned char)v->text[good])) {
        good++;
    }
    if (n == 0 || good < n) {
        FAULT_TEXT(f, "\"%s\" is not a name", v->shown);
        FAULT_HINT(f, "a name has letters, digits, \".\", \"_\" and \"-\"");
        return false;
    }
    if (n > LIMIT_NAME) {
        FAULT_TEXT(f, "the name is too long: %zu bytes", n);
        FAULT_HINT(f, "a name has at most %u bytes", LIMIT_NAME);
        return false;
    }
    return true;
}

static bool config_value_read_socket(struct value_in *v, struct value_fault *f)
{
    const char *other = sock_path_fault(v->text);
    const size_t n = strlen(v->text);

    if (other) {
        FAULT_TEXT(f, "\"%s\" is not a path", v->shown);
        FAULT_HINT(f, "%s", other);
        return false;
    }
    if (v->text[0] != '/') {
        FAULT_TEXT(f, "\"%s\" is not an absolute path", v->shown);
        FAULT_HINT(f, "a path begins with \"/\"");
        return false;
    }
    if (v->text[n - 1] == '/') {
        FAULT_TEXT(f, "\"%s\" names a folder", v->shown);
        FAULT_HINT(f, "a path ends in the name of a socket");
        return false;
    }
    if (n > SOCKET_PATH) {
        FAULT_TEXT(f, "the path is too long for a socket: %zu bytes", n);
        FAULT_HINT(f, "a socket's path has at most %zu bytes", SOCKET_PATH);
        return false;
    }
    return true;
}

static bool config_value_read_file(struct value_in *v, struct value_fault *f)
{
    if (v->text[0] != '/') {
        FAULT_TEXT(f, "\"%s\" is not an absolute path", v->shown);
        FAULT_HINT(f, "a path begins with \"/\"");
        return false;
    }
    return true;
}

static bool config_value_read_text(struct value_in *v, struct value_fault *f)
{
    const size_t n = strlen(v->text);

    for (size_t i = 0; i < n; i++) {
        if (v->text[i] < 0x20 || v->text[i] > 0x7e) {
            FAULT_TEXT(f, "\"%s\" is not printable ASCII", v->shown);
            FAULT_HINT(f, "letters, digits and punctuation");
            return false;
        }
    }
    if (n == 0) {
        FAULT_TEXT(f, "the text is empty");
        FAULT_HINT(f, "at least one byte");
        return false;
    }
    return true;
}

static bool config_value_read_command(struct value_in *v, struct value_fault *f)
{
    struct command c;

    return command_read(&c, v->text, 0, f);
}

static bool config_value_read_date(struct value_in *v, struct value_fault *f)
{
    uint32_t date;

    if (strlen(v->text) != DATE_SIZE - 1 || !date_read(v->text, &date)) {
        FAULT_TEXT(f, "\"%s\" is not a date", v->shown);
        FAULT_HINT(f, "YYYY-MM-DD, from 2000 on");
        return false;
    }
    v->number = date;
    return true;
}

bool value_size(const char *text, uint64_t *out)
{
    static const char units[] = "KMGT";
    const char *unit;
    uint64_t n;

    if (!numbers_take(&text, text + strlen(text), 10, UINT64_MAX, &n)) {
        return false;
    }
    unit = *text ? strchr(units, *text) : NULL;
    if (unit) {
        const unsigned shift = 10 * (unsigned)(unit - units + 1);

        if (n > UINT64_MAX >> shift) {
            return false;
        }
        n <<= shift;
        text++;
    }
    *out = n;
    return *text == '\0' && n > 0 && n <= UINT64_C(1) << 63;
}

static bool config_value_read_size(struct value_in *v, struct value_fault *f)
{
    uint64_t n;

    if (!value_size(v->text, &n)) {
        FAULT_TEXT(f, "\"%s\" is not a size", v->shown);
        FAULT_HINT(f, "a number of bytes from 1 on, optionally followed by K, M, G or T: 512M");
        return false;
    }
    return true;
}

static bool config_value_address(const char **text, uint64_t *out)
{
    const bool hex = strncmp(*text, "0x", 2) == 0;

    *text += hex ? 2 : 0;
    return numbers_take(text, *text + strlen(*text), hex ? 16 : 10, UINT64_MAX, out);
}

bool value_range(const char *text, uint64_t *first, uint64_t *last)
{
    if (!config_value_address(&text, first) || *text != '-') {
        return false;
    }
    text++;
    return config_value_address(&text, last) && *text == '\0' && *first <= *last;
}

static bool config_value_read_endpoint(struct value_in *v, struct value_fault *f)
{
    struct sockaddr_in6 address = {.sin6_family = AF_UNSPEC};
    int n = sizeof address;

    /* IPv4 has the port at the same place. */
    if (evutil_parse_sockaddr_port(v->text, (struct sockaddr *)&address, &n) < 0 ||
        address.sin6_port == 0) {
        FAULT_TEXT(f, "\"%s\" is not an address and a port", v->shown);
        FAULT_HINT(f, "127.0.0.1:9464, or [::1]:9464; names are not looked up");
        return false;
    }
    return true;
}

static bool config_value_read_range(struct value_in *v, struct value_fault *f)
{
    uint64_t first;
    uint64_t last;

    if (!value_range(v->text, &first, &last)) {
        FAULT_TEXT(f, "\"%s\" is not a range of addresses", v->shown);
        FAULT_HINT(f, "FIRST-LAST, both included: 0x0-0x7fffffff");
        return false;
    }
    return true;
}

static bool config_value_read_account(struct value_in *v, struct value_fault *f)
{
    const size_t n = strlen(v->text);

    if (n == 0 || n > LIMIT_NAME || strpbrk(v->text, ":/ \t")) {
        FAULT_TEXT(f, "\"%s\" is not a user or group", v->shown);
        FAULT_HINT(f, "a name or a number");
        return false;
    }
    return true;
}

static bool config_value_read_payload(struct value_in *v, struct value_fault *f)
{
    uint64_t n;

    if (strcmp(v->text, "all") == 0) {
        v->number = CONFIG_PAYLOAD_ALL;
    } else if (strcmp(v->text, "guest") == 0) {
        v->number = CONFIG_PAYLOAD_GUEST;
    } else if (numbers_decimal(v->text, CONFIG_PAYLOAD_MOST, &n)) {
        v->number = (unsigned)n;
    } else {
        FAULT_TEXT(f, "\"%s\" is not a payload", v->shown);
        FAULT_HINT(f, "0 to %u bytes, \"all\", or \"guest\" for all with guest memory",
                   CONFIG_PAYLOAD_MOST);
        return false;
    }
    return true;
}

static bool config_value_read_count(struct value_in *v, struct value_fault *f)
{
    uint64_t n;

    if (v->text[0] == '\0' || v->text[strspn(v->text, "0123456789")] != '\0') {
        FAULT_TEXT(f, "\"%s\" is not a number", v->shown);
        FAULT_HINT(f, "%u to %u", v->least, v->most);
        return false;
    }
    if (!numbers_decimal(v->text, v->most, &n) || n < v->least) {
        FAULT_TEXT(f, "%s is out of range", v->shown);
        FAULT_HINT(f, "%u to %u", v->least, v->most);
        return false;
    }
    v->number = (unsigned)n;
    return true;
}

/* Shows milliseconds in the largest unit without a fraction. */
static const char *config_value_show_duration(char *out, size_t size, unsigned ms)
{
    if (ms % 1000 != 0) {
        snprintf(out, size, "%ums", ms);
    } else {
        snprintf(out, size, ms > 0 ? "%us" : "%u", ms / 1000);
    }
    return out;
}

/* Returns the milliseconds of a unit, or 0 if unknown. Zero needs no unit. */
static unsigned config_value_unit_ms(const char *unit, uint64_t count)
{
    if (strcmp(unit, "ms") == 0) {
        return 1;
    }
    if (strcmp(unit, "s") == 0) {
        return 1000;
    }
    if (strcmp(unit, "m") == 0) {
        return 60000;
    }
    return *unit == '\0' && count == 0 ? 1 : 0;
}

/*
 * Reads the number before a unit. Returns the number of its digits; *fits is false if it is too
 * large.
 */
static size_t config_value_read_number(const char *text, uint64_t *count, bool *fits)
{
    const size_t digits = strspn(text, "0123456789");
    char number[16];

    *count = 0;
    *fits = false;
    if (digits < sizeof number) {
        memcpy(number, text, digits);
        number[digits] = '\0';
        *fits = numbers_decimal(number, UINT32_MAX, count);
    }
    return digits;
}

static bool config_value_read_duration(struct value_in *v, struct value_fault *f)
{
    char least[16];
    char most[16];
    uint64_t count;
    bool fits;
    const size_t digits = config_value_read_number(v->text, &count, &fits);
    const unsigned unit = config_value_unit_ms(v->text + digits, fits ? count : 1);

    if (digits == 0 || unit == 0) {
        FAULT_TEXT(f, "\"%s\" is not a duration", v->shown);
        FAULT_HINT(f, "a whole number and its unit, ms, s or m: 500ms, 3s, 1m");
        return false;
    }
    if (!fits || count > v->most / unit || count * unit < v->least) {
        FAULT_TEXT(f, "%s is out of range", v->shown);
        FAULT_HINT(f, "%s to %s", config_value_show_duration(least, sizeof least, v->least),
                   config_value_show_duration(most, sizeof most, v->most));
        return false;
    }
    v->number = (unsigned)count * unit;
    return true;
}

static bool config_value_read_microseconds(struct value_in *v, struct value_fault *f)
{
    uint64_t count;
    bool fits;
    const size_t digits = config_value_read_number(v->text, &count, &fits);
    const char *const unit = v->text + digits;
    const unsigned us = strcmp(unit, "us") == 0               ? 1
                        : strcmp(unit, "ms") == 0             ? 1000
                        : *unit == '\0' && fits && count == 0 ? 1
                                                              : 0;

    if (digits == 0 || us == 0) {
        FAULT_TEXT(f, "\"%s\" is not a time in microseconds", v->shown);
        FAULT_HINT(f, "a whole number and its unit, us or ms: 50us");
        return false;
    }
    if (!fits || count > v->most / us || count * us < v->least) {
        FAULT_TEXT(f, "%s is out of range", v->shown);
        FAULT_HINT(f, "%uus to %uus", v->least, v->most);
        return false;
    }
    v->number = (unsigned)count * us;
    return true;
}

static bool config_value_read_mode(struct value_in *v, struct value_fault *f)
{
    unsigned mode = 0;
    const size_t n = strlen(v->text);

    for (size_t i = 0; i < n && mode <= 0777; i++) {
        if (v->text[i] < '0' || v->text[i] > '7') {
            mode = ~0u;
            break;
        }
        mode = mode * 8 + (unsigned)(v->text[i] - '0');
    }
    if (n < 3 || n > 4 || mode > 0777) {
        FAULT_TEXT(f, "\"%s\" is not the mode of a socket", v->shown);
        FAULT_HINT(f, "three or four octal digits up to 0777, such as 0660");
        return false;
    }
    v->number = mode;
    return true;
}

static bool config_value_read_level(struct value_in *v, struct value_fault *f)
{
    const int level = log_level_find(v->text);

    if (level < 0) {
        FAULT_TEXT(f, "\"%s\" is not a log level", v->shown);
        FAULT_HINT(f, "error, warning, info or debug");
        return false;
    }
    v->number = (unsigned)level;
    return true;
}

static bool config_value_read_wait(struct value_in *v, struct value_fault *f)
{
    if (strcmp(v->text, "never") == 0) {
        v->number = 0;
        return true;
    }
    return config_value_read_duration(v, f);
}

static const struct {
    bool (*read)(struct value_in *v, struct value_fault *f);
    bool is_text;
} kinds[] = {
    [VALUE_NAME] = {config_value_read_name, true},
    [VALUE_SOCKET] = {config_value_read_socket, true},
    [VALUE_ACCOUNT] = {config_value_read_account, true},
    [VALUE_COUNT] = {config_value_read_count, false},
    [VALUE_DURATION] = {config_value_read_duration, false},
    [VALUE_WAIT] = {config_value_read_wait, false},
    [VALUE_MICROSECONDS] = {config_value_read_microseconds, false},
    [VALUE_MODE] = {config_value_read_mode, false},
    [VALUE_LEVEL] = {config_value_read_level, false},
    [VALUE_FILE] = {config_value_read_file, true},
    [VALUE_PAYLOAD] = {config_value_read_payload, false},
    [VALUE_TEXT] = {config_value_read_text, true},
    [VALUE_DATE] = {config_value_read_date, false},
    [VALUE_COMMAND] = {config_value_read_command, true},
    [VALUE_SIZE] = {config_value_read_size, true},
    [VALUE_RANGE] = {config_value_read_range, true},
    [VALUE_ENDPOINT] = {config_value_read_endpoint, true},
};

bool value_is_text(enum value_kind kind)
{
    return kinds[kind].is_text;
}

bool value_read(enum value_kind kind, const char *text, unsigned least, unsigned most,
                unsigned *number, struct value_fault *f)
{
    struct value_in v = {.text = text, .least = least, .most = most};

    log_escape(v.shown, sizeof v.shown, text, strlen(text));
    f->hint[0] = '\0';
    if (!kinds[kind].read(&v, f)) {
        return false;
    }
    if (!kinds[kind].is_text) {
        *number = v.number;
    }
    return true;
}

/* Finds the next component of a path: its bytes and their number. Returns false at the end. */
static bool config_value_component(const char **path, const char **name, size_t *n)
{
    do {
        *path += strspn(*path, "/");
        *name = *path;
        *n = strcspn(*path, "/");
        *path += *n;
    } while (*n == 1 && **name == '.');
    return *n > 0;
}

int value_compare_paths(const char *a, const char *b)
{
    const char *a_name;
    const char *b_name;
    size_t a_n;
    size_t b_n;
    bool more;

    do {
        more = config_value_component(&a, &a_name, &a_n);
        (void)config_value_component(&b, &b_name, &b_n);
        if (a_n != b_n) {
            return a_n < b_n ? -1 : 1;
        }
        const int order = memcmp(a_name, b_name, a_n);

        if (order != 0) {
            return order;
        }
    } while (more);
    return 0;
}

bool value_same_path(const char *a, const char *b)
{
    return value_compare_paths(a, b) == 0;
}

const char *value_nearest(const char *text, const char *const *words, size_t n)
{
    const size_t text_n = strlen(text);
    const char *best = NULL;
    size_t best_d = edit_distance_most(text_n) + 1;

    for (size_t i = 0; i < n; i++) {
        const size_t d = edit_distance(text, text_n, words[i], strlen(words[i]));

        if (d < best_d) {
            best = words[i];
            best_d = d;
        }
    }
    return best;
}

bool value_choose(const char *text, const char *const *words, unsigned *index,
                  struct value_fault *f)
{
    char shown[80];
    size_t n = 0;
    size_t at = 0;

    for (; words[n]; n++) {
        if (strcmp(text, words[n]) == 0) {
            *index = (unsigned)n;
            return true;
        }
    }
    FAULT_TEXT(f, "unexpected \"%s\"", log_escape(shown, sizeof shown, text, strlen(text)));
    at = (size_t)snprintf(f->hint, sizeof f->hint, "expected ");
    for (size_t i = 0; i < n && at < sizeof f->hint; i++) {
        const int more = snprintf(f->hint + at, sizeof f->hint - at, "%s\"%s\"",
                                  i == 0       ? ""
                                  : i + 1 == n ? " or "
                                               : ", ",
                                  words[i]);

        at += more > 0 ? (size_t)more : 0;
    }
    return false;
}
