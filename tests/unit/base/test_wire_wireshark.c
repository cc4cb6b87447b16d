/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The Wireshark dissector's tables are those of base/wire/wire_command.c. */
#include <stdio.h>
#include <string.h>

#include "base/wire/wire_command.h"
#include "tests/support/unit.h"

static char text[1 << 17];

static void dissector_read(void)
{
    FILE *f = fopen(SOURCE_DIR "/contrib/wireshark/vfio_user.lua", "r");

    ck_assert_ptr_nonnull(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
}

/* The dissector's name for a structure. */
static const char *dissector_key(const char *name)
{
    static const char *const keys[][2] = {{"region_access", "region"},
                                          {"dma_access", "dma"},
                                          {"region_io_fds", "io_fds"},
                                          {"feature_migration", "migration"},
                                          {"feature_mig_state", "mig_state"}};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i][0], name) == 0) {
            return keys[i][1];
        }
    }
    return name;
}

static const struct wire_field *field_at(const struct wire_struct *s, size_t offset)
{
    for (unsigned i = 0; i < s->n_fields; i++) {
        if (s->fields[i].offset == offset) {
            return &s->fields[i];
        }
    }
    return NULL;
}

/* The columns of a structure: { "name", bytes, "title" ... }, in the order of the bytes. */
static void compare_structure(const struct wire_struct *s)
{
    char begin[64];
    char name[32];
    const char *at;
    const char *end;
    size_t offset = 0;
    char comma[2];
    unsigned size;

    snprintf(begin, sizeof begin, "\nS.%s = define(", dissector_key(s->name));
    at = strstr(text, begin);
    ck_assert_msg(at != NULL, "no %s", begin);
    at += strlen(begin);
    end = strstr(at, "\n})\n");
    if (!end || (strstr(at, "\nS.") && strstr(at, "\nS.") < end)) {
        end = strstr(at, "\nS.");
    }
    for (; end && (at = strstr(at, "{ \"")) != NULL && at < end; at++) {
        const struct wire_field *f = field_at(s, offset);

        /* A bit has a mask there, "0x1" or a name. */
        if (sscanf(at, "{ \"%31[a-z_0-9]\", %u%1[,]", name, &size, comma) != 3) {
            continue;
        }
        ck_assert_msg(f != NULL, "%s.%s at %zu", s->name, name, offset);
        ck_assert_msg(f->size == size, "%s.%s has %u bytes", s->name, name, f->size);
        offset += size;
    }
    ck_assert_msg(offset == s->size, "%s has %u bytes, not %zu", s->name, s->size, offset);
}

START_TEST(structures_are_the_dissectors)
{
    const struct wire_command_info *c = wire_command_at((size_t)_i);

    dissector_read();
    if (c->structure) {
        compare_structure(c->structure);
    }
}
END_TEST

START_TEST(commands_are_the_dissectors)
{
    const struct wire_command_info *c = wire_command_at((size_t)_i);
    char row[96];
    const char *at;
    const char *end;

    dissector_read();
    snprintf(row, sizeof row, "name = \"%s\", by = %s", c->name,
             c->sender == SIDE_CLIENT ? "CLIENT" : "BACKEND");
    at = strstr(text, row);
    ck_assert_msg(at != NULL, "no %s", row);
    end = strstr(at, "},\n");
    at = strstr(at, "fds = ");
    ck_assert_int_eq(at && (!end || at < end), (c->request.fds || c->reply.fds));
}
END_TEST

START_TEST(parts_are_the_dissectors)
{
    static const uint32_t features[] = {WIRE_FEATURE_MIGRATION, WIRE_FEATURE_MIG_DEVICE_STATE,
                                        WIRE_FEATURE_DMA_LOGGING_START,
                                        WIRE_FEATURE_DMA_LOGGING_REPORT};
    const struct wire_part *part = wire_feature_find(features[_i]);

    dissector_read();
    ck_assert_ptr_nonnull(part);
    ck_assert_ptr_nonnull(strstr(text, part->name));
    compare_structure(part->structure);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("wire_wireshark");
    TCase *const tc = unit_case(suite, "tables");

    tcase_add_loop_test(tc, structures_are_the_dissectors, 0, (int)wire_command_count());
    tcase_add_loop_test(tc, commands_are_the_dissectors, 0, (int)wire_command_count());
    tcase_add_loop_test(tc, parts_are_the_dissectors, 0, 4);
    return unit_run(suite);
}
