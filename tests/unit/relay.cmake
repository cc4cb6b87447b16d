# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# The handshake and the relay. unit_peers: what sends and receives at the other ends.
add_library(unit_peers STATIC flight.c ../support/patience.c ../support/peer.c)
target_link_libraries(unit_peers PUBLIC base test_unit)
poemd_unit_test(test_session_state proxy)
poemd_unit_test(test_ticket proxy)
poemd_unit_test(test_ipc proxy unit_peers)
poemd_unit_test(test_queue proxy unit_peers)
poemd_unit_test(test_fdroom proxy unit_peers)
poemd_unit_test(test_asked proxy)
poemd_unit_test(test_heap proxy)
poemd_unit_test(test_json handshake)
poemd_unit_test(test_version handshake unit_peers)

add_library(unit_pipe STATIC pipe_rig.c)
target_link_libraries(unit_pipe PUBLIC proxy unit_peers)
foreach(suite pipe pipe_faults pipe_flow pipe_limits)
  poemd_unit_test(test_${suite} unit_pipe)
endforeach()

add_library(unit_greeting STATIC greeting_rig.c)
target_link_libraries(unit_greeting PUBLIC proxy unit_peers)
poemd_unit_test(test_greeting unit_greeting)
poemd_unit_test(test_greeting_refusals unit_greeting)

add_library(unit_session STATIC session_rig.c)
target_link_libraries(unit_session PUBLIC proxy unit_peers)
poemd_unit_test(test_session unit_session)
poemd_unit_test(test_session_host unit_session)
poemd_unit_test(test_session_guard unit_session)
