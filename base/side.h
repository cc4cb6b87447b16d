/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The two parties of a session. A direction is named by the side that sends. */
#ifndef POEMD_BASE_SIDE_H
#define POEMD_BASE_SIDE_H

enum side {
    SIDE_CLIENT,  /* QEMU: the specification's client */
    SIDE_BACKEND, /* the device process: the specification's server */
    SIDES,
};

static inline enum side side_other(enum side side)
{
    return side == SIDE_CLIENT ? SIDE_BACKEND : SIDE_CLIENT;
}

/* "client" or "backend". Static. */
static inline const char *side_name(enum side side)
{
    return side == SIDE_CLIENT ? "client" : "backend";
}

#endif
