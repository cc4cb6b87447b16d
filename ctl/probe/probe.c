/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The command poemctl probe: its options, output and exit codes, and advice after failures. */
#define _GNU_SOURCE
#include "ctl/probe/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/poemctl.h"
#include "ctl/poemctl_json.h"

struct options {
    bool json;
    int timeout_ms;
    int profile; /* enum profile */
};

/* Returns advice for a failure in one line, or NULL. */
static const char *probe_advice(enum probe_outcome o, const struct probe_error *why)
{
    if (strcmp(why->what, "connect") == 0) {
        switch (why->error) {
        case ENOENT:
            return "no such socket: check the path, and that the server has started";
        case ECONNREFUSED:
            return "the socket exists, but no server listens on it: start the server";
        case EACCES:
            return "this user may not open the socket: check its mode and owner (ls -l)";
        case ETIMEDOUT:
            return "its accept queue stays full: the server accepts no connections";
        default:
            return NULL;
        }
    }
    if (o == PROBE_STOPPED && strcmp(why->what, "version") == 0) {
        return "check that it is a vfio-user server, and that no other client is using it";
    }
    switch (why->error) {
    case EBUSY:
        return "another client is using the device, which serves one at a time";
    case EACCES:
        return "the broker's policy refuses this program; the broker's log names the rule";
    case ECONNREFUSED:
        return "the broker runs, but the device behind it does not: start the backend";
    case ETIMEDOUT:
        return "the device behind the broker does not answer";
    case EPROTO:
        return "the device behind the broker broke the protocol; see the broker's log";
    default:
        return NULL;
    }
}

static int probe_show(const struct probe *p, bool json)
{
    const int code = !p->accepted ? POEMCTL_NO : p->incomplete[0] ? POEMCTL_COULD_NOT : POEMCTL_YES;

    if (p->incomplete[0]) {
        poemctl_error("probe", "%s: some questions could not be asked: %s", p->socket,
                      p->incomplete);
    }
    if (json) {
        return poemctl_json("probe", probe_json(p), code);
    }
    probe_text(p, stdout);
    return code;
}

static int probe_complain(const struct probe *p, enum probe_outcome o,
                          const struct probe_error *why, bool json)
{
    const char *help = probe_advice(o, why);

    poemctl_error("probe", "%s: %s", p->socket, why->text);
    if (help) {
        poemctl_error("probe", "%s", help);
    }
    if (o == PROBE_STOPPED) {
        return POEMCTL_COULD_NOT;
    }
    return json ? poemctl_json("probe", probe_json_refused(p->socket, why), POEMCTL_NO)
                : POEMCTL_NO;
}

static int probe_main(int argc, char **argv)
{
    /* Static, since some hundred KiB are too much for the stack. */
    static struct probe probe;
    struct options options = {.timeout_ms = POEMCTL_TIMEOUT_MS};
    char **const operands = poemctl_parse(&poemctl_probe, argc, argv, &options);
    struct probe_error why;
    enum probe_outcome o;
    int code;

    if (!operands) {
        return POEMCTL_USAGE;
    }
    if (!poemctl_socket("probe", operands[0])) {
        return poemctl_usage(&poemctl_probe);
    }
    probe_init(&probe);
    o = probe_gather(&probe, operands[0], options.timeout_ms, &why);
    if (o == PROBE_DONE) {
        probe_profile(&probe, (enum profile)options.profile);
    }
    code = o == PROBE_DONE ? probe_show(&probe, options.json)
                           : probe_complain(&probe, o, &why, options.json);
    probe_deinit(&probe);
    return code;
}

static const struct cli_option probe_options[] = {
    POEMCTL_JSON_OPTION(struct options, json),
    POEMCTL_TIMEOUT_OPTION(struct options, timeout_ms),
    POEMCTL_FOR_OPTION(struct options, profile),
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_probe = {
    .name = "probe",
    .synopsis = "[--json] [--timeout MS] "
                "[--for qemu | spec | libvfio-user | cloud-hypervisor] SOCKET",
    .what = "show what is behind a vfio-user socket, and what QEMU does with it",
    .manual = "poemctl(1)",
    .options = probe_options,
    .least = 1,
    .most = 1,
    .missing = "which socket?",
    .surplus = "one socket at a time",
    .run = probe_main,
};

const char *probe_errno_name(int error, char *out, size_t size)
{
    const char *name = strerrorname_np(error);

    if (name) {
        snprintf(out, size, "%s", name);
    } else {
        snprintf(out, size, "%d", error);
    }
    return out;
}

uint64_t probe_bar_size(const struct probe *p, uint32_t i)
{
    const struct probe_region *r = &p->region[i];

    return i < p->device.num_regions && r->answer == PROBE_ANSWERED ? r->info.size : 0;
}
