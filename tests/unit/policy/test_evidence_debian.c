/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Debian's copyright files: names, stanzas, places of files, notices. Each in a table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/evidence/debian/evidence_copyright.h"
#include "policy/evidence/debian/evidence_deb822.h"
#include "policy/evidence/debian/evidence_notice.h"
#include "policy/evidence/evidence_place.h"
#include "policy/evidence/debian/evidence_synopsis.h"
#include "policy/evidence/evidence_words.h"
#include "policy/spdx/spdx.h"
#include "tests/support/unit.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* ---- synopses ---- */

static const struct {
    const char *debian;
    const char *spdx;
} synopses[] = {
    {"GPL-2", "GPL-2.0-only"},
    {"GPL-2+", "GPL-2.0-or-later"},
    {"gpl-3+", "GPL-3.0-or-later"},
    {"LGPL-2.1+", "LGPL-2.1-or-later"},
    {"Expat", "MIT"},
    {"MIT", "MIT"},
    {"BSD-3-clause", "BSD-3-Clause"},
    {"GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"},
    {"MPL-2.0", "MPL-2.0"},
    {"MPL-1.1+", "MPL-1.1+"},
    {"GPL-1+ or Artistic", "GPL-1.0-or-later OR Artistic-1.0"},
    {"Perl", "(GPL-1.0-or-later OR Artistic-1.0-Perl)"},
    {"GPL-2+ AND BSD-2-clause", "GPL-2.0-or-later AND BSD-2-Clause"},
    {"A-1 or B-1 and C-1",
     "LicenseRef-debian-A-1 OR LicenseRef-debian-B-1 AND LicenseRef-debian-C-1"},
    {"GPL-2+ or Expat, and Zlib", "(GPL-2.0-or-later OR MIT) AND (Zlib)"},
    {"GPL-2 with Linux-syscall-note exception", "GPL-2.0-only WITH Linux-syscall-note"},
    {"GPL-3+ with Bison exception", "GPL-3.0-or-later WITH Bison-exception-2.2"},
    {"GPL-2+ with Bison exception", "GPL-2.0-or-later WITH Bison-exception-1.24"},
    {"GPL-2+ with Autoconf exception", "GPL-2.0-or-later WITH Autoconf-exception-2.0"},
    {"GPL-3+ with Autoconf exception", "GPL-3.0-or-later WITH Autoconf-exception-3.0"},
    {"Apache-2.0 with LLVM exception", "Apache-2.0 WITH LLVM-exception"},
    {"GPL-2+ with OpenSSL exception", "GPL-2.0-or-later WITH AdditionRef-debian-OpenSSL"},
    {"LGPL-2.1+ with staticLink exception and mention",
     "LGPL-2.1-or-later WITH AdditionRef-debian-staticLink AND LicenseRef-debian-mention"},
    {"GPL-2 with", "GPL-2.0-only WITH AdditionRef-debian-unnamed"},
    {"public-domain", "LicenseRef-debian-public-domain"},
    {"PD", "LicenseRef-debian-public-domain"},
    {"Expat and/or ISC", "MIT AND ISC"},
    {"MIT/X11", "X11"},
    {"Foo-1+", "LicenseRef-debian-Foo-1-plus"},
    {"LGPLv3+_or_GPLv2+", "LicenseRef-debian-LGPLv3-plus-or-GPLv2-plus"},
    /* versions with trailing dot-zeroes are equal */
    {"PSF-2", "PSF-2.0"},
    {"CDDL-1", "CDDL-1.0"},
    {"EPL-2", "EPL-2.0"},
    {"ZPL-2.1", "ZPL-2.1"},
    {"Zope-2.1", "ZPL-2.1"},
    {"CC-BY-SA-4", "CC-BY-SA-4.0"},
    {"GPL-2.0", "GPL-2.0-only"},
    {"GPL-2.0.0+", "GPL-2.0-or-later"},
    {"LGPL-3.0.0", "LGPL-3.0-only"},
    {"GPL-2+ with Classpath-2.0 exception", "GPL-2.0-or-later WITH Classpath-exception-2.0"},
    {"GPL-3+ with Bison-2.2 exception", "GPL-3.0-or-later WITH Bison-exception-2.2"},
    {"GPL-3+ with texinfo exception", "GPL-3.0-or-later WITH Texinfo-exception"},
};

static enum evidence_synopsis synopsis(const char *text, char *out, size_t size)
{
    return evidence_synopsis_expression(text, strlen(text), NULL, NULL, out, size);
}

START_TEST(a_synopsis_becomes_an_expression)
{
    struct spdx e;
    struct spdx_error why;
    char out[EVIDENCE_LICENCE_SIZE];

    ck_assert_int_eq(synopsis(synopses[_i].debian, out, sizeof out), EVIDENCE_SYNOPSIS_OK);
    ck_assert_str_eq(out, synopses[_i].spdx);
    ck_assert_msg(spdx_parse(&e, out, strlen(out), SPDX_LISTED, &why) == SPDX_OK, "%s: %s", out,
                  why.text);
}
END_TEST

