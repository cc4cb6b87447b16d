/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The inspector as a process: what it finds out about real files, and how it is asked. */
#define _GNU_SOURCE
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/limits.h"
#include "policy/evidence/evidence_dsse.h"
#include "policy/inspector/inspector_channel.h"
#include "tests/support/unit.h"
#include "tests/unit/policy/inspector_rig.h"

static void digest_of(const char *path, const EVP_MD *md, uint8_t *out)
{
    FILE *f = fopen(path, "re");
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    char buf[4096];
    size_t n;

    ck_assert(f && ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1);
    while ((n = fread(buf, 1, sizeof buf, f)) > 0) {
        ck_assert_int_eq(EVP_DigestUpdate(ctx, buf, n), 1);
    }
    ck_assert_int_eq(EVP_DigestFinal_ex(ctx, out, NULL), 1);
    EVP_MD_CTX_free(ctx);
    fclose(f);
}

/* ---- what it finds ---- */

START_TEST(a_files_digest_is_its_own)
{
    uint8_t want[32];

    start(NULL);
    assert_inspected(NOTED);
    digest_of(NOTED, EVP_sha256(), want);
    ck_assert_mem_eq(answer.sha256, want, sizeof want);
}
END_TEST

START_TEST(a_note_of_the_linkers_is_read)
{
    start(NULL);
    assert_inspected(NOTED);
    ck_assert_uint_eq(answer.evidence.n, 1);
    ck_assert_uint_eq(answer.evidence.n_unknown, 0);
    ck_assert_str_eq(answer.evidence.items[0].licence, "GPL-2.0-or-later OR BSD-2-Clause");
    ck_assert_int_eq(answer.evidence.items[0].grade, EVIDENCE_NOTED);
    ck_assert_int_eq(answer.evidence.items[0].source, EVIDENCE_FROM_ELF_NOTE);
    assert_inspected(NOTED_TWICE);
    ck_assert_uint_eq(answer.evidence.n, 2);
    ck_assert_int_ne(strcmp(answer.evidence.items[0].licence, answer.evidence.items[1].licence), 0);
    assert_inspected("/proc/self/exe");
    ck_assert_uint_eq(answer.evidence.n, 0);
}
END_TEST

START_TEST(a_binary_of_this_machines_is_its_packages)
{
    settings.dpkg_dir = NULL;
    settings.doc_dir = NULL;
    start(NULL);
    assert_inspected("/usr/bin/true");
    ck_assert_uint_eq(answer.evidence.n, 1);
    ck_assert_int_eq(answer.evidence.items[0].source, EVIDENCE_FROM_DPKG);
    ck_assert_ptr_nonnull(strstr(answer.evidence.items[0].licence, "GPL-3.0-or-later"));
    ck_assert_ptr_nonnull(strstr(answer.evidence.items[0].name, "coreutils "));
    ck_assert_ptr_nonnull(strstr(answer.evidence.items[0].detail, "MD5"));
}
END_TEST

/* A database with one package, "thing", that owns the file at exe_path. */
static void make_database(const char *exe_path, const char *copyright)
{
    uint8_t md5[16];
    char line[512];
    char *p = line;

    ck_assert_int_eq(mkdir(unit_path("dpkg"), 0755), 0);
    ck_assert_int_eq(mkdir(unit_path("dpkg/info"), 0755), 0);
    ck_assert_int_eq(mkdir(unit_path("doc"), 0755), 0);
    ck_assert_int_eq(mkdir(unit_path("doc/thing"), 0755), 0);
    snprintf(line, sizeof line, "/.\n%s\n", exe_path);
    write_file(unit_path("dpkg/info/thing:amd64.list"), line);
    digest_of(exe_path, EVP_md5(), md5);
    for (size_t i = 0; i < sizeof md5; i++) {
        p += sprintf(p, "%02x", md5[i]);
    }
    snprintf(p, sizeof line - (size_t)(p - line), "  %s\n", exe_path + 1);
    write_file(unit_path("dpkg/info/thing:amd64.md5sums"), line);
    write_file(unit_path("dpkg/status"), "Package: thing\nStatus: install ok installed\n"
                                         "Architecture: amd64\nVersion: 1:2-3\n");
    write_file(unit_path("doc/thing/copyright"), copyright);
    settings.dpkg_dir = strdup(unit_path("dpkg"));
    settings.doc_dir = strdup(unit_path("doc"));
}

