/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Prints the probe as JSON in the form that poemctl(1) defines. Keys may be added, never changed.
 *
 * Numbers that name or place something (ids, offsets, sizes, register values) are strings in hex,
 * since JSON readers cannot hold 64 bits in a number; counts and indexes are numbers. A builder
 * returns NULL if memory runs out, and json_pack then fails too.
 */
#include "base/members.h"
#include "ctl/probe/probe.h"

#include <inttypes.h>

#define FORMAT "poemd-probe/1"

static json_t *probe_json_hex(uint64_t v, int digits)
{
    return json_sprintf("0x%0*" PRIx64, digits, v);
}

static json_t *probe_json_errno_or_null(int error, bool refused)
{
    char name[32];

    return refused ? json_string(probe_errno_name(error, name, sizeof name)) : json_null();
}

/* Appends item to array, taking both; returns NULL if either is NULL. */
static json_t *probe_json_append(json_t *array, json_t *item)
{
    if (!array || !item || json_array_append_new(array, item) < 0) {
        json_decref(array);
        return NULL;
    }
    return array;
}

/* Lists the names of the bits that are set; bits without a name as one number. */
static json_t *probe_json_flags(const struct wire_name *table, uint32_t value)
{
    json_t *a = json_array();

    for (; table->name; table++) {
        if (value & table->value) {
            a = probe_json_append(a, json_string(table->title));
            value &= ~table->value;
        }
    }
    return value ? probe_json_append(a, probe_json_hex(value, 0)) : a;
}

static json_t *probe_json_version(const struct probe *p)
{
    const struct version_offer *v = &p->version;
    json_t *offered = json_loads(PROBE_OFFER, JSON_REJECT_DUPLICATES, NULL);

    return members_object((const struct member[]){
        {"major", members_number(v->number.major)},
        {"minor", members_number(v->number.minor)},
        {"offered", offered},
        {"answered", v->json ? json_deep_copy(v->json) : json_null()},
        {"answer_bytes", members_number(p->version_bytes)},
        {"fits_qemu", json_boolean(probe_fits_qemu(p))},
        {"max_msg_fds", members_number(v->max_msg_fds)},
        {"max_data_xfer_size", members_number(v->max_data_xfer_size)},
        {NULL, NULL},
    });
}

static json_t *probe_json_device(const struct probe *p)
{
    return json_pack(
        "{s:o, s:I, s:I}", "flags", probe_json_flags(wire_device_flags, p->device.flags), "regions",
        (json_int_t)p->device.num_regions, "interrupts", (json_int_t)p->device.num_irqs);
}

/* ---- PCI ---- */

static json_t *probe_json_bits(const struct pci_bit *table, uint16_t value)
{
    json_t *set = json_array();

    for (; table->mask; table++) {
        if (value & table->mask) {
            set = probe_json_append(set, json_string(table->name));
        }
    }
    return json_pack("{s:o, s:o}", "value", probe_json_hex(value, 4), "set", set);
}

static json_t *probe_json_bars(const struct probe *p)
{
    json_t *a = json_array();

    for (unsigned i = 0; i < PCI_BARS; i++) {
        struct pci_bar bar;

        pci_bar(&p->config, i, &bar);
        if (bar.upper || (probe_bar_size(p, i) == 0 && bar.address == 0)) {
            continue;
        }
        a = probe_json_append(a, json_pack("{s:i, s:s, s:i, s:b, s:o, s:o}", "index", (int)i,
                                           "type", bar.io ? "io" : "memory", "bits",
                                           bar.is_64 ? 64 : 32, "prefetchable", bar.prefetchable,
                                           "address", probe_json_hex(bar.address, 0), "size",
                                           probe_json_hex(probe_bar_size(p, i), 0)));
    }
    return a;
}

static json_t *probe_json_rom(const struct probe *p)
{
    const uint32_t raw = pci_u32(&p->config, PCI_AT_ROM);

    if (probe_bar_size(p, WIRE_PCI_ROM) == 0) {
        return json_null();
    }
    return json_pack("{s:o, s:b, s:o}", "address", probe_json_hex(raw & ~0x7ffu, 0), "enabled",
                     (int)(raw & 0x1u), "size", probe_json_hex(probe_bar_size(p, WIRE_PCI_ROM), 0));
}