static const char *const sentences[] = {
    "Permission to use, copy", "GPL-2, GPL-3", "GPL-2 or", "and", "", "GPL-2 ,and",
    "Perl with odd exception",
};

START_TEST(a_sentence_is_not_guessed_at)
{
    char out[EVIDENCE_LICENCE_SIZE];

    ck_assert_int_eq(synopsis(sentences[_i], out, sizeof out), EVIDENCE_SYNOPSIS_BAD);
}
END_TEST

START_TEST(a_synopsis_fits_exactly_or_not_at_all)
{
    const char *mit = "MIT OR MIT";
    char out[16];

    ck_assert_int_eq(synopsis("Expat or MIT", out, strlen(mit) + 1), EVIDENCE_SYNOPSIS_OK);
    ck_assert_str_eq(out, mit);
    ck_assert_int_eq(synopsis("Expat or MIT", out, strlen(mit)), EVIDENCE_SYNOPSIS_TOO_LONG);
}
END_TEST

/* ---- stanzas ---- */

START_TEST(stanzas_have_fields_lines_and_continuations)
{
    const char *text =
        "# a comment\n\nOne:  first \n more\n# among them\n\tstill\nTwo:\n \t\nThree: 3\r\n";
    struct evidence_deb822_stanza s;
    struct evidence_deb822 d;
    const struct evidence_deb822_field *f;

    evidence_deb822_begin(&d, text, strlen(text));
    ck_assert(evidence_deb822_next(&d, &s));
    ck_assert_int_eq(s.fault, EVIDENCE_DEB822_OK);
    ck_assert_uint_eq(s.line, 3);
    ck_assert_uint_eq(s.n, 2);
    f = evidence_deb822_find(&s, "one");
    ck_assert(evidence_span_is(f->first, "first"));
    ck_assert(evidence_span_is(f->more, " more\n# among them\n\tstill"));
    f = evidence_deb822_find(&s, "Two");
    ck_assert_uint_eq(f->line, 7);
    ck_assert_uint_eq(f->first.n, 0);
    ck_assert(evidence_deb822_next(&d, &s));
    ck_assert(evidence_span_is(evidence_deb822_find(&s, "THREE")->first, "3"));
    ck_assert(!evidence_deb822_next(&d, &s));
}
END_TEST

static const struct {
    const char *text;
    enum evidence_deb822_fault fault;
    unsigned line;
} faults[] = {
    {"A: 1\na: 2\n", EVIDENCE_DEB822_TWICE, 2},
    {"A: 1\nB: 2\n text\nA: 3\nB: 4\n", EVIDENCE_DEB822_TWICE, 4},
    {"A: 1\nno field\n", EVIDENCE_DEB822_NO_COLON, 2},
    {": 1\n", EVIDENCE_DEB822_NO_COLON, 1},
    {"\n goes on\nA: 1\n", EVIDENCE_DEB822_CONTINUATION, 2},
};

START_TEST(a_fault_has_a_line_and_the_next_stanza_is_read)
{
    char text[128];
    struct evidence_deb822_stanza s;
    struct evidence_deb822 d;

    snprintf(text, sizeof text, "%s\nNext: 1\n", faults[_i].text);
    evidence_deb822_begin(&d, text, strlen(text));
    ck_assert(evidence_deb822_next(&d, &s));
    ck_assert_int_eq(s.fault, faults[_i].fault);
    ck_assert_uint_eq(s.fault_line, faults[_i].line);
    ck_assert(evidence_deb822_next(&d, &s));
    ck_assert_int_eq(s.fault, EVIDENCE_DEB822_OK);
    ck_assert_ptr_nonnull(evidence_deb822_find(&s, "Next"));
}
END_TEST

/* ---- places ---- */

