/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Prints the probe for people, in the manner of lspci -vv. The server's own text (its JSON) is
 * printed as ASCII with all else escaped.
 */
#include "ctl/poemctl_json.h"
#include "ctl/probe/probe.h"

#include <inttypes.h>

/* Formats bytes like lspci: 4K, 1M; odd sizes in full. */
static const char *probe_text_size_text(uint64_t n, char *out, size_t size)
{
    static const char units[] = {'\0', 'K', 'M', 'G', 'T', 'P', 'E'};
    unsigned u = 0;

    while (n >= 1024 && n % 1024 == 0 && u + 1 < sizeof units) {
        n /= 1024;
        u++;
    }
    snprintf(out, size, "%" PRIu64 "%.*s", n, u > 0, &units[u]);
    return out;
}

static void probe_text_flags(FILE *f, const struct wire_name *table, uint32_t value)
{
    const char *gap = "";

    for (; table->name; table++) {
        if (value & table->value) {
            fprintf(f, "%s%s", gap, table->title);
            gap = " ";
            value &= ~table->value;
        }
    }
    if (value) {
        fprintf(f, "%s0x%" PRIx32, gap, value);
    } else if (!*gap) {
        fputs("none", f);
    }
}

/* ---- VERSION ---- */

static void probe_text_version(FILE *f, const struct probe *p)
{
    const struct version_offer *v = &p->version;

    fprintf(f, "%s: vfio-user %u.%u\n", p->socket, v->number.major, v->number.minor);
    fprintf(f, "\tOffered: %s\n\tAnswer: ", PROBE_OFFER);
    if (v->json) {
        poemctl_json_write(v->json, JSON_COMPACT, f);
    } else {
        fputs("no version data", f);
    }
    fprintf(f, "\n\tAnswer's size: %zu bytes, %s\n", p->version_bytes,
            probe_fits_qemu(p) ? "accepted by a stock QEMU"
                               : "MORE THAN A STOCK QEMU ACCEPTS: it would not realize the device");
    fprintf(f, "\tLimits: max_msg_fds %" PRIu32 ", max_data_xfer_size %" PRIu32 "\n",
            v->max_msg_fds, v->max_data_xfer_size);
}

/* ---- PCI ---- */

static void probe_text_bits(FILE *f, const char *label, const struct pci_bit *table, uint16_t value)
{
    fprintf(f, "\t%s:", label);
    for (; table->mask; table++) {
        fprintf(f, " %s%c", table->name, value & table->mask ? '+' : '-');
    }
    fputc('\n', f);
}

static void probe_text_bars(FILE *f, const struct probe *p)
{
    char size[32];

    for (unsigned i = 0; i < PCI_BARS; i++) {
        struct pci_bar bar;

        pci_bar(&p->config, i, &bar);
        if (bar.upper || (probe_bar_size(p, i) == 0 && bar.address == 0)) {
            continue;
        }
        fprintf(f, "\tRegion %u: ", i);
        if (bar.io) {
            fprintf(f, "I/O ports at %" PRIx64, bar.address);
        } else {
            fprintf(f, "Memory at %08" PRIx64 " (%s-bit, %sprefetchable)", bar.address,
                    bar.is_64 ? "64" : "32", bar.prefetchable ? "" : "non-");
        }
        fprintf(f, " [size=%s]\n", probe_text_size_text(probe_bar_size(p, i), size, sizeof size));
    }
    if (probe_bar_size(p, WIRE_PCI_ROM) > 0) {
        const uint32_t raw = pci_u32(&p->config, PCI_AT_ROM);

        fprintf(f, "\tExpansion ROM at %08" PRIx32 " [%sabled] [size=%s]\n", raw & ~0x7ffu,
                raw & 0x1u ? "en" : "dis",
                probe_text_size_text(probe_bar_size(p, WIRE_PCI_ROM), size, sizeof size));
    }
}

