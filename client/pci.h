/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Decodes a PCI device's configuration space: pure, with bounded work for any bytes.
 *
 * The numbers are those of the PCI Local Bus and PCI Express base specifications, as in
 * linux/pci_regs.h.
 */
#ifndef POEMD_CLIENT_PCI_H
#define POEMD_CLIENT_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_HEADER_SIZE 64u
#define PCI_CONFIG_SIZE 256u
#define PCI_CONFIG_SIZE_EXPRESS 4096u
#define PCI_BARS 6u

/* A capability takes at least 4 bytes, so no list without a loop is longer. */
#define PCI_CAPS_MAX ((PCI_CONFIG_SIZE - 0x40u) / 4u)
#define PCI_EXT_CAPS_MAX ((PCI_CONFIG_SIZE_EXPRESS - PCI_CONFIG_SIZE) / 4u)

/* The part of configuration space that was read: n bytes, all others 0. */
struct pci_config {
    size_t n;
    uint8_t bytes[PCI_CONFIG_SIZE_EXPRESS];
};

/* Return little-endian fields; 0 for a field that was not read completely. */
uint8_t pci_u8(const struct pci_config *c, size_t at);
uint16_t pci_u16(const struct pci_config *c, size_t at);
uint32_t pci_u32(const struct pci_config *c, size_t at);

enum {
    PCI_AT_VENDOR = 0x00,
    PCI_AT_DEVICE = 0x02,
    PCI_AT_COMMAND = 0x04,
    PCI_AT_STATUS = 0x06,
    PCI_AT_REVISION = 0x08,
    PCI_AT_PROG_IF = 0x09,
    PCI_AT_SUBCLASS = 0x0a,
    PCI_AT_CLASS = 0x0b,
    PCI_AT_HEADER_TYPE = 0x0e,
    PCI_AT_BAR0 = 0x10,
    PCI_AT_SUBSYSTEM_VENDOR = 0x2c,
    PCI_AT_SUBSYSTEM = 0x2e,
    PCI_AT_ROM = 0x30,
    PCI_AT_CAPABILITIES = 0x34,
    PCI_AT_INTERRUPT_LINE = 0x3c,
    PCI_AT_INTERRUPT_PIN = 0x3d,
};

#define PCI_STATUS_CAPABILITIES 0x10u

/* A bit of a register, with its short name in lspci. */
struct pci_bit {
    uint16_t mask;
    const char *name;
};

/* The bits of the command and the status register; the last entry has mask 0. */
extern const struct pci_bit pci_command_bits[];
extern const struct pci_bit pci_status_bits[];

/* A base address register. */
struct pci_bar {
    bool io;
    bool is_64;
    bool prefetchable;
    bool upper; /* not a register of its own: the upper half of the 64-bit one before it */
    uint64_t address;
};

/* Decodes register i of a type 0 header, i < PCI_BARS. */
void pci_bar(const struct pci_config *c, unsigned i, struct pci_bar *out);

/* Offset and id of a capability; version is set only for extended ones. */
struct pci_cap {
    uint16_t id;
    uint16_t at;
    uint8_t version;
};

struct pci_caps {
    unsigned n;
    const char
        *broken; /* static: why the list could not be followed to its end; NULL if it could */
    struct pci_cap cap[PCI_EXT_CAPS_MAX];
};

/* Follow the list of capabilities, and that of the extended ones (PCI Express), once. */
void pci_caps(const struct pci_config *c, struct pci_caps *out);
void pci_ext_caps(const struct pci_config *c, struct pci_caps *out);

enum pci_cap_id {
    PCI_CAP_POWER = 0x01,
    PCI_CAP_MSI = 0x05,
    PCI_CAP_VENDOR = 0x09,
    PCI_CAP_EXPRESS = 0x10,
    PCI_CAP_MSIX = 0x11,
};

struct pci_power {
    unsigned version;
    bool d1;
    bool d2;
    unsigned state; /* D0 … D3 */
    bool no_soft_reset;
};

struct pci_msi {
    bool enabled;
    unsigned vectors;        /* supported by the device */
    unsigned vectors_in_use; /* assigned to the device */
    bool is_64;
    bool maskable;
};

struct pci_msix {
    bool enabled;
    bool masked;
    unsigned vectors;
    unsigned table_bar;
    uint32_t table_offset;
    unsigned pba_bar;
    uint32_t pba_offset;
};

struct pci_express {
    unsigned version;
    unsigned type;
    const char *type_name; /* static, never NULL */
    unsigned max_payload;  /* bytes */
    bool function_reset;
    unsigned link_speed; /* as coded: 1 is 2.5 GT/s, … */
    unsigned link_width;
};

/* Decode the capability at `at`. */
void pci_power(const struct pci_config *c, size_t at, struct pci_power *out);
void pci_msi(const struct pci_config *c, size_t at, struct pci_msi *out);
void pci_msix(const struct pci_config *c, size_t at, struct pci_msix *out);
void pci_express(const struct pci_config *c, size_t at, struct pci_express *out);

/* A part of an extended capability: bits of a register, with its name in lspci and in JSON. */
struct pci_ext_field {
    const char *name;
    const char *member;
    uint8_t at; /* of the register, from the capability's start; 4 bytes, or their lower part */
    uint8_t shift;
    uint8_t digits; /* in hexadecimal; 0: a count, shown in decimal */
    uint32_t mask;
};

enum { PCI_EXT_CAP_SERIAL = 0x03 };

/* Returns the fields of the extended capability, which end with a row without a name; or NULL. */
const struct pci_ext_field *pci_ext_fields(uint16_t id);

/* Returns a field's value in the capability at `at`. */
uint32_t pci_ext_value(const struct pci_config *c, size_t at, const struct pci_ext_field *f);

/* Returns the Device Serial Number in the capability at `at`. */
uint64_t pci_serial(const struct pci_config *c, size_t at);

/* ---- names; static, NULL if unknown ---- */

/* Returns the name for a base class and a subclass: "Non-Volatile memory controller". */
const char *pci_class_name(uint8_t base, uint8_t sub);

/* Return the name of a capability by its id. */
const char *pci_cap_name(uint16_t id);
const char *pci_ext_cap_name(uint16_t id);

/* Larger accesses have no register names. */
#define PCI_NAMED_ACCESS 8u

/* Size of a text that fits the names of that many registers. */
#define PCI_NAMES_MAX 160u

/*
 * Writes the names of the registers touched by n bytes at `at`: "COMMAND", "COMMAND,STATUS",
 * "MSI.CTRL", "BAR0+2"; "" if none has a name. caps has the n_caps known capabilities of both
 * lists. Offsets up to 0x3f are those of a type 0 header. Writes at most size bytes to out, and
 * returns it.
 */
const char *pci_register_names(const struct pci_cap *caps, size_t n_caps, size_t at, size_t n,
                               char *out, size_t size);

#endif