static const struct {
    const char *pattern;
    enum evidence_place place;
} patterns[] = {
    {"*", EVIDENCE_PLACE_SOURCE},
    {"src/main.c", EVIDENCE_PLACE_SOURCE},
    {"lib/*.h", EVIDENCE_PLACE_SOURCE},
    {"contributed.c", EVIDENCE_PLACE_SOURCE},
    {"src/debian/x.c", EVIDENCE_PLACE_SOURCE},
    {"doc*", EVIDENCE_PLACE_SOURCE},
    {"src/*test*", EVIDENCE_PLACE_SOURCE},
    {"config.h.in", EVIDENCE_PLACE_SOURCE},
    {"", EVIDENCE_PLACE_SOURCE},
    {"debian/*", EVIDENCE_PLACE_PACKAGING},
    {"./debian/po/pt.po", EVIDENCE_PLACE_PACKAGING},
    {"doc/*", EVIDENCE_PLACE_DOCUMENTATION},
    {"src/Documentation/x.c", EVIDENCE_PLACE_DOCUMENTATION},
    {"*/man/*", EVIDENCE_PLACE_DOCUMENTATION},
    {"*.texi", EVIDENCE_PLACE_DOCUMENTATION},
    {"src/ls.1", EVIDENCE_PLACE_DOCUMENTATION},
    {"README*", EVIDENCE_PLACE_DOCUMENTATION},
    {"COPYING.LIB", EVIDENCE_PLACE_DOCUMENTATION},
    {"tests/gpgscm/*", EVIDENCE_PLACE_TEST},
    {"gnulib-tests/atoll.c", EVIDENCE_PLACE_TEST},
    {"*/testsuite/*", EVIDENCE_PLACE_TEST},
    {"examples/*.c", EVIDENCE_PLACE_EXAMPLE},
    {"demos/x/y.c", EVIDENCE_PLACE_EXAMPLE},
    {"m4/*", EVIDENCE_PLACE_BUILD},
    {"configure", EVIDENCE_PLACE_BUILD},
    {"*/Makefile.in", EVIDENCE_PLACE_BUILD},
    {"build-aux/install-sh", EVIDENCE_PLACE_BUILD},
    {"CMakeLists.txt", EVIDENCE_PLACE_BUILD},
    {"po/*.po", EVIDENCE_PLACE_TRANSLATION},
    {"icons/mawk48.svg", EVIDENCE_PLACE_PICTURE},
    {"gdk/win32/wintab.h", EVIDENCE_PLACE_PLATFORM},
    {"src/gui_gtk_vms.h", EVIDENCE_PLACE_PLATFORM},
    {"src/windows/x.c", EVIDENCE_PLACE_SOURCE},
    {"contrib/x/y.c", EVIDENCE_PLACE_EXTRA},
    {"help/*", EVIDENCE_PLACE_DOCUMENTATION},
    {"*Makefile.in", EVIDENCE_PLACE_BUILD},
    {"fonts/Mono.ttf", EVIDENCE_PLACE_PICTURE},
    {"support/savetransfer.sh", EVIDENCE_PLACE_SCRIPT},
    {"src/shell.c", EVIDENCE_PLACE_SOURCE},
    {"src/table.txt", EVIDENCE_PLACE_SOURCE},
    {"config.*", EVIDENCE_PLACE_SOURCE},
};

START_TEST(a_pattern_is_of_a_place)
{
    ck_assert_str_eq(
        evidence_place_name(evidence_place_of(patterns[_i].pattern, strlen(patterns[_i].pattern))),
        evidence_place_name(patterns[_i].place));
}
END_TEST

START_TEST(each_place_but_sources_has_a_reason)
{
    ck_assert_str_eq(evidence_place_why(EVIDENCE_PLACE_SOURCE), "");
    for (int p = EVIDENCE_PLACE_SOURCE + 1; p < EVIDENCE_PLACES; p++) {
        ck_assert_str_ne(evidence_place_why((enum evidence_place)p), "");
    }
}
END_TEST

/* ---- words and notices ---- */

static const struct {
    const char *text;
    const char *words;
} texts[] = {
    {" * The  LICENCE's\n * \"text\", here.\n", "the licenses text here"},
    {"1. one\n b) two\n (iii) three-part sub-license\n", "one two iii threepart sublicense"},
    {"version 2.1, GPL-2+ or GPLv3.\n", "version 2.1 gpl 2 + or gpl 3"},
    {"Copyright (C) 2020 A. Body <a@example.org>\n The Example Company, Inc.\n\nYou may\n",
     "you may"},
    {"Copyright 2020 A, who permits use of this file\n",
     "copyright 2020 a who permits use of this file"},
    {"THE\nCOPYRIGHT HOLDERS BE LIABLE FOR ANY DIRECT,\n",
     "the copyright holders be liable for any direct"},
    {"fur-\n nished non-\n\n-\n end-\n", "furnished non end"},
    {"provided 'as-is', as is\n", "provided as is as is"},
    {"the copyright owner or\nAll rights reserved.\n contributors\n",
     "the copyright holder or contributors"},
    {" one\n .\n# a comment\n two\n", "one two"},
    {"\xe2\x80\x9c"
     "as is\xe2\x80\x9d \xc2\xa9",
     "as is"},
    {"", ""},
};

START_TEST(texts_are_compared_by_their_words)
{
    char *words =
        evidence_words_new((struct evidence_span){texts[_i].text, strlen(texts[_i].text)});

    ck_assert_str_eq(words, texts[_i].words);
    free(words);
}
END_TEST

/* Reading a text that begins like a notice asserts that the notice is well-formed. */
START_TEST(a_notice_is_well_formed)
{
    const struct evidence_notice *n = evidence_notice_at((size_t)_i);
    char out[EVIDENCE_LICENCE_SIZE];

    ck_assert_int_eq(n->kind == EVIDENCE_NOTICE_SILENT, n->licence[0] == '\0');
    ck_assert(!evidence_notice_read((struct evidence_span){n->words, strcspn(n->words, " ")}, out,
                                    sizeof out));
}
END_TEST