static void probe_text_cap_power(FILE *f, const struct pci_config *c, size_t at)
{
    struct pci_power pm;

    pci_power(c, at, &pm);
    fprintf(f, " version %u, D1%c D2%c, state D%u, NoSoftRst%c", pm.version, pm.d1 ? '+' : '-',
            pm.d2 ? '+' : '-', pm.state, pm.no_soft_reset ? '+' : '-');
}

static void probe_text_cap_msi(FILE *f, const struct pci_config *c, size_t at)
{
    struct pci_msi msi;

    pci_msi(c, at, &msi);
    fprintf(f, ": Enable%c Count=%u/%u Maskable%c 64bit%c", msi.enabled ? '+' : '-',
            msi.vectors_in_use, msi.vectors, msi.maskable ? '+' : '-', msi.is_64 ? '+' : '-');
}

static void probe_text_cap_msix(FILE *f, const struct pci_config *c, size_t at)
{
    struct pci_msix msix;

    pci_msix(c, at, &msix);
    fprintf(f,
            ": Enable%c Count=%u Masked%c\n\t\tVector table: BAR=%u offset=%08" PRIx32
            "\n\t\tPBA: BAR=%u offset=%08" PRIx32,
            msix.enabled ? '+' : '-', msix.vectors, msix.masked ? '+' : '-', msix.table_bar,
            msix.table_offset, msix.pba_bar, msix.pba_offset);
}

static void probe_text_cap_express(FILE *f, const struct pci_config *c, size_t at)
{
    struct pci_express e;

    pci_express(c, at, &e);
    fprintf(f,
            " (v%u) %s\n\t\tDevCap: MaxPayload %u bytes, FLReset%c\n\t\tLnkCap: speed code %u, "
            "width x%u",
            e.version, e.type_name, e.max_payload, e.function_reset ? '+' : '-', e.link_speed,
            e.link_width);
}

static void probe_text_cap(FILE *f, const struct pci_config *c, const struct pci_cap *cap)
{
    const char *name = pci_cap_name(cap->id);

    fprintf(f, "\tCapabilities: [%02x] ", cap->at);
    if (name) {
        fputs(name, f);
    } else {
        fprintf(f, "unknown, id 0x%02x", cap->id);
    }
    switch (cap->id) {
    case PCI_CAP_POWER:
        probe_text_cap_power(f, c, cap->at);
        break;
    case PCI_CAP_MSI:
        probe_text_cap_msi(f, c, cap->at);
        break;
    case PCI_CAP_MSIX:
        probe_text_cap_msix(f, c, cap->at);
        break;
    case PCI_CAP_EXPRESS:
        probe_text_cap_express(f, c, cap->at);
        break;
    case PCI_CAP_VENDOR:
        fprintf(f, ": Len=%02x", pci_u8(c, cap->at + 2u));
        break;
    default:
        break;
    }
    fputc('\n', f);
}

/* Prints the content of an extended capability behind its name. */
static void probe_text_ext_cap(FILE *f, const struct pci_config *c, const struct pci_cap *cap)
{
    const struct pci_ext_field *field = pci_ext_fields(cap->id);
    const uint64_t serial = pci_serial(c, cap->at);

    if (cap->id == PCI_EXT_CAP_SERIAL) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            fprintf(f, "%c%02x", shift == 56 ? ' ' : '-', (unsigned)(serial >> shift & 0xff));
        }
    }
    for (const char *gap = ": "; field && field->name; field++, gap = " ") {
        const uint32_t v = pci_ext_value(c, cap->at, field);

        if (field->digits > 0) {
            fprintf(f, "%s%s=%0*" PRIx32, gap, field->name, field->digits, v);
        } else {
            fprintf(f, "%s%s=%" PRIu32, gap, field->name, v);
        }
    }
}

