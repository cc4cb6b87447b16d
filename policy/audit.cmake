# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# The audit log: written, verified, proved from, reported of.
find_package(Threads REQUIRED)
set(audit_sources disk file fit host key line log mark note open proof recover report report_forms
                  scan set touch told tree verify walk)
list(TRANSFORM audit_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/audit_)
list(TRANSFORM audit_sources APPEND .c)
add_library(audit STATIC ${audit_sources})
target_link_libraries(audit PUBLIC base PkgConfig::JANSSON OpenSSL::Crypto
                      PRIVATE Threads::Threads PkgConfig::BSD)