#define GPL2 \
    "This program is free software; you can redistribute it and/or modify it under the terms of\n" \
    "the GNU General Public License as published by the Free Software Foundation; either\n" \
    "version 2 of the License, or (at your option) any later version.\n"
#define NO_WARRANTY \
    "This program is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;\n" \
    "without even the implied warranty of MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.\n" \
    "See the GNU General Public License for more details.\n"
#define UNLIMITED \
    "This file is free software; as a special exception the author gives unlimited permission\n" \
    "to copy and/or distribute it, with or without modifications, as long as this notice is\n" \
    "preserved.\n"
#define ISC_TEXT \
    "Permission to use, copy, modify, and distribute this software for any purpose with or\n" \
    "without fee is hereby granted, provided that the above copyright notice and this\n" \
    "permission notice appear in all copies.\n" \
    "THE SOFTWARE IS PROVIDED \"AS IS\" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO\n" \
    "THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO\n" \
    "EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL\n" \
    "DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN\n" \
    "AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN\n" \
    "CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.\n"

#define SELL_GRANT \
    "Permission to use, copy, modify, distribute, and sell this software and its\n" \
    "documentation for any purpose is hereby granted without fee, provided that\n" \
    "the above copyright notice appear in all copies and that both that\n" \
    "copyright notice and this permission notice appear in supporting\n" \
    "documentation"
#define DEBIANIZED \
    "This package was debianized by A. Body <a@example.org> on\n" \
    "Mon, 12 May 2003 05:14:45 +0900.\n\n" \
    "It was downloaded from https://example.org/gnu/thing-may/\n\n" \
    "Upstream Authors: A. Body <a@example.org>, B. Nother\n\n"
#define PACKAGING \
    "The Debian packaging is (C) 2008, A. Body <a@example.org> and is licensed under the\n" \
    "GPL, see `/usr/share/common-licenses/GPL'.\n"

#define LIBRARY \
    "As a special exception, you may use this file as part of a free software library without\n" \
    "restriction. Specifically, if other files instantiate templates or use macros or inline\n" \
    "functions from this file, or you compile this file and link it with other files to produce\n" \
    "an executable, this file does not by itself cause the resulting executable to be covered\n" \
    "by the GNU General Public License. This exception does not however invalidate any other\n" \
    "reasons why the executable file might be covered by the GNU General Public License.\n"
#define OPENSSL \
    "In addition, as a special exception, the copyright holders give permission to link the\n" \
    "code of portions of this program with the OpenSSL library under certain conditions as\n" \
    "described in each individual source file, and distribute linked combinations including\n" \
    "the two. You must obey the GNU General Public License in all respects for all of the code\n" \
    "used other than OpenSSL. If you modify file(s) with this exception, you may extend this\n" \
    "exception to your version of the file(s), but you are not obligated to do so. If you do\n" \
    "not wish to do so, delete this exception statement from your version.\n"

