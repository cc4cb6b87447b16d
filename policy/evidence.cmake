# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Who a peer is, and under which licence it comes: the kernel's facts, the readers of evidence
# (pure; fuzzed without the rest), and the process that uses them on files.
add_library(evidence_read STATIC
            evidence.c evidence_base64.c evidence_copyright.c evidence_debian_names.c
            evidence_dpkg.c evidence_dsse.c evidence_dsse_make.c evidence_elf.c evidence_pae.c)
target_link_libraries(evidence_read PUBLIC base spdx PkgConfig::JANSSON OpenSSL::Crypto)

add_library(evidence STATIC
            inspection.c inspector.c inspector_cache.c inspector_child.c inspector_claims.c
            inspector_dpkg.c inspector_files.c inspector_inspect.c inspector_main.c
            inspector_pace.c inspector_queue.c inspector_sandbox.c peer.c peer_exe.c peer_namespace.c peer_proc.c)
target_link_libraries(evidence PUBLIC evidence_read base PkgConfig::EVENT)
target_compile_definitions(evidence PRIVATE _DEFAULT_SOURCE)
target_link_libraries(evidence PUBLIC confine)
