/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Makes a plugin of packet-vfio-user.c, for those who do not build Wireshark, and for tests. */
#include <epan/packet.h>
#include <wireshark.h>
#include <ws_version.h>

void proto_register_vfio_user(void);
void proto_reg_handoff_vfio_user(void);
void plugin_register(void);

WS_DLL_PUBLIC_DEF const gchar plugin_version[] = "1.0";
WS_DLL_PUBLIC_DEF const int plugin_want_major = WIRESHARK_VERSION_MAJOR;
WS_DLL_PUBLIC_DEF const int plugin_want_minor = WIRESHARK_VERSION_MINOR;

WS_DLL_PUBLIC_DEF void plugin_register(void)
{
    static const proto_plugin plugin = {proto_register_vfio_user, proto_reg_handoff_vfio_user};

    proto_register_plugin(&plugin);
}