static const struct {
    const char *text;
    const char *licence; /* NULL: unknown */
} notices[] = {
    {GPL2, "GPL-2.0-or-later"},
    {"Copyright (C) 2020 A. Body\n\n" GPL2 "\n" NO_WARRANTY, "GPL-2.0-or-later"},
    {GPL2 NO_WARRANTY "On Debian systems, the complete text of the GNU General Public License can\n"
                      "be found in '/usr/share/common-licenses/GPL-2'.\n",
     "GPL-2.0-or-later"},
    {GPL2 ISC_TEXT, "GPL-2.0-or-later AND ISC"},
    {ISC_TEXT ISC_TEXT, "ISC"},
    {"Permission to use, copy, modify, and distribute this software for any purpose with or\n"
     "without fee is hereby granted, provided that the above copyright notice and this permission\n"
     "notice appear in all copies.\n\n"
     "THIS SOFTWARE IS PROVIDED ``AS IS'' AND WITHOUT ANY EXPRESS OR IMPLIED WARRANTIES,\n"
     "INCLUDING, WITHOUT LIMITATION, THE IMPLIED WARRANTIES OF MERCHANTIBILITY AND FITNESS FOR A\n"
     "PARTICULAR PURPOSE. THE AUTHORS AND CONTRIBUTORS ACCEPT NO RESPONSIBILITY IN ANY\n"
     "CONCEIVABLE MANNER.\n",
     "ISC-Veillard"},
    {UNLIMITED, "FSFULLR"},
    {"On Debian systems, the full text of the GNU General Public License version 3 can be found\n"
     "in the file `/usr/share/common-licenses/GPL-3'.\n",
     "GPL-3.0-only"},
    {"This code is in the public domain.\n", "LicenseRef-debian-public-domain"},
    /* one word more or less, and it is another text; a name has no room for a sentence */
    {GPL2 "You should have received a copy of the GNU General Public License along with this\n"
          "program; if not, write to the Free Software Foundation, Inc., 51 Franklin Street,\n"
          "Fifth Floor, Boston, MA 02110-1301, USA.\n",
     "GPL-2.0-or-later"},
    {GPL2 "You should have received a copy of the GNU General Public License along with this\n"
          "program; if not, write to the Free Software Foundation, Inc., 51 Franklin Street,\n"
          "Fifth Floor, Boston, MA 02110-1301, USA. No commercial use.\n",
     NULL},
    {"This code is in the public domain by the author. Not for sale.\n", NULL},
    /* a permission beside a licence leaves it as it is; it is not a licence, nor a restriction */
    {GPL2 NO_WARRANTY OPENSSL, "GPL-2.0-or-later"},
    {GPL2 LIBRARY, "GPL-2.0-or-later"},
    {LIBRARY, NULL},
    {GPL2 "As a special exception, you may not use this file as part of a library.\n", NULL},
    {GPL2 OPENSSL "The resulting executable must not be sold.\n", NULL},
    /* section 9 of the GPL: without a version any may be chosen */
    {"This program is free software; you can redistribute it and/or modify it under the terms of\n"
     "the GNU General Public License as published by the Free Software Foundation.\n",
     "GPL-1.0-or-later"},
    {GPL2 "It must not be used in nuclear plants.\n", NULL},
    {"Not for commercial use. " GPL2, NULL},
    {"This program is free software; you can redistribute it and/or modify it under the terms of\n"
     "the GNU General Public License as published by the Free Software Foundation; either\n"
     "version 2 of the License, or (at your option) any earlier version.\n",
     NULL},
    /* Debian's files without fields: who packaged what, from where; packaging is in no program */
    {DEBIANIZED "License:\n\n" GPL2, "GPL-2.0-or-later"},
    {DEBIANIZED ISC_TEXT PACKAGING, "ISC"},
    {DEBIANIZED PACKAGING, NULL},
    {DEBIANIZED, NULL},
    {"It was downloaded from https://example.org/ for evaluation.\n" GPL2, NULL},
    {"It was downloaded from https://example.org/ but must not be sold.\n" GPL2, NULL},
    {"Upstream Author: A. Body. Non-commercial use.\n" GPL2, NULL},
    {"Upstream Author: A. Body, whose code is LGPL.\n" GPL2, NULL},
    {GPL2 "Permission is granted to copy, distribute and/or modify this document under the terms\n"
          "of the GNU Free Documentation License, Version 1.3 or any later version published by\n"
          "the Free Software Foundation; with no Invariant Sections, no Front-Cover Texts, and no\n"
          "Back-Cover Texts.\n",
     "GPL-2.0-or-later"},
    {GPL2 "Permission is granted to copy, distribute and/or modify this document under the terms\n"
          "of the GNU Free Documentation License, Version 1.3 or any later version published by\n"
          "the Free Software Foundation; with the Invariant Sections being its poems.\n",
     NULL},
    {SELL_GRANT ".\n", "HPND-sell-variant"},
    {SELL_GRANT ", and that the name of A. Body not be used in advertising or\n"
                "publicity pertaining to distribution of the software without specific,\n"
                "written prior permission.\n",
     "HPND-sell-variant"},
    {SELL_GRANT " if a fee is paid.\n", NULL},
    {"Not " UNLIMITED, NULL},
    {NO_WARRANTY, NULL},
    {"", NULL},
    {"The program as a whole is released under the GNU General Public License version 2.\n", NULL},
};

START_TEST(a_text_is_known_as_a_whole_or_not_at_all)
{
    char out[EVIDENCE_LICENCE_SIZE];
    const bool known = evidence_notice_read(
        (struct evidence_span){notices[_i].text, strlen(notices[_i].text)}, out, sizeof out);

    ck_assert_int_eq(known, notices[_i].licence != NULL);
    if (known) {
        ck_assert_str_eq(out, notices[_i].licence);
    }
}
END_TEST

/* ---- files ---- */

#define FORMAT "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"

/* A notice and a permission, as lines that go on. */
#define MORE \
    " This program is free software; you can redistribute it and/or modify it under the terms\n" \
    " of the GNU General Public License as published by the Free Software Foundation; either\n" \
    " version 2 of the License, or (at your option) any later version.\n .\n" \
    " As a special exception, you may use this file as part of a free software library without\n" \
    " restriction. Specifically, if other files instantiate templates or use macros or inline\n" \
    " functions from this file, or you compile this file and link it with other files to\n" \
    " produce an executable, this file does not by itself cause the resulting executable to be\n" \
    " covered by the GNU General Public License. This exception does not however invalidate\n" \
    " any other reasons why the executable file might be covered by the GNU General Public\n" \
    " License.\n"

