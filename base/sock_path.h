/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Socket addresses of other programs that would be file names here. Pure. */
#ifndef POEMD_BASE_SOCK_PATH_H
#define POEMD_BASE_SOCK_PATH_H

/*
 * Returns why the text is not accepted as a socket's path, with a remedy, or NULL if it is. "@name"
 * (abstract), "fd:3", "unix:name" and the like are not accepted, nor are control characters. A file
 * of such a name can be given with its folder, as "./fd:3". Static.
 */
const char *sock_path_fault(const char *text);

#endif