#define COPYRIGHT \
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\n" \
    "License: GPL-2+ or Expat\n"

START_TEST(a_package_is_believed_while_the_file_is_its)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, "%s", unit_path("exe"));
    write_file(path, "an executable");
    make_database(path, COPYRIGHT);
    start(NULL);
    assert_inspected(path);
    ck_assert_uint_eq(answer.evidence.n, 1);
    ck_assert_str_eq(answer.evidence.items[0].licence, "(GPL-2.0-or-later OR MIT)");
    ck_assert_str_eq(answer.evidence.items[0].name, "thing 1:2-3");
    ck_assert_str_eq(answer.evidence.package, "thing 1:2-3");
    /* The same file with one byte altered. */
    f = fopen(path, "r+e");
    ck_assert(f && fputc('A', f) == 'A' && fclose(f) == 0);
    assert_inspected(path);
    ck_assert_uint_eq(answer.evidence.n, 0);
    ck_assert_uint_eq(answer.evidence.n_unknown, 1);
    ck_assert_ptr_nonnull(strstr(answer.evidence.unknowns[0].why, "differs from the package"));
    ck_assert_str_eq(answer.evidence.package, "");
    /* Its bytes at another path are nobody's. */
    write_file(unit_path("copy"), "an executable");
    assert_inspected(unit_path("copy"));
    ck_assert_uint_eq(answer.evidence.n, 0);
    ck_assert_uint_eq(answer.evidence.n_unknown, 0);
    free((char *)(uintptr_t)settings.dpkg_dir);
    free((char *)(uintptr_t)settings.doc_dir);
}
END_TEST

/* The process keeps an index of the lists, which follows the database. */
START_TEST(a_package_that_is_installed_later_is_found)
{
    char path[256];

    snprintf(path, sizeof path, "%s", unit_path("exe"));
    write_file(path, "an executable");
    make_database(path, COPYRIGHT);
    start(NULL);
    assert_inspected(path);
    ck_assert_uint_eq(answer.evidence.n, 1);
    snprintf(path, sizeof path, "%s", unit_path("later"));
    write_file(path, "another");
    write_file(unit_path("dpkg/info/later.list"), path);
    assert_inspected(path);
    ck_assert_uint_eq(answer.evidence.n_unknown, 1);
    ck_assert_ptr_nonnull(strstr(answer.evidence.unknowns[0].why, "package later owns the path"));
    free((char *)(uintptr_t)settings.dpkg_dir);
    free((char *)(uintptr_t)settings.doc_dir);
}
END_TEST

static const struct {
    const char *remove; /* a file of the database, or NULL */
    const char *copyright;
    const char *link; /* what the copyright file is a link to, or NULL */
    const char *why;
    const char *package; /* that has the file all the same, or "" */
} broken[] = {
    {"dpkg/info/thing:amd64.md5sums", COPYRIGHT, NULL, "digest of the file is unavailable", ""},
    {"doc/thing/copyright", COPYRIGHT, NULL, "copyright file", "thing 1:2-3"},
    {NULL, "Free text.\n", NULL, "neither machine-readable", "thing 1:2-3"},
    /* nothing outside of the folder is read */
    {"doc/thing/copyright", COPYRIGHT, "/usr/share/doc/coreutils/copyright", "copyright file",
     "thing 1:2-3"},
    {"doc/thing/copyright", COPYRIGHT, "../../secret", "copyright file", "thing 1:2-3"},
};

START_TEST(a_broken_database_is_a_reason)
{
    char path[256];

    snprintf(path, sizeof path, "%s", unit_path("exe"));
    write_file(path, "an executable");
    make_database(path, broken[_i].copyright);
    write_file(unit_path("secret"), COPYRIGHT);
    if (broken[_i].remove) {
        ck_assert_int_eq(unlink(unit_path(broken[_i].remove)), 0);
    }
    if (broken[_i].link) {
        ck_assert_int_eq(symlink(broken[_i].link, unit_path("doc/thing/copyright")), 0);
    }
    start(NULL);
    assert_inspected(path);
    ck_assert_uint_eq(answer.evidence.n, 0);
    ck_assert_uint_eq(answer.evidence.n_unknown, 1);
    ck_assert_msg(strstr(answer.evidence.unknowns[0].why, broken[_i].why), "%s",
                  answer.evidence.unknowns[0].why);
    ck_assert_str_eq(answer.evidence.package, broken[_i].package);
    free((char *)(uintptr_t)settings.dpkg_dir);
    free((char *)(uintptr_t)settings.doc_dir);
}
END_TEST

