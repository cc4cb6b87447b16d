/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The copyright files of this machine's own packages, of those with an ELF program on the search
 * path: if the licence of "Files: *" is compatible with the GPL, so is the package's, unless a
 * source file is named that is not, or the line at which the file is malformed. Packages with the
 * same copyright file, which are built from one source, count once. Without 30 of them there is
 * nothing to measure.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/evidence/debian/evidence_copyright.h"
#include "policy/evidence/debian/evidence_deb822.h"
#include "policy/evidence/debian/evidence_dpkg.h"
#include "policy/spdx/spdx.h"
#include "tests/support/unit.h"

#define INFO "/var/lib/dpkg/info"
#define TEXT_SIZE (4u << 20)

/* Fewer are no sample. */
#define PACKAGES_MIN 30u

/* Packages without a reason, of a hundred. */
#define SHARE_MAX 3u

static char text[TEXT_SIZE];
static char main_text[TEXT_SIZE];

static bool is_elf(const char *path)
{
    FILE *const f = fopen(path, "rb");
    char head[4] = "";
    const bool elf = f && fread(head, 1, 4, f) == 4 && memcmp(head, "\177ELF", 4) == 0;

    if (f) {
        fclose(f);
    }
    return elf;
}

/* Returns whether a path is a program on the usual search path. */
static bool is_on_path(const char *path)
{
    static const char *const folders[] = {"/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/"};

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (strncmp(path, folders[i], strlen(folders[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Returns whether a package's list has an ELF file among its programs. */
static bool has_program(const char *list)
{
    char path[4096];
    FILE *f;
    bool found = false;

    snprintf(path, sizeof path, INFO "/%s", list);
    f = fopen(path, "r");
    while (f && !found && fgets(path, sizeof path, f)) {
        path[strcspn(path, "\n")] = '\0';
        found = is_on_path(path) && is_elf(path);
    }
    if (f) {
        fclose(f);
    }
    return found;
}

static size_t read_copyright(const char *package)
{
    char path[512];
    FILE *f;
    size_t n = 0;

    snprintf(path, sizeof path, "/usr/share/doc/%s/copyright", package);
    f = fopen(path, "rb");
    if (f) {
        n = fread(text, 1, sizeof text, f);
        fclose(f);
    }
    return n;
}

/* Copies the header, "Files: *" and the stanzas of texts. Returns 0 without the second of them. */
static size_t cut_to_main(size_t size)
{
    struct evidence_deb822_stanza s;
    struct evidence_deb822 d;
    size_t n = 0;
    bool found = false;

    evidence_deb822_begin(&d, text, size);
    for (const char *at = text; evidence_deb822_next(&d, &s); at = d.rest.p) {
        const struct evidence_deb822_field *files = evidence_deb822_find(&s, "Files");
        const size_t len = (size_t)(d.rest.p - at);

        if (!files || evidence_span_is(files->first, "*")) {
            found = found || files;
            memcpy(main_text + n, at, len);
            n += len;
        }
    }
    return found ? n : 0;
}

static enum spdx_compat judge(const char *licence)
{
    struct spdx_verdict v;
    struct spdx_error why;
    struct spdx e;

    if (spdx_parse(&e, licence, strlen(licence), SPDX_ANY, &why) != SPDX_OK) {
        return SPDX_UNKNOWN;
    }
    spdx_judge(&e, SPDX_WITH_GPL_2_0_OR_LATER, &v);
    return v.compat;
}

static bool names_a_source(const struct evidence_copyrights *c)
{
    return c->n_files > 0 && c->files[0].place == EVIDENCE_PLACE_SOURCE &&
           judge(c->licence) == SPDX_INCOMPATIBLE;
}

struct count {
    size_t n_seen;
    uint32_t seen[4096]; /* digests of copyright files */
    unsigned compatible;
    unsigned named;
    unsigned without;
};

/* Returns whether the same text was counted before (FNV-1a; a collision only loses a package). */
static bool is_seen(struct count *n, size_t size)
{
    uint32_t digest = 2166136261u;

    for (size_t i = 0; i < size; i++) {
        digest = (digest ^ (unsigned char)text[i]) * 16777619u;
    }
    for (size_t i = 0; i < n->n_seen; i++) {
        if (n->seen[i] == digest) {
            return true;
        }
    }
    if (n->n_seen < sizeof n->seen / sizeof *n->seen) {
        n->seen[n->n_seen++] = digest;
    }
    return false;
}

static void count_package(struct count *n, const char *package)
{
    static struct evidence_copyrights c;
    const size_t size = read_copyright(package);
    const size_t main_size = is_seen(n, size) ? 0 : cut_to_main(size);
    enum evidence_copyright o;

    if (main_size == 0 ||
        evidence_copyright_read(&c, main_text, main_size) != EVIDENCE_COPYRIGHT_OK ||
        judge(c.licence) != SPDX_COMPATIBLE) {
        return;
    }
    n->compatible++;
    o = evidence_copyright_read(&c, text, size);
    if (o == EVIDENCE_COPYRIGHT_OK && judge(c.licence) == SPDX_COMPATIBLE) {
        return;
    }
    if (o == EVIDENCE_COPYRIGHT_OK && names_a_source(&c)) {
        n->named++;
        printf("%s: %s: %s\n", package, c.files[0].files, c.files[0].licence);
    } else if (o == EVIDENCE_COPYRIGHT_MALFORMED) {
        n->named++;
        printf("%s: line %u: %s\n", package, c.line, c.why);
    } else {
        n->without++;
        printf("%s: no reason: %s %s\n", package, evidence_copyright_text(o),
               o == EVIDENCE_COPYRIGHT_OK ? c.licence : "");
    }
}

START_TEST(few_packages_are_worse_than_their_main_licence_without_a_reason)
{
    static struct count n;
    struct evidence_dpkg_name package;
    DIR *const dir = opendir(INFO);
    const struct dirent *d;

    while (dir && (d = readdir(dir))) {
        if (evidence_dpkg_list_name(d->d_name, &package) && has_program(d->d_name)) {
            count_package(&n, package.name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    printf("%u of %u packages without a reason, %u with one\n", n.without, n.compatible, n.named);
    fflush(stdout);
    /* Rounded up to whole packages: of 85, one is more than a hundredth. */
    ck_assert_uint_le(n.compatible < PACKAGES_MIN ? 0 : n.without,
                      (SHARE_MAX * n.compatible + 99) / 100);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("evidence_machine");
    TCase *tc = unit_case(s, "packages");

    tcase_add_test(tc, few_packages_are_worse_than_their_main_licence_without_a_reason);
    return unit_run(s);
}
