/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Loads a configuration for a question about it. */
#define _GNU_SOURCE
#include "ctl/policy/policy_load.h"

#include <errno.h>
#include <string.h>

#include "ctl/poemctl.h"

bool policy_load(const char *name, struct config *c, const char *path)
{
    struct config_errors errors;
    int err;

    config_errors_init(&errors);
    if (config_init(c) < 0) {
        poemctl_error(name, "%s", strerror(ENOMEM));
        return false;
    }
    err = config_load(c, path, &errors);
    if (err == 0) {
        return true;
    }
    if (err == -EINVAL) {
        config_errors_print(&errors, path, stderr);
    } else {
        (void)poemctl_could_not(name, path, strerror(-err));
    }
    config_deinit(c);
    return false;
}
