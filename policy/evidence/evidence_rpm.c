/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads headers of rpm's database. Every offset and count in them is checked before use. Pure. */
#include "policy/evidence/evidence_rpm.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text/hex.h"

/* Bytes of the two numbers, and of an entry of the index: tag, type, offset, count. */
#define INTRO_SIZE 8u
#define ENTRY_SIZE 16u

/* rpm's own limits (HEADER_TAGS_MAX, HEADER_DATA_MAX). */
#define ENTRIES_MAX 0xffffu
#define DATA_MAX (256u << 20)

enum rpm_type {
    RPM_CHAR = 1,
    RPM_INT32 = 4,
    RPM_STRING = 6,
    RPM_STRING_ARRAY = 8,
    RPM_TYPE_MAX = 9,
};

/* The number of elements that a tag must have. */
enum rpm_count {
    RPM_ONE,
    RPM_PER_FILE,
    RPM_ANY,
};

static const struct {
    uint32_t tag;
    enum rpm_type type;
    enum rpm_count count;
} fields[EVIDENCE_RPM_FIELDS] = {
    [EVIDENCE_RPM_NAME] = {1000, RPM_STRING, RPM_ONE},
    [EVIDENCE_RPM_VERSION] = {1001, RPM_STRING, RPM_ONE},
    [EVIDENCE_RPM_RELEASE] = {1002, RPM_STRING, RPM_ONE},
    [EVIDENCE_RPM_EPOCH] = {1003, RPM_INT32, RPM_ONE},
    [EVIDENCE_RPM_LICENSE] = {1014, RPM_STRING, RPM_ONE},
    [EVIDENCE_RPM_ARCH] = {1022, RPM_STRING, RPM_ONE},
    [EVIDENCE_RPM_FILE_STATES] = {1029, RPM_CHAR, RPM_PER_FILE},
    [EVIDENCE_RPM_FILE_DIGESTS] = {1035, RPM_STRING_ARRAY, RPM_PER_FILE},
    [EVIDENCE_RPM_DIR_INDEXES] = {1116, RPM_INT32, RPM_PER_FILE},
    [EVIDENCE_RPM_BASENAMES] = {1117, RPM_STRING_ARRAY, RPM_PER_FILE},
    [EVIDENCE_RPM_DIRNAMES] = {1118, RPM_STRING_ARRAY, RPM_ANY},
    [EVIDENCE_RPM_DIGEST_ALGORITHM] = {5011, RPM_INT32, RPM_ONE},
};

/* File states of rpm: only "normal" is the package's own file in its place. */
#define STATE_NORMAL 0u

static uint32_t evidence_rpm_number(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* ---- structure ---- */

static enum evidence_rpm_field evidence_rpm_find(uint32_t tag)
{
    for (size_t f = 0; f < EVIDENCE_RPM_FIELDS; f++) {
        if (fields[f].tag == tag) {
            return (enum evidence_rpm_field)f;
        }
    }
    return EVIDENCE_RPM_FIELDS;
}

/* Returns the size of n strings from `at` on, each with its NUL, or 0 if they do not end. */
static size_t evidence_rpm_strings_size(const struct evidence_rpm_header *h, uint32_t at,
                                        uint32_t n)
{
    const uint8_t *const begin = h->data + at;
    const uint8_t *const end = h->data + h->n_data;
    const uint8_t *p = begin;

    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *const nul = memchr(p, '\0', (size_t)(end - p));

        if (!nul) {
            return 0;
        }
        p = nul + 1;
    }
    return (size_t)(p - begin);
}

/* Returns whether all elements of a field lie within the data. */
static bool evidence_rpm_fits(const struct evidence_rpm_header *h, enum rpm_type type, uint32_t at,
                              uint32_t count)
{
    const uint32_t left = h->n_data - at;

    switch (type) {
    case RPM_CHAR:
        return count <= left;
    case RPM_INT32:
        return at % 4 == 0 && count <= left / 4;
    case RPM_STRING:
        return count == 1 && evidence_rpm_strings_size(h, at, 1) > 0;
    case RPM_STRING_ARRAY:
        return evidence_rpm_strings_size(h, at, count) > 0;
    case RPM_TYPE_MAX:
        break;
    }
    return false;
}

