/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A device for the tests of devices that poemd starts, in the test's own program. Executed as
 *
 *     PROGRAM --device FD BEHAVIOUR [FILE]
 *
 * it serves the socket FD in one of the ways of spawn_device.c, without anything of Check's.
 */
#ifndef POEMD_TESTS_SPAWN_DEVICE_H
#define POEMD_TESTS_SPAWN_DEVICE_H

/* For main: if this process was started as a device, its whole life; it does not return. */
void spawn_device_main(int argc, char **argv);

#endif