START_TEST(a_signed_licence_is_that_of_its_file)
{
    static struct inspector_key key;
    static struct inspector_envelope envelopes[2];
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    FILE *f = fopen(unit_path("key.pub"), "we");
    uint8_t sha256[32];
    const struct evidence_dsse_plan plan = {
        .name = "noted", .sha256 = sha256, .licence = "Apache-2.0", .expires = 20261130};
    char *text;

    ck_assert(pkey && f && PEM_write_PUBKEY(f, pkey) == 1 && fclose(f) == 0);
    digest_of(NOTED, EVP_sha256(), sha256);
    text = evidence_dsse_make(pkey, &plan);
    write_file(unit_path("good.json"), text);
    text[strlen(text) / 2] ^= 1;
    write_file(unit_path("bad.json"), text);
    free(text);
    EVP_PKEY_free(pkey);
    ck_assert_int_eq(inspector_key_load(&key, unit_path("key.pub")), 0);
    ck_assert_int_eq(inspector_key_load(&key, unit_path("good.json")), -EINVAL);
    ck_assert_int_eq(inspector_key_load(&key, unit_path("absent")), -ENOENT);
    ck_assert_int_eq(inspector_key_load(&key, unit_path("key.pub")), 0);
    ck_assert_int_eq(inspector_envelope_open(&envelopes[0], unit_path("good.json")), 0);
    ck_assert_int_eq(inspector_envelope_open(&envelopes[1], unit_path("bad.json")), 0);
    settings.keys = &key;
    settings.n_keys = 1;
    settings.envelopes = envelopes;
    settings.n_envelopes = 2;
    start(NULL);
    close(envelopes[0].fd);
    close(envelopes[1].fd);
    assert_inspected(NOTED);
    ck_assert_uint_eq(answer.evidence.n, 2);
    ck_assert_int_eq(evidence_best(&answer.evidence), EVIDENCE_SIGNED);
    ck_assert_str_eq(answer.evidence.items[1].licence, "Apache-2.0");
    ck_assert_str_eq(answer.evidence.items[1].name, "good.json");
    ck_assert_str_eq(answer.evidence.items[1].detail, "signed with key.pub");
    ck_assert_mem_eq(answer.evidence.items[1].signature.key, key.key.fingerprint,
                     sizeof key.key.fingerprint);
    digest_of(unit_path("good.json"), EVP_sha256(), sha256);
    ck_assert_mem_eq(answer.evidence.items[1].signature.envelope, sha256, sizeof sha256);
    ck_assert_uint_eq(answer.evidence.items[1].signature.expires, 20261130);
    ck_assert_uint_eq(answer.evidence.n_unknown, 1);
    ck_assert_ptr_nonnull(strstr(answer.evidence.unknowns[0].why, "bad.json: "));
    assert_inspected(NOTED_TWICE);
    ck_assert_int_eq(evidence_best(&answer.evidence), EVIDENCE_NOTED);
    ck_assert_uint_eq(answer.envelopes_other, 1);
    /* Another process reads the same envelopes. */
    ck_assert_int_eq(kill(inspector_pid(inspector), SIGKILL), 0);
    assert_inspected("/usr/bin/true");
    ck_assert_uint_eq(answer.envelopes_other, 1);
}
END_TEST

/* Has the inspector trust a new key and an envelope of it, which gives NOTED a licence. */
static void trust_an_envelope(struct inspector_key *key, struct inspector_envelope *envelope)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    FILE *f = fopen(unit_path("key.pub"), "we");
    uint8_t sha256[32];
    const struct evidence_dsse_plan plan = {
        .name = "noted", .sha256 = sha256, .licence = "Apache-2.0"};
    char *text;

    ck_assert(pkey && f && PEM_write_PUBKEY(f, pkey) == 1 && fclose(f) == 0);
    digest_of(NOTED, EVP_sha256(), sha256);
    text = evidence_dsse_make(pkey, &plan);
    EVP_PKEY_free(pkey);
    write_file(unit_path("good.json"), text);
    free(text);
    ck_assert_int_eq(inspector_key_load(key, unit_path("key.pub")), 0);
    ck_assert_int_eq(inspector_envelope_open(envelope, unit_path("good.json")), 0);
    settings.keys = key;
    settings.n_keys = 1;
    settings.envelopes = envelope;
    settings.n_envelopes = 1;
}

