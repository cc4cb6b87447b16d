/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads dpkg's database as described in deb-md5sums(5) and dpkg(1), and as its files show. Pure. */
#define _GNU_SOURCE
#include "policy/evidence/debian/evidence_dpkg.h"

#include <string.h>

#include "base/text/hex.h"

bool evidence_dpkg_path(const char *path, const char **unmerged)
{
    static const char *const merged[] = {"/usr/bin/",   "/usr/sbin/",  "/usr/lib/",
                                         "/usr/lib32/", "/usr/lib64/", "/usr/libx32/"};

    *unmerged = NULL;
    /* A newline in the path could make it match two lines of a list. */
    if (path[0] != '/' || path[1] == '\0' || strchr(path, '\n')) {
        return false;
    }
    for (size_t i = 0; i < sizeof merged / sizeof *merged; i++) {
        if (strncmp(path, merged[i], strlen(merged[i])) == 0) {
            *unmerged = path + strlen("/usr");
        }
    }
    return true;
}

static bool evidence_dpkg_take(char *out, size_t size, const char *p, size_t n)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789+-.";

    if (n == 0 || n >= size || strspn(p, allowed) < n || p[0] == '.') {
        return false;
    }
    memcpy(out, p, n);
    out[n] = '\0';
    return true;
}

bool evidence_dpkg_list_name(const char *file, struct evidence_dpkg_name *out)
{
    const size_t n = strlen(file);
    const size_t suffix = strlen(".list");
    const char *colon = strchr(file, ':');
    size_t name;

    if (n <= suffix || strcmp(file + n - suffix, ".list") != 0) {
        return false;
    }
    name = colon ? (size_t)(colon - file) : n - suffix;
    out->arch[0] = '\0';
    if (colon &&
        !evidence_dpkg_take(out->arch, sizeof out->arch, colon + 1, n - suffix - name - 1)) {
        return false;
    }
    return evidence_dpkg_take(out->name, sizeof out->name, file, name);
}

bool evidence_dpkg_next_file(struct evidence_span *rest, struct evidence_span *path)
{
    while (evidence_span_line(rest, path)) {
        if (rest->n <= path->n || rest->p[path->n] != '/' ||
            memcmp(rest->p, path->p, path->n) != 0) {
            return true;
        }
    }
    return false;
}

bool evidence_dpkg_lists(const char *p, size_t n, const char *path)
{
    const size_t len = strlen(path);
    const char *at = p;

    while ((at = memmem(at, n - (size_t)(at - p), path, len))) {
        const char *end = at + len;

        if ((at == p || at[-1] == '\n') && (end == p + n || *end == '\n')) {
            return true;
        }
        at++;
    }
    return false;
}

bool evidence_dpkg_diverted_from(const char *p, size_t n, const char *path, char *out, size_t size)
{
    struct evidence_span rest = {p, n};
    struct evidence_span from;
    struct evidence_span to;
    struct evidence_span by;

    while (evidence_span_line(&rest, &from) && evidence_span_line(&rest, &to) &&
           evidence_span_line(&rest, &by)) {
        if (to.n == strlen(path) && memcmp(to.p, path, to.n) == 0) {
            if (from.n == 0 || from.n >= size || memchr(from.p, '\0', from.n)) {
                return false;
            }
            memcpy(out, from.p, from.n);
            out[from.n] = '\0';
            return true;
        }
    }
    return false;
}

bool evidence_dpkg_md5(const char *p, size_t n, const char *path, uint8_t out[EVIDENCE_MD5_SIZE])
{
    const size_t digits = 2 * (size_t)EVIDENCE_MD5_SIZE;
    const char *name = path + 1; /* names in the file have no leading slash */
    const size_t len = strlen(name);
    const char *end = p + n;

    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));

        nl = nl ? nl : end;
        if ((size_t)(nl - p) == digits + 2 + len && p[digits] == ' ' && p[digits + 1] == ' ' &&
            memcmp(p + digits + 2, name, len) == 0) {
            return hex_read(p, out, EVIDENCE_MD5_SIZE);
        }
        p = nl < end ? nl + 1 : end;
    }
    return false;
}

/* ---- status ---- */

/* Returns the value of "KEY: VALUE" in a paragraph, or NULL if there is none. */
static const char *evidence_dpkg_value_of(const char *p, const char *end, const char *key,
                                          size_t *n)
{
    const size_t len = strlen(key);

    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));

        nl = nl ? nl : end;
        if ((size_t)(nl - p) > len + 1 && memcmp(p, key, len) == 0 && p[len] == ':' &&
            p[len + 1] == ' ') {
            *n = (size_t)(nl - p) - len - 2;
            return p + len + 2;
        }
        p = nl < end ? nl + 1 : end;
    }
    return NULL;
}

static bool evidence_dpkg_has_value(const char *p, const char *end, const char *key,
                                    const char *want)
{
    size_t n = 0;
    const char *v = evidence_dpkg_value_of(p, end, key, &n);

    return v && n == strlen(want) && memcmp(v, want, n) == 0;
}

static bool evidence_dpkg_is_package(const char *p, const char *end,
                                     const struct evidence_dpkg_name *package)
{
    return evidence_dpkg_has_value(p, end, "Package", package->name) &&
           (package->arch[0] == '\0' ||
            evidence_dpkg_has_value(p, end, "Architecture", package->arch));
}

/*
 * Returns whether the package's files are on the disk: its status, the third word after what is
 * wanted ("hold") and a flag, is one of those between unpacking and full installation.
 */
static bool evidence_dpkg_is_installed(const char *p, const char *end)
{
    static const char *const states[] = {" installed", " triggers-pending", " triggers-awaited",
                                         " half-configured", " unpacked"};
    size_t n = 0;
    const char *v = evidence_dpkg_value_of(p, end, "Status", &n);

    for (size_t i = 0; v && i < sizeof states / sizeof *states; i++) {
        const size_t len = strlen(states[i]);

        if (n > len && memcmp(v + n - len, states[i], len) == 0) {
            return true;
        }
    }
    return false;
}

bool evidence_dpkg_version(const char *p, size_t n, const struct evidence_dpkg_name *package,
                           char out[EVIDENCE_DPKG_VERSION_SIZE])
{
    const char *end = p + n;

    while (p < end) {
        const char *gap = memmem(p, (size_t)(end - p), "\n\n", 2);
        const char *stop = gap ? gap : end;
        size_t len = 0;
        const char *v;

        if (evidence_dpkg_is_package(p, stop, package)) {
            v = evidence_dpkg_value_of(p, stop, "Version", &len);
            if (!v || len == 0 || len >= EVIDENCE_DPKG_VERSION_SIZE ||
                !evidence_dpkg_is_installed(p, stop)) {
                return false;
            }
            memcpy(out, v, len);
            out[len] = '\0';
            return true;
        }
        p = gap ? gap + 2 : end;
    }
    return false;
}
