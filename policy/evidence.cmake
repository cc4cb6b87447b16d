# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Who a peer is, and under which licence it comes.
add_library(evidence STATIC evidence.c peer.c peer_exe.c peer_proc.c)
target_link_libraries(evidence PUBLIC base)
