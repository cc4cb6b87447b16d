/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What the questions of poemctl policy that are about a configuration share. */
#ifndef POEMD_CTL_POLICY_POLICY_LOAD_H
#define POEMD_CTL_POLICY_POLICY_LOAD_H

#include "proxy/config/config.h"

/*
 * Loads the file into c, to be config_deinit'ed if true. False: said on standard error, in the
 * question's name, and nothing is to be freed.
 */
bool policy_load(const char *name, struct config *c, const char *path)
    __attribute__((warn_unused_result));

#endif
