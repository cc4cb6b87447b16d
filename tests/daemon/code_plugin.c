/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A shared object that no package owns, to be loaded into a program with evidence. */

/* Some code, which runs when the object is loaded. */
__attribute__((constructor)) static void code_plugin_load(void)
{
}