static const struct {
    const char *file;
    enum evidence_copyright outcome;
    const char *licence;
    unsigned line;
} files[] = {
    {FORMAT "\nFiles: *\nCopyright: A\nLicense: GPL-2+\n text\n", EVIDENCE_COPYRIGHT_OK,
     "GPL-2.0-or-later", 0},
    {FORMAT "\nFiles: *\nLicense: GPL-2+\n\nFiles: x\nLicense: Expat\n\nLicense: Zlib\n text\n",
     EVIDENCE_COPYRIGHT_OK, "GPL-2.0-or-later AND MIT", 0},
    /* the same licence twice, a choice, and parts of one field */
    {FORMAT "\nFiles: *\nLicense: GPL-2+\n\nFiles: x\nLicense: GPL-2+ and Expat\n\nFiles: y\n"
            "License: Expat or ISC\n",
     EVIDENCE_COPYRIGHT_OK, "GPL-2.0-or-later AND MIT AND (MIT OR ISC)", 0},
    /* the header adds to the stanzas if it names a licence */
    {FORMAT "License: GPL-2\n\nFiles: *\nLicense: BSD-4-clause\n", EVIDENCE_COPYRIGHT_OK,
     "GPL-2.0-only AND BSD-4-Clause", 0},
    {FORMAT "License:\n a summary\n\nFiles: *\nLicense: Expat\n", EVIDENCE_COPYRIGHT_OK, "MIT", 0},
    /* files that are in no executable are set apart; mixed with sources they are not */
    {FORMAT "\nFiles: *\nLicense: Expat\n\nFiles: debian/*\n debian/x\nLicense: GPL-3+\n",
     EVIDENCE_COPYRIGHT_OK, "MIT", 0},
    {FORMAT "\nFiles: *\nLicense: Expat\n\nFiles: doc/*,\n configure\nLicense: GFDL-1.3\n",
     EVIDENCE_COPYRIGHT_OK, "MIT", 0},
    {FORMAT "\nFiles: *\nLicense: Expat\n\nFiles: debian/*\n x\nLicense: GPL-3+\n",
     EVIDENCE_COPYRIGHT_OK, "MIT AND GPL-3.0-or-later", 0},
    /* in British spelling, as virtiofsd's of Debian 13; but not in both */
    {FORMAT "\nFiles: *\nLicence: GPL-2\n", EVIDENCE_COPYRIGHT_OK, "GPL-2.0-only", 0},
    {FORMAT "\nFiles: *\nLicense: Expat\nLicence: GPL-2\n", EVIDENCE_COPYRIGHT_MALFORMED, NULL, 5},
    /* a made-up name by its text, here or in a stanza of its own */
    {FORMAT "\nFiles: *\nLicense: mine\n"
            " " UNLIMITED,
     EVIDENCE_COPYRIGHT_MALFORMED, NULL, 6},
    {FORMAT "\nFiles: *\nLicense: mine or GPL-2\n\nLicense: mine\n This code is in the public "
            "domain.\n",
     EVIDENCE_COPYRIGHT_OK, "(LicenseRef-debian-public-domain OR GPL-2.0-only)", 0},
    {FORMAT "\nFiles: *\nLicense: mine\n something else\n", EVIDENCE_COPYRIGHT_OK,
     "LicenseRef-debian-mine", 0},
    {FORMAT "\nFiles: *\nLicense:\n This code is in the public domain.\n", EVIDENCE_COPYRIGHT_OK,
     "LicenseRef-debian-public-domain", 0},
    {FORMAT "\nFiles: *\nLicense: some words of it\n", EVIDENCE_COPYRIGHT_OK,
     "LicenseRef-debian-free-text", 0},
    {FORMAT "# a comment\n\n\nFiles: *\nLicense:\tGPL-2\t\n", EVIDENCE_COPYRIGHT_OK, "GPL-2.0-only",
     0},
    {"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\r\n\r\n"
     "files: *\r\nlicense: GPL-2\r\n",
     EVIDENCE_COPYRIGHT_OK, "GPL-2.0-only", 0},
    /* an exception with a made-up name that only permits, by its text; one that does not */
    {FORMAT "\nFiles: *\nLicense: GPL-2+ with Library exception\n\n"
            "License: GPL-2+ with Library exception\n" MORE,
     EVIDENCE_COPYRIGHT_OK, "GPL-2.0-or-later WITH AdditionRef-debian-permission-Library", 0},
    {FORMAT "\nFiles: *\nLicense: GPL-3 with Library exception\n\n"
            "License: GPL-3 with Library exception\n" MORE,
     EVIDENCE_COPYRIGHT_OK, "GPL-3.0-only WITH AdditionRef-debian-Library", 0},
    {FORMAT "\nFiles: *\nLicense: GPL-2+ with Library exception\n Not for libraries.\n",
     EVIDENCE_COPYRIGHT_OK, "GPL-2.0-or-later WITH AdditionRef-debian-Library", 0},
    /* files whose exception permits any terms for a program that contains them; but not a whole */
    {FORMAT "\nFiles: *\nLicense: GPL-2\n\nFiles: src/parse.c\n"
            "License: GPL-3+ with Bison exception\n",
     EVIDENCE_COPYRIGHT_OK, "GPL-2.0-only", 0},
    {FORMAT "\nFiles: *\nLicense: GPL-3+ with Bison exception\n", EVIDENCE_COPYRIGHT_OK,
     "GPL-3.0-or-later WITH Bison-exception-2.2", 0},
    {FORMAT "\nFiles: *\nLicense: GPL-2\n\nFiles: src/parse.c\n"
            "License: GPL-3+ with Bison exception and GPL-3+\n",
     EVIDENCE_COPYRIGHT_OK,
     "GPL-2.0-only AND GPL-3.0-or-later WITH Bison-exception-2.2 AND "
     "GPL-3.0-or-later",
     0},
    /* not machine-readable */
    {"This package was debianized by X.\n", EVIDENCE_COPYRIGHT_FREE_TEXT, NULL, 0},
    {"Format: http://dep.debian.net/deps/dep5\n\nFiles: *\nLicense: GPL-2\n", EVIDENCE_COPYRIGHT_OK,
     "GPL-2.0-only", 0},
    {"Format: something\n\nFiles: *\nLicense: GPL-2\n", EVIDENCE_COPYRIGHT_FREE_TEXT, NULL, 0},
    {"", EVIDENCE_COPYRIGHT_FREE_TEXT, NULL, 0},
    {"Copyright 2020 A. Body\n\n" GPL2, EVIDENCE_COPYRIGHT_OK, "GPL-2.0-or-later", 0},
    {FORMAT, EVIDENCE_COPYRIGHT_NO_FILES, NULL, 0},
    {FORMAT "\nLicense: GPL-2\n", EVIDENCE_COPYRIGHT_NO_FILES, NULL, 0},
    {FORMAT "\nFiles: debian/*\nLicense: GPL-2\n", EVIDENCE_COPYRIGHT_NO_FILES, NULL, 0},
    /* what a reader would have to guess at; one bad stanza of packaging spoils nothing */
    {FORMAT "\nFiles: *\nCopyright: A\n", EVIDENCE_COPYRIGHT_MALFORMED, NULL, 3},
    {FORMAT "\nFiles: *\nCopyright: A\n\nLicense: Expat\n", EVIDENCE_COPYRIGHT_MALFORMED, NULL, 3},
    {FORMAT "\nFiles: *\nCopyright: A\n\nLicense:\n This code is in the public domain.\n",
     EVIDENCE_COPYRIGHT_OK, "LicenseRef-debian-public-domain", 0},
    {FORMAT "\nFiles: *\nLicense:\n All rights reserved.\n", EVIDENCE_COPYRIGHT_MALFORMED, NULL, 4},
    {FORMAT "\nFiles: *\nLicense: GPL-2\nno field\n", EVIDENCE_COPYRIGHT_MALFORMED, NULL, 5},
    {FORMAT "\n goes on from nothing\n", EVIDENCE_COPYRIGHT_MALFORMED, NULL, 3},
    {FORMAT "\nFiles: *\nLicense: A\nLicense: B\n", EVIDENCE_COPYRIGHT_MALFORMED, NULL, 5},
    {FORMAT "Files: *\nLicense: A\n", EVIDENCE_COPYRIGHT_MALFORMED, NULL, 2},
    {FORMAT "\nFiles: *\nLicense: Expat\nFiles: debian/*\nLicense: ISC\n",
     EVIDENCE_COPYRIGHT_MALFORMED, NULL, 5},
    {FORMAT "\nFiles: *\nLicense: Expat\n\nFiles: debian/*\nLicense: A\nLicense: B\n",
     EVIDENCE_COPYRIGHT_OK, "MIT", 0},
    {FORMAT "\nFiles: *\nLicense: Expat\n\nFiles: debian/po/pt.po\nCopyright: A\n",
     EVIDENCE_COPYRIGHT_OK, "MIT", 0},
};

