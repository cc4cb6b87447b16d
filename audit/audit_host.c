/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The host's name, ids and distribution. */
#define _GNU_SOURCE
#include "audit/audit_host.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text/hex.h"
#include "audit/audit_disk.h"
#include "audit/audit_log.h"

/* Fits a file with a UUID, and a host name (HOST_NAME_MAX is 64). */
#define HOST_TEXT 256

/* Fits an os-release file, which has some 300 bytes in Debian, 700 in Fedora. */
#define RELEASE_TEXT 4096

int audit_host_derive(const uint8_t machine[16], const uint8_t application[16], uint8_t out[16])
{
    uint8_t mac[EVP_MAX_MD_SIZE];

    if (!HMAC(EVP_sha256(), machine, AUDIT_ID_SIZE, application, AUDIT_ID_SIZE, mac, NULL)) {
        return -ENOMEM;
    }
    memcpy(out, mac, AUDIT_ID_SIZE);
    /* RFC 9562, sections 5.4 and 4.1: version and variant. */
    out[6] = (out[6] & 0x0f) | 0x40;
    out[8] = (out[8] & 0x3f) | 0x80;
    return 0;
}

static int host_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool audit_host_id(const char *text, uint8_t out[16])
{
    unsigned n = 0;

    for (; *text && *text != '\n'; text++) {
        const int digit = host_digit(*text);

        if (*text == '-') {
            continue;
        }
        if (digit < 0 || n == AUDIT_ID_TEXT) {
            return false;
        }
        out[n / 2] = (uint8_t)(n % 2 ? out[n / 2] | (unsigned)digit : (unsigned)digit << 4);
        n++;
    }
    return n == AUDIT_ID_TEXT && (*text == '\0' || text[1] == '\0');
}

/* Reads an id from a file. Returns false if it cannot be read or contains no id. */
static bool host_read_id(const char *path, uint8_t out[16])
{
    char text[HOST_TEXT];

    return audit_disk_read_small(path, text, sizeof text) > 0 && audit_host_id(text, out);
}

static int host_set_id(json_t *o, const char *key, const uint8_t id[16])
{
    char text[AUDIT_ID_TEXT + 1];

    return json_object_set_new(o, key, json_string(hex_text(id, AUDIT_ID_SIZE, text)));
}

/*
 * Finds a variable of os-release(5). Returns false if it is missing, or is not letters, digits and
 * ". _ -", with or without quotes, of which the values used here consist.
 */
static bool host_read_release(const char *text, const char *name, char out[HOST_TEXT])
{
    const size_t n = strlen(name);
    const char *line = text;

    while (line && (strncmp(line, name, n) != 0 || line[n] != '=')) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    if (!line) {
        return false;
    }
    line += n + 1;
    line += *line == '"' || *line == '\'';
    return sscanf(line, "%255[A-Za-z0-9._-]", out) == 1;
}

json_t *audit_host_distribution(const char *path)
{
    char text[RELEASE_TEXT];
    char id[HOST_TEXT];
    char version[HOST_TEXT];

    if (audit_disk_read_small(path, text, sizeof text) < 0 || !host_read_release(text, "ID", id)) {
        return NULL;
    }
    return json_pack("{s:s, s:s*}", "id", id, "version",
                     host_read_release(text, "VERSION_ID", version) ? version : NULL);
}

json_t *audit_host_new(void)
{
    json_t *const distribution = audit_host_distribution("/etc/os-release");
    uint8_t application[AUDIT_ID_SIZE];
    uint8_t id[AUDIT_ID_SIZE];
    char name[HOST_TEXT];
    json_t *const o = json_object();
    int err = o ? 0 : -ENOMEM;

    if (gethostname(name, sizeof name) < 0 || !memchr(name, '\0', sizeof name)) {
        strcpy(name, "unknown");
    }
    if (err == 0) {
        err = json_object_set_new(o, "name", audit_text(name, strlen(name)));
    }
    if (err == 0 && host_read_id("/etc/machine-id", id) &&
        audit_host_id(AUDIT_APPLICATION, application)) {
        err = audit_host_derive(id, application, id) < 0 ? -ENOMEM : host_set_id(o, "machine", id);
    }
    if (err == 0 && host_read_id("/proc/sys/kernel/random/boot_id", id)) {
        err = host_set_id(o, "boot", id);
    }
    if (err == 0 && distribution) {
        err = json_object_set(o, "distribution", distribution);
    }
    json_decref(distribution);
    if (err) {
        json_decref(o);
        return NULL;
    }
    return o;
}
