/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * MESSAGE_ID of lines in the journal that have an explanation in contrib/systemd/poemd.catalog.
 * They never change.
 */
#ifndef POEMD_PROXY_IPC_LOG_IDS_H
#define POEMD_PROXY_IPC_LOG_IDS_H

#define LOG_ID_DENIED "5c9b1f0de6a44a0f8d8e3a5a3c1c7f21"
#define LOG_ID_TAINTED "a1f6d3c27b0e4a3e9c52d8b7e4f09163"
#define LOG_ID_ENDED_BADLY "3de8f4b95c7a4d10b2a6917c0e5f8d42"
#define LOG_ID_AUDIT_FAILED "e07b62a94f1d4c3c8a95d6f3b1827e0c"

#endif
