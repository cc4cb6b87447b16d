/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#ifndef POEMD_PROXY_CONFIG_VALUE_FAULT_H
#define POEMD_PROXY_CONFIG_VALUE_FAULT_H

/* The reason why a value is invalid, in printable ASCII. */
struct value_fault {
    char text[160];
    char hint[160];
};

#endif