START_TEST(a_revocation_takes_the_evidence_away)
{
    static struct inspector_key key;
    struct inspector_envelope envelope;
    struct inspector_revoked revoked = {.reason = "it was lost"};

    trust_an_envelope(&key, &envelope);
    if (_i == 0) {
        memcpy(revoked.digest, key.key.fingerprint, sizeof revoked.digest);
    } else {
        digest_of(unit_path("good.json"), EVP_sha256(), revoked.digest);
    }
    settings.revoked = &revoked;
    settings.n_revoked = 1;
    start(NULL);
    close(envelope.fd);
    assert_inspected(NOTED);
    ck_assert_int_eq(evidence_best(&answer.evidence), EVIDENCE_NOTED);
    ck_assert_ptr_nonnull(strstr(answer.evidence.unknowns[0].why, "is revoked: it was lost"));
}
END_TEST

/* ---- files that cannot be inspected ---- */

START_TEST(a_file_that_changed_is_not_the_one)
{
    write_file(unit_path("exe"), "one");
    start(NULL);
    take_file(unit_path("exe"));
    exe.id.mtime++;
    ck_assert_int_eq(inspect(60000), INSPECTION_CHANGED);
    take_file(unit_path("exe"));
    exe.id.size++;
    ck_assert_int_eq(inspect(60000), INSPECTION_CHANGED);
    ck_assert_uint_eq(answer.evidence.n, 0);
    ck_assert_ptr_null(inspector_look(inspector, &exe));
}
END_TEST

START_TEST(what_cannot_be_asked_is_answered_too)
{
    start(NULL);
    exe.fd = -1;
    ck_assert_int_eq(inspect(60000), INSPECTION_NO_FILE);
    write_file(unit_path("big"), "");
    ck_assert_int_eq(truncate(unit_path("big"), (off_t)INSPECTOR_FILE_MAX + 1), 0);
    take_file(unit_path("big"));
    ck_assert_int_eq(inspect(60000), INSPECTION_TOO_BIG);
}
END_TEST

START_TEST(an_empty_file_is_one_too)
{
    uint8_t want[32];

    write_file(unit_path("empty"), "");
    start(NULL);
    assert_inspected(unit_path("empty"));
    digest_of(unit_path("empty"), EVP_sha256(), want);
    ck_assert_mem_eq(answer.sha256, want, sizeof want);
}
END_TEST

/* ---- idle ---- */

/* Between questions it is asked whether it makes its turns; one that stands still is replaced. */
START_TEST(one_that_hangs_while_idle_is_replaced)
{
    const struct timeval beat = {.tv_usec = LIMIT_BEAT_MS * 1000L};
    pid_t stopped;

    start(NULL);
    await_ready();
    stopped = inspector_pid(inspector);
    for (int i = 0; i < 4; i++) {
        inspector_beat(inspector);
        event_base_loopexit(base, &beat);
        event_base_dispatch(base);
        ck_assert_int_eq(inspector_pid(inspector), stopped);
    }
    ck_assert_int_eq(kill(stopped, SIGSTOP), 0);
    while (inspector_pid(inspector) == stopped) {
        inspector_beat(inspector);
        event_base_loopexit(base, &beat);
        event_base_dispatch(base);
    }
    await_ready();
    take_file(NOTED);
    ck_assert_int_eq(inspect(60000), INSPECTION_OK);
}
END_TEST

/* ---- asking ---- */

START_TEST(an_answer_is_kept)
{
    const struct inspection *kept;

    start(NULL);
    take_file(NOTED);
    ck_assert_ptr_null(inspector_look(inspector, &exe));
    ck_assert_int_eq(inspect(60000), INSPECTION_OK);
    kept = inspector_look(inspector, &exe);
    ck_assert_ptr_nonnull(kept);
    ck_assert_mem_eq(kept, &answer, sizeof answer);
    /* Also without a process: it is not asked. */
    ck_assert_int_eq(kill(inspector_pid(inspector), SIGSTOP), 0);
    ck_assert_int_eq(inspect(60000), INSPECTION_OK);
    /* Another path, another time: another file. */
    exe.path[1] = 'X';
    ck_assert_ptr_null(inspector_look(inspector, &exe));
    take_file(NOTED);
    exe.id.ctime++;
    ck_assert_ptr_null(inspector_look(inspector, &exe));
}
END_TEST

