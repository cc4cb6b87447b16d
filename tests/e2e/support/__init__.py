# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""What the end-to-end tests stand on: processes, QEMU's control channels, PCI, the edu device."""
