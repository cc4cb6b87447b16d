/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What other programs take as a socket's address, and what would here be a file of that name. Pure.
 */
#ifndef POEMD_BASE_SOCK_PATH_H
#define POEMD_BASE_SOCK_PATH_H

/*
 * Why the text is not taken for a socket's path, with what to do instead; NULL: it is one. "@name"
 * (abstract), "fd:3", "unix:name" and the like are not, nor is a name with control characters. A
 * file of such a name is reached with a folder before it, as "./fd:3". Static.
 */
const char *sock_path_fault(const char *text);

#endif