static void probe_text_caps(FILE *f, const struct pci_config *c)
{
    static struct pci_caps list;

    pci_caps(c, &list);
    for (unsigned i = 0; i < list.n; i++) {
        probe_text_cap(f, c, &list.cap[i]);
    }
    if (list.broken) {
        fprintf(f, "\tCapabilities: BROKEN: %s\n", list.broken);
    }
    pci_ext_caps(c, &list);
    for (unsigned i = 0; i < list.n; i++) {
        const char *name = pci_ext_cap_name(list.cap[i].id);

        fprintf(f, "\tCapabilities: [%03x v%u] ", list.cap[i].at, list.cap[i].version);
        if (name) {
            fputs(name, f);
        } else {
            fprintf(f, "unknown, id 0x%04x", list.cap[i].id);
        }
        probe_text_ext_cap(f, c, &list.cap[i]);
        fputc('\n', f);
    }
    if (list.broken) {
        fprintf(f, "\tExtended capabilities: BROKEN: %s\n", list.broken);
    }
}

static void probe_text_pci(FILE *f, const struct probe *p)
{
    const struct pci_config *c = &p->config;
    const uint8_t base = pci_u8(c, PCI_AT_CLASS);
    const uint8_t sub = pci_u8(c, PCI_AT_SUBCLASS);
    const uint8_t pin = pci_u8(c, PCI_AT_INTERRUPT_PIN);
    const char *name = pci_class_name(base, sub);
    char why[32];

    if (!p->has_config) {
        if (p->config_error) {
            fprintf(f, "PCI: reading configuration space was refused: %s\n",
                    probe_errno_name(p->config_error, why, sizeof why));
        } else {
            fputs("PCI: no configuration space\n", f);
        }
        return;
    }
    fprintf(f, "PCI: %s [%02x%02x]: [%04x:%04x] (rev %02x) (prog-if %02x)\n",
            name ? name : "unknown class", base, sub, pci_u16(c, PCI_AT_VENDOR),
            pci_u16(c, PCI_AT_DEVICE), pci_u8(c, PCI_AT_REVISION), pci_u8(c, PCI_AT_PROG_IF));
    fprintf(f, "\tSubsystem: [%04x:%04x]\n", pci_u16(c, PCI_AT_SUBSYSTEM_VENDOR),
            pci_u16(c, PCI_AT_SUBSYSTEM));
    probe_text_bits(f, "Control", pci_command_bits, pci_u16(c, PCI_AT_COMMAND));
    probe_text_bits(f, "Status", pci_status_bits, pci_u16(c, PCI_AT_STATUS));
    if (pin >= 1 && pin <= 4) {
        fprintf(f, "\tInterrupt: pin %c, line %u\n", 'A' + pin - 1,
                pci_u8(c, PCI_AT_INTERRUPT_LINE));
    } else {
        fputs("\tInterrupt: no pin\n", f);
    }
    probe_text_bars(f, p);
    probe_text_caps(f, c);
}

/* ---- regions, interrupts, features ---- */

static void probe_text_region_lists(FILE *f, const struct probe_region *r)
{
    char size[32];

    for (uint32_t i = 0; i < r->areas && i < PROBE_LIST; i++) {
        fprintf(f, "\t\tmappable: 0x%" PRIx64 " [size=%s]\n", r->area[i].offset,
                probe_text_size_text(r->area[i].size, size, sizeof size));
    }
    if (r->areas > PROBE_LIST) {
        fprintf(f, "\t\tmappable: %" PRIu32 " areas more\n", r->areas - PROBE_LIST);
    }
    if (r->typed) {
        fprintf(f, "\t\ttype: 0x%" PRIx32 ", subtype 0x%" PRIx32 "\n", r->type.type,
                r->type.subtype);
    }
    for (uint32_t i = 0; i < r->ios && i < PROBE_LIST; i++) {
        const struct wire_io_fd *io = &r->io[i];
        const char *name = wire_name_of(wire_io_fd_types, io->type);

        fprintf(f, "\t\t%s: 0x%" PRIx64 " [size=%s], fd %" PRIu32 ", flags 0x%" PRIx32 "\n",
                name ? name : "IO fd of an unknown type", io->offset,
                probe_text_size_text(io->size, size, sizeof size), io->fd_index, io->flags);
    }
    if (r->ios > PROBE_LIST) {
        fprintf(f, "\t\tIO fds: %" PRIu32 " more\n", r->ios - PROBE_LIST);
    }
}