static json_t *probe_json_cap_power(const struct pci_config *c, size_t at)
{
    struct pci_power pm;

    pci_power(c, at, &pm);
    return json_pack("{s:i, s:b, s:b, s:i, s:b}", "version", (int)pm.version, "d1", pm.d1, "d2",
                     pm.d2, "state", (int)pm.state, "no_soft_reset", pm.no_soft_reset);
}

static json_t *probe_json_cap_msi(const struct pci_config *c, size_t at)
{
    struct pci_msi msi;

    pci_msi(c, at, &msi);
    return json_pack("{s:b, s:i, s:i, s:b, s:b}", "enabled", msi.enabled, "vectors",
                     (int)msi.vectors, "vectors_in_use", (int)msi.vectors_in_use, "64bit",
                     msi.is_64, "maskable", msi.maskable);
}

static json_t *probe_json_cap_msix(const struct pci_config *c, size_t at)
{
    struct pci_msix msix;

    pci_msix(c, at, &msix);
    return json_pack("{s:b, s:b, s:i, s:i, s:o, s:i, s:o}", "enabled", msix.enabled, "masked",
                     msix.masked, "vectors", (int)msix.vectors, "table_bar", (int)msix.table_bar,
                     "table_offset", probe_json_hex(msix.table_offset, 0), "pba_bar",
                     (int)msix.pba_bar, "pba_offset", probe_json_hex(msix.pba_offset, 0));
}

static json_t *probe_json_cap_express(const struct pci_config *c, size_t at)
{
    struct pci_express e;

    pci_express(c, at, &e);
    return json_pack("{s:i, s:s, s:i, s:b, s:i, s:i}", "version", (int)e.version, "type",
                     e.type_name, "max_payload", (int)e.max_payload, "function_reset",
                     e.function_reset, "link_speed", (int)e.link_speed, "link_width",
                     (int)e.link_width);
}

/* Returns the capability's contents; an empty object if it is not decoded. */
static json_t *probe_json_cap_detail(const struct pci_config *c, const struct pci_cap *cap)
{
    switch (cap->id) {
    case PCI_CAP_POWER:
        return probe_json_cap_power(c, cap->at);
    case PCI_CAP_MSI:
        return probe_json_cap_msi(c, cap->at);
    case PCI_CAP_MSIX:
        return probe_json_cap_msix(c, cap->at);
    case PCI_CAP_EXPRESS:
        return probe_json_cap_express(c, cap->at);
    case PCI_CAP_VENDOR:
        return json_pack("{s:i}", "length", (int)pci_u8(c, cap->at + 2u));
    default:
        return json_object();
    }
}

static json_t *probe_json_capabilities(const struct pci_config *c)
{
    static struct pci_caps caps;
    json_t *a = json_array();

    pci_caps(c, &caps);
    for (unsigned i = 0; i < caps.n; i++) {
        const struct pci_cap *cap = &caps.cap[i];

        a = probe_json_append(a, json_pack("{s:o, s:o, s:o, s:o}", "id", probe_json_hex(cap->id, 2),
                                           "name", members_text(pci_cap_name(cap->id)), "offset",
                                           probe_json_hex(cap->at, 2), "detail",
                                           probe_json_cap_detail(c, cap)));
    }
    return json_pack("{s:o, s:o}", "list", a, "broken", members_text(caps.broken));
}

