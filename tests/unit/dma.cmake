# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# The gate between a device and its client's memory, and what a session tells the monitor of it.
poemd_unit_test(test_dma_map proxy)
poemd_unit_test(test_dma_gate proxy)
poemd_unit_test(test_report proxy)
poemd_unit_test(test_lane_gate proxy unit_peers)
