/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The policy part of a configuration, only for config*.c. */
#ifndef POEMD_PROXY_CONFIG_CONFIG_RULES_H
#define POEMD_PROXY_CONFIG_CONFIG_RULES_H

#include "proxy/config/config.h"

/*
 * Makes the routes' rules, and reads the trusted keys. Returns 0 (errors may be added) or -ENOMEM.
 */
int config_resolve_rules(struct config *c, struct config_errors *e)
    __attribute__((warn_unused_result));

/* Frees the texts, and the list. */
void config_list_deinit(struct config_list *l);

void config_route_deinit_rules(struct config_route *r);
void config_deinit_rules(struct config *c);

#endif
