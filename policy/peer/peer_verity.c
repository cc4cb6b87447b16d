/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The digests of fs-verity: linux/fsverity.h, Documentation/filesystems/fsverity.rst. */
#include "policy/peer/peer_verity.h"

#include <linux/fsverity.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/text/hex.h"

static const struct {
    uint32_t number;
    uint32_t size;
    const char *name;
} algorithms[] = {
    {FS_VERITY_HASH_ALG_SHA256, 32, "sha256"},
    {FS_VERITY_HASH_ALG_SHA512, 64, "sha512"},
};

#define ALGORITHMS (sizeof algorithms / sizeof *algorithms)

bool peer_verity_read(struct peer_verity *out, const uint8_t *p, size_t n)
{
    struct fsverity_digest head;

    memset(out, 0, sizeof *out);
    if (n < sizeof head) {
        return false;
    }
    memcpy(&head, p, sizeof head);
    for (size_t i = 0; i < ALGORITHMS; i++) {
        if (head.digest_algorithm == algorithms[i].number &&
            head.digest_size == algorithms[i].size && n - sizeof head >= head.digest_size) {
            out->algorithm = head.digest_algorithm;
            out->size = head.digest_size;
            memcpy(out->digest, p + sizeof head, out->size);
            return true;
        }
    }
    return false;
}

void peer_verity_measure(int fd, struct peer_verity *out)
{
    union {
        struct fsverity_digest head;
        uint8_t bytes[sizeof(struct fsverity_digest) + PEER_VERITY_MAX];
    } answer;

    memset(&answer, 0, sizeof answer);
    answer.head.digest_size = PEER_VERITY_MAX;
    /* ENODATA, ENOTTY, EOPNOTSUPP: it has none. It cannot be measured in another way either. */
    if (ioctl(fd, FS_IOC_MEASURE_VERITY, &answer) < 0 ||
        !peer_verity_read(out, answer.bytes, sizeof answer)) {
        memset(out, 0, sizeof *out);
    }
}

const char *peer_verity_text(const struct peer_verity *v, char out[PEER_VERITY_TEXT_SIZE])
{
    char digits[2 * PEER_VERITY_MAX + 1];

    out[0] = '\0';
    for (size_t i = 0; i < ALGORITHMS; i++) {
        if (v->size == algorithms[i].size && v->algorithm == algorithms[i].number) {
            snprintf(out, PEER_VERITY_TEXT_SIZE, "%s:%s", algorithms[i].name,
                     hex_text(v->digest, v->size, digits));
        }
    }
    return out;
}

bool peer_verity_is_text(const char *text)
{
    for (size_t i = 0; i < ALGORITHMS; i++) {
        const size_t n = strlen(algorithms[i].name);

        if (strncmp(text, algorithms[i].name, n) == 0 && text[n] == ':') {
            const char *const digits = text + n + 1;

            return strlen(digits) == (size_t)2 * algorithms[i].size &&
                   strspn(digits, "0123456789abcdef") == (size_t)2 * algorithms[i].size;
        }
    }
    return false;
}
