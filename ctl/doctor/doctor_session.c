/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Running sessions: a device that was given no memory of its guest. */
#include <string.h>

#include "ctl/control/poemctl_control.h"
#include "ctl/doctor/doctor.h"

static bool doctor_session_withholds(const struct doctor *d, const char *route)
{
    for (size_t i = 0; d->config && i < d->config->n_routes; i++) {
        if (strcmp(d->config->routes[i].name, route) == 0) {
            return d->config->routes[i].dma_how != CONFIG_DMA_PASS;
        }
    }
    return false;
}

void doctor_session_memory(struct doctor *d)
{
    const json_t *s;
    size_t i;

    if (!d->broker) {
        doctor_report(d, DOCTOR_SKIPPED, "", "no poemd runs");
        return;
    }
    json_array_foreach(d->sessions, i, s)
    {
        const json_t *const sent = json_object_get(s, "to-backend");

        if (control_number(sent, "messages") > 0 && control_number(sent, "fds") == 0 &&
            !doctor_session_withholds(d, control_text(s, "route"))) {
            doctor_report(d, DOCTOR_WRONG,
                          "give QEMU \"-object memory-backend-memfd,id=ram,size=SIZE,share=on "
                          "-machine memory-backend=ram\"; libvirt: <memoryBacking> with <source "
                          "type='memfd'/> and <access mode='shared'/>",
                          "route %s: the client of session %lld shares no memory with its device, "
                          "so that each DMA is a message, or fails",
                          control_text(s, "route"), control_number(s, "number"));
        }
    }
}