START_TEST(a_copyright_file_becomes_an_expression_or_a_reason)
{
    struct evidence_copyrights c;

    ck_assert_int_eq(evidence_copyright_read(&c, files[_i].file, strlen(files[_i].file)),
                     files[_i].outcome);
    if (files[_i].licence) {
        ck_assert_str_eq(c.licence, files[_i].licence);
    }
    ck_assert_uint_eq(c.line, files[_i].line);
    ck_assert_int_eq(c.why != NULL, files[_i].outcome == EVIDENCE_COPYRIGHT_MALFORMED);
}
END_TEST

START_TEST(files_that_decide_come_before_those_set_apart)
{
    static const char text[] =
        FORMAT "\nFiles: *\nLicense: GPL-2\n\nFiles: doc/* man/x.1\nLicense: GFDL-1.3\n\n"
               "Files: good.c\nLicense: Expat\n\nFiles: odd.c\nLicense: odd\n\n"
               "Files: tests/x vendor/bad.c\nLicense: CDDL-1\n";
    struct evidence_copyrights c;

    ck_assert_int_eq(evidence_copyright_read(&c, text, strlen(text)), EVIDENCE_COPYRIGHT_OK);
    ck_assert_uint_eq(c.counted, 4);
    ck_assert_uint_eq(c.apart, 1);
    ck_assert_uint_eq(c.n_files, 3);
    ck_assert(!c.files_cut);
    ck_assert_str_eq(c.files[0].files, "vendor/bad.c");
    ck_assert_str_eq(c.files[0].licence, "CDDL-1.0");
    ck_assert_uint_eq(c.files[0].place, EVIDENCE_PLACE_SOURCE);
    ck_assert_uint_eq(c.files[0].line, 15);
    ck_assert_str_eq(c.files[1].files, "odd.c");
    ck_assert_str_eq(c.files[2].files, "doc/* man/x.1");
    ck_assert_uint_eq(c.files[2].place, EVIDENCE_PLACE_DOCUMENTATION);
}
END_TEST

