/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The real poemd looks at the code that real processes have mapped: a plug-in, a preloaded object,
 * memory without a file. All other files of the test's own program are assigned a licence, so that
 * nothing depends on this machine's packages.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/daemon/policy_rig.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

/* What a client maps before it connects: the name of a way, and a file. */
#define HOW "POEMD_TEST_CODE"
#define FILE_OF_IT "POEMD_TEST_CODE_FILE"

#define PAGE 4096u

#define ASSIGNED "code of client assigned"
#define COVERING \
    "licence of client compatible with GPL-2.0-or-later evidence assigned covering code"

/* ---- the client ---- */

static void map_or_exit(int fd, int prot, int flags)
{
    if (mmap(NULL, PAGE, prot, flags, fd, 0) == MAP_FAILED) {
        _exit(1);
    }
}

static void map_file(const char *path, int prot)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    map_or_exit(fd, prot, MAP_PRIVATE);
    close(fd);
}

static void map_memfd(void)
{
    const int fd = memfd_create("generated", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, PAGE) < 0) {
        _exit(1);
    }
    map_or_exit(fd, PROT_READ | PROT_EXEC, MAP_SHARED);
    close(fd);
}

/* Does what the environment asks for, in the process that is to be a client. */
static void map_as_asked(void)
{
    const char *const how = getenv(HOW);
    const char *const file = getenv(FILE_OF_IT);

    if (!how || !file) {
        return;
    }
    if (strcmp(how, "dlopen") == 0) {
        if (!dlopen(file, RTLD_NOW)) {
            _exit(1);
        }
    } else if (strcmp(how, "memory") == 0) {
        map_or_exit(-1, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS);
    } else if (strcmp(how, "memfd") == 0) {
        map_memfd();
    } else if (strcmp(how, "deleted") == 0) {
        map_file(file, PROT_READ | PROT_EXEC);
        (void)!unlink(file);
    } else if (strcmp(how, "writable") == 0) {
        map_file(file, PROT_READ | PROT_WRITE | PROT_EXEC);
    } else if (strcmp(how, "data") == 0) {
        map_file(file, PROT_READ);
    } else if (strcmp(how, "many") == 0) {
        /* Each other page, so that none joins the one before it. */
        for (int i = 0; i < 30000; i++) {
            map_or_exit(-1, i % 2 ? PROT_READ : PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS);
        }
    }
}

/* ---- the rig ---- */

/* Writes an "assign" for each file whose code the test itself has mapped. */
static void assign_own_files(char *out, size_t size, const char *licence)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char last[RIG_PATH] = "";
    char line[1024];
    size_t n = strlen(out);

    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof line, maps)) {
        const char *const path = strchr(line, '/');

        if (!path || !strstr(line, "r-xp")) {
            continue;
        }
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(last, path) != 0) {
            n += (size_t)snprintf(out + n, size - n, "assign licence %s to client exe \"%s\"\n",
                                  licence, path);
            ck_assert_uint_lt(n, size);
            snprintf(last, sizeof last, "%s", path);
        }
    }
    fclose(maps);
}

/* A session of a client that maps code in this way. file is a copy of the plug-in. */
static void code_session(struct policy_rig *p, const char *how, const char *file,
                         struct policy_result *out)
{
    struct policy_client c;
    char self[RIG_PATH];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    ck_assert_int_gt(n, 0);
    self[n] = '\0';
    setenv(strcmp(how, "preload") == 0 ? "LD_PRELOAD" : HOW,
           strcmp(how, "preload") == 0 ? file : how, 1);
    setenv(FILE_OF_IT, file, 1);
    /* A sanitizer's runtime wants to be first, which only the preloaded file can be. */
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
    policy_client_exec(&c, self, p->listen);
    unsetenv("ASAN_OPTIONS");
    unsetenv(HOW);
    unsetenv(FILE_OF_IT);
    unsetenv("LD_PRELOAD");
    policy_client_go(p, &c, out);
    policy_client_end(&c);
}

/* The plug-in is built beside the test. */
static void copy_plugin(const char *path)
{
    char command[3 * RIG_PATH];
    char self[RIG_PATH] = "";

    ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof self - 1), 0);
    *strrchr(self, '/') = '\0';
    snprintf(command, sizeof command, "cp '%s/libcode_plugin.so' '%s'", self, path);
    ck_assert_int_eq(system(command), 0);
}

static bool may_open_mapped_files(void)
{
    if (geteuid() == 0) {
        return true;
    }
    puts("skipped: only root can open the files that another process has mapped");
    return false;
}

