/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The host that wrote an audit log: FORMAT.audit, section 4, "host". Reads /etc/machine-id,
 * /etc/os-release and the kernel's boot id once.
 */
#ifndef POEMD_AUDIT_AUDIT_HOST_H
#define POEMD_AUDIT_AUDIT_HOST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define AUDIT_ID_SIZE 16u

/* Hexadecimal digits of an id. */
#define AUDIT_ID_TEXT (2u * AUDIT_ID_SIZE)

/*
 * The application id from which the machine ids in audit logs are derived. A machine's own id is
 * confidential (machine-id(5)); the derived id in a log cannot be matched with that of any other
 * application. `systemd-id128 machine-id --app-specific=` with this number prints the same id.
 */
#define AUDIT_APPLICATION "b8a5e5f0c0c54d2f9f0a6b6e1f6d7c39"

/*
 * Derives the id that an application may publish for a machine (both ids have AUDIT_ID_SIZE bytes):
 * the first 16 bytes of HMAC-SHA256 of the application's id with the machine's id as the key,
 * marked as a UUID of version 4, as sd_id128_get_machine_app_specific(3) does. Returns 0 or
 * -ENOMEM.
 */
int audit_host_derive(const uint8_t machine[16], const uint8_t application[16], uint8_t out[16])
    __attribute__((warn_unused_result));

/* Reads an id of 32 hexadecimal digits, with or without the dashes of a UUID and a newline. */
bool audit_host_id(const char *text, uint8_t out[16]) __attribute__((warn_unused_result));

/*
 * Returns a new reference to "id" and, if there is one, "version" of an os-release(5) file, or NULL
 * if it cannot be read or has no id.
 */
json_t *audit_host_distribution(const char *path) __attribute__((warn_unused_result));

/*
 * Returns a new reference to the object "host" of records, or NULL if out of memory: "name", and
 * "machine", "boot" and "distribution" if they can be read.
 */
json_t *audit_host_new(void) __attribute__((warn_unused_result));

#endif
