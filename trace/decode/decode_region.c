/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Prints places in regions and their data, with the names of PCI's registers and bits. Pure. */
#include "trace/decode/decode_region.h"

void decode_region(struct printer *printer, uint32_t region)
{
    const char *name = wire_name_of(wire_regions, region);

    if (printer->json) {
        printer_word(printer, "region", name, region);
        printer_dec(printer, "index", region);
        return;
    }
    printer_label(printer, NULL);
    if (name) {
        strbuf_str(printer->t, name);
    } else {
        strbuf_str(printer->t, "region");
        strbuf_dec(printer->t, region);
    }
}

void decode_place(struct printer *printer, const struct decode_config *config, uint32_t region,
                  uint64_t offset, uint64_t count)
{
    char names[PCI_NAMES_MAX] = "";

    if (region == WIRE_PCI_CONFIG && offset < PCI_CONFIG_SIZE_EXPRESS &&
        count <= PCI_NAMED_ACCESS) {
        (void)pci_register_names(config ? config->cap : NULL, config ? config->n_caps : 0,
                                 (size_t)offset, (size_t)count, names, sizeof names);
    }
    decode_region(printer, region);
    if (printer->json) {
        printer_hex(printer, "offset", offset);
        if (*names) {
            printer_text(printer, "register", names, strlen(names));
        }
        return;
    }
    strbuf_char(printer->t, '+');
    strbuf_hex(printer->t, offset);
    if (*names) {
        strbuf_char(printer->t, ' ');
        strbuf_str(printer->t, names);
    }
}

static void decode_bits(struct printer *printer, const struct pci_bit *table, uint16_t v)
{
    bool any = false;

    if (v == 0) {
        return;
    }
    if (printer->json) {
        printer_open_list(printer, "bits");
    } else {
        strbuf_str(printer->t, " (");
    }
    for (; table->mask; table++) {
        if (!(v & table->mask)) {
            continue;
        }
        if (printer->json) {
            printer_word(printer, NULL, table->name, 0);
        } else {
            strbuf_str(printer->t, any ? "|" : "");
            strbuf_str(printer->t, table->name);
        }
        any = true;
    }
    if (printer->json) {
        printer_close_list(printer);
    } else {
        strbuf_char(printer->t, ')');
    }
}

void decode_region_data(struct printer *printer, uint32_t region, uint64_t offset,
                        const uint8_t *data, size_t n, uint64_t total)
{
    printer_data(printer, "data", data, n, total);
    if (region == WIRE_PCI_CONFIG && n == 2 && total == 2) {
        const uint16_t v = (uint16_t)(data[0] | data[1] << 8);

        if (offset == PCI_AT_COMMAND) {
            decode_bits(printer, pci_command_bits, v);
        } else if (offset == PCI_AT_STATUS) {
            decode_bits(printer, pci_status_bits, v);
        }
    }
}