static bool evidence_rpm_read_entry(struct evidence_rpm_header *h, const uint8_t *entry)
{
    const enum evidence_rpm_field f = evidence_rpm_find(evidence_rpm_number(entry));
    const uint32_t type = evidence_rpm_number(entry + 4);
    const uint32_t at = evidence_rpm_number(entry + 8);
    const uint32_t count = evidence_rpm_number(entry + 12);

    if (type > RPM_TYPE_MAX || count == 0 || at > h->n_data) {
        return false;
    }
    if (f == EVIDENCE_RPM_FIELDS) {
        return true;
    }
    if (h->fields[f].count > 0 || type != fields[f].type ||
        (fields[f].count == RPM_ONE && count != 1) ||
        !evidence_rpm_fits(h, fields[f].type, at, count)) {
        return false;
    }
    h->fields[f].at = at;
    h->fields[f].count = count;
    return true;
}

/* Returns whether all that is recorded for each file is recorded for the same number of files. */
static bool evidence_rpm_counts_agree(const struct evidence_rpm_header *h)
{
    const uint32_t files = h->fields[EVIDENCE_RPM_BASENAMES].count;

    for (size_t f = 0; f < EVIDENCE_RPM_FIELDS; f++) {
        const uint32_t count = h->fields[f].count;

        if (fields[f].count == RPM_PER_FILE && count > 0 && count != files) {
            return false;
        }
    }
    return true;
}

bool evidence_rpm_read(struct evidence_rpm_header *h, const uint8_t *p, size_t n)
{
    uint32_t entries;

    memset(h, 0, sizeof *h);
    if (n < INTRO_SIZE) {
        return false;
    }
    entries = evidence_rpm_number(p);
    h->n_data = evidence_rpm_number(p + 4);
    if (entries == 0 || entries > ENTRIES_MAX || h->n_data > DATA_MAX ||
        n != INTRO_SIZE + (size_t)entries * ENTRY_SIZE + h->n_data) {
        return false;
    }
    h->data = p + INTRO_SIZE + (size_t)entries * ENTRY_SIZE;
    for (uint32_t i = 0; i < entries; i++) {
        if (!evidence_rpm_read_entry(h, p + INTRO_SIZE + (size_t)i * ENTRY_SIZE)) {
            return false;
        }
    }
    return evidence_rpm_counts_agree(h);
}

/* ---- values ---- */

/* Returns an element of a field with strings, or NULL if there is none. */
static const char *evidence_rpm_string(const struct evidence_rpm_header *h,
                                       enum evidence_rpm_field f, uint32_t index)
{
    const uint32_t at = h->fields[f].at;

    if (index >= h->fields[f].count) {
        return NULL;
    }
    return (const char *)h->data + at + evidence_rpm_strings_size(h, at, index);
}

/* Returns an element of a field with numbers, or `otherwise` if there is none. */
static uint32_t evidence_rpm_value(const struct evidence_rpm_header *h, enum evidence_rpm_field f,
                                   uint32_t index, uint32_t otherwise)
{
    if (index >= h->fields[f].count) {
        return otherwise;
    }
    return evidence_rpm_number(h->data + h->fields[f].at + (size_t)index * 4);
}

static bool evidence_rpm_read_digest(const char *digits, struct evidence_rpm_file *out)
{
    const size_t n = strlen(digits);

    if (n % 2 != 0 || n / 2 > sizeof out->digest) {
        return false;
    }
    out->n_digest = (uint32_t)(n / 2);
    return n == 0 || hex_read(digits, out->digest, n / 2);
}

bool evidence_rpm_file(const struct evidence_rpm_header *h, uint32_t index,
                       struct evidence_rpm_file *out)
{
    const char *const base = evidence_rpm_string(h, EVIDENCE_RPM_BASENAMES, index);
    const char *const digest = evidence_rpm_string(h, EVIDENCE_RPM_FILE_DIGESTS, index);
    const uint32_t dir_index = evidence_rpm_value(h, EVIDENCE_RPM_DIR_INDEXES, index, UINT32_MAX);
    const char *const dir = evidence_rpm_string(h, EVIDENCE_RPM_DIRNAMES, dir_index);
    int n;

