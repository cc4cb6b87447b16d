/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What a device shares, and why a session cannot outlive it (proxy/relay/setup/setup.h). */
#ifndef POEMD_PROXY_IPC_SETUP_LACK_H
#define POEMD_PROXY_IPC_SETUP_LACK_H

/* What a device may share with its client: memory of its BARs, and ioeventfds. */
enum setup_shares {
    SETUP_SHARES_ALL,
    SETUP_SHARES_NONE,
    SETUP_SHARES_MEMORY, /* of one region, which its successor is to adopt */
};

/* Why the record of what is set up was given up. */
enum setup_lack {
    SETUP_KEPT,            /* it was not */
    SETUP_LACKS_MAPS,      /* more than LIMIT_SETUP_MAPS live maps */
    SETUP_LACKS_FDS,       /* more than LIMIT_SETUP_FDS fds */
    SETUP_LACKS_VECTORS,   /* an interrupt above LIMIT_SETUP_VECTORS, or of an unknown index */
    SETUP_LACKS_REQUESTS,  /* more than LIMIT_SETUP_REQUESTS under way */
    SETUP_LACKS_MEMORY,    /* out of memory */
    SETUP_LACKS_MIGRATION, /* the device's state was changed by DEVICE_FEATURE */
    SETUP_LACKS_SHARED,    /* memory of more than one region is shared */
    SETUP_LACKS_WORD,      /* its route does not ask for it */
    SETUP_LACKS_WORKER,    /* its worker died, and the record with it */
    SETUP_LACKS_TWIN,      /* it has a twin socket; only against a replacement */
    SETUP_LACKS_DEVICE,    /* its device is gone; likewise */
    SETUP_LACKS
};

/* Returns the reason in words, for logs and `poemctl sessions`. Static. */
const char *setup_lack_text(enum setup_lack lack);

#endif
