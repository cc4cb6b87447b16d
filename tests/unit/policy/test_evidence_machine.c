/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The copyright files of packages with an ELF program on the search path: if the licence of
 * "Files: *" is compatible with the GPL, so is the package's, unless a source file is named that is
 * not, or the line at which the file is malformed. The answers for those of Debian 12 are in
 * debian_copyright.tsv, and a machine that has one of these files must give the same answer. Its
 * other packages are only listed: nothing that a machine happens to have can fail here. Packages
 * with the same copyright file, which are built from one source, count once.
 */
#include <dirent.h>
#include <inttypes.h>
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

#define TABLE SOURCE_DIR "/tests/unit/policy/debian_copyright.tsv"

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

enum answer { COMPATIBLE, NAMED, WITHOUT, ANSWERS };

static const char *const answers[ANSWERS] = {"compatible", "named", "without"};

/* A row of the table, or a package of this machine. */
struct row {
    uint64_t digest; /* of the copyright file */
    enum answer answer;
};

struct rows {
    size_t n;
    struct row rows[4096];
};

static struct rows table;

/* FNV-1a of the text. */
static uint64_t digest_of(size_t size)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size; i++) {
        digest = (digest ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    }
    return digest;
}

/* Returns the row with this digest, or NULL. */
static const struct row *find(const struct rows *r, uint64_t digest)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->rows[i].digest == digest) {
            return &r->rows[i];
        }
    }
    return NULL;
}

static void add(struct rows *r, uint64_t digest, enum answer answer)
{
    if (r->n < sizeof r->rows / sizeof *r->rows) {
        r->rows[r->n++] = (struct row){digest, answer};
    }
}

static void read_table(void)
{
    FILE *const f = fopen(TABLE, "r");
    char line[512];

    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f)) {
        uint64_t digest;
        char word[16];
        int answer = 0;

        if (*line == '#') {
            continue;
        }
        ck_assert_msg(sscanf(line, "%" SCNx64 "\t%15s", &digest, word) == 2, "%s", line);
        while (answer < ANSWERS && strcmp(answers[answer], word) != 0) {
            answer++;
        }
        ck_assert_msg(answer < ANSWERS, "%s", line);
        add(&table, digest, (enum answer)answer);
    }
    fclose(f);
    ck_assert_uint_gt(table.n, 80);
}

/* Returns the answer for a copyright file whose main licence is compatible, and its reason. */
static enum answer answer_for(size_t size, char reason[256])
{
    static struct evidence_copyrights c;
    const enum evidence_copyright o = evidence_copyright_read(&c, text, size);

    if (o == EVIDENCE_COPYRIGHT_OK && judge(c.licence) == SPDX_COMPATIBLE) {
        reason[0] = '\0';
        return COMPATIBLE;
    }
    if (o == EVIDENCE_COPYRIGHT_OK && names_a_source(&c)) {
        snprintf(reason, 256, "%s: %s", c.files[0].files, c.files[0].licence);
        return NAMED;
    }
    if (o == EVIDENCE_COPYRIGHT_MALFORMED) {
        snprintf(reason, 256, "line %u: %s", c.line, c.why);
        return NAMED;
    }
    snprintf(reason, 256, "%.255s",
             o == EVIDENCE_COPYRIGHT_OK ? c.licence : evidence_copyright_text(o));
    return WITHOUT;
}

/* Compares the answer for a package of this machine with the table. */
static void check_package(struct rows *seen, const char *package)
{
    static struct evidence_copyrights main_licence;
    const size_t size = read_copyright(package);
    const uint64_t digest = digest_of(size);
    const struct row *const known = find(&table, digest);
    const size_t main_size = find(seen, digest) ? 0 : cut_to_main(size);
    char reason[256];
    enum answer got;

    if (main_size == 0 ||
        evidence_copyright_read(&main_licence, main_text, main_size) != EVIDENCE_COPYRIGHT_OK ||
        judge(main_licence.licence) != SPDX_COMPATIBLE) {
        ck_assert_msg(!known || find(seen, digest), "%s: its main licence is compatible", package);
        return;
    }
    got = answer_for(size, reason);
    add(seen, digest, got);
    if (got != COMPATIBLE || !known) {
        printf("%016" PRIx64 "\t%s\t%s\t%s%s\n", digest, answers[got], package, reason,
               known ? "" : " (not in the table)");
    }
    if (known) {
        ck_assert_msg(got == known->answer, "%s: %s (%s), was %s", package, answers[got], reason,
                      answers[known->answer]);
    }
}

START_TEST(packages_of_this_machine_get_the_answers_of_the_table)
{
    static struct rows seen;
    struct evidence_dpkg_name package;
    DIR *const dir = opendir(INFO);
    const struct dirent *d;

    read_table();
    while (dir && (d = readdir(dir))) {
        if (evidence_dpkg_list_name(d->d_name, &package) && has_program(d->d_name)) {
            check_package(&seen, package.name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    fflush(stdout);
}
END_TEST

START_TEST(few_packages_are_worse_than_their_main_licence_without_a_reason)
{
    unsigned counts[ANSWERS] = {0};

    read_table();
    for (size_t i = 0; i < table.n; i++) {
        counts[table.rows[i].answer]++;
    }
    ck_assert_uint_le(100 * counts[WITHOUT], SHARE_MAX * (unsigned)table.n);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("evidence_machine");
    TCase *tc = unit_case(s, "packages");

    tcase_add_test(tc, packages_of_this_machine_get_the_answers_of_the_table);
    tcase_add_test(tc, few_packages_are_worse_than_their_main_licence_without_a_reason);
    return unit_run(s);
}
