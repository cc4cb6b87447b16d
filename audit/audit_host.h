/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Where an audit log was written: FORMAT.audit, section 4, "host". Reads /etc/machine-id and the
 * kernel's boot id once.
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
 * The application whose machine ids stand in audit logs. A machine's own id is confidential
 * (machine-id(5)): a log that is handed on has one that no other application can be matched with.
 * `systemd-id128 machine-id --app-specific=` this number prints the same.
 */
#define AUDIT_APPLICATION "b8a5e5f0c0c54d2f9f0a6b6e1f6d7c39"

/*
 * Derives the id that an application (both AUDIT_ID_SIZE bytes) may show of a machine: the first 16
 * bytes of HMAC-SHA256 of the application with the machine's id as the key, marked as a UUID of
 * version 4, as sd_id128_get_machine_app_specific(3) does. 0 or -ENOMEM.
 */
int audit_host_derive(const uint8_t machine[16], const uint8_t application[16], uint8_t out[16])
    __attribute__((warn_unused_result));

/* Reads an id of 32 hexadecimal digits, with or without the dashes of a UUID and a line end. */
bool audit_host_id(const char *text, uint8_t out[16]) __attribute__((warn_unused_result));

/*
 * This host as the object "host" of records, a new reference, NULL without memory: "name", and
 * "machine" and "boot" where they can be read.
 */
json_t *audit_host_new(void) __attribute__((warn_unused_result));

#endif
