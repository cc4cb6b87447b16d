# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
poemd_policy_test(test_dma dma_rig.c)
target_link_libraries(test_dma PRIVATE PkgConfig::JANSSON)
poemd_daemon_test(test_dma_resume dma_rig.c inject.c)
