/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Names of PCI classes and capabilities from the PCI Code and ID Assignment Specification. Only
 * tables and look-ups.
 */
#include "client/pci.h"

struct class_name {
    uint8_t base;
    uint8_t sub;
    const char *name;
};

/* A subclass without a row has the name of its base class, if there is one. */
static const struct class_name classes[] = {
    {0x00, 0x00, "Non-VGA unclassified device"},
    {0x00, 0x01, "VGA compatible unclassified device"},
    {0x01, 0x00, "SCSI storage controller"},
    {0x01, 0x01, "IDE interface"},
    {0x01, 0x04, "RAID bus controller"},
    {0x01, 0x06, "SATA controller"},
    {0x01, 0x07, "Serial Attached SCSI controller"},
    {0x01, 0x08, "Non-Volatile memory controller"},
    {0x02, 0x00, "Ethernet controller"},
    {0x02, 0x07, "InfiniBand controller"},
    {0x03, 0x00, "VGA compatible controller"},
    {0x03, 0x02, "3D controller"},
    {0x04, 0x00, "Multimedia video controller"},
    {0x04, 0x01, "Multimedia audio controller"},
    {0x04, 0x03, "Audio device"},
    {0x05, 0x00, "RAM memory"},
    {0x05, 0x02, "CXL memory device"},
    {0x06, 0x00, "Host bridge"},
    {0x06, 0x01, "ISA bridge"},
    {0x06, 0x04, "PCI bridge"},
    {0x07, 0x00, "Serial controller"},
    {0x07, 0x80, "Communication controller"},
    {0x08, 0x00, "PIC"},
    {0x08, 0x01, "DMA controller"},
    {0x08, 0x06, "IOMMU"},
    {0x08, 0x80, "System peripheral"},
    {0x09, 0x00, "Keyboard controller"},
    {0x0c, 0x03, "USB controller"},
    {0x0c, 0x05, "SMBus"},
    {0x0d, 0x80, "Wireless controller"},
    {0x10, 0x00, "Network and computing encryption device"},
    {0x11, 0x80, "Signal processing controller"},
    {0x12, 0x00, "Processing accelerator"},
};

static const char *const base_classes[] = {
    [0x00] = "Unclassified device",
    [0x01] = "Mass storage controller",
    [0x02] = "Network controller",
    [0x03] = "Display controller",
    [0x04] = "Multimedia controller",
    [0x05] = "Memory controller",
    [0x06] = "Bridge",
    [0x07] = "Communication controller",
    [0x08] = "Generic system peripheral",
    [0x09] = "Input device controller",
    [0x0a] = "Docking station",
    [0x0b] = "Processor",
    [0x0c] = "Serial bus controller",
    [0x0d] = "Wireless controller",
    [0x0e] = "Intelligent controller",
    [0x0f] = "Satellite communications controller",
    [0x10] = "Encryption controller",
    [0x11] = "Signal processing controller",
    [0x12] = "Processing accelerator",
    [0x13] = "Non-Essential Instrumentation",
};

const char *pci_class_name(uint8_t base, uint8_t sub)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (classes[i].base == base && classes[i].sub == sub) {
            return classes[i].name;
        }
    }
    if (base < sizeof base_classes / sizeof *base_classes) {
        return base_classes[base];
    }
    return base == 0xff ? "Unassigned class" : NULL;
}

static const char *const caps[] = {
    [0x01] = "Power Management",
    [0x02] = "AGP",
    [0x03] = "Vital Product Data",
    [0x04] = "Slot Identification",
    [0x05] = "MSI",
    [0x06] = "CompactPCI Hot Swap",
    [0x07] = "PCI-X",
    [0x08] = "HyperTransport",
    [0x09] = "Vendor Specific Information",
    [0x0a] = "Debug port",
    [0x0b] = "CompactPCI Central Resource Control",
    [0x0c] = "Hot-plug capable",
    [0x0d] = "Bridge Subsystem Vendor ID",
    [0x0e] = "AGP 8x",
    [0x0f] = "Secure Device",
    [0x10] = "Express",
    [0x11] = "MSI-X",
    [0x12] = "SATA",
    [0x13] = "PCI Advanced Features",
    [0x14] = "Enhanced Allocation",
    [0x15] = "Flattening Portal Bridge",
};

const char *pci_cap_name(uint16_t id)
{
    return id < sizeof caps / sizeof *caps ? caps[id] : NULL;
}

static const char *const ext_caps[] = {
    [0x01] = "Advanced Error Reporting",
    [0x02] = "Virtual Channel",
    [0x03] = "Device Serial Number",
    [0x04] = "Power Budgeting",
    [0x05] = "Root Complex Link Declaration",
    [0x06] = "Root Complex Internal Link Control",
    [0x07] = "Root Complex Event Collector Endpoint Association",
    [0x08] = "Multi-Function Virtual Channel",
    [0x09] = "Virtual Channel (MFVC)",
    [0x0a] = "Root Complex Register Block",
    [0x0b] = "Vendor Specific Information",
    [0x0d] = "Access Control Services",
    [0x0e] = "Alternative Routing-ID Interpretation",
    [0x0f] = "Address Translation Service",
    [0x10] = "Single Root I/O Virtualization",
    [0x11] = "Multi-Root I/O Virtualization",
    [0x12] = "Multicast",
    [0x13] = "Page Request Interface",
    [0x15] = "Resizable BAR",
    [0x16] = "Dynamic Power Allocation",
    [0x17] = "TPH Requester",
    [0x18] = "Latency Tolerance Reporting",
    [0x19] = "Secondary PCI Express",
    [0x1a] = "Protocol Multiplexing",
    [0x1b] = "Process Address Space ID",
    [0x1c] = "LN Requester",
    [0x1d] = "Downstream Port Containment",
    [0x1e] = "L1 PM Substates",
    [0x1f] = "Precision Time Measurement",
    [0x21] = "Function Readiness Status Queueing",
    [0x22] = "Readiness Time Reporting",
    [0x23] = "Designated Vendor-Specific",
    [0x24] = "VF Resizable BAR",
    [0x25] = "Data Link Feature",
    [0x26] = "Physical Layer 16.0 GT/s",
    [0x27] = "Lane Margining at the Receiver",
    [0x2a] = "Physical Layer 32.0 GT/s",
    [0x2e] = "Data Object Exchange",
};

const char *pci_ext_cap_name(uint16_t id)
{
    return id < sizeof ext_caps / sizeof *ext_caps ? ext_caps[id] : NULL;
}
