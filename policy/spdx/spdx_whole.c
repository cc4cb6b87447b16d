/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The versions of the GPL under which a combination could be distributed, for people. Pure. */
#include <stdio.h>

#include "policy/spdx/spdx.h"

static enum spdx_compat spdx_whole_with(const struct spdx *e, int version)
{
    struct spdx_verdict v;

    spdx_judge(e, version == 2 ? SPDX_WITH_GPL_2_0_ONLY : SPDX_WITH_GPL_3_0_OR_LATER, &v);
    return v.compat;
}

/* Returns bit 1 for version 2 and bit 2 for version 3, as far as they have the given result. */
static unsigned spdx_whole_versions(const enum spdx_compat of[2], enum spdx_compat c)
{
    return (of[0] == c ? 1u : 0u) | (of[1] == c ? 2u : 0u);
}

static unsigned spdx_whole_permitted(enum spdx_target target)
{
    static const unsigned versions[SPDX_TARGETS] = {[SPDX_WITH_GPL_2_0_ONLY] = 1,
                                                    [SPDX_WITH_GPL_2_0_OR_LATER] = 3,
                                                    [SPDX_WITH_GPL_3_0_OR_LATER] = 2};

    return versions[target];
}

const char *spdx_whole_text(const struct spdx *e, enum spdx_target target, char *out, size_t size)
{
    static const char *const under[] = {"", "only under GPLv2", "only under GPLv3",
                                        "under GPLv2 or GPLv3"};
    static const char *const qemu[] = {[SPDX_INCOMPATIBLE] = "not with QEMU, which is GPLv2",
                                       [SPDX_UNKNOWN] =
                                           "whether with QEMU, which is GPLv2, is not known",
                                       [SPDX_COMPATIBLE] = "also with QEMU, which is GPLv2"};
    const enum spdx_compat of[2] = {spdx_whole_with(e, 2), spdx_whole_with(e, 3)};
    const unsigned permitted = spdx_whole_permitted(target);
    const unsigned yes = spdx_whole_versions(of, SPDX_COMPATIBLE);
    const unsigned unknown = spdx_whole_versions(of, SPDX_UNKNOWN);
    const bool beside = target != SPDX_WITH_GPL_3_0_OR_LATER;

    if (yes & permitted) {
        snprintf(out, size, "The combination could be distributed %s; %s.", under[yes & permitted],
                 beside ? qemu[of[0]] : "not with QEMU, which is GPLv2");
    } else if (unknown & permitted) {
        snprintf(
            out, size, "It is not known whether the combination could be distributed under %s.",
            permitted == 3 ? "any version of the GPL" : under[permitted] + sizeof "only under");
    } else if (yes) {
        snprintf(out, size,
                 "The combination could not be distributed: %s could be combined only with a "
                 "program under %s%s.",
                 e->n_terms == 1 ? "this licence" : "these licences",
                 under[yes] + sizeof "only under",
                 yes == 2 ? "; not with QEMU, which is GPLv2" : "");
    } else {
        snprintf(out, size,
                 "The combination could not be distributed under any version of the GPL; not with "
                 "QEMU, which is GPLv2.");
    }
    return out;
}