/* Starts poemd with a rule, in which all files of the test itself are assigned. */
static void start_code(struct policy_rig *p, const char *rule, const char *licence)
{
    static char statements[8192];

    snprintf(statements, sizeof statements, "%s\n", rule);
    assign_own_files(statements, sizeof statements, licence);
    policy_start(p, statements);
}

/* ---- tests ---- */

static const struct way {
    const char *how;
    const char *why; /* NULL if it is no code of another file */
} ways[] = {
    {"none", NULL},
    {"data", NULL},
    {"dlopen", "plug in.so"},
    {"preload", "plugin.so"},
    {"deleted", "a file that has been removed or replaced"},
    {"writable", "a file that is mapped writable"},
    {"memory", "memory without a file"},
    {"memfd", "memory of memfd_create"},
};
#define WAYS ((int)(sizeof ways / sizeof *ways))

/* Each way by both kinds of rules. */
START_TEST(code_without_evidence_is_found_and_named)
{
    const struct way *const w = &ways[_i / 2];
    struct policy_result result;
    struct policy_rig p;
    char file[RIG_PATH];

    if (!may_open_mapped_files()) {
        return;
    }
    start_code(&p, _i % 2 ? COVERING : ASSIGNED, "GPL-2.0-or-later");
    /* LD_PRELOAD takes spaces for separators. */
    snprintf(file, sizeof file, "%s",
             unit_path(strcmp(w->how, "preload") == 0 ? "plugin.so" : "plug in.so"));
    copy_plugin(file);
    code_session(&p, w->how, file, &result);
    if (w->why) {
        policy_expect_denied(&result, w->why, "use a client");
    } else {
        policy_expect_let(&result, "UO");
    }
    policy_stop(&p);
}
END_TEST

/* A version 2 program with version 3 libraries: each would do alone, and all together do not. */
START_TEST(licences_of_all_code_hold_together)
{
    static char statements[8192];
    struct policy_result result;
    struct policy_rig p;

    if (!may_open_mapped_files()) {
        return;
    }
    snprintf(statements, sizeof statements, "%s\nassign licence GPL-2.0-only to client exe @EXE\n",
             COVERING);
    assign_own_files(statements, sizeof statements, _i ? "GPL-3.0-or-later" : "MIT");
    policy_start(&p, statements);
    code_session(&p, "none", "", &result);
    if (_i) {
        policy_expect_denied(&result, "one and the same version of the GPL", "one version");
    } else {
        policy_expect_let(&result, "UO");
    }
    policy_stop(&p);
}
END_TEST

/* An assignment that names no file is about all of a party's code. */
START_TEST(a_party_can_be_assigned_as_a_whole)
{
    struct policy_result result;
    struct policy_rig p;
    char file[RIG_PATH];

    if (!may_open_mapped_files()) {
        return;
    }
    policy_start(&p, COVERING "\nassign licence GPL-2.0-or-later to client");
    snprintf(file, sizeof file, "%s", unit_path("plugin.so"));
    copy_plugin(file);
    code_session(&p, "dlopen", file, &result);
    policy_expect_let(&result, "UO");
    policy_stop(&p);
}
END_TEST

/* A process with very many mappings is answered like any other, and the next one, too. */
START_TEST(many_mappings_are_no_burden)
{
    struct policy_result result;
    struct policy_rig p;

    if (!may_open_mapped_files()) {
        return;
    }
    start_code(&p, ASSIGNED, "GPL-2.0-or-later");
    code_session(&p, "many", "", &result);
    policy_expect_denied(&result, "memory without a file", "use a client");
    code_session(&p, "none", "", &result);
    policy_expect_let(&result, "UO");
    policy_stop(&p);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite;
    TCase *code;

    if (argc == 4) {
        map_as_asked();
    }
    policy_client_main(argc, argv);
    if (rig_wrapped()) {
        puts("skipped: test_code: valgrind has no pidfd_open, which an inspector needs");
        return EXIT_SUCCESS;
    }
    suite = suite_create("daemon: mapped code");
    code = rig_case(suite, "mapped code");
    tcase_add_loop_test(code, code_without_evidence_is_found_and_named, 0, 2 * WAYS);
    tcase_add_loop_test(code, licences_of_all_code_hold_together, 0, 2);
    tcase_add_test(code, a_party_can_be_assigned_as_a_whole);
    tcase_add_test(code, many_mappings_are_no_burden);
    return unit_run(suite);
}
