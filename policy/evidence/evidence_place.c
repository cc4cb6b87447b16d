/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Patterns of paths, and what such files are. */
#define _GNU_SOURCE
#include "policy/evidence/evidence_place.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>

/* Longer patterns count as sources. */
#define PATTERN_SIZE 512u

static const struct {
    const char *name;
    const char *why;
} places[EVIDENCE_PLACES] = {
    [EVIDENCE_PLACE_SOURCE] = {"source", ""},
    [EVIDENCE_PLACE_PACKAGING] = {"packaging", "it packages the software"},
    [EVIDENCE_PLACE_DOCUMENTATION] = {"documentation", "it is read by people"},
    [EVIDENCE_PLACE_TEST] = {"test", "tests are built apart from the program"},
    [EVIDENCE_PLACE_EXAMPLE] = {"example", "examples are built apart from the program"},
    [EVIDENCE_PLACE_BUILD] = {"build", "it builds the software"},
    [EVIDENCE_PLACE_TRANSLATION] = {"translation", "the program reads catalogues at run time"},
    [EVIDENCE_PLACE_PICTURE] =
        {"picture", "a picture or a font is shown by a program and is not a part of its code"},
    [EVIDENCE_PLACE_PLATFORM] = {"platform", "it is compiled for another operating system only"},
    [EVIDENCE_PLACE_EXTRA] = {"extra", "contributed extras are built apart from the program"},
    [EVIDENCE_PLACE_SCRIPT] = {"script", "it is run by an interpreter, apart from the program"},
    [EVIDENCE_PLACE_EXCEPTED] = {"excepted", "its exception permits any terms for a program that "
                                             "contains it"},
};

enum how {
    TOP,    /* the first folder */
    FOLDER, /* any folder */
    NAME,   /* the file's own name */
};

