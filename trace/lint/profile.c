/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Sentences, and the checks of programs with few of them. */
#include "trace/lint/profile.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/wire/wire_command.h"
#include "trace/lint/profile_qemu.h"

static const struct {
    const char *name;
    const char *source;
} programs[] = {
    [PROFILE_QEMU] = {"QEMU 11.1", "QEMU, hw/vfio-user"},
    [PROFILE_SPEC] = {"the specification", "docs/interop/vfio-user.rst"},
    [PROFILE_LIBVFIO_USER] = {"libvfio-user", "libvfio-user, lib/"},
    [PROFILE_CLOUD_HYPERVISOR] = {"cloud-hypervisor", "rust-vmm/vfio-user, src/lib.rs"},
};

const char *profile_name(enum profile p)
{
    return programs[p].name;
}

const char *profile_source(enum profile p)
{
    return programs[p].source;
}

const char *profile_effect_name(enum profile_effect e)
{
    static const char *const names[] = {
        [PROFILE_WARNS] = "warns",   [PROFILE_FAILS] = "fails",     [PROFILE_REFUSES] = "refuses",
        [PROFILE_ABORTS] = "aborts", [PROFILE_CRASHES] = "crashes", [PROFILE_HANGS] = "hangs",
    };

    return names[e];
}

const char *profile_sentence(enum profile p, const struct profile_finding *f, char *out,
                             size_t size)
{
    snprintf(out, size, "%s %s%s: %s%s%s%s", profile_name(p), profile_effect_name(f->effect),
             f->effect == PROFILE_REFUSES ? " it" : "", f->text, *f->prints ? " (\"" : "",
             f->prints, *f->prints ? "\")" : "");
    return out;
}

static void profile_say(const struct profile_sink *to, enum profile_effect effect, const char *text)
{
    to->fn(&(struct profile_finding){.effect = effect, .text = text, .prints = ""}, to->arg);
}

void profile_version(const struct profile_sink *to, const struct profile_version *v)
{
    if (to->profile == PROFILE_QEMU) {
        profile_qemu_version(to, v);
    } else if (to->profile == PROFILE_CLOUD_HYPERVISOR && !v->json) {
        profile_say(to, PROFILE_CRASHES, "the VERSION reply has no version data");
    }
}

size_t profile_room(uint16_t command, size_t size, uint32_t asked)
{
    switch (command) {
    case WIRE_DEVICE_GET_REGION_INFO:
        return WIRE_HDR_SIZE + (size_t)asked;
    case WIRE_REGION_READ:
        return size + asked;
    default:
        return size;
    }
}

void profile_reply(const struct profile_sink *to, uint16_t command, size_t size, size_t room,
                   unsigned n_fds)
{
    if (to->profile == PROFILE_QEMU) {
        profile_qemu_reply(to, command, size, room, n_fds);
    }
}

void profile_error(const struct profile_sink *to, uint16_t command, uint32_t index, uint32_t error)
{
    char text[96];

    if (to->profile == PROFILE_QEMU) {
        profile_qemu_error(to, command, index, error);
    } else if (to->profile == PROFILE_CLOUD_HYPERVISOR && command != WIRE_DMA_MAP &&
               command != WIRE_DEVICE_RESET && command != WIRE_DEVICE_SET_IRQS) {
        snprintf(text, sizeof text, "it waits for the rest of an error reply to %s",
                 wire_command_name(command));
        profile_say(to, PROFILE_HANGS, text);
    }
}

void profile_info(const struct profile_sink *to, const struct wire_device_info *i)
{
    if (to->profile == PROFILE_QEMU) {
        profile_qemu_info(to, i);
    } else if (to->profile == PROFILE_CLOUD_HYPERVISOR && !(i->flags & WIRE_DEVICE_FLAG_PCI)) {
        profile_say(to, PROFILE_REFUSES, "the device does not have the flag PCI");
    }
}

void profile_region(const struct profile_sink *to, const struct wire_region_info *i)
{
    if (to->profile == PROFILE_QEMU) {
        profile_qemu_region(to, i);
    }
}

void profile_pci(const struct profile_sink *to, const struct profile_pci *d)
{
    if (to->profile == PROFILE_QEMU) {
        profile_qemu_pci(to, d);
    }
}

/* The fds that libvfio-user takes with a message; it leaks those beyond 16. */
#define LIBVFIO_USER_FDS 8u
#define LIBVFIO_USER_MAP_NEEDS_FD 0xcu /* its flags MMAP and FILE_IO */

void profile_request(const struct profile_sink *to, uint16_t command, const void *p, size_t n,
                     unsigned n_fds)
{
    struct wire_dma_map map;
    char text[96];

    if (to->profile != PROFILE_LIBVFIO_USER) {
        return;
    }
    if (n_fds > LIBVFIO_USER_FDS) {
        snprintf(text, sizeof text, "%u fds with %s, more than %u", n_fds,
                 wire_command_name(command), LIBVFIO_USER_FDS);
        profile_say(to, PROFILE_REFUSES, text);
    }
    if (command == WIRE_DMA_MAP && n_fds == 0 && wire_get(p, n, &map, sizeof map) &&
        (map.flags & LIBVFIO_USER_MAP_NEEDS_FD) != 0) {
        snprintf(text, sizeof text, "DMA_MAP with flags 0x%" PRIx32 " and no fd: EINVAL",
                 map.flags);
        profile_say(to, PROFILE_FAILS, text);
    }
}
