# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# What is made of traces: statistics, comparisons.
poemd_unit_test(test_trace_histogram trace_stats)
poemd_unit_test(test_trace_maps trace_stats)
poemd_unit_test(test_trace_lcs trace_stats)
poemd_unit_test(test_trace_diff trace_stats)
poemd_unit_test(test_trace_stats trace_stats unit_said)
