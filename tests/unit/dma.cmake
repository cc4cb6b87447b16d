# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# The gate between a device and its client's memory, and what a session tells the monitor of it.
poemd_unit_test(test_dma_map proxy)
poemd_unit_test(test_dma_requests proxy)
add_library(unit_gate STATIC gate_rig.c)
target_link_libraries(unit_gate PUBLIC proxy test_unit)
poemd_unit_test(test_dma_gate unit_gate)
poemd_unit_test(test_dma_replies unit_gate)
poemd_unit_test(test_report proxy)
poemd_unit_test(test_repeats_rate proxy)
add_library(unit_lane STATIC lane_rig.c)
target_link_libraries(unit_lane PUBLIC proxy unit_peers)
poemd_unit_test(test_lane_gate unit_lane)
poemd_unit_test(test_lane_exact unit_lane)