START_TEST(a_file_that_was_changed_just_now_is_not_kept)
{
    struct timespec soon;

    start(NULL);
    await_ready();
    write_file(unit_path("exe"), "new");
    take_file(unit_path("exe"));
    /* Its last change is yet to come: so it cannot be too long ago on a slow machine. */
    clock_gettime(CLOCK_REALTIME, &soon);
    ck_assert_int_eq(inspect(60000), INSPECTION_OK);
    if (inspector_look(inspector, &exe)) {
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        ck_assert_int_gt((now.tv_sec - soon.tv_sec) * 1000 + (now.tv_nsec - soon.tv_nsec) / 1000000,
                         50);
    }
}
END_TEST

START_TEST(all_who_ask_are_told_once)
{
    start(NULL);
    take_file(NOTED);
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_uint_ne(inspector_ask(inspector, &exe, &asker, 60000, on_done, NULL), 0);
    }
    await(10);
    event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_uint_eq(answers, 10);
}
END_TEST

static unsigned order[2]; /* which answer was the how manyth */

static void on_one_of_two(const struct inspection *r, void *arg)
{
    order[*(unsigned *)arg] = answers;
    on_done(r, NULL);
}

/* Asked for behind a file of 64 slices, one of one slice is answered first: shares take turns. */
START_TEST(a_large_file_holds_up_no_other)
{
    static unsigned which[2] = {0, 1};
    const char *const path = unit_path("large");

    write_file(path, "");
    ck_assert_int_eq(truncate(path, (off_t)INSPECTOR_FILE_MAX), 0);
    start(NULL);
    await_ready();
    take_file(path);
    ck_assert_uint_ne(inspector_ask(inspector, &exe, &asker, 60000, on_one_of_two, &which[0]), 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    asker.uid += (unsigned)_i / 2;
    asker.route += (unsigned)_i % 2;
    take_file(NOTED);
    ck_assert_uint_ne(inspector_ask(inspector, &exe, &asker, 60000, on_one_of_two, &which[1]), 0);
    await(2);
    ck_assert_uint_eq(order[1], 0);
    ck_assert_uint_eq(order[0], 1);
}
END_TEST

/* Digests over several slices, the last of one byte, and the package's MD5 in the same pass. */
START_TEST(a_file_of_many_slices)
{
    uint8_t want[32];
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, "%s", unit_path("exe"));
    write_file(path, "");
    ck_assert_int_eq(truncate(path, 2 * (off_t)INSPECTOR_SLICE), 0);
    f = fopen(path, "ae");
    ck_assert(f && fputc('x', f) == 'x' && fclose(f) == 0);
    make_database(path, COPYRIGHT);
    start(NULL);
    assert_inspected(path);
    digest_of(path, EVP_sha256(), want);
    ck_assert_mem_eq(answer.sha256, want, sizeof want);
    ck_assert_msg(answer.evidence.n == 1, "%s", answer.evidence.unknowns[0].why);
    free((char *)(uintptr_t)settings.dpkg_dir);
    free((char *)(uintptr_t)settings.doc_dir);
}
END_TEST

/*
 * A share whose credit is used up is refused, and no other. While the inspector hangs the credit is
 * refilled, so on a slow machine one file more than fits may be charged; two more take over 30
 * seconds.
 */
START_TEST(the_credit_is_the_shares_own)
{
    const unsigned fit = LIMIT_INSPECT_CREDIT / INSPECTOR_FILE_MAX;
    const char *const path = unit_path("large");
    enum inspection_outcome o = INSPECTION_TIMEOUT;
    unsigned n = 0;

    write_file(path, "");
    ck_assert_int_eq(truncate(path, (off_t)INSPECTOR_FILE_MAX), 0);
    /* One that answers nothing: credit is taken for what is asked. */
    start("hang");
    await_ready();
    for (; n < fit + 2 && o == INSPECTION_TIMEOUT; n++) {
        take_file(path);
        exe.path[1] = (char)('a' + n);
        o = inspect(1);
    }
    ck_assert_int_eq(o, INSPECTION_CREDIT);
    ck_assert_uint_gt(n, fit);
    asker.uid++;
    ck_assert_int_ne(inspect(1), INSPECTION_CREDIT);
}
END_TEST