static json_t *probe_json_ext_detail(const struct pci_config *c, const struct pci_cap *cap)
{
    const struct pci_ext_field *f = pci_ext_fields(cap->id);
    json_t *const o = json_object();
    int err = o ? 0 : -1;

    if (cap->id == PCI_EXT_CAP_SERIAL) {
        err |= json_object_set_new(o, "serial", probe_json_hex(pci_serial(c, cap->at), 16));
    }
    for (; f && f->name; f++) {
        const uint32_t v = pci_ext_value(c, cap->at, f);

        err |= json_object_set_new(o, f->member,
                                   f->digits ? probe_json_hex(v, f->digits) : members_number(v));
    }
    if (err) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static json_t *probe_json_extended(const struct pci_config *c)
{
    static struct pci_caps caps;
    json_t *a = json_array();

    pci_ext_caps(c, &caps);
    for (unsigned i = 0; i < caps.n; i++) {
        const struct pci_cap *cap = &caps.cap[i];

        a = probe_json_append(a, members_object((const struct member[]){
                                     {"id", probe_json_hex(cap->id, 4)},
                                     {"name", members_text(pci_ext_cap_name(cap->id))},
                                     {"offset", probe_json_hex(cap->at, 3)},
                                     {"version", members_number(cap->version)},
                                     {"detail", probe_json_ext_detail(c, cap)},
                                     {NULL, NULL}}));
    }
    return json_pack("{s:o, s:o}", "list", a, "broken", members_text(caps.broken));
}

static json_t *probe_json_interrupt_pin(const struct pci_config *c)
{
    const uint8_t pin = pci_u8(c, PCI_AT_INTERRUPT_PIN);

    return pin >= 1 && pin <= 4 ? json_sprintf("%c", 'A' + pin - 1) : json_null();
}

static json_t *probe_json_identity(const struct pci_config *c)
{
    const uint8_t base = pci_u8(c, PCI_AT_CLASS);
    const uint8_t sub = pci_u8(c, PCI_AT_SUBCLASS);

    return members_object((const struct member[]){
        {"vendor", probe_json_hex(pci_u16(c, PCI_AT_VENDOR), 4)},
        {"device", probe_json_hex(pci_u16(c, PCI_AT_DEVICE), 4)},
        {"subsystem_vendor", probe_json_hex(pci_u16(c, PCI_AT_SUBSYSTEM_VENDOR), 4)},
        {"subsystem", probe_json_hex(pci_u16(c, PCI_AT_SUBSYSTEM), 4)},
        {"revision", probe_json_hex(pci_u8(c, PCI_AT_REVISION), 2)},
        {"class", probe_json_hex((uint64_t)base << 8 | sub, 4)},
        {"class_name", members_text(pci_class_name(base, sub))},
        {"prog_if", probe_json_hex(pci_u8(c, PCI_AT_PROG_IF), 2)},
        {"header_type", probe_json_hex(pci_u8(c, PCI_AT_HEADER_TYPE), 2)},
        {NULL, NULL}});
}

static json_t *probe_json_pci(const struct probe *p)
{
    const struct pci_config *c = &p->config;

    if (!p->has_config) {
        return json_null();
    }
    return members_object((const struct member[]){
        {"identity", probe_json_identity(c)},
        {"command", probe_json_bits(pci_command_bits, pci_u16(c, PCI_AT_COMMAND))},
        {"status", probe_json_bits(pci_status_bits, pci_u16(c, PCI_AT_STATUS))},
        {"interrupt_pin", probe_json_interrupt_pin(c)},
        {"interrupt_line", json_integer(pci_u8(c, PCI_AT_INTERRUPT_LINE))},
        {"bars", probe_json_bars(p)},
        {"rom", probe_json_rom(p)},
        {"config_bytes", members_number(c->n)},
        {"capabilities", probe_json_capabilities(c)},
        {"extended_capabilities", probe_json_extended(c)},
        {NULL, NULL}});
}

/* ---- regions, interrupts, features ---- */

static json_t *probe_json_sparse(const struct probe_region *r)
{
    json_t *a = json_array();

    if (!r->sparse) {
        json_decref(a);
        return json_null();
    }
    for (uint32_t i = 0; i < r->areas && i < PROBE_LIST; i++) {
        a = probe_json_append(a, json_pack("{s:o, s:o}", "offset",
                                           probe_json_hex(r->area[i].offset, 0), "size",
                                           probe_json_hex(r->area[i].size, 0)));
    }
    return json_pack("{s:I, s:o}", "count", (json_int_t)r->areas, "areas", a);
}

static json_t *probe_json_io_fds(const struct probe_region *r)
{
    json_t *a;

    if (r->io_answer != PROBE_ANSWERED) {
        return json_null();
    }
    a = json_array();
    for (uint32_t i = 0; i < r->ios && i < PROBE_LIST; i++) {
        const struct wire_io_fd *io = &r->io[i];
        const char *name = wire_name_of(wire_io_fd_types, io->type);

        a = probe_json_append(
            a, json_pack("{s:o, s:o, s:o, s:I, s:o, s:o}", "type",
                         name ? json_string(name) : probe_json_hex(io->type, 0), "offset",
                         probe_json_hex(io->offset, 0), "size", probe_json_hex(io->size, 0),
                         "fd_index", (json_int_t)io->fd_index, "flags",
                         probe_json_hex(io->flags, 0), "data", probe_json_hex(io->datamatch, 0)));
    }
    return json_pack("{s:i, s:I, s:o}", "fds", (int)r->io_fds, "count", (json_int_t)r->ios, "list",
                     a);
}

static json_t *probe_json_region(const struct probe *p, uint32_t i)
{
    const struct probe_region *r = &p->region[i];
    json_t *type = r->typed ? json_pack("{s:o, s:o}", "type", probe_json_hex(r->type.type, 0),
                                        "subtype", probe_json_hex(r->type.subtype, 0))
                            : json_null();

    return members_object((const struct member[]){
        {"index", json_integer(i)},
        {"name", members_text(wire_title_of(wire_regions, i))},
        {"error", probe_json_errno_or_null(r->error, r->answer == PROBE_REFUSED)},
        {"size", probe_json_hex(r->info.size, 0)},
        {"offset", probe_json_hex(r->info.offset, 0)},
        {"flags", probe_json_flags(wire_region_flags, r->info.flags)},
        {"fds", json_integer(r->fds)},
        {"sparse_mmap", probe_json_sparse(r)},
        {"type", type},
        {"other_capabilities", json_integer(r->other_caps)},
        {"io_fds", probe_json_io_fds(r)},
        {NULL, NULL}});
}

static json_t *probe_json_irq(const struct probe *p, uint32_t i)
{
    const struct probe_irq *q = &p->irq[i];

    return json_pack("{s:I, s:o, s:o, s:I, s:o}", "index", (json_int_t)i, "name",
                     members_text(wire_title_of(wire_irqs, i)), "error",
                     probe_json_errno_or_null(q->error, q->answer == PROBE_REFUSED), "count",
                     (json_int_t)q->info.count, "flags",
                     probe_json_flags(wire_irq_flags, q->info.flags));
}

static json_t *probe_json_features(const struct probe *p)
{
    json_t *o = json_object();

    for (unsigned i = 0; o && i < PROBE_FEATURES; i++) {
        const struct probe_feature *f = &p->feature[i];
        json_t *v =
            f->answer == PROBE_UNASKED ? json_null() : json_boolean(f->answer == PROBE_ANSWERED);

        if (f->name && json_object_set_new(o, f->name, v) < 0) {
            json_decref(o);
            o = NULL;
        }
    }
    return o;
}

static json_t *probe_json_migration(const struct probe *p)
{
    const char *name = p->has_state ? wire_name_of(wire_mig_states, p->state) : NULL;
    json_t *state = name           ? json_string(name)
                    : p->has_state ? probe_json_hex(p->state, 0)
                                   : json_null();

    if (!p->has_migration) {
        json_decref(state);
        return json_null();
    }
    return json_pack("{s:o, s:o}", "flags",
                     probe_json_flags(wire_migration_flags, (uint32_t)p->migration.flags), "state",
                     state);
}

static json_t *probe_json_profile(const struct probe *p)
{
    json_t *findings = json_array();

    for (unsigned i = 0; i < p->n_findings; i++) {
        const struct probe_finding *const q = &p->finding[i];

        findings =
            probe_json_append(findings, members_object((const struct member[]){
                                            {"effect", json_string(profile_effect_name(q->effect))},
                                            {"text", json_string(q->text)},
                                            {"prints", members_text(*q->prints ? q->prints : NULL)},
                                            {NULL, NULL}}));
    }
    return members_object(
        (const struct member[]){{"program", json_string(profile_name(p->profile))},
                                {"accepted", json_boolean(p->accepted)},
                                {"findings", findings},
                                {NULL, NULL}});
}

json_t *probe_json(const struct probe *p)
{
    json_t *regions = json_array();
    json_t *irqs = json_array();

    for (uint32_t i = 0; i < p->device.num_regions; i++) {
        regions = probe_json_append(regions, probe_json_region(p, i));
    }
    for (uint32_t i = 0; i < p->device.num_irqs; i++) {
        irqs = probe_json_append(irqs, probe_json_irq(p, i));
    }
    return members_object((const struct member[]){
        {"format", json_string(FORMAT)},
        {"socket", json_string(p->socket)},
        {"version", probe_json_version(p)},
        {"device", probe_json_device(p)},
        {"pci", probe_json_pci(p)},
        {"regions", regions},
        {"interrupts", irqs},
        {"features", probe_json_features(p)},
        {"migration", probe_json_migration(p)},
        {"profile", probe_json_profile(p)},
        {"incomplete", members_text(p->incomplete[0] ? p->incomplete : NULL)},
        {NULL, NULL}});
}

json_t *probe_json_refused(const char *socket, const struct probe_error *why)
{
    return json_pack("{s:s, s:s, s:{s:s, s:o, s:s}}", "format", FORMAT, "socket", socket, "refused",
                     "question", why->what, "errno", probe_json_errno_or_null(why->error, true),
                     "text", why->text);
}
