/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Judges the answers by a profile: what QEMU, for example, does with such a device. */
#include <stdio.h>

#include "ctl/probe/probe.h"

static void probe_profile_keep(const struct profile_finding *f, void *arg)
{
    struct probe *const p = arg;
    struct probe_finding *to;

    p->accepted = p->accepted && (f->effect == PROFILE_WARNS || f->effect == PROFILE_FAILS);
    if (p->n_findings < PROBE_FINDINGS) {
        to = &p->finding[p->n_findings++];
        to->effect = f->effect;
        snprintf(to->text, sizeof to->text, "%s", f->text);
        snprintf(to->prints, sizeof to->prints, "%s", f->prints);
    }
}

static void probe_profile_regions(const struct probe *p, const struct profile_sink *to)
{
    for (uint32_t i = 0; i < p->device.num_regions; i++) {
        const struct probe_region *const r = &p->region[i];

        if (r->answer == PROBE_ANSWERED) {
            profile_region(to, &r->info);
        } else if (r->answer == PROBE_REFUSED) {
            profile_error(to, WIRE_DEVICE_GET_REGION_INFO, i, (uint32_t)r->error);
        }
    }
}

static void probe_profile_pci(const struct probe *p, const struct profile_sink *to)
{
    struct profile_pci pci = {.config = &p->config, .bars_known = true};

    if (p->config_error) {
        profile_error(to, WIRE_REGION_READ, WIRE_PCI_CONFIG, (uint32_t)p->config_error);
    }
    if (!p->has_config) {
        return;
    }
    for (unsigned i = 0; i < PCI_BARS; i++) {
        pci.bar[i] = probe_bar_size(p, i);
    }
    pci.intx_known = p->device.num_irqs > WIRE_PCI_INTX;
    pci.intx = p->irq[WIRE_PCI_INTX].info.count;
    profile_pci(to, &pci);
}

void probe_profile(struct probe *p, enum profile profile)
{
    const struct profile_sink to = {.profile = profile, .fn = probe_profile_keep, .arg = p};

    p->profile = profile;
    p->accepted = true;
    profile_version(&to,
                    &(struct profile_version){.size = p->version_bytes, .json = p->version.json});
    profile_info(&to, &p->device);
    probe_profile_regions(p, &to);
    probe_profile_pci(p, &to);
}
