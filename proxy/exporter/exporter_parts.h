/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Shared by exporter.c and exporter_sandbox.c. */
#ifndef POEMD_PROXY_EXPORTER_EXPORTER_PARTS_H
#define POEMD_PROXY_EXPORTER_EXPORTER_PARTS_H

struct exporter_start;

/* Gives up everything but the socket, the channel and a look at the disk. Returns 0 or -errno. */
int exporter_sandbox(const struct exporter_start *s) __attribute__((warn_unused_result));

#endif
