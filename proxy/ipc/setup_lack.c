/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Why a session cannot outlive its device, in words. */
#include "proxy/ipc/setup_lack.h"

const char *setup_lack_text(enum setup_lack lack)
{
    static const char *const texts[SETUP_LACKS] = {
        [SETUP_KEPT] = "",
        [SETUP_LACKS_MAPS] = "it has too many DMA maps to keep",
        [SETUP_LACKS_FDS] = "its maps and interrupts have too many file descriptors to keep",
        [SETUP_LACKS_VECTORS] = "it has set up an interrupt that no PCI device has",
        [SETUP_LACKS_REQUESTS] = "it has had too many requests under way",
        [SETUP_LACKS_MEMORY] = "out of memory",
        [SETUP_LACKS_MIGRATION] = "its device's migration state was changed",
        [SETUP_LACKS_SHARED] = "its device shares the memory of more than one region",
        [SETUP_LACKS_WORD] = "its route has no \"on backend loss hold\"",
        [SETUP_LACKS_WORKER] =
            "its worker has died or been replaced, and with it the record of what is set up",
        [SETUP_LACKS_TWIN] = "it has a twin socket",
        [SETUP_LACKS_DEVICE] = "its device is gone: it is held",
    };

    return (unsigned)lack < SETUP_LACKS ? texts[lack] : "";
}
