/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds ELF notes through the program headers and, for notes that are not loaded, the section
 * headers. Handles both classes and byte orders. Section names are ignored: the note's type is
 * decisive. All numbers are widened to 64 bits and checked before they are added.
 */
#include "policy/evidence/evidence_elf.h"

#include <elf.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct elf {
    evidence_read_at *read_at;
    void *arg;
    struct evidence *out;
    bool wide;                         /* 64-bit class */
    bool little;                       /* byte order */
    unsigned n;                        /* package notes found */
    uint64_t seen[EVIDENCE_ELF_NOTES]; /* their offsets: a section often lies within a segment */
    uint8_t notes[EVIDENCE_ELF_NOTES_MAX];
};

/* A group of notes in the file. */
struct group {
    uint64_t offset;
    uint64_t size;
    uint64_t align;
};

static uint64_t evidence_elf_get(const struct elf *f, const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++) {
        v = v << 8 | p[f->little ? n - 1 - i : i];
    }
    return v;
}

/* ---- one note ---- */

static void evidence_elf_licence_of(struct elf *f, const json_t *note)
{
    const json_t *licence = json_object_get(note, "license");
    const char *name = json_string_value(json_object_get(note, "name"));
    const char *version = json_string_value(json_object_get(note, "version"));
    char text[EVIDENCE_NAME_SIZE];

    if (!licence) {
        return;
    }
    if (!json_is_string(licence)) {
        evidence_add_unknown(f->out, EVIDENCE_FROM_ELF_NOTE, 0,
                             "a package note's \"license\" is not a string");
        return;
    }
    snprintf(text, sizeof text, "%s%s%s", name ? name : "note", name && version ? " " : "",
             name && version ? version : "");
    evidence_add(f->out, EVIDENCE_NOTED, EVIDENCE_FROM_ELF_NOTE, json_string_value(licence), text,
                 "a package note in the executable: the text that its linker was given");
}

/* Handles the n bytes of a package note's value. */
static void evidence_elf_package_note(struct elf *f, const uint8_t *p, size_t n)
{
    json_error_t error;
    json_t *note;

    /* The value may end in NULs: the string's own, and padding of the section. */
    while (n > 0 && p[n - 1] == 0) {
        n--;
    }
    note = json_loadb((const char *)p, n, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(note)) {
        evidence_add_unknown(f->out, EVIDENCE_FROM_ELF_NOTE, 0,
                             "a package note is not a JSON object: %s", note ? "" : error.text);
    } else {
        evidence_elf_licence_of(f, note);
    }
    json_decref(note);
}

/* Returns whether the note at this offset was seen before, and remembers it. */
static bool evidence_elf_seen(struct elf *f, uint64_t offset)
{
    for (unsigned i = 0; i < f->n; i++) {
        if (f->seen[i] == offset) {
            return true;
        }
    }
    if (f->n < EVIDENCE_ELF_NOTES) {
        f->seen[f->n] = offset;
    }
    f->n++;
    return false;
}

static uint64_t evidence_elf_aligned(uint64_t n, uint64_t align)
{
    return (n + align - 1) & ~(align - 1);
}

static bool evidence_elf_malformed(struct elf *f, const char *why)
{
    evidence_add_unknown(f->out, EVIDENCE_FROM_ELF_NOTE, 0, "the ELF file is malformed: %s", why);
    return false;
}

static bool evidence_elf_each_note(struct elf *f, const struct group *g)
{
    const uint64_t align = g->align == 8 ? 8 : 4;
    uint64_t at = 0;

    while (at + sizeof(Elf64_Nhdr) <= g->size) {
        const uint8_t *h = f->notes + at;
        const uint64_t name_size = evidence_elf_get(f, h, 4);
        const uint64_t desc_size = evidence_elf_get(f, h + 4, 4);
        const uint64_t desc = evidence_elf_aligned(at + sizeof(Elf64_Nhdr) + name_size, align);

        /* Sums of 32-bit numbers cannot overflow 64 bits. */
        if (desc + desc_size > g->size) {
            return evidence_elf_malformed(f, "a note exceeds its segment");
        }
        if (evidence_elf_get(f, h + 8, 4) == EVIDENCE_ELF_NOTE_TYPE && name_size == 4 &&
            memcmp(h + sizeof(Elf64_Nhdr), "FDO", 4) == 0 &&
            !evidence_elf_seen(f, g->offset + at)) {
            if (f->n > EVIDENCE_ELF_NOTES) {
                return evidence_elf_malformed(f, "too many package notes");
            }
            evidence_elf_package_note(f, f->notes + desc, (size_t)desc_size);
        }
        at = evidence_elf_aligned(desc + desc_size, align);
    }
    return true;
}

static bool evidence_elf_read_group(struct elf *f, const struct group *g)
{
    if (g->size > sizeof f->notes) {
        return evidence_elf_malformed(f, "a group of notes is too long");
    }
    if (g->size > 0 &&
        f->read_at(f->arg, g->offset, f->notes, (size_t)g->size) != (ssize_t)g->size) {
        return evidence_elf_malformed(f, "notes lie outside of the file");
    }
    return evidence_elf_each_note(f, g);
}

/* ---- headers ---- */

/*
 * Offsets of the fields in the ELF header and in the entries of its tables. Fields without a size
 * here have 4 or 8 bytes, depending on the class.
 */
