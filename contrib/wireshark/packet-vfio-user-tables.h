/* Tables of vfio-user's commands. Generated; do not edit.
 *
 * SPDX-FileCopyrightText: 2026 The poemd authors
 * SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
 */
/* clang-format off */
static vfio_user_struct structs[] = {
    { "version", 4, {
      { "major", 0, 2, BASE_DEC, {
      } },
      { "minor", 2, 2, BASE_DEC, {
      } },
    } },
    { "dma_map", 32, {
      { "argsz", 0, 4, BASE_DEC, {
      } },
      { "flags", 4, 4, BASE_HEX, {
        { "readable", 0x1 },
        { "writeable", 0x2 },
        { "mmap", 0x4 },
        { "file_io", 0x8 },
      } },
      { "offset", 8, 8, BASE_HEX, {
      } },
      { "address", 16, 8, BASE_HEX, {
      } },
      { "size", 24, 8, BASE_HEX, {
      } },
    } },
    { "dma_unmap", 24, {
      { "argsz", 0, 4, BASE_DEC, {
      } },
      { "flags", 4, 4, BASE_HEX, {
      } },
      { "address", 8, 8, BASE_HEX, {
      } },
      { "size", 16, 8, BASE_HEX, {
      } },
    } },
    { "device_info", 16, {
      { "argsz", 0, 4, BASE_DEC, {
      } },
      { "flags", 4, 4, BASE_HEX, {
        { "reset", 0x1 },
        { "pci", 0x2 },
      } },
      { "num_regions", 8, 4, BASE_DEC, {
      } },
      { "num_irqs", 12, 4, BASE_DEC, {
      } },
    } },
    { "region_info", 32, {
      { "argsz", 0, 4, BASE_DEC, {
      } },
      { "flags", 4, 4, BASE_HEX, {
        { "read", 0x1 },
        { "write", 0x2 },
        { "mmap", 0x4 },
        { "caps", 0x8 },
      } },
      { "index", 8, 4, BASE_DEC, {
      } },
      { "cap_offset", 12, 4, BASE_DEC, {
      } },
      { "size", 16, 8, BASE_HEX, {
      } },
      { "offset", 24, 8, BASE_HEX, {
      } },
    } },
    { "io_fds", 16, {
      { "argsz", 0, 4, BASE_DEC, {
      } },
      { "flags", 4, 4, BASE_HEX, {
      } },
      { "index", 8, 4, BASE_DEC, {
      } },
      { "count", 12, 4, BASE_DEC, {
      } },
    } },
    { "io_fd", 40, {
      { "offset", 0, 8, BASE_HEX, {
      } },
      { "size", 8, 8, BASE_HEX, {
      } },
      { "fd_index", 16, 4, BASE_DEC, {
      } },
      { "type", 20, 4, BASE_DEC, {
      } },
      { "flags", 24, 4, BASE_HEX, {
      } },
      { "padding", 28, 4, BASE_HEX, {
      } },
      { "datamatch", 32, 8, BASE_HEX, {
      } },
    } },
    { "irq_info", 16, {
      { "argsz", 0, 4, BASE_DEC, {
      } },
      { "flags", 4, 4, BASE_HEX, {
        { "eventfd", 0x1 },
        { "maskable", 0x2 },
        { "automasked", 0x4 },
        { "noresize", 0x8 },
      } },
      { "index", 8, 4, BASE_DEC, {
      } },
      { "count", 12, 4, BASE_DEC, {
      } },
    } },
    { "irq_set", 20, {
      { "argsz", 0, 4, BASE_DEC, {
      } },
      { "flags", 4, 4, BASE_HEX, {
        { "none", 0x1 },
        { "bool", 0x2 },
        { "eventfd", 0x4 },
        { "mask", 0x8 },
        { "unmask", 0x10 },
        { "trigger", 0x20 },
      } },
      { "index", 8, 4, BASE_DEC, {
      } },
      { "start", 12, 4, BASE_DEC, {
      } },
      { "count", 16, 4, BASE_DEC, {
      } },
    } },
    { "region", 16, {
      { "offset", 0, 8, BASE_HEX, {
      } },
      { "index", 8, 4, BASE_DEC, {
      } },
      { "count", 12, 4, BASE_DEC, {
      } },
    } },
    { "dma", 16, {
      { "address", 0, 8, BASE_HEX, {
      } },
      { "count", 8, 8, BASE_DEC, {
      } },
    } },
    { "write_multi", 8, {
      { "wr_cnt", 0, 8, BASE_DEC, {
      } },
    } },
    { "feature", 8, {
      { "argsz", 0, 4, BASE_DEC, {
      } },
      { "flags", 4, 4, BASE_HEX, {
        { "probe", 0x40000 },
        { "get", 0x10000 },
        { "set", 0x20000 },
      } },
    } },
    { "mig_data", 8, {
      { "argsz", 0, 4, BASE_DEC, {
      } },
      { "size", 4, 4, BASE_DEC, {
      } },
    } },
    { "migration", 8, {
      { "flags", 0, 8, BASE_HEX, {
        { "stop_copy", 0x1 },
        { "p2p", 0x2 },
        { "pre_copy", 0x4 },
      } },
    } },
    { "mig_state", 8, {
      { "device_state", 0, 4, BASE_DEC, {
      } },
      { "data_fd", 4, 4, BASE_HEX, {
      } },
    } },
    { "dma_logging", 16, {
      { "page_size", 0, 8, BASE_HEX, {
      } },
      { "num_ranges", 8, 4, BASE_DEC, {
      } },
      { "reserved", 12, 4, BASE_HEX, {
      } },
    } },
    { "dma_logging.range", 16, {
      { "iova", 0, 8, BASE_HEX, {
      } },
      { "length", 8, 8, BASE_HEX, {
      } },
    } },
    { "dma_report", 24, {
      { "iova", 0, 8, BASE_HEX, {
      } },
      { "length", 8, 8, BASE_HEX, {
      } },
      { "page_size", 16, 8, BASE_HEX, {
      } },
    } },
    { "cap", 8, {
      { "id", 0, 2, BASE_DEC, {
      } },
      { "version", 2, 2, BASE_DEC, {
      } },
      { "next", 4, 4, BASE_DEC, {
      } },
    } },
    { "sparse", 8, {
      { "nr_areas", 0, 4, BASE_DEC, {
      } },
      { "reserved", 4, 4, BASE_HEX, {
      } },
    } },
    { "sparse.area", 16, {
      { "offset", 0, 8, BASE_HEX, {
      } },
      { "size", 8, 8, BASE_HEX, {
      } },
    } },
    { "cap_type", 8, {
      { "type", 0, 4, BASE_HEX, {
      } },
      { "subtype", 4, 4, BASE_HEX, {
      } },
    } },
};