    memset(out, 0, sizeof *out);
    if (!base || !dir || !digest || dir[0] != '/' || dir[strlen(dir) - 1] != '/') {
        return false;
    }
    n = snprintf(out->path, sizeof out->path, "%s%s", dir, base);
    out->installed = h->fields[EVIDENCE_RPM_FILE_STATES].count == 0 ||
                     h->data[h->fields[EVIDENCE_RPM_FILE_STATES].at + index] == STATE_NORMAL;
    out->algorithm = evidence_rpm_value(h, EVIDENCE_RPM_DIGEST_ALGORITHM, 0, EVIDENCE_RPM_MD5);
    return n > 0 && (size_t)n < sizeof out->path && evidence_rpm_read_digest(digest, out);
}

bool evidence_rpm_name(const struct evidence_rpm_header *h, char out[EVIDENCE_NAME_SIZE])
{
    const char *const name = evidence_rpm_string(h, EVIDENCE_RPM_NAME, 0);
    const char *const version = evidence_rpm_string(h, EVIDENCE_RPM_VERSION, 0);
    const char *const release = evidence_rpm_string(h, EVIDENCE_RPM_RELEASE, 0);
    const char *const arch = evidence_rpm_string(h, EVIDENCE_RPM_ARCH, 0);
    char epoch[16] = "";
    int n;

    if (!name || !version || !release || !arch) {
        return false;
    }
    if (h->fields[EVIDENCE_RPM_EPOCH].count > 0) {
        snprintf(epoch, sizeof epoch, "%" PRIu32 ":",
                 evidence_rpm_value(h, EVIDENCE_RPM_EPOCH, 0, 0));
    }
    n = snprintf(out, EVIDENCE_NAME_SIZE, "%s %s%s-%s %s", name, epoch, version, release, arch);
    return n > 0 && (size_t)n < EVIDENCE_NAME_SIZE;
}

const char *evidence_rpm_licence_tag(const struct evidence_rpm_header *h)
{
    return evidence_rpm_string(h, EVIDENCE_RPM_LICENSE, 0);
}

/* ---- paths ---- */

/* Folders that are links to another one where /usr is merged. Order: the longest name first. */
static const struct {
    const char *folder;
    const char *is;
} merged[] = {
    {"/usr/sbin/", "/usr/bin/"}, {"/lib64/", "/usr/lib64/"}, {"/sbin/", "/usr/bin/"},
    {"/bin/", "/usr/bin/"},      {"/lib/", "/usr/lib/"},
};

/* Returns the folder that the path is really in, and what follows it in *rest. */
static const char *evidence_rpm_merge(const char *path, const char **rest)
{
    for (size_t i = 0; i < sizeof merged / sizeof *merged; i++) {
        const size_t n = strlen(merged[i].folder);

        if (strncmp(path, merged[i].folder, n) == 0) {
            *rest = path + n;
            return merged[i].is;
        }
    }
    *rest = path;
    return "";
}

bool evidence_rpm_path_merged(const char *a, const char *b)
{
    const char *rest_a;
    const char *rest_b;
    const char *const dir_a = evidence_rpm_merge(a, &rest_a);
    const char *const dir_b = evidence_rpm_merge(b, &rest_b);
    const size_t n_a = strlen(dir_a);
    const size_t n_b = strlen(dir_b);

    /* Compares DIR REST of both as if each were one string: one of the folders may be "". */
    if (n_a == n_b) {
        return strcmp(dir_a, dir_b) == 0 && strcmp(rest_a, rest_b) == 0;
    }
    return n_a > n_b ? strncmp(rest_b, dir_a, n_a) == 0 && strcmp(rest_b + n_a, rest_a) == 0
                     : strncmp(rest_a, dir_b, n_b) == 0 && strcmp(rest_a + n_b, rest_b) == 0;
}