/* A file of many slices whose inspection was given up once: its digest is the whole file's. */
START_TEST(a_file_that_was_given_up_is_inspected_later)
{
    const char *const path = unit_path("large");
    uint8_t want[32];
    uint64_t first;

    write_file(path, "");
    ck_assert_int_eq(truncate(path, 3 * (off_t)INSPECTOR_SLICE), 0);
    start(NULL);
    await_ready();
    take_file(path);
    first = inspector_ask(inspector, &exe, &asker, 60000, on_done, NULL);
    ck_assert_uint_ne(first, 0);
    event_base_loop(base, EVLOOP_ONCE);
    event_base_loop(base, EVLOOP_ONCE);
    inspector_forget(inspector, first);
    assert_inspected(NOTED);
    assert_inspected(path);
    ck_assert_uint_eq(answers, 2);
    digest_of(path, EVP_sha256(), want);
    ck_assert_mem_eq(answer.sha256, want, sizeof want);
}
END_TEST

START_TEST(who_is_forgotten_is_not_told)
{
    uint64_t first;

    start(NULL);
    take_file(NOTED);
    first = inspector_ask(inspector, &exe, &asker, 60000, on_done, NULL);
    inspector_forget(inspector, first);
    inspector_forget(inspector, first);
    take_file(NOTED_TWICE);
    (void)!inspector_ask(inspector, &exe, &asker, 60000, on_done, NULL);
    await(1);
    event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_uint_eq(answers, 1);
}
END_TEST

START_TEST(so_many_may_wait_and_no_more)
{
    start("hang");
    take_file(NOTED);
    for (unsigned i = 0; i < LIMIT_INSPECT_WAITING; i++) {
        ck_assert_uint_ne(inspector_ask(inspector, &exe, &asker, 60000, on_done, NULL), 0);
    }
    ck_assert_int_eq(inspect(60000), INSPECTION_NOBODY);
    ck_assert_uint_eq(answers, 1);
}
END_TEST

static void what_it_finds(Suite *s)
{
    TCase *tc = inspector_case(s, "found");

    tcase_add_test(tc, a_files_digest_is_its_own);
    tcase_add_test(tc, a_note_of_the_linkers_is_read);
    tcase_add_test(tc, a_binary_of_this_machines_is_its_packages);
    tcase_add_test(tc, a_package_is_believed_while_the_file_is_its);
    tcase_add_test(tc, a_package_that_is_installed_later_is_found);
    tcase_add_loop_test(tc, a_broken_database_is_a_reason, 0,
                        (int)(sizeof broken / sizeof *broken));
    tcase_add_test(tc, a_signed_licence_is_that_of_its_file);
    tcase_add_loop_test(tc, a_revocation_takes_the_evidence_away, 0, 2);
    tcase_add_test(tc, a_file_that_changed_is_not_the_one);
    tcase_add_test(tc, what_cannot_be_asked_is_answered_too);
    tcase_add_test(tc, an_empty_file_is_one_too);
    tcase_add_test(tc, a_file_of_many_slices);
}

static void how_it_is_asked(Suite *s)
{
    TCase *tc = inspector_case(s, "asked");

    tcase_add_test(tc, one_that_hangs_while_idle_is_replaced);
    tcase_add_test(tc, an_answer_is_kept);
    tcase_add_test(tc, a_file_that_was_changed_just_now_is_not_kept);
    tcase_add_test(tc, all_who_ask_are_told_once);
    tcase_add_loop_test(tc, a_large_file_holds_up_no_other, 1, 4);
    tcase_add_test(tc, the_credit_is_the_shares_own);
    tcase_add_test(tc, a_file_that_was_given_up_is_inspected_later);
    tcase_add_test(tc, who_is_forgotten_is_not_told);
    tcase_add_test(tc, so_many_may_wait_and_no_more);
}

int main(int argc, char **argv)
{
    Suite *s;

    inspector_rig_main(argc, argv);
    s = suite_create("inspector");
    what_it_finds(s);
    how_it_is_asked(s);
    return unit_run(s);
}
