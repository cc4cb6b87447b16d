/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * FORMAT.audit and the code: the events and the members that the page demands are those of the
 * table; the example of section 12 is what the code takes, and of what it says. tests/vectors/audit
 * computes the example without the code.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_line.h"
#include "audit/audit_note.h"
#include "tests/support/unit.h"
#include "tests/unit/audit/audit_rig.h"

#define PAGE SOURCE_DIR "/docs/FORMAT.audit"

/* The page's line "  NAME   member member …" of section 4, for the event. Blanks around words. */
static void find_row(const char *name, char *out, size_t room)
{
    FILE *const f = fopen(PAGE, "r");
    char head[64];
    char line[512];
    bool found = false;

    ck_assert_ptr_nonnull(f);
    snprintf(head, sizeof head, "  %s ", name);
    out[0] = '\0';
    while (!found && fgets(line, sizeof line, f)) {
        if (strncmp(line, head, strlen(head)) == 0) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(out, room, "%s ", line);
            found = true;
        }
    }
    fclose(f);
    ck_assert_msg(found, "the page has no event %s", name);
}

START_TEST(events_are_the_page_s)
{
    size_t n = 0;

    for (const struct audit_event *e = audit_events; e->name; e++, n++) {
        char row[640];
        size_t on_page = 0;
        size_t words = 0;

        find_row(e->name, row, sizeof row);
        for (size_t i = 0; e->members[i]; i++, words++) {
            char word[64];

            snprintf(word, sizeof word, " %s ", e->members[i]);
            ck_assert_msg(strstr(row, word) != NULL, "%s: the page has no %s", e->name,
                          e->members[i]);
        }
        /* … and no others, but for the name itself. */
        for (const char *w = strtok(row, " "); w; w = strtok(NULL, " ")) {
            on_page++;
        }
        ck_assert_msg(on_page == words + 1, "%s: the page demands other members", e->name);
    }
    ck_assert_uint_gt(n, 0);
}
END_TEST

/* The lines of an example: what is behind four blanks under "  NAME:", each with a line end. */
static size_t read_example(const char *name, char *out, size_t room)
{
    FILE *const f = fopen(PAGE, "r");
    char head[64];
    char line[2048];
    bool inside = false;
    size_t n = 0;

    ck_assert_ptr_nonnull(f);
    snprintf(head, sizeof head, "  %s:\n", name);
    while (fgets(line, sizeof line, f)) {
        if (inside && strncmp(line, "    ", 4) != 0) {
            break;
        }
        if (inside) {
            n += (size_t)snprintf(out + n, room - n, "%s", line + 4);
        }
        inside = inside || strcmp(line, head) == 0;
    }
    fclose(f);
    ck_assert_msg(n > 0, "the page has no example %s", name);
    return n;
}

START_TEST(the_example_verifies)
{
    const char *const file = rig_log();
    struct audit_vkey vkey;
    struct audit_result r;
    char text[8192];
    size_t n = read_example("key", text, sizeof text);
    const struct audit_question q = {.files = &file, .n = 1, .key = &vkey};

    ck_assert_int_eq(audit_vkey_read(&vkey, text, n), 0);
    n = read_example("log", text, sizeof text);
    rig_write(rig_log(), text, n);
    audit_verify(&q, &r);
    rig_expect(&r, AUDIT_INTACT);
    ck_assert_uint_eq(r.size, 4);
    read_example("checkpoint", text, sizeof text);
    /* An empty line of the note has no blanks on the page. */
    ck_assert_int_eq(strncmp(r.note, text, strlen(text)), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("audit_page");
    TCase *tc = unit_case(s, "page");

    tcase_add_test(tc, events_are_the_page_s);
    tcase_add_test(tc, the_example_verifies);
    return unit_run(s);
}
