# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# The sample device: its parts, and the process as it is.
foreach(name config device dma fault migration negotiate)
  poemd_unit_test(test_edu_${name} edu_device)
endforeach()