/* Each is compatible with the main licence, but not with the other. */
START_TEST(files_that_cannot_be_combined_with_others_are_named)
{
    static const char text[] = FORMAT "\nFiles: *\nLicense: Expat\n\nFiles: a.c\n"
                                      "License: GPL-2\n\nFiles: b.c\nLicense: Apache-2.0\n";
    struct evidence_copyrights c;

    ck_assert_int_eq(evidence_copyright_read(&c, text, sizeof text - 1), EVIDENCE_COPYRIGHT_OK);
    ck_assert_uint_eq(c.n_files, 1);
    ck_assert_str_eq(c.files[0].files, "b.c");
    ck_assert_str_eq(c.files[0].licence, "Apache-2.0");
    ck_assert_int_eq(c.files[0].place, EVIDENCE_PLACE_SOURCE);
}
END_TEST

START_TEST(too_many_files_are_cut_and_sources_kept)
{
    char text[8192] = FORMAT "\nFiles: *\nLicense: GPL-2\n";
    struct evidence_copyrights c;

    for (unsigned i = 0; i < EVIDENCE_FILES + 1; i++) {
        const size_t n = strlen(text);

        snprintf(text + n, sizeof text - n, "\nFiles: doc/%u\nLicense: GFDL-1.3\n", i);
    }
    strcat(text, "\nFiles: x.c\nLicense: CDDL-1\n");
    ck_assert_int_eq(evidence_copyright_read(&c, text, strlen(text)), EVIDENCE_COPYRIGHT_OK);
    ck_assert_uint_eq(c.n_files, EVIDENCE_FILES);
    ck_assert(c.files_cut);
    ck_assert_str_eq(c.files[0].files, "x.c");
    ck_assert_uint_eq(c.apart, EVIDENCE_FILES + 1);
}
END_TEST

START_TEST(too_many_licences_are_no_expression)
{
    char text[16384] = FORMAT;
    struct evidence_copyrights c;

    for (int i = 0; i < 200; i++) {
        const size_t n = strlen(text);

        snprintf(text + n, sizeof text - n, "\nFiles: f%d\nLicense: licence-%d\n", i, i);
    }
    ck_assert_int_eq(evidence_copyright_read(&c, text, strlen(text)), EVIDENCE_COPYRIGHT_TOO_LONG);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("evidence_debian");
    TCase *tc = unit_case(s, "names");

    tcase_add_loop_test(tc, a_synopsis_becomes_an_expression, 0, COUNT(synopses));
    tcase_add_loop_test(tc, a_sentence_is_not_guessed_at, 0, COUNT(sentences));
    tcase_add_test(tc, a_synopsis_fits_exactly_or_not_at_all);
    tc = unit_case(s, "stanzas");
    tcase_add_test(tc, stanzas_have_fields_lines_and_continuations);
    tcase_add_loop_test(tc, a_fault_has_a_line_and_the_next_stanza_is_read, 0, COUNT(faults));
    tc = unit_case(s, "places");
    tcase_add_loop_test(tc, a_pattern_is_of_a_place, 0, COUNT(patterns));
    tcase_add_test(tc, each_place_but_sources_has_a_reason);
    tc = unit_case(s, "notices");
    tcase_add_loop_test(tc, texts_are_compared_by_their_words, 0, COUNT(texts));
    tcase_add_loop_test(tc, a_notice_is_well_formed, 0, (int)evidence_notices());
    tcase_add_loop_test(tc, a_text_is_known_as_a_whole_or_not_at_all, 0, COUNT(notices));
    tc = unit_case(s, "files");
    tcase_add_loop_test(tc, a_copyright_file_becomes_an_expression_or_a_reason, 0, COUNT(files));
    tcase_add_test(tc, files_that_decide_come_before_those_set_apart);
    tcase_add_test(tc, files_that_cannot_be_combined_with_others_are_named);
    tcase_add_test(tc, too_many_files_are_cut_and_sources_kept);
    tcase_add_test(tc, too_many_licences_are_no_expression);
    return unit_run(s);
}