struct layout {
    uint8_t table; /* in the ELF header: the table's offset, 4 or 8 bytes */
    uint8_t entry; /* in the ELF header: an entry's size, 2 bytes */
    uint8_t count; /* in the ELF header: the number of entries, 2 bytes */
    uint8_t least; /* minimum size of an entry */
    uint32_t note; /* the type of entries that are groups of notes */
    uint8_t type;  /* in an entry: 4 bytes */
    uint8_t offset;
    uint8_t size;
    uint8_t align;
};

/* [program headers, section headers][32 bits, 64 bits] */
static const struct layout layouts[2][2] = {
    {{offsetof(Elf32_Ehdr, e_phoff), offsetof(Elf32_Ehdr, e_phentsize),
      offsetof(Elf32_Ehdr, e_phnum), sizeof(Elf32_Phdr), PT_NOTE, offsetof(Elf32_Phdr, p_type),
      offsetof(Elf32_Phdr, p_offset), offsetof(Elf32_Phdr, p_filesz),
      offsetof(Elf32_Phdr, p_align)},
     {offsetof(Elf64_Ehdr, e_phoff), offsetof(Elf64_Ehdr, e_phentsize),
      offsetof(Elf64_Ehdr, e_phnum), sizeof(Elf64_Phdr), PT_NOTE, offsetof(Elf64_Phdr, p_type),
      offsetof(Elf64_Phdr, p_offset), offsetof(Elf64_Phdr, p_filesz),
      offsetof(Elf64_Phdr, p_align)}},
    {{offsetof(Elf32_Ehdr, e_shoff), offsetof(Elf32_Ehdr, e_shentsize),
      offsetof(Elf32_Ehdr, e_shnum), sizeof(Elf32_Shdr), SHT_NOTE, offsetof(Elf32_Shdr, sh_type),
      offsetof(Elf32_Shdr, sh_offset), offsetof(Elf32_Shdr, sh_size),
      offsetof(Elf32_Shdr, sh_addralign)},
     {offsetof(Elf64_Ehdr, e_shoff), offsetof(Elf64_Ehdr, e_shentsize),
      offsetof(Elf64_Ehdr, e_shnum), sizeof(Elf64_Shdr), SHT_NOTE, offsetof(Elf64_Shdr, sh_type),
      offsetof(Elf64_Shdr, sh_offset), offsetof(Elf64_Shdr, sh_size),
      offsetof(Elf64_Shdr, sh_addralign)}},
};

static bool evidence_elf_read_table(struct elf *f, const uint8_t *header, const struct layout *l)
{
    const size_t word = f->wide ? 8 : 4;
    const uint64_t table = evidence_elf_get(f, header + l->table, word);
    const uint64_t entry_size = evidence_elf_get(f, header + l->entry, 2);
    const uint64_t count = evidence_elf_get(f, header + l->count, 2);

    if (table == 0 || count == 0) {
        return true;
    }
    if (entry_size < l->least || count > EVIDENCE_ELF_HEADERS) {
        return evidence_elf_malformed(f, "a header table has an invalid entry size");
    }
    for (uint64_t i = 0; i < count; i++) {
        uint8_t entry[sizeof(Elf64_Shdr)];
        uint64_t at;
        struct group g;

        if (__builtin_add_overflow(table, i * entry_size, &at) ||
            f->read_at(f->arg, at, entry, l->least) != l->least) {
            return evidence_elf_malformed(f, "its headers lie outside of the file");
        }
        if (evidence_elf_get(f, entry + l->type, 4) != l->note) {
            continue;
        }
        g = (struct group){.offset = evidence_elf_get(f, entry + l->offset, word),
                           .size = evidence_elf_get(f, entry + l->size, word),
                           .align = evidence_elf_get(f, entry + l->align, word)};
        if (!evidence_elf_read_group(f, &g)) {
            return false;
        }
    }
    return true;
}

enum evidence_elf evidence_elf(struct evidence *e, evidence_read_at *read_at, void *arg)
{
    uint8_t header[sizeof(Elf64_Ehdr)] = {0};
    struct elf *f;
    size_t size;
    bool good;

    if (read_at(arg, 0, header, EI_NIDENT) != EI_NIDENT || memcmp(header, ELFMAG, SELFMAG) != 0) {
        return EVIDENCE_ELF_NONE;
    }
    f = calloc(1, sizeof *f);
    if (!f) {
        evidence_add_unknown(e, EVIDENCE_FROM_ELF_NOTE, 0, "out of memory while reading its notes");
        return EVIDENCE_ELF_MALFORMED;
    }
    f->read_at = read_at;
    f->arg = arg;
    f->out = e;
    f->wide = header[EI_CLASS] == ELFCLASS64;
    f->little = header[EI_DATA] == ELFDATA2LSB;
    size = f->wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
    if ((!f->wide && header[EI_CLASS] != ELFCLASS32) ||
        (!f->little && header[EI_DATA] != ELFDATA2MSB)) {
        good = evidence_elf_malformed(f, "its class or byte order is unknown");
    } else if (read_at(arg, 0, header, size) != (ssize_t)size) {
        good = evidence_elf_malformed(f, "it ends within its header");
    } else {
        good = evidence_elf_read_table(f, header, &layouts[0][f->wide]) &&
               evidence_elf_read_table(f, header, &layouts[1][f->wide]);
    }
    free(f);
    return good ? EVIDENCE_ELF_OK : EVIDENCE_ELF_MALFORMED;
}