/* The first match counts. A glob stands for a folder's or a file's whole name. */
static const struct {
    enum how how;
    enum evidence_place place;
    const char *glob;
} rules[] = {
    {TOP, EVIDENCE_PLACE_PACKAGING, "debian"},
    {FOLDER, EVIDENCE_PLACE_TEST, "test"},
    {FOLDER, EVIDENCE_PLACE_TEST, "tests"},
    {FOLDER, EVIDENCE_PLACE_TEST, "t"},
    {FOLDER, EVIDENCE_PLACE_TEST, "testing"},
    {FOLDER, EVIDENCE_PLACE_TEST, "testsuite"},
    {FOLDER, EVIDENCE_PLACE_TEST, "testsuites"},
    {FOLDER, EVIDENCE_PLACE_TEST, "test-suite"},
    {FOLDER, EVIDENCE_PLACE_TEST, "testdata"},
    {FOLDER, EVIDENCE_PLACE_TEST, "unittest"},
    {FOLDER, EVIDENCE_PLACE_TEST, "unittests"},
    {FOLDER, EVIDENCE_PLACE_TEST, "unit-tests"},
    {FOLDER, EVIDENCE_PLACE_TEST, "gnulib-tests"},
    {FOLDER, EVIDENCE_PLACE_TEST, "regress"},
    {FOLDER, EVIDENCE_PLACE_TEST, "selftest"},
    {FOLDER, EVIDENCE_PLACE_TEST, "selftests"},
    {FOLDER, EVIDENCE_PLACE_TEST, "fuzz"},
    {FOLDER, EVIDENCE_PLACE_TEST, "fuzzing"},
    {FOLDER, EVIDENCE_PLACE_TEST, "bench"},
    {FOLDER, EVIDENCE_PLACE_TEST, "benchmark"},
    {FOLDER, EVIDENCE_PLACE_TEST, "benchmarks"},
    {FOLDER, EVIDENCE_PLACE_EXAMPLE, "example"},
    {FOLDER, EVIDENCE_PLACE_EXAMPLE, "examples"},
    {FOLDER, EVIDENCE_PLACE_EXAMPLE, "sample"},
    {FOLDER, EVIDENCE_PLACE_EXAMPLE, "samples"},
    {FOLDER, EVIDENCE_PLACE_EXAMPLE, "demo"},
    {FOLDER, EVIDENCE_PLACE_EXAMPLE, "demos"},
    {FOLDER, EVIDENCE_PLACE_DOCUMENTATION, "doc"},
    {FOLDER, EVIDENCE_PLACE_DOCUMENTATION, "docs"},
    {FOLDER, EVIDENCE_PLACE_DOCUMENTATION, "documentation"},
    {FOLDER, EVIDENCE_PLACE_DOCUMENTATION, "man"},
    {FOLDER, EVIDENCE_PLACE_DOCUMENTATION, "manual"},
    {FOLDER, EVIDENCE_PLACE_DOCUMENTATION, "manuals"},
    {FOLDER, EVIDENCE_PLACE_DOCUMENTATION, "manpages"},
    {FOLDER, EVIDENCE_PLACE_DOCUMENTATION, "man-pages"},
    {FOLDER, EVIDENCE_PLACE_DOCUMENTATION, "pod"},
    {FOLDER, EVIDENCE_PLACE_DOCUMENTATION, "help"},
    {FOLDER, EVIDENCE_PLACE_TRANSLATION, "po"},
    {FOLDER, EVIDENCE_PLACE_TRANSLATION, "po4a"},
    {FOLDER, EVIDENCE_PLACE_TRANSLATION, "*-po"},
    {FOLDER, EVIDENCE_PLACE_TRANSLATION, "gnulib-po"},
    {FOLDER, EVIDENCE_PLACE_TRANSLATION, "locale"},
    {FOLDER, EVIDENCE_PLACE_TRANSLATION, "locales"},
    {FOLDER, EVIDENCE_PLACE_BUILD, "m4"},
    {FOLDER, EVIDENCE_PLACE_BUILD, "build-aux"},
    {FOLDER, EVIDENCE_PLACE_BUILD, "build_aux"},
    {FOLDER, EVIDENCE_PLACE_BUILD, "autoconf"},
    {FOLDER, EVIDENCE_PLACE_BUILD, "autotools"},
    {FOLDER, EVIDENCE_PLACE_BUILD, ".github"},
    {FOLDER, EVIDENCE_PLACE_BUILD, ".gitlab"},
    {FOLDER, EVIDENCE_PLACE_BUILD, ".gitlab-ci"},
    {FOLDER, EVIDENCE_PLACE_PLATFORM, "dos"},
    {FOLDER, EVIDENCE_PLACE_PLATFORM, "msdos"},
    {FOLDER, EVIDENCE_PLACE_PLATFORM, "djgpp"},
    {FOLDER, EVIDENCE_PLACE_PLATFORM, "vms"},
    {FOLDER, EVIDENCE_PLACE_PLATFORM, "os2"},
    {FOLDER, EVIDENCE_PLACE_PLATFORM, "win32"},
    {FOLDER, EVIDENCE_PLACE_EXTRA, "contrib"},

    {NAME, EVIDENCE_PLACE_BUILD, "configure"},
    {NAME, EVIDENCE_PLACE_BUILD, "configure.*"},
    {NAME, EVIDENCE_PLACE_BUILD, "configure~"},
    {NAME, EVIDENCE_PLACE_BUILD, "Makefile*"},
    {NAME, EVIDENCE_PLACE_BUILD, "*Makefile.in"},
    {NAME, EVIDENCE_PLACE_BUILD, "GNUmakefile*"},
    {NAME, EVIDENCE_PLACE_BUILD, "*.am"},
    {NAME, EVIDENCE_PLACE_BUILD, "*.mk"},
    {NAME, EVIDENCE_PLACE_BUILD, "*.mak"},
    {NAME, EVIDENCE_PLACE_BUILD, "*.m4"},
    {NAME, EVIDENCE_PLACE_BUILD, "*.ac"},
    {NAME, EVIDENCE_PLACE_BUILD, "*.cmake"},
    {NAME, EVIDENCE_PLACE_BUILD, "*.cmake.in"},
    {NAME, EVIDENCE_PLACE_BUILD, "CMakeLists.txt"},
    {NAME, EVIDENCE_PLACE_BUILD, "meson.build"},
    {NAME, EVIDENCE_PLACE_BUILD, "meson_options.txt"},
    {NAME, EVIDENCE_PLACE_BUILD, "install-sh"},
    {NAME, EVIDENCE_PLACE_BUILD, "shtool"},
    {NAME, EVIDENCE_PLACE_BUILD, "mkinstalldirs"},
    {NAME, EVIDENCE_PLACE_BUILD, "mkdirs.*"},
    {NAME, EVIDENCE_PLACE_BUILD, "move-if-change"},
    {NAME, EVIDENCE_PLACE_BUILD, "libtool"},
    {NAME, EVIDENCE_PLACE_BUILD, "ltmain.*"},
    {NAME, EVIDENCE_PLACE_BUILD, "ltconfig"},
    {NAME, EVIDENCE_PLACE_BUILD, "depcomp"},
    {NAME, EVIDENCE_PLACE_BUILD, "missing"},
    {NAME, EVIDENCE_PLACE_BUILD, "compile"},
    {NAME, EVIDENCE_PLACE_BUILD, "ar-lib"},
    {NAME, EVIDENCE_PLACE_BUILD, "config.guess"},
    {NAME, EVIDENCE_PLACE_BUILD, "config.sub"},
    {NAME, EVIDENCE_PLACE_BUILD, "config.rpath"},
    {NAME, EVIDENCE_PLACE_BUILD, "config.status"},
    {NAME, EVIDENCE_PLACE_BUILD, "mdate-sh"},
    {NAME, EVIDENCE_PLACE_BUILD, "ylwrap"},
    {NAME, EVIDENCE_PLACE_BUILD, "elisp-comp"},
    {NAME, EVIDENCE_PLACE_BUILD, "py-compile"},
    {NAME, EVIDENCE_PLACE_BUILD, "test-driver"},
    {NAME, EVIDENCE_PLACE_BUILD, "tap-driver*"},
    {NAME, EVIDENCE_PLACE_BUILD, "git-version-gen"},
    {NAME, EVIDENCE_PLACE_BUILD, "gitlog-to-changelog"},
    {NAME, EVIDENCE_PLACE_BUILD, "autogen*"},
    {NAME, EVIDENCE_PLACE_BUILD, "bootstrap"},
    {NAME, EVIDENCE_PLACE_BUILD, "bootstrap.*"},
    {NAME, EVIDENCE_PLACE_BUILD, "buildconf*"},
    {NAME, EVIDENCE_PLACE_BUILD, "CleanSpec.mk"},
    {NAME, EVIDENCE_PLACE_BUILD, "*.spec"},
    {NAME, EVIDENCE_PLACE_BUILD, "*.spec.in"},

    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "README*"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "NEWS*"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "ChangeLog*"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "CHANGES*"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "INSTALL*"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "AUTHORS*"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "THANKS*"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION,
     "TO"
     "DO*"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "HACKING*"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "ABOUT-NLS"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "PACKAGERS"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "FAQ*"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "COPYING*"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "COPYRIGHT*"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "LICENSE*"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "*.texi"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "*.texinfo"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "*.texi.in"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "texinfo.tex"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "*.info"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "*.[1-9]"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "*.man"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "*.pod"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "*.html"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "*.xml"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "*.sgml"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "*.md"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "*.rst"},
    {NAME, EVIDENCE_PLACE_DOCUMENTATION, "*.pdf"},
    {NAME, EVIDENCE_PLACE_PLATFORM, "*_vms.*"},
    {NAME, EVIDENCE_PLACE_PLATFORM, "*_win32.*"},
    {NAME, EVIDENCE_PLACE_PICTURE, "*.svg"},
    {NAME, EVIDENCE_PLACE_PICTURE, "*.png"},
    {NAME, EVIDENCE_PLACE_PICTURE, "*.ttf"},
    {NAME, EVIDENCE_PLACE_PICTURE, "*.otf"},
    {NAME, EVIDENCE_PLACE_PICTURE, "*.woff"},
    {NAME, EVIDENCE_PLACE_PICTURE, "*.woff2"},
    {NAME, EVIDENCE_PLACE_TRANSLATION, "*.po"},
    {NAME, EVIDENCE_PLACE_TRANSLATION, "*.pot"},
    {NAME, EVIDENCE_PLACE_TRANSLATION, "*.gmo"},
    {NAME, EVIDENCE_PLACE_SCRIPT, "*.sh"},
    {NAME, EVIDENCE_PLACE_SCRIPT, "*.bash"},
    {NAME, EVIDENCE_PLACE_SCRIPT, "*.awk"},
    {NAME, EVIDENCE_PLACE_SCRIPT, "*.el"},
    {NAME, EVIDENCE_PLACE_SCRIPT, "*.pl"},
    {NAME, EVIDENCE_PLACE_SCRIPT, "*.py"},
    {NAME, EVIDENCE_PLACE_SCRIPT, "*.vim"},
};