static void probe_text_region(FILE *f, const struct probe *p, uint32_t i)
{
    const struct probe_region *r = &p->region[i];
    const char *name = wire_title_of(wire_regions, i);
    char size[32];

    if (r->answer == PROBE_ANSWERED && r->info.size == 0) {
        return;
    }
    fprintf(f, "\t%" PRIu32 " %s: ", i, name ? name : "of the device's own");
    if (r->answer == PROBE_REFUSED) {
        fprintf(f, "refused: %s\n", probe_errno_name(r->error, size, sizeof size));
        return;
    }
    fprintf(f, "[size=%s] ", probe_text_size_text(r->info.size, size, sizeof size));
    probe_text_flags(f, wire_region_flags, r->info.flags);
    if (r->fds > 0) {
        fprintf(f, ", %u fd%s, mmap offset 0x%" PRIx64, r->fds, r->fds == 1 ? "" : "s",
                r->info.offset);
    }
    fputc('\n', f);
    probe_text_region_lists(f, r);
}

static void probe_text_irqs(FILE *f, const struct probe *p)
{
    char why[32];

    fputs("Interrupts:\n", f);
    for (uint32_t i = 0; i < p->device.num_irqs; i++) {
        const struct probe_irq *q = &p->irq[i];
        const char *name = wire_title_of(wire_irqs, i);

        fprintf(f, "\t%" PRIu32 " %s: ", i, name ? name : "of the device's own");
        if (q->answer == PROBE_REFUSED) {
            fprintf(f, "refused: %s\n", probe_errno_name(q->error, why, sizeof why));
            continue;
        }
        fprintf(f, "count %" PRIu32 ", ", q->info.count);
        probe_text_flags(f, wire_irq_flags, q->info.flags);
        fputc('\n', f);
    }
}

static void probe_text_features(FILE *f, const struct probe *p)
{
    const char *state = wire_name_of(wire_mig_states, p->state);

    fputs("Device features:", f);
    for (unsigned i = 0; i < PROBE_FEATURES; i++) {
        const struct probe_feature *q = &p->feature[i];

        if (q->answer != PROBE_UNASKED) {
            fprintf(f, " %s%c", q->name, q->answer == PROBE_ANSWERED ? '+' : '-');
        }
    }
    fputc('\n', f);
    if (p->has_migration) {
        fputs("\tMigration: ", f);
        probe_text_flags(f, wire_migration_flags, (uint32_t)p->migration.flags);
        if (p->has_state) {
            fprintf(f, ", state %s", state ? state : "unknown");
        }
        fputc('\n', f);
    }
}

static void probe_text_profile(FILE *f, const struct probe *p)
{
    char text[512];

    if (p->profile == PROFILE_SPEC) {
        return;
    }
    for (unsigned i = 0; i < p->n_findings; i++) {
        const struct probe_finding *const q = &p->finding[i];
        const struct profile_finding finding = {
            .effect = q->effect, .text = q->text, .prints = q->prints};

        fprintf(f, "%s\n", profile_sentence(p->profile, &finding, text, sizeof text));
    }
    if (p->accepted) {
        fprintf(f, "%s accepts the device\n", profile_name(p->profile));
    }
}

void probe_text(const struct probe *p, FILE *f)
{
    probe_text_version(f, p);
    fputs("Device: flags ", f);
    probe_text_flags(f, wire_device_flags, p->device.flags);
    fprintf(f, "; %" PRIu32 " regions, %" PRIu32 " interrupt types\n", p->device.num_regions,
            p->device.num_irqs);
    probe_text_pci(f, p);
    fputs("Regions:\n", f);
    for (uint32_t i = 0; i < p->device.num_regions; i++) {
        probe_text_region(f, p, i);
    }
    probe_text_irqs(f, p);
    probe_text_features(f, p);
    probe_text_profile(f, p);
}
