/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * "assist nvme": has a driver reset an NVMe controller whose process is gone. Its successor knows
 * nothing of the driver's queues, whose commands never complete. A driver that finds the controller
 * failed, CSTS.CFS, resets it at once. A part of setup.h. Pure.
 *
 *   OFF       registers are the device's
 *   FAILED    from the loss of the device on, CSTS.CFS is set in what the driver reads
 *   DISABLED  the driver has cleared CC.EN: the reset has begun, and the device's answers are right
 *
 * NVM Express Base Specification 2.0, 3.1.3: the registers are in BAR 0 (region 0); 3.1.3.5, CC,
 * Controller Configuration; 3.1.3.6, CSTS, Controller Status.
 */
#ifndef POEMD_PROXY_RELAY_SETUP_SETUP_NVME_H
#define POEMD_PROXY_RELAY_SETUP_SETUP_NVME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/relay/setup/setup_config.h"

enum setup_nvme { SETUP_NVME_OFF, SETUP_NVME_FAILED, SETUP_NVME_DISABLED };

/*
 * Returns the state once the device is lost: FAILED for an NVMe controller, which its class code in
 * the configuration space shows (01 08 02); otherwise OFF. NULL: nothing is known of that.
 */
enum setup_nvme setup_nvme_lose(const struct setup_config *c);

/* Returns the state behind a REGION_WRITE of n bytes of payload. */
enum setup_nvme setup_nvme_write(enum setup_nvme state, const uint8_t *payload, size_t n);

/* In FAILED: sets CSTS.CFS in the payload of a REGION_READ reply, if CSTS is in it. */
void setup_nvme_show(uint8_t *payload, size_t n);

/*
 * Writes the payload of the reply to a REGION_READ of CSTS while there is no device: failed, or
 * disabled and not ready. Returns its size, or 0 if it is not a read of CSTS.
 */
size_t setup_nvme_answer(enum setup_nvme state, const uint8_t *request, size_t n, uint8_t *out);

#endif