const char *evidence_place_name(enum evidence_place p)
{
    return (unsigned)p < EVIDENCE_PLACES ? places[p].name : "?";
}

const char *evidence_place_why(enum evidence_place p)
{
    return (unsigned)p < EVIDENCE_PLACES ? places[p].why : "?";
}

/*
 * The pattern's own "*" and "?" are ordinary characters here: they can only be matched by a "*" of
 * the glob, which matches everything that they do.
 */
static bool evidence_place_matches(const char *glob, const char *text)
{
    return fnmatch(glob, text, FNM_NOESCAPE | FNM_CASEFOLD) == 0;
}

static bool evidence_place_rule_matches(size_t rule, char *path)
{
    char *part = path;
    char *slash;
    bool found = false;

    while (!found && (slash = strchr(part, '/'))) {
        *slash = '\0';
        found = rules[rule].how != NAME && evidence_place_matches(rules[rule].glob, part);
        *slash = '/';
        if (rules[rule].how == TOP) {
            return found;
        }
        part = slash + 1;
    }
    return found || (rules[rule].how == NAME && evidence_place_matches(rules[rule].glob, part));
}

enum evidence_place evidence_place_of(const char *pattern, size_t n)
{
    char path[PATTERN_SIZE];

    while (n > 2 && pattern[0] == '.' && pattern[1] == '/') {
        pattern += 2;
        n -= 2;
    }
    if (n == 0 || n >= sizeof path || memchr(pattern, '\0', n)) {
        return EVIDENCE_PLACE_SOURCE;
    }
    memcpy(path, pattern, n);
    path[n] = '\0';
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (evidence_place_rule_matches(i, path)) {
            return rules[i].place;
        }
    }
    return EVIDENCE_PLACE_SOURCE;
}
