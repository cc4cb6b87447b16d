/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Prints packet-vfio-user-tables.h, the tables of the dissector in C, from those of
 * base/wire/wire_command.c. A test compares it with the file, which goes into Wireshark's tree.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire/wire_command.h"

/* A structure's name in field names, where it differs from that of the C structure. */
static const char *packet_tables_key(const char *name)
{
    static const char *const keys[][2] = {{"region_access", "region"},
                                          {"dma_access", "dma"},
                                          {"region_io_fds", "io_fds"},
                                          {"feature_migration", "migration"},
                                          {"feature_mig_state", "mig_state"},
                                          {"sparse_area", "sparse.area"},
                                          {"dma_logging_range", "dma_logging.range"}};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i][0], name) == 0) {
            return keys[i][1];
        }
    }
    return name;
}

/* A field's name, where it differs from that of the specification. */
static const char *packet_tables_field(const struct wire_struct *s, const struct wire_field *f)
{
    if (strcmp(f->name, "region") == 0) {
        return "index";
    }
    return strcmp(s->name, "feature_migration") == 0 ? "flags" : f->name;
}

/* Returns the part of a bit's name that its field does not have already. */
static const char *packet_tables_bit(const char *name)
{
    static const char *const prefixes[] = {"DATA_", "ACTION_"};

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        const size_t n = strlen(prefixes[i]);

        if (strncmp(name, prefixes[i], n) == 0) {
            return name + n;
        }
    }
    return name;
}

static void packet_tables_bits(const struct wire_field *f)
{
    for (const struct wire_name *n = f->names; n && n->name; n++) {
        printf("        { \"");
        for (const char *name = packet_tables_bit(n->name); *name; name++) {
            putchar(tolower((unsigned char)*name));
        }
        printf("\", 0x%llx },\n", (unsigned long long)n->value);
    }
}

static const struct wire_field *packet_tables_at(const struct wire_struct *s, size_t offset)
{
    for (unsigned i = 0; i < s->n_fields; i++) {
        if (s->fields[i].offset == offset) {
            return &s->fields[i];
        }
    }
    return NULL;
}

static void packet_tables_struct(const struct wire_struct *s)
{
    printf("    { \"%s\", %u, {\n", packet_tables_key(s->name), s->size);
    for (size_t at = 0; at < s->size;) {
        const struct wire_field *const f = packet_tables_at(s, at);
        const bool bits = f && (f->kind == WIRE_FLAGS || f->kind == WIRE_FEATURE);
        const bool dec = f && (f->kind == WIRE_DEC || f->kind == WIRE_ARGSZ ||
                               f->kind == WIRE_COUNT || f->kind == WIRE_MAJOR || f->names);

        if (!f) {
            fprintf(stderr, "%s has no field at %zu\n", s->name, at);
            exit(1);
        }
        printf("      { \"%s\", %zu, %u, %s, {\n", packet_tables_field(s, f), at, f->size,
               dec && !bits ? "BASE_DEC" : "BASE_HEX");
        if (bits) {
            packet_tables_bits(f);
        }
        printf("      } },\n");
        at += f->size;
    }
    printf("    } },\n");
}

/* Prints a structure, and that of its entries unless the dissector reads these by itself. */
static void packet_tables_whole(const struct wire_struct *s, const char *by_itself)
{
    packet_tables_struct(s);
    if (s->entry && strcmp(s->entry->name, by_itself) != 0) {
        packet_tables_struct(s->entry);
    }
}

/* Several commands have the same structure. */
static void packet_tables_of_commands(void)
{
    const struct wire_struct *done[64] = {NULL};
    size_t n = 0;

    for (size_t i = 0; i < wire_command_count(); i++) {
        const struct wire_struct *const s = wire_command_at(i)->structure;
        size_t k = 0;

        while (k < n && done[k] != s) {
            k++;
        }
        if (s && k == n) {
            done[n++] = s;
            packet_tables_whole(s, "single_write");
        }
    }
}

static void packet_tables_of_features(void)
{
    static const uint32_t features[] = {WIRE_FEATURE_MIGRATION, WIRE_FEATURE_MIG_DEVICE_STATE,
                                        WIRE_FEATURE_DMA_LOGGING_START,
                                        WIRE_FEATURE_DMA_LOGGING_REPORT};

    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        packet_tables_whole(wire_feature_find(features[i])->structure, "bitmap_word");
    }
}

int main(void)
{
    puts("/* Tables of vfio-user's commands. Generated; do not edit.\n *\n"
         " * SPDX-"
         "FileCopyrightText: 2026 The poemd authors\n"
         " * SPDX-"
         "License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception\n */\n"
         "/* clang-format off */\n"
         "static vfio_user_struct structs[] = {");
    packet_tables_of_commands();
    packet_tables_of_features();
    packet_tables_struct(&wire_cap_header);
    packet_tables_struct(wire_cap_find(WIRE_CAP_SPARSE_MMAP)->structure);
    packet_tables_struct(wire_cap_find(WIRE_CAP_SPARSE_MMAP)->structure->entry);
    packet_tables_struct(wire_cap_find(WIRE_CAP_TYPE)->structure);
    puts("};\n\nstatic const vfio_user_command commands[] = {");
    for (size_t i = 0; i < wire_command_count(); i++) {
        const struct wire_command_info *const c = wire_command_at(i);

        printf("    { %u, \"%s\", %s%s%s, %s, %s, %s },\n", c->code, c->name,
               c->structure ? "\"" : "",
               c->structure ? packet_tables_key(c->structure->name) : "NULL",
               c->structure ? "\"" : "", c->sender == SIDE_CLIENT ? "true" : "false",
               c->request.fixed > 0 ? "true" : "false", c->reply.fixed > 0 ? "true" : "false");
    }
    puts("};\n/* clang-format on */");
    return 0;
}
