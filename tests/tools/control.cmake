# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors

# What is asked of a running poemd, …
poemd_tool_test(test_control 600)

# … also by Wireshark, where tshark is there.
poemd_tool_test(test_extcap 600 SKIPS)

# … and made to read its configuration again, or to stop.
poemd_tool_test(test_reload 300)

# … by an operator with many routes, who also asks what is wrong on the host.
poemd_tool_test(test_operator 300)

# … and the commands of the tutorials.
poemd_tool_test(test_tutorials 300)
