# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# poemctl, the operator's tool.
add_executable(poemctl
               ${CMAKE_CURRENT_LIST_DIR}/inspect_ask.c
               ${CMAKE_CURRENT_LIST_DIR}/inspect_json.c
               ${CMAKE_CURRENT_LIST_DIR}/inspect_text.c
               ${CMAKE_CURRENT_LIST_DIR}/poemctl.c
               ${CMAKE_CURRENT_LIST_DIR}/poemctl_attest.c
               ${CMAKE_CURRENT_LIST_DIR}/poemctl_audit.c
               ${CMAKE_CURRENT_LIST_DIR}/poemctl_control.c
               ${CMAKE_CURRENT_LIST_DIR}/poemctl_inspect.c
               ${CMAKE_CURRENT_LIST_DIR}/poemctl_json.c
               ${CMAKE_CURRENT_LIST_DIR}/poemctl_poem.c
               ${CMAKE_CURRENT_LIST_DIR}/poemctl_policy.c
               ${CMAKE_CURRENT_LIST_DIR}/poemctl_recite.c
               ${CMAKE_CURRENT_LIST_DIR}/poemctl_sessions.c
               ${CMAKE_CURRENT_LIST_DIR}/poemctl_status.c
               ${CMAKE_CURRENT_LIST_DIR}/poemctl_taint.c
               ${CMAKE_CURRENT_LIST_DIR}/policy_check.c
               ${CMAKE_CURRENT_LIST_DIR}/policy_explain.c
               ${CMAKE_CURRENT_LIST_DIR}/policy_findings.c
               ${CMAKE_CURRENT_LIST_DIR}/policy_licence.c
               ${CMAKE_CURRENT_LIST_DIR}/policy_load.c
               ${CMAKE_CURRENT_LIST_DIR}/probe.c
               ${CMAKE_CURRENT_LIST_DIR}/probe_ask.c
               ${CMAKE_CURRENT_LIST_DIR}/probe_json.c
               ${CMAKE_CURRENT_LIST_DIR}/probe_names.c
               ${CMAKE_CURRENT_LIST_DIR}/probe_text.c)
target_compile_definitions(poemctl PRIVATE POEMD_VERSION="${PROJECT_VERSION}")
target_link_libraries(poemctl PRIVATE proxy_config pci audit rules evidence spdx handshake base
                      PkgConfig::JANSSON OpenSSL::Crypto)
include(${CMAKE_CURRENT_LIST_DIR}/poemctl_trace.cmake)
install(TARGETS poemctl RUNTIME)
