/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Shared by the questions of poemctl policy about a configuration. */
#ifndef POEMD_CTL_POLICY_POLICY_LOAD_H
#define POEMD_CTL_POLICY_POLICY_LOAD_H

#include "base/cli.h"
#include "proxy/config/config.h"

/* The option --config. */
#define POLICY_CONFIG_OPTION(type, member) \
    { \
        .name = "config", .value = "FILE", .help = "the configuration of poemd", \
        CLI_TEXT(type, member) \
    }

/*
 * Loads the file into c, for the caller to config_deinit. Returns false, after an error message in
 * the question's name, on failure; then there is nothing to free.
 */
bool policy_load(const char *name, struct config *c, const char *path)
    __attribute__((warn_unused_result));

#endif