static const vfio_user_command commands[] = {
    { 1, "VERSION", "version", true, true, true },
    { 2, "DMA_MAP", "dma_map", true, true, false },
    { 3, "DMA_UNMAP", "dma_unmap", true, true, true },
    { 4, "DEVICE_GET_INFO", "device_info", true, true, true },
    { 5, "DEVICE_GET_REGION_INFO", "region_info", true, true, true },
    { 6, "DEVICE_GET_REGION_IO_FDS", "io_fds", true, true, true },
    { 7, "DEVICE_GET_IRQ_INFO", "irq_info", true, true, true },
    { 8, "DEVICE_SET_IRQS", "irq_set", true, true, false },
    { 9, "REGION_READ", "region", true, true, true },
    { 10, "REGION_WRITE", "region", true, true, true },
    { 11, "DMA_READ", "dma", false, true, true },
    { 12, "DMA_WRITE", "dma", false, true, true },
    { 13, "DEVICE_RESET", NULL, true, false, false },
    { 15, "REGION_WRITE_MULTI", "write_multi", true, true, true },
    { 16, "DEVICE_FEATURE", "feature", true, true, true },
    { 17, "MIG_DATA_READ", "mig_data", true, true, true },
    { 18, "MIG_DATA_WRITE", "mig_data", true, true, false },
};
/* clang-format on */
