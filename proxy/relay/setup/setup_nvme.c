/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* An NVMe controller that is shown as failed. */
#include "proxy/relay/setup/setup_nvme.h"

#include <string.h>

#include "base/wire/wire.h"

/* PCI Local Bus Specification 3.0, 6.2.1: programming interface, subclass and base class. */
#define CLASS 0x09u

static const uint8_t class_code[] = {0x02, 0x08, 0x01};

/* NVM Express Base Specification 2.0, 3.1.3. Registers are little-endian. */
#define CC 0x14u
#define CC_EN 0x01u
#define CSTS 0x1cu
#define CSTS_CFS 0x02u

enum setup_nvme setup_nvme_lose(const struct setup_config *c)
{
    return c && setup_config_knows(c, CLASS, sizeof class_code) &&
                   memcmp(c->seen + CLASS, class_code, sizeof class_code) == 0
               ? SETUP_NVME_FAILED
               : SETUP_NVME_OFF;
}

/* Returns where the register's first byte is in an access to region 0, or -1 if it is not in it. */
static int64_t setup_nvme_find(const struct wire_region_access *a, uint32_t reg)
{
    return a->region == WIRE_PCI_BAR0 && a->offset <= reg && reg - a->offset < a->count
               ? (int64_t)(reg - a->offset)
               : -1;
}

enum setup_nvme setup_nvme_write(enum setup_nvme state, const uint8_t *payload, size_t n)
{
    struct wire_region_access a;
    int64_t at;

    if (state != SETUP_NVME_FAILED || !wire_get(payload, n, &a, sizeof a) ||
        a.count != n - sizeof a) {
        return state;
    }
    at = setup_nvme_find(&a, CC);
    return at >= 0 && !(payload[sizeof a + (size_t)at] & CC_EN) ? SETUP_NVME_DISABLED : state;
}

void setup_nvme_show(uint8_t *payload, size_t n)
{
    struct wire_region_access a;
    int64_t at;

    if (!wire_get(payload, n, &a, sizeof a)) {
        return;
    }
    at = setup_nvme_find(&a, CSTS);
    if (at >= 0 && (uint64_t)at < n - sizeof a) {
        payload[sizeof a + (size_t)at] |= CSTS_CFS;
    }
}

size_t setup_nvme_answer(enum setup_nvme state, const uint8_t *request, size_t n, uint8_t *out)
{
    struct wire_region_access a;

    if (state == SETUP_NVME_OFF || !wire_get(request, n, &a, sizeof a) ||
        a.region != WIRE_PCI_BAR0 || a.offset != CSTS || a.count != sizeof(uint32_t)) {
        return 0;
    }
    memcpy(out, &a, sizeof a);
    memset(out + sizeof a, 0, sizeof(uint32_t));
    out[sizeof a] = state == SETUP_NVME_FAILED ? CSTS_CFS : 0;
    return sizeof a + sizeof(uint32_t);
}
