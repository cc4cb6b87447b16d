/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The configuration with which a monitor begins that follows one that has died. */
#ifndef POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_TEXT_H
#define POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_TEXT_H

/*
 * Returns a new fd, at its beginning, with the text of the configuration that the earlier monitor
 * had in force: its file may be another one by now, which nobody has asked for. Returns -1 if there
 * was none, it had no file, or it was to be replaced: then the file applies.
 */
int takeover_text(void);

#endif
