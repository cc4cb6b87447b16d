-- SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
-- SPDX-FileCopyrightText: 2026 The poemd authors
--
-- Wireshark and tshark (4.0 and later) read the traces of poemd with this dissector: FORMAT.trace.
--
--   vfio_user_capture   the broker's record of a message: its sender, its delivery, its fds
--   vfio_user           the message: every command and structure of the vfio-user specification,
--                       requests and replies linked and timed, violations of the specification as
--                       expert information, and the poem's handshake (PROTOCOL.poem)
--
-- Each frame is judged when it is first seen, in the order of the file; the findings are kept by
-- the frame's number, so that a frame looks the same however often and in whatever order it is
-- dissected again. Bytes that were not kept are never read: every read checks first.

local capture = Proto("vfio_user_capture", "vfio-user, as captured by poemd")
local vfio = Proto("vfio_user", "vfio-user")

local CAPTURE_VERSION, CAPTURE_FIXED, CAPTURE_FD = 1, 40, 32
local HEADER = 16
local PROTOCOL = "vfio-user"
local COMMAND, REPLY = 0, 1
local CLIENT, BACKEND = 0, 1
-- Doubles hold whole numbers exactly up to here; Lua 5.2 has no other numbers.
local EXACT = 2 ^ 53
local JSON_DEPTH = 32
-- More mappings than these are not followed: keeping them sorted would take too long.
local MAPS_FOLLOWED = 8192

-- ---- names ----

local ERRNO = { [0] = "none" }
for number, name in pairs({
    "EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "E2BIG", "ENOEXEC", "EBADF", "ECHILD",
    "EAGAIN", "ENOMEM", "EACCES", "EFAULT", "ENOTBLK", "EBUSY", "EEXIST", "EXDEV", "ENODEV",
    "ENOTDIR", "EISDIR", "EINVAL", "ENFILE", "EMFILE", "ENOTTY", "ETXTBSY", "EFBIG", "ENOSPC",
    "ESPIPE", "EROFS", "EMLINK", "EPIPE", "EDOM", "ERANGE", "EDEADLK", "ENAMETOOLONG", "ENOLCK",
    "ENOSYS", "ENOTEMPTY", "ELOOP", [42] = "ENOMSG", [43] = "EIDRM", [61] = "ENODATA",
    [62] = "ETIME", [71] = "EPROTO", [74] = "EBADMSG", [75] = "EOVERFLOW", [84] = "EILSEQ",
    [85] = "ERESTART", [88] = "ENOTSOCK", [90] = "EMSGSIZE", [91] = "EPROTOTYPE",
    [92] = "ENOPROTOOPT", [93] = "EPROTONOSUPPORT", [95] = "EOPNOTSUPP", [98] = "EADDRINUSE",
    [99] = "EADDRNOTAVAIL", [100] = "ENETDOWN", [101] = "ENETUNREACH", [103] = "ECONNABORTED",
    [104] = "ECONNRESET", [105] = "ENOBUFS", [106] = "EISCONN", [107] = "ENOTCONN",
    [108] = "ESHUTDOWN", [110] = "ETIMEDOUT", [111] = "ECONNREFUSED", [112] = "EHOSTDOWN",
    [113] = "EHOSTUNREACH", [114] = "EALREADY", [115] = "EINPROGRESS", [116] = "ESTALE",
    [121] = "EREMOTEIO", [122] = "EDQUOT", [125] = "ECANCELED", [130] = "EOWNERDEAD",
}) do
    ERRNO[number] = name
end

local REGION = { [0] = "BAR0", "BAR1", "BAR2", "BAR3", "BAR4", "BAR5", "ROM", "CONFIG", "VGA" }
local IRQ = { [0] = "INTX", "MSI", "MSIX", "ERR", "REQ" }
local SENDER = { [CLIENT] = "client", [BACKEND] = "backend" }
local TYPE = { [COMMAND] = "Command", [REPLY] = "Reply" }
local CAPABILITY = { "SPARSE_MMAP", "TYPE" }
local IO_FD = { [0] = "ioeventfd", "ioregionfd" }
local FD_KIND = { [0] = "unknown", "memfd", "file", "eventfd", "socket", "pipe", "device", "other" }
local FD_ACCESS = { [0] = "read-only", "write-only", "read-write" }
local FEATURE = { "MIGRATION", "MIG_DEVICE_STATE", [6] = "DMA_LOGGING_START",
                  [7] = "DMA_LOGGING_STOP", [8] = "DMA_LOGGING_REPORT" }
local MIG_STATE = { [0] = "ERROR", "STOP", "RUNNING", "STOP_COPY", "RESUMING", "RUNNING_P2P",
                    "PRE_COPY", "PRE_COPY_P2P" }

-- The head of a PCI device's configuration space: registers by their first byte.
local REGISTER = {
    [0x00] = "VENDOR_ID", [0x02] = "DEVICE_ID", [0x04] = "COMMAND", [0x06] = "STATUS",
    [0x08] = "REVISION", [0x09] = "CLASS", [0x0c] = "CACHE_LINE", [0x0d] = "LATENCY",
    [0x0e] = "HEADER_TYPE", [0x0f] = "BIST", [0x10] = "BAR0", [0x14] = "BAR1", [0x18] = "BAR2",
    [0x1c] = "BAR3", [0x20] = "BAR4", [0x24] = "BAR5", [0x28] = "CARDBUS_CIS",
    [0x2c] = "SUBSYSTEM_VENDOR_ID", [0x2e] = "SUBSYSTEM_ID", [0x30] = "ROM",
    [0x34] = "CAPABILITIES", [0x3c] = "INTERRUPT_LINE", [0x3d] = "INTERRUPT_PIN",
    [0x3e] = "MIN_GNT", [0x3f] = "MAX_LAT",
}
local CONFIG_REGION = 7

-- ---- fields ----

local vfio_fields, capture_fields = {}, {}

local function register(list, field)
    list[#list + 1] = field
    return field
end

local function add_field(kind, name, ...)
    return register(vfio_fields, ProtoField[kind]("vfio_user." .. name, ...))
end

local function add_capture(kind, name, ...)
    return register(capture_fields, ProtoField[kind]("vfio_user_capture." .. name, ...))
end

local UINT = { "uint8", "uint16", [4] = "uint32", [8] = "uint64" }

-- Gives a structure's column its field, and one for each of its bits.
local function define_column(add, prefix, column)
    local name, size, title = column[1], column[2], column[3]
    local full = prefix .. name
    column.name, column.size = name, size
    if column.time then
        column.field = add("relative_time", full, title)
    elseif column.bits then
        column.field = add(UINT[size], full, title, base.HEX)
        for _, bit in ipairs(column.bits) do
            bit.name, bit.mask = bit[1], bit[2]
            bit.field = add("bool", full .. "." .. bit.name, bit[3], size * 8, nil, bit.mask)
        end
    elseif column.names then
        column.field = add(UINT[size], full, title, base.DEC, column.names)
    else
        column.field = add(UINT[size], full, title, column.hex and base.HEX or base.DEC)
    end
end

-- Lays columns out in order, without padding: {name, bytes, title}. Returns the bytes of all.
local function define_columns(add, prefix, columns)
    local size = 0
    for _, column in ipairs(columns) do
        column.at = size
        size = size + column[2]
        define_column(add, prefix, column)
    end
    return size
end

-- Makes a structure of fixed size.
local function define(name, title, columns)
    local field = add_field("none", name, title)
    local size = define_columns(add_field, name .. ".", columns)
    return { field = field, columns = columns, size = size }
end

local REGION_FLAGS = { { "read", 0x1, "Can be read" }, { "write", 0x2, "Can be written" },
                       { "mmap", 0x4, "Can be mapped" }, { "caps", 0x8, "Has capabilities" } }
local IRQ_FLAGS = { { "eventfd", 0x1, "Signalled by eventfd" }, { "maskable", 0x2, "Maskable" },
                    { "automasked", 0x4, "Masks itself" }, { "noresize", 0x8, "Set as a whole" } }
local SET_FLAGS = {
    { "none", 0x1, "DATA_NONE" }, { "bool", 0x2, "DATA_BOOL" }, { "eventfd", 0x4, "DATA_EVENTFD" },
    { "mask", 0x8, "ACTION_MASK" }, { "unmask", 0x10, "ACTION_UNMASK" },
    { "trigger", 0x20, "ACTION_TRIGGER" },
}
local FEATURE_GET, FEATURE_SET, FEATURE_PROBE = 0x10000, 0x20000, 0x40000

local S = {}
S.version = define("version", "Version", { { "major", 2, "Major" }, { "minor", 2, "Minor" } })
S.dma_map = define("dma_map", "DMA region", {
    { "argsz", 4, "argsz" },
    { "flags", 4, "Flags",
      bits = { { "readable", 0x1, "Readable" }, { "writeable", 0x2, "Writeable" } } },
    { "offset", 8, "Offset in the fd", hex = true }, { "address", 8, "Address", hex = true },
    { "size", 8, "Size", hex = true },
})
S.dma_unmap = define("dma_unmap", "DMA region", {
    { "argsz", 4, "argsz" }, { "flags", 4, "Flags", hex = true },
    { "address", 8, "Address", hex = true }, { "size", 8, "Size", hex = true },
})
S.device_info = define("device_info", "Device", {
    { "argsz", 4, "argsz" },
    { "flags", 4, "Flags",
      bits = { { "reset", 0x1, "Can be reset" }, { "pci", 0x2, "PCI device" } } },
    { "num_regions", 4, "Regions" }, { "num_irqs", 4, "Interrupt types" },
})
S.region_info = define("region_info", "Region", {
    { "argsz", 4, "argsz" }, { "flags", 4, "Flags", bits = REGION_FLAGS },
    { "index", 4, "Region", names = REGION },
    { "cap_offset", 4, "First capability at", hex = true },
    { "size", 8, "Size", hex = true }, { "offset", 8, "Offset for mmap", hex = true },
})
S.cap = define("cap", "Capability", {
    { "id", 2, "Capability", names = CAPABILITY }, { "version", 2, "Version" },
    { "next", 4, "Next one at", hex = true },
})
S.sparse = define("sparse", "Areas that can be mapped", {
    { "nr_areas", 4, "Areas" }, { "reserved", 4, "Reserved", hex = true },
})
S.sparse_area = define("sparse.area", "Area", {
    { "offset", 8, "Offset", hex = true }, { "size", 8, "Size", hex = true },
})
S.cap_type = define("cap_type", "Type of the region", {
    { "type", 4, "Type", hex = true }, { "subtype", 4, "Subtype", hex = true },
})
S.io_fds = define("io_fds", "Region's I/O by fds", {
    { "argsz", 4, "argsz" }, { "flags", 4, "Flags", hex = true },
    { "index", 4, "Region", names = REGION }, { "count", 4, "Sub-regions" },
})
S.io_fd = define("io_fd", "Sub-region", {
    { "offset", 8, "Offset", hex = true }, { "size", 8, "Size", hex = true },
    { "fd_index", 4, "Index of the fd" }, { "type", 4, "Type", names = IO_FD },
    { "flags", 4, "Flags", hex = true }, { "padding", 4, "Padding", hex = true },
    { "datamatch", 8, "Data to match, or user data", hex = true },
})
S.irq_info = define("irq_info", "Interrupt type", {
    { "argsz", 4, "argsz" }, { "flags", 4, "Flags", bits = IRQ_FLAGS },
    { "index", 4, "Interrupt", names = IRQ }, { "count", 4, "Interrupts" },
})
S.irq_set = define("irq_set", "Interrupts", {
    { "argsz", 4, "argsz" },
    { "flags", 4, "Flags", bits = SET_FLAGS }, { "index", 4, "Interrupt", names = IRQ },
    { "start", 4, "First" }, { "count", 4, "Count" },
})
S.region = define("region", "Region access", {
    { "offset", 8, "Offset", hex = true }, { "index", 4, "Region", names = REGION },
    { "count", 4, "Bytes" },
})
S.dma = define("dma", "DMA access", {
    { "address", 8, "Address", hex = true }, { "count", 8, "Bytes" },
})
-- The reply to DMA_WRITE: 4 bytes of count by the specification; QEMU and libvfio-user send 8.
S.dma_written = { field = S.dma.field, size = 12, columns = {
    S.dma.columns[1], { name = "count", at = 8, size = 4, field = S.dma.columns[2].field } } }
S.write_multi = define("write_multi", "Region writes", { { "wr_cnt", 8, "Writes" } })
S.feature = define("feature", "Device feature", {
    { "argsz", 4, "argsz" },
    { "flags", 4, "Flags", index = true, bits = {
        { "get", FEATURE_GET, "Get" }, { "set", FEATURE_SET, "Set" },
        { "probe", FEATURE_PROBE, "Probe" } } },
})
S.migration = define("migration", "Migration", {
    { "flags", 8, "Flags", bits = { { "stop_copy", 0x1, "STOP_COPY" }, { "p2p", 0x2, "P2P" },
                                    { "pre_copy", 0x4, "PRE_COPY" } } },
})
S.mig_state = define("mig_state", "Migration state", {
    { "device_state", 4, "State", names = MIG_STATE }, { "data_fd", 4, "Data fd, unused" },
})
S.dma_logging = define("dma_logging", "DMA logging", {
    { "page_size", 8, "Page size", hex = true }, { "num_ranges", 4, "Ranges" },
    { "reserved", 4, "Reserved", hex = true },
})
S.dma_logging_range = define("dma_logging.range", "Range", {
    { "iova", 8, "Address", hex = true }, { "length", 8, "Length", hex = true },
})
S.dma_report = define("dma_report", "DMA logging report", {
    { "iova", 8, "Address", hex = true }, { "length", 8, "Length", hex = true },
    { "page_size", 8, "Page size", hex = true },
})
S.mig_data = define("mig_data", "Migration data", {
    { "argsz", 4, "argsz" }, { "size", 4, "Bytes" },
})

local F = {
    id = add_field("uint16", "id", "Message ID", base.HEX),
    size = add_field("uint32", "size", "Message size", base.DEC),
    flags = add_field("uint32", "flags", "Flags", base.HEX),
    type = add_field("uint32", "flags.type", "Type", base.DEC, TYPE, 0xf),
    no_reply = add_field("bool", "flags.no_reply", "No_reply", 32, nil, 0x10),
    error_bit = add_field("bool", "flags.error", "Error", 32, nil, 0x20),
    error = add_field("uint32", "error", "Error", base.DEC, ERRNO),
    request_in = add_field("framenum", "request_in", "Request in", base.NONE, frametype.REQUEST),
    response_in = add_field("framenum", "response_in", "Response in", base.NONE,
                            frametype.RESPONSE),
    time = add_field("relative_time", "time", "Response time"),
    data = add_field("bytes", "data", "Data"),
    region_data = add_field("bytes", "region.data", "Data"),
    region_value = add_field("uint64", "region.value", "Value, little-endian", base.HEX),
    register = add_field("string", "region.register", "Register"),
    dma_data = add_field("bytes", "dma.data", "Data"),
    mig_bytes = add_field("bytes", "mig_data.data", "Data"),
    irq_bool = add_field("bytes", "irq_set.data", "Booleans"),
    feature = add_field("uint32", "feature.index", "Feature", base.DEC, FEATURE, 0xffff),
    bitmap = add_field("bytes", "dma_report.bitmap", "Bitmap"),
    json = add_field("string", "version.data", "JSON"),
}

-- Members of VERSION's JSON by their path, with the kind of their value.
local MEMBER = {}
local function member(path, kind, name, title)
    MEMBER[path] = { kind = kind, field = add_field(kind, name, title) }
end
for _, name in ipairs({ "max_msg_fds", "max_data_xfer_size", "max_dma_maps", "pgsizes" }) do
    member("capabilities." .. name, "uint64", "capabilities." .. name, name)
end
member("capabilities.write_multiple", "bool", "capabilities.write_multiple", "write_multiple")
member("capabilities.twin_socket.supported", "bool", "capabilities.twin_socket.supported",
       "twin_socket supported")
member("capabilities.twin_socket.fd_index", "uint64", "capabilities.twin_socket.fd_index",
       "twin_socket fd_index")
member("capabilities.migration.pgsize", "uint64", "capabilities.migration.pgsize",
       "migration pgsize")
member("capabilities.migration.max_bitmap_size", "uint64",
       "capabilities.migration.max_bitmap_size", "migration max_bitmap_size")
member("capabilities.licence", "string", "licence", "Licence")
member("capabilities.poem", "string", "poem.refrain", "Refrain")
member("capabilities.poem.v", "uint64", "poem.v", "Version of the recital's protocol")
member("capabilities.poem.challenge", "string", "poem.challenge", "Challenge")
member("capabilities.poem.through[]", "string", "poem.through", "Came through the broker")
member("capabilities.poem.recital.text", "string", "poem.recital.text", "Recited text")
member("capabilities.poem.recital.sha256", "string", "poem.recital.sha256", "Digest of the text")
member("capabilities.poem.recital.licence", "string", "poem.recital.licence", "Recited under")
member("capabilities.poem.recital.proof", "string", "poem.recital.proof", "Proof")
member("capabilities.poem.recital.nonce", "string", "poem.recital.nonce", "Nonce")
member("capabilities.poem.via[].by", "string", "poem.via.by", "Via the broker")
member("capabilities.poem.via[].recited", "string", "poem.via.recited", "Whose server recited")
member("capabilities.poem.via[].licence", "string", "poem.via.licence", "Whose server's licence")

local CAPTURE_COLUMNS = {
    { "version", 1, "Version of the capture header" },
    { "flags", 1, "Flags", bits = {
        { "big_endian", 0x1, "Big-endian" }, { "broker", 0x2, "Made by the broker" },
        { "twin", 0x4, "On the twin sockets" }, { "undelivered", 0x8, "Not delivered" } } },
    { "length", 2, "Length of the capture header" },
    { "legs", 1, "Seen on", bits = {
        { "client", 0x1, "The client's socket" }, { "backend", 0x2, "The backend's socket" } } },
    { "sender", 1, "Sender", names = SENDER }, { "fds", 2, "Number of fds" },
    { "session", 8, "Session" }, { "delivered", 8, "Delivered after", time = true },
    { "size", 4, "Size of the whole message" }, { "lost", 4, "Messages lost right before" },
    { "number", 8, "Number in the session" },
}
define_columns(add_capture, "", CAPTURE_COLUMNS)

local FD_COLUMNS = {
    { "kind", 1, "Kind", names = FD_KIND }, { "access", 1, "Access", names = FD_ACCESS },
    { "flags", 2, "Flags", bits = { { "withheld", 0x1, "Withheld" } } },
    { "seals", 4, "Seals", bits = {
        { "seal", 0x1, "F_SEAL_SEAL" }, { "shrink", 0x2, "F_SEAL_SHRINK" },
        { "grow", 0x4, "F_SEAL_GROW" }, { "write", 0x8, "F_SEAL_WRITE" },
        { "future_write", 0x10, "F_SEAL_FUTURE_WRITE" }, { "exec", 0x20, "F_SEAL_EXEC" } } },
    { "device", 8, "Device", hex = true }, { "inode", 8, "Inode" }, { "size", 8, "Size" },
}
define_columns(add_capture, "fd.", FD_COLUMNS)

local C = { fd = add_capture("none", "fd", "File descriptor") }

-- ---- expert information ----

-- Named like the rules of "poemctl trace lint", if it has them.
local E, CAPTURE_E, CAPTURE_TEXT = {}, {}, {}
local function define_expert(list, prefix, name, text, group, severity)
    list[name] = ProtoExpert.new(prefix .. "." .. name, text, expert.group[group],
                                 expert.severity[severity])
end
for _, row in ipairs({
    { "unasked_reply", "A reply without a request", "SEQUENCE", "ERROR" },
    { "reply_to_no_reply", "A reply to a request with No_reply", "SEQUENCE", "ERROR" },
    { "unanswered", "No reply was seen", "SEQUENCE", "NOTE" },
    { "reply_command", "The reply names another command than its request", "SEQUENCE", "ERROR" },
    { "error_reply", "An error reply", "RESPONSE_CODE", "NOTE" },
    { "error_without_reply", "An error reply whose type is not Reply", "PROTOCOL", "ERROR" },
    { "error_in_command", "Error in a command, in which it has no meaning", "PROTOCOL", "WARN" },
    { "error_payload", "An error reply with a payload", "PROTOCOL", "ERROR" },
    { "unknown_type", "Neither command nor reply", "PROTOCOL", "ERROR" },
    { "reserved_flags", "Reserved flags in the header", "PROTOCOL", "WARN" },
    { "flags", "Flags that exclude each other, or reserved ones", "PROTOCOL", "ERROR" },
    { "unknown_command", "A command that the specification does not have", "UNDECODED", "WARN" },
    { "wrong_direction", "A command that only the other side may send", "PROTOCOL", "ERROR" },
    { "header_size", "The header's size differs from the message's", "PROTOCOL", "ERROR" },
    { "payload_short", "The payload is shorter than its fixed part", "PROTOCOL", "ERROR" },
    { "payload_long", "The payload is longer than it may be", "PROTOCOL", "ERROR" },
    { "count", "A count does not agree with the bytes that follow", "PROTOCOL", "ERROR" },
    { "reply_over_argsz", "The reply is larger than the request's argsz", "PROTOCOL", "ERROR" },
    { "reply_count", "The reply has more data than the request asked for", "PROTOCOL", "ERROR" },
    { "caps", "The capability list leaves its message", "PROTOCOL", "ERROR" },
    { "fds_where_none", "File descriptors that the message may not have", "PROTOCOL", "ERROR" },
    { "too_many_fds", "More file descriptors than the receiver accepts", "PROTOCOL", "ERROR" },
    { "data_over_max", "More data than the receiver accepts", "PROTOCOL", "ERROR" },
    { "dma_outside", "DMA outside mapped memory", "PROTOCOL", "ERROR" },
    { "dma_flags", "DMA that the mapping does not allow", "PROTOCOL", "ERROR" },
    { "version_data", "Version data that is not JSON with a NUL at its end", "PROTOCOL", "ERROR" },
}) do
    define_expert(E, "vfio_user.expert", row[1], row[2], row[3], row[4])
end
for _, row in ipairs({
    { "lost", "Messages before this one were lost", "SEQUENCE", "WARN" },
    { "not_delivered", "The session ended before it was delivered", "SEQUENCE", "NOTE" },
    { "cut", "The capture header is not whole", "PROTOCOL", "NOTE" },
    { "header", "An unknown or inconsistent capture header", "UNDECODED", "WARN" },
}) do
    define_expert(CAPTURE_E, "vfio_user_capture.expert", row[1], row[2], row[3], row[4])
    CAPTURE_TEXT[row[1]] = row[2]
end

local function values_of(experts)
    local list = {}
    for _, expert_field in pairs(experts) do
        list[#list + 1] = expert_field
    end
    return list
end

-- ---- state of a capture ----

local sessions    -- by the session's number
local request_in  -- by frame: of a reply, the frame of its request
local response_in -- … of a request, the frame of its reply
local response_time
local findings    -- … a list of {name in E, text or nil}; none: nil

local function forget()
    sessions, request_in, response_in, response_time, findings = {}, {}, {}, {}, {}
end
forget()
capture.init = forget

local function session_of(number)
    local session = sessions[number]
    if not session then
        -- limits: by sender, those that its receiver set in VERSION. maps: sorted by address; nil
        -- unless all of them are known. leaving: unmappings that the backend may not know of yet.
        session = { pending = {}, silent = {}, limits = {}, maps = nil, leaving = {}, whole = false,
                    next_number = 1 }
        sessions[number] = session
    end
    return session
end

-- ---- small helpers ----

local function has_bit(value, mask)
    return value % (mask * 2) >= mask
end

-- Reads 8-byte numbers as Lua's numbers if that is exact, else as UInt64.
local function hex(value)
    if type(value) == "number" then
        return ("0x%x"):format(value)
    end
    return "0x" .. (value:tohex():gsub("^0+(.)", "%1"))
end

local function decimal(value)
    return type(value) == "number" and ("%.0f"):format(value) or tostring(value)
end

local function rounded(value)
    return type(value) == "number" and value or value:tonumber()
end

local function exact(value)
    return type(value) == "number" and value or nil
end

local function sum(one, other)
    local rough = rounded(one) + rounded(other)
    if rough < EXACT then
        return rough
    end
    local function long(value)
        return type(value) == "number" and UInt64.new(value) or value
    end
    return long(one) + long(other)
end

local function name_of(names, value, what)
    return names[value] or (what .. " " .. value)
end

local function flag_names(column, value)
    local names = {}
    for _, bit in ipairs(column.bits) do
        if has_bit(value, bit.mask) then
            names[#names + 1] = bit.name
        end
    end
    return table.concat(names, " ")
end

-- ---- a message ----

local Message = {}
Message.__index = Message

-- Stands for a branch of a tree that is not displayed: then no item and no range is made.
local NOTHING = {}
for _, name in ipairs({ "append_text", "set_generated", "set_len" }) do
    NOTHING[name] = function()
        return NOTHING
    end
end

local byte = string.byte

function Message:has(at, length)
    return at + length <= self.kept
end

function Message:find(name, text)
    self.found[#self.found + 1] = { name, text }
end

-- The item of its protocol. Expert information needs one even if the tree is not displayed.
function Message:root()
    if self.tree ~= NOTHING then
        return self.tree
    elseif self.kept > 0 then
        return self.top:add(self.proto, self.tvb(0, self.kept))
    end
    return self.top:add(self.proto)
end

function Message:uint(at, length)
    if length == 1 then
        return byte(self.bytes, at + 1)
    elseif length == 8 then
        local low, high = self:uint(at, 4), self:uint(at + 4, 4)
        if self.big then
            low, high = high, low
        end
        return high < 0x200000 and high * 0x100000000 + low or UInt64.new(low, high)
    end
    local a, b, c, d = byte(self.bytes, at + 1, at + length)
    if length == 2 then
        c, d = 0, 0
        if self.big then
            a, b = b, a
        end
    elseif self.big then
        a, b, c, d = d, c, b, a
    end
    return ((d * 0x100 + c) * 0x100 + b) * 0x100 + a
end

-- Keeps the last range: a word of flags is wanted once for each of its bits.
function Message:range(at, length)
    if self.range_at ~= at or self.range_length ~= length then
        self.range_at, self.range_length = at, length
        self.last_range = self.tvb(at, length)
    end
    return self.last_range
end

function Message:add(tree, field, at, length)
    if tree == NOTHING then
        return NOTHING
    end
    local range = self:range(at, length)
    return self.big and tree:add(field, range) or tree:add_le(field, range)
end

-- Adds a value that differs from its bytes.
function Message:add_value(tree, field, at, length, value)
    if tree == NOTHING then
        return NOTHING
    end
    return tree:add(field, self:range(at, length), value)
end

-- Returns a column's set bits, and whether unknown ones are set; a feature's index is not a bit.
local function show_bits(m, branch, column, at, value)
    local rest = rounded(value)
    for _, bit in ipairs(column.bits) do
        m:add(branch, bit.field, at, column.size)
        if has_bit(rest, bit.mask) then
            rest = rest - bit.mask
        end
    end
    if column.index then
        m:add(branch, F.feature, at, column.size)
        rest = rest - rest % 0x10000
    end
    if rest ~= 0 then
        m:find("flags", "Reserved bits in " .. hex(value))
    end
end

local function seconds_of(ns)
    local sign = ns < 0 and -1 or 1
    local seconds = math.floor(ns * sign / 1e9)
    return NSTime.new(sign * seconds, sign * (ns * sign - seconds * 1e9))
end

-- Adds columns as far as their bytes are there. Returns their values by name, or nil if it is cut.
local function show_columns(m, branch, columns, at, length)
    local values = {}
    for _, column in ipairs(columns) do
        local size, place = column.size, at + column.at
        if column.at + size > length then
            return nil
        end
        local value = m:uint(place, size)
        values[column.name] = value
        if column.time and branch ~= NOTHING then
            m:add_value(branch, column.field, place, size, seconds_of(rounded(value)))
        elseif column.bits then
            show_bits(m, m:add(branch, column.field, place, size), column, place, value)
        else
            m:add(branch, column.field, place, size)
        end
    end
    return values
end

-- Adds a structure as far as it was kept. Returns its values by name, or nil unless it was kept
-- whole, and the branch that it is in.
local function show(m, tree, structure, at)
    local length = math.min(structure.size, m.kept - at)
    if length <= 0 then
        return nil, tree
    end
    local branch = m:add(tree, structure.field, at, length)
    local values = show_columns(m, branch, structure.columns, at, length)
    if not values then
        branch:append_text(" [not whole]")
    end
    return values, branch
end

-- Adds the bytes from there to the message's end, as far as they were kept.
local function show_data(m, tree, field, at)
    local length = math.min(m.whole, m.kept) - at
    if length <= 0 then
        return nil
    end
    local item = m:add(tree, field, at, length)
    if m.whole - at > length then
        item:append_text((" (%d of %d bytes kept)"):format(length, m.whole - at))
    end
    return item
end

-- Adds the data that a count announces.
local function show_counted(m, tree, field, at, count)
    if m.whole - at ~= count then
        m:find("count", decimal(count) .. " bytes announced, " .. m.whole - at .. " are there")
    end
    return show_data(m, tree, field, at)
end

-- ---- JSON ----

local ESCAPE = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\",
                 ["/"] = "/" }

local function utf8_char(code)
    local char, floor = string.char, math.floor
    if code < 0x80 then
        return char(code)
    elseif code < 0x800 then
        return char(0xc0 + floor(code / 0x40), 0x80 + code % 0x40)
    elseif code < 0x10000 then
        return char(0xe0 + floor(code / 0x1000), 0x80 + floor(code / 0x40) % 0x40,
                    0x80 + code % 0x40)
    end
    return char(0xf0 + floor(code / 0x40000), 0x80 + floor(code / 0x1000) % 0x40,
                0x80 + floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
end

-- Reads one \u escape, or two that form one character: returns its text and the position behind it.
-- Half a pair becomes the replacement character.
local function json_unicode(text, at)
    local high = tonumber(text:match("^%x%x%x%x", at) or "", 16)
    if not high then
        return nil
    end
    at = at + 4
    if high >= 0xd800 and high < 0xdc00 then
        local low = tonumber(text:match("^\\u(%x%x%x%x)", at) or "", 16)
        if low and low >= 0xdc00 and low < 0xe000 then
            return utf8_char(0x10000 + (high - 0xd800) * 0x400 + low - 0xdc00), at + 6
        end
    end
    if high >= 0xd800 and high < 0xe000 then
        high = 0xfffd
    end
    return utf8_char(high), at
end

-- Returns the string with its quote at `at`, and the position behind it; nil if it is malformed.
local function json_string(text, at)
    local parts = {}
    at = at + 1
    while true do
        local plain = text:match('^[^"\\%c]*', at)
        parts[#parts + 1] = plain
        at = at + #plain
        local mark = text:sub(at, at)
        if mark == '"' then
            return table.concat(parts), at + 1
        elseif mark ~= "\\" then
            return nil
        end
        local letter = text:sub(at + 1, at + 1)
        local piece, after = ESCAPE[letter], at + 2
        if letter == "u" then
            piece, after = json_unicode(text, at + 2)
        end
        if not piece then
            return nil
        end
        parts[#parts + 1] = piece
        at = after
    end
end

local function json_space(text, at)
    return text:match("^[ \t\r\n]*()", at)
end

local json_value

-- Reads the members of the object or the elements of the array that opens at `at`.
local function json_container(text, at, path, depth, leaf)
    local object = text:sub(at, at) == "{"
    local close = object and "}" or "]"
    at = json_space(text, at + 1)
    if text:sub(at, at) == close then
        return at + 1
    end
    while true do
        local name = path .. "[]"
        if object then
            if text:sub(at, at) ~= '"' then
                return nil
            end
            name, at = json_string(text, at)
            at = name and text:match("^[ \t\r\n]*:[ \t\r\n]*()", at)
            name = name and (path == "" and name or path .. "." .. name)
        end
        at = at and json_value(text, at, name, depth + 1, leaf)
        at = at and json_space(text, at)
        local mark = at and text:sub(at, at)
        if mark == close then
            return at + 1
        elseif mark ~= "," then
            return nil
        end
        at = json_space(text, at + 1)
    end
end

local WORD = { ["true"] = true, ["false"] = false }

-- Reads a value and calls leaf(path, value, first, last) for it, or for the values in it. Returns
-- the position behind it; nil if it is malformed, or nested deeper than JSON_DEPTH.
function json_value(text, at, path, depth, leaf)
    local mark = text:sub(at, at)
    if mark == "{" or mark == "[" then
        return depth < JSON_DEPTH and json_container(text, at, path, depth, leaf) or nil
    elseif mark == '"' then
        local value, after = json_string(text, at)
        if value then
            leaf(path, value, at, after - 1)
        end
        return after
    end
    local word = text:match("^%l+", at)
    if word then
        if WORD[word] ~= nil then
            leaf(path, WORD[word], at, at + #word - 1)
        elseif word ~= "null" then
            return nil
        end
        return at + #word
    end
    local number = text:match("^-?%d+[%d.eE+-]*", at)
    if not number or not tonumber(number) then
        return nil
    end
    leaf(path, tonumber(number), at, at + #number - 1)
    return at + #number
end

-- Returns true if the text is one JSON value; leaf is called for all values before a fault, too.
local function read_json(text, leaf)
    local at = json_value(text, json_space(text, 1), "", 0, leaf)
    return at ~= nil and json_space(text, at) == #text + 1
end

-- ---- VERSION ----

-- Returns the value in the form that its field needs; nil if it has another type.
local function member_value(kind, value)
    if kind == "uint64" then
        local whole = type(value) == "number" and value >= 0 and value < EXACT and value % 1 == 0
        return whole and UInt64.new(value) or nil
    elseif type(value) == (kind == "bool" and "boolean" or kind) then
        return value
    end
    return nil
end

-- Only a field of bytes can show bytes that are not UTF-8.
local function is_utf8(text)
    local at = text:find("[\128-\255]")
    while at do
        at = text:match("^[\194-\223][\128-\191]()", at) or
            text:match("^[\224-\239][\128-\191][\128-\191]()", at) or
            text:match("^[\240-\244][\128-\191][\128-\191][\128-\191]()", at)
        if not at then
            return false
        end
        at = text:find("[\128-\255]", at)
    end
    return true
end

local function show_members(m, tree, text, at)
    m.members = {}
    return read_json(text, function(path, value, first, last)
        local known = MEMBER[path]
        local shown = known and member_value(known.kind, value)
        if shown ~= nil then
            m:add_value(tree, known.field, at + first - 1, last - first + 1, shown):set_generated()
            m.members[path] = value
        end
    end)
end

-- Dissectors by name, looked up late, since all must be registered before.
local found_dissectors = {}

local function dissector_of(name)
    local dissector = found_dissectors[name] or Dissector.get(name)
    found_dissectors[name] = dissector
    return dissector
end

local function show_version_data(m, tree, _, at)
    local length = math.min(m.whole, m.kept) - at
    if length <= 0 then
        return
    end
    local text = m.bytes:sub(at + 1, at + length)
    if m.kept < m.whole then
        -- The cut may be inside a character.
        while not is_utf8(text) and #text > length - 4 do
            text = text:sub(1, -2)
        end
        text = is_utf8(text) and text or "?"
        m:add_value(tree, F.json, at, length, text):append_text(" [not whole]")
        return
    end
    local nul = text:sub(-1) == "\0"
    text = nul and text:sub(1, -2) or text
    if #text == 0 or not is_utf8(text) or text:find("\0", 1, true) then
        m:find("version_data")
        show_data(m, tree, F.data, at)
        return
    end
    m:add_value(tree, F.json, at, #text, text)
    if not show_members(m, tree, text, at) or not nul then
        m:find("version_data")
    end
    if tree ~= NOTHING then
        dissector_of("json"):call(m.tvb(at, #text):tvb(), m.pinfo, tree)
        m.pinfo.cols.protocol = PROTOCOL
    end
end

local function tell_version(m, v)
    local members = m.members or {}
    local words = { v.major .. "." .. v.minor }
    if members["capabilities.poem.challenge"] then
        words[#words + 1] = "challenge"
    end
    if members["capabilities.poem.recital.text"] then
        words[#words + 1] = "recital"
    end
    if members["capabilities.poem"] then
        words[#words + 1] = "refrain"
    end
    local licence = members["capabilities.poem.recital.licence"] or members["capabilities.licence"]
    if licence then
        words[#words + 1] = licence:gsub("[^%w.+() -]", "?")
    end
    return table.concat(words, " ")
end

-- ---- payloads: the part behind the fixed one, and the text of the info column ----

local function tell_range(address, size)
    return hex(address) .. ".." .. hex(sum(address, size))
end

local function tell_dma_map(_, v)
    local access = (has_bit(v.flags, 0x1) and "r" or "-") .. (has_bit(v.flags, 0x2) and "w" or "-")
    return tell_range(v.address, v.size) .. " " .. access
end

local function tell_dma_unmap(_, v)
    return tell_range(v.address, v.size)
end

local function tell_device_info(_, v)
    return ("regions=%d irqs=%d %s"):format(v.num_regions, v.num_irqs,
                                            flag_names(S.device_info.columns[2], v.flags))
end

local function tell_region_index(_, v)
    return name_of(REGION, v.index, "region")
end

local function tell_region_info(m, v)
    return ("%s size=%s %s"):format(tell_region_index(m, v), hex(v.size),
                                    flag_names(S.region_info.columns[2], v.flags))
end

local function show_sparse(m, tree, at)
    local sparse, branch = show(m, tree, S.sparse, at)
    if not sparse then
        return
    end
    at = at + S.sparse.size
    if sparse.nr_areas > (m.whole - at) / S.sparse_area.size then
        m:find("count", sparse.nr_areas .. " areas do not fit into the message")
    end
    for _ = 1, sparse.nr_areas do
        if not show(m, branch, S.sparse_area, at) then
            return
        end
        at = at + S.sparse_area.size
    end
end

-- Offsets count from the start of the region info, and must increase: else a list could loop.
local function show_caps(m, tree, v, rest)
    local base_at = rest - S.region_info.size
    local least, offset = S.region_info.size, v.cap_offset
    if not has_bit(v.flags, 0x8) or (m.whole == rest and v.argsz > S.region_info.size) then
        return
    end
    while offset ~= 0 do
        if offset < least or base_at + offset + S.cap.size > m.whole then
            m:find("caps", "A capability at " .. hex(offset))
            return
        end
        local cap, branch = show(m, tree, S.cap, base_at + offset)
        if not cap then
            return
        end
        if cap.id == 1 then
            show_sparse(m, branch, base_at + offset + S.cap.size)
        elseif cap.id == 2 then
            show(m, branch, S.cap_type, base_at + offset + S.cap.size)
        end
        least, offset = offset + S.cap.size, cap.next
    end
end

-- The bytes themselves show the entries' size; there are no entries if argsz was too small for
-- them.
local function show_io_fds(m, tree, v, at)
    local left = m.whole - at
    if left == 0 then
        return
    end
    local stride = v.count > 0 and left / v.count or 0
    if stride < S.io_fd.size or stride % 1 ~= 0 then
        m:find("count", ("%d sub-regions in %d bytes"):format(v.count, left))
        show_data(m, tree, F.data, at)
        return
    end
    while m:has(at, 1) do
        show(m, tree, S.io_fd, at)
        at = at + stride
    end
end

local function tell_io_fds(m, v)
    return ("%s count=%d"):format(tell_region_index(m, v), v.count)
end

local function tell_irq_info(_, v)
    return ("%s count=%d %s"):format(name_of(IRQ, v.index, "irq"), v.count,
                                     flag_names(S.irq_info.columns[2], v.flags))
end

local function tell_irq_index(_, v)
    return name_of(IRQ, v.index, "irq")
end

local function one_of(value, masks)
    local set = 0
    for _, mask in ipairs(masks) do
        set = set + (has_bit(value, mask) and 1 or 0)
    end
    return set == 1
end

local function show_irq_set(m, tree, v, at)
    if not one_of(v.flags, { 0x1, 0x2, 0x4 }) or not one_of(v.flags, { 0x8, 0x10, 0x20 }) then
        m:find("flags")
    end
    if has_bit(v.flags, 0x2) then
        show_counted(m, tree, F.irq_bool, at, v.count)
    elseif m.whole > at then
        m:find("payload_long")
        show_data(m, tree, F.data, at)
    end
end

local function tell_irq_set(_, v)
    return ("%s %d..%d %s"):format(name_of(IRQ, v.index, "irq"), v.start, v.start + v.count,
                                   flag_names(S.irq_set.columns[2], v.flags))
end

local VALUE_SIZES = { [1] = true, [2] = true, [4] = true, [8] = true }

-- A device's registers are little-endian whatever the hosts are. Returns the value's text, or "".
local function show_value(m, tree, at, count)
    if not VALUE_SIZES[count] or not m:has(at, count) then
        return ""
    end
    local value = 0
    for place = at + count, at + 1, -1 do
        value = sum(value * 0x100, byte(m.bytes, place))
    end
    if tree ~= NOTHING then
        local long = type(value) == "number" and UInt64.new(value) or value
        m:add_value(tree, F.region_value, at, count, long):set_generated()
    end
    return " = " .. hex(value)
end

local function register_of(v)
    return v.index == CONFIG_REGION and REGISTER[v.offset] or nil
end

local function show_register(m, tree, v, at)
    local register_name = register_of(v)
    if register_name then
        m:add_value(tree, F.register, at, 8, register_name):set_generated()
    end
end

local function show_region(m, tree, v, at)
    show_register(m, tree, v, at - S.region.size)
end

local function show_region_data(m, tree, v, at)
    show_region(m, tree, v, at)
    show_counted(m, tree, F.region_data, at, v.count)
    m.value = show_value(m, tree, at, v.count)
end

local function tell_region(m, v)
    local name = register_of(v)
    return ("%s+%s%s %d%s"):format(name_of(REGION, v.index, "region"), hex(v.offset),
                                   name and " " .. name or "", v.count, m.value or "")
end

local function show_dma_data(m, tree, v, at)
    show_counted(m, tree, F.dma_data, at, v.count)
end

local function show_dma_written(m, tree, _, at)
    if m.whole > at then
        m:find("payload_long")
        show_data(m, tree, F.data, at)
    end
end

local function tell_dma(_, v)
    return hex(v.address) .. " " .. decimal(v.count)
end

local function show_writes(m, tree, v, at)
    local left = m.whole - at
    if left ~= rounded(v.wr_cnt) * (S.region.size + 8) then
        m:find("count", ("%s writes in %d bytes"):format(decimal(v.wr_cnt), left))
    end
    while m:has(at, 1) do
        local write, branch = show(m, tree, S.region, at)
        if not write then
            return
        end
        at = at + S.region.size
        show_register(m, branch, write, at - S.region.size)
        if write.count == 0 or write.count > 8 then
            m:find("count", ("a write of %d bytes"):format(write.count))
        elseif m:has(at, write.count) then
            m:add(branch, F.region_data, at, write.count)
            show_value(m, branch, at, write.count)
        end
        at = at + 8
    end
end

local function tell_writes(_, v)
    return decimal(v.wr_cnt) .. (v.wr_cnt == 1 and " write" or " writes")
end

local function show_ranges(m, tree, at)
    local logging, branch = show(m, tree, S.dma_logging, at)
    if not logging then
        return
    end
    at = at + S.dma_logging.size
    if m.whole - at ~= logging.num_ranges * S.dma_logging_range.size then
        m:find("count", ("%d ranges in %d bytes"):format(logging.num_ranges, m.whole - at))
    end
    while m:has(at, 1) and show(m, branch, S.dma_logging_range, at) do
        at = at + S.dma_logging_range.size
    end
end

local FEATURE_DATA = {
    [1] = function(m, tree, at)
        local v = show(m, tree, S.migration, at)
        m.value = v and " " .. flag_names(S.migration.columns[1], rounded(v.flags))
    end,
    [2] = function(m, tree, at)
        local v = show(m, tree, S.mig_state, at)
        m.value = v and " " .. name_of(MIG_STATE, v.device_state, "state")
    end,
    [6] = show_ranges,
    [8] = function(m, tree, at)
        local v = show(m, tree, S.dma_report, at)
        m.value = v and " " .. tell_range(v.iova, v.length)
        show_data(m, tree, F.bitmap, at + S.dma_report.size)
    end,
}

local function show_feature(m, tree, v, at)
    local probe = has_bit(v.flags, FEATURE_PROBE)
    if not probe and not one_of(v.flags, { FEATURE_GET, FEATURE_SET }) then
        m:find("flags")
    end
    if m.whole <= at then
        return
    end
    local show_feature_data = FEATURE_DATA[v.flags % 0x10000]
    if show_feature_data then
        show_feature_data(m, tree, at)
    else
        show_data(m, tree, F.data, at)
    end
end

local function tell_feature(m, v)
    local index = v.flags % 0x10000
    return ("%s %s%s"):format(flag_names(S.feature.columns[2], v.flags),
                              name_of(FEATURE, index, "feature"), m.value or "")
end

local function show_mig_data(m, tree, v, at)
    show_counted(m, tree, F.mig_bytes, at, v.size)
end

local function tell_mig_data(_, v)
    return tostring(v.size)
end

-- ---- the commands ----

-- A side of a command: its fixed part, whether more may follow, and the functions that show that
-- and its text.
local function side(structure, open, rest, tell)
    return { structure = structure, fixed = structure and structure.size or 0, open = open,
             rest = rest, tell = tell }
end

local EMPTY = side(nil, false)
local VERSION, DMA_MAP, DMA_UNMAP, REGION_READ, REGION_WRITE, DMA_READ, DMA_WRITE =
    1, 2, 3, 9, 10, 11, 12

-- by: the sender of the request. fds: the side, request or reply, that may carry fds.
local COMMANDS = {
    [VERSION] = { name = "VERSION", by = CLIENT, fds = REPLY,
                  request = side(S.version, true, show_version_data, tell_version),
                  reply = side(S.version, true, show_version_data, tell_version) },
    [DMA_MAP] = { name = "DMA_MAP", by = CLIENT, fds = COMMAND, reply = EMPTY,
                  request = side(S.dma_map, false, nil, tell_dma_map) },
    [DMA_UNMAP] = { name = "DMA_UNMAP", by = CLIENT, room = true,
                    request = side(S.dma_unmap, false, nil, tell_dma_unmap),
                    reply = side(S.dma_unmap, false, nil, tell_dma_unmap) },
    [4] = { name = "DEVICE_GET_INFO", by = CLIENT, room = true,
            request = side(S.device_info, false),
            reply = side(S.device_info, false, nil, tell_device_info) },
    [5] = { name = "DEVICE_GET_REGION_INFO", by = CLIENT, fds = REPLY, room = true,
            request = side(S.region_info, false, nil, tell_region_index),
            reply = side(S.region_info, true, show_caps, tell_region_info) },
    [6] = { name = "DEVICE_GET_REGION_IO_FDS", by = CLIENT, fds = REPLY, room = true,
            request = side(S.io_fds, false, nil, tell_region_index),
            reply = side(S.io_fds, true, show_io_fds, tell_io_fds) },
    [7] = { name = "DEVICE_GET_IRQ_INFO", by = CLIENT, room = true,
            request = side(S.irq_info, false, nil, tell_irq_index),
            reply = side(S.irq_info, false, nil, tell_irq_info) },
    [8] = { name = "DEVICE_SET_IRQS", by = CLIENT, fds = COMMAND, reply = EMPTY,
            request = side(S.irq_set, true, show_irq_set, tell_irq_set) },
    [REGION_READ] = { name = "REGION_READ", by = CLIENT,
                      request = side(S.region, false, show_region, tell_region),
                      reply = side(S.region, true, show_region_data, tell_region) },
    [REGION_WRITE] = { name = "REGION_WRITE", by = CLIENT,
                       request = side(S.region, true, show_region_data, tell_region),
                       reply = side(S.region, false, show_region, tell_region) },
    [DMA_READ] = { name = "DMA_READ", by = BACKEND, request = side(S.dma, false, nil, tell_dma),
                   reply = side(S.dma, true, show_dma_data, tell_dma) },
    [DMA_WRITE] = { name = "DMA_WRITE", by = BACKEND,
                    request = side(S.dma, true, show_dma_data, tell_dma),
                    reply = side(S.dma_written, true, show_dma_written, tell_dma) },
    [13] = { name = "DEVICE_RESET", by = CLIENT, request = EMPTY, reply = EMPTY },
    [15] = { name = "REGION_WRITE_MULTI", by = CLIENT,
             request = side(S.write_multi, true, show_writes, tell_writes),
             reply = side(S.write_multi, false, nil, tell_writes) },
    [16] = { name = "DEVICE_FEATURE", by = CLIENT, room = true,
             request = side(S.feature, true, show_feature, tell_feature),
             reply = side(S.feature, true, show_feature, tell_feature) },
    [17] = { name = "MIG_DATA_READ", by = CLIENT, room = true,
             request = side(S.mig_data, false, nil, tell_mig_data),
             reply = side(S.mig_data, true, show_mig_data, tell_mig_data) },
    [18] = { name = "MIG_DATA_WRITE", by = CLIENT, reply = EMPTY,
             request = side(S.mig_data, true, show_mig_data, tell_mig_data) },
}

local COMMAND_NAME = {}
for code, command in pairs(COMMANDS) do
    COMMAND_NAME[code] = command.name
end
F.command = add_field("uint16", "command", "Command", base.DEC, COMMAND_NAME)

-- ---- requests and replies ----

-- Ids belong to their sender and may repeat even at the same time: first in, first out for each
-- sender, socket and leg.
local function pair_key(asker, context, legs, id)
    return (((asker * 2 + (context.twin and 1 or 0)) * 4) + legs) * 0x10000 + id
end

local function remember(m, session)
    local context = m.context
    local key = pair_key(context.sender, context, context.legs, m.id)
    if m.no_reply then
        session.silent[key] = m.pinfo.number
        return
    end
    local request = { frame = m.pinfo.number, number = context.number, command = m.command,
                      relative = m.pinfo.rel_ts, absolute = m.pinfo.abs_ts }
    local head = session.pending[key]
    if head then
        head.tail.next, head.tail = request, request
    else
        session.pending[key], request.tail = request, request
    end
    m.request = request
end

local function take(session, key)
    local head = session.pending[key]
    if head.next then
        head.next.tail = head.tail
    end
    session.pending[key] = head.next
    head.next, head.tail = nil, nil
    return head
end

-- Puts a request before all others of the key.
local function put_back(session, key, request)
    local head = session.pending[key]
    request.next, request.tail = head, head and head.tail or request
    session.pending[key] = request
end

-- Legs of the requests that a reply seen on these legs may answer.
local OVERLAPPING = { [0] = { 0 }, { 1, 3 }, { 2, 3 }, { 3, 1, 2 } }

-- In nanoseconds. Times since the capture's first frame are exact except for frames that the user
-- made a reference; times since 1970 are exact to a quarter of a microsecond.
local function elapsed(request, pinfo)
    local fine, coarse = pinfo.rel_ts - request.relative, pinfo.abs_ts - request.absolute
    local seconds = math.abs(fine - coarse) < 1e-6 and fine or coarse
    return math.floor(seconds * 1e9 + 0.5)
end

-- Links the message to the oldest request that it can answer. Returns false if there is no such
-- request.
local function link(m, session)
    local context, frame = m.context, m.pinfo.number
    local oldest, place
    for _, legs in ipairs(OVERLAPPING[context.legs]) do
        local key = pair_key(1 - context.sender, context, legs, m.id)
        local request = session.pending[key]
        if request and (not oldest or request.frame < oldest.frame) then
            oldest, place = request, key
        end
    end
    -- Some senders do not set the reply type in their error replies: if the command matches, it
    -- counts as one.
    if not oldest or not m.reply and oldest.command ~= m.command then
        return false
    end
    take(session, place)
    -- The broker has answered in the stead of the device, whose late reply may follow on its leg.
    local asker = 1 - context.sender
    if context.broker and context.legs ~= 3 and place == pair_key(asker, context, 3, m.id) then
        put_back(session, pair_key(asker, context, 3 - context.legs, m.id), oldest)
    end
    m.request = oldest
    request_in[frame], response_in[oldest.frame] = oldest.frame, frame
    response_time[frame] = elapsed(oldest, m.pinfo)
    return true
end

local function answer(m, session)
    local context = m.context
    if link(m, session) then
        if m.request.command ~= m.command then
            m:find("reply_command", "The request in frame " .. m.request.frame .. " is " ..
                   name_of(COMMAND_NAME, m.request.command, "command"))
        end
        return
    end
    for _, legs in ipairs(OVERLAPPING[context.legs]) do
        local key = pair_key(1 - context.sender, context, legs, m.id)
        if session.silent[key] then
            m:find("reply_to_no_reply", "To the request in frame " .. session.silent[key])
            session.silent[key] = nil
            return
        end
    end
    -- Requests before the capture began, or lost or filtered out, are unknown.
    if session.whole then
        m:find("unasked_reply")
    end
end

-- ---- DMA mappings ----

-- Returns the index of the last mapping that begins at the address or before it, or 0.
local function map_at(maps, address)
    local low, high = 1, #maps
    while low <= high do
        local middle = math.floor((low + high) / 2)
        if maps[middle].first <= address then
            low = middle + 1
        else
            high = middle - 1
        end
    end
    return high
end

-- The backend refuses a mapping over another one: the older one stays.
local function insert_map(session, map)
    local maps = session.maps
    local at = map_at(maps, map.first)
    local before, after = maps[at], maps[at + 1]
    if before and before.past > map.first or after and after.first < map.past then
        return nil
    end
    table.insert(maps, at + 1, map)
    return map
end

local function add_map(session, v)
    local first, size = exact(v.address), exact(v.size)
    if not session.maps then
        return nil
    elseif not first or not size or #session.maps >= MAPS_FOLLOWED then
        session.maps = nil
        return nil
    end
    return size > 0 and insert_map(session, { first = first, past = first + size, flags = v.flags })
        or nil
end

-- Removes the mapping that begins there, and returns it, or nil.
local function remove_map(session, first)
    local maps = session.maps
    local at = maps and first and map_at(maps, first) or 0
    if at > 0 and maps[at].first == first then
        return table.remove(maps, at)
    end
    return nil
end

-- An unmapped range is gone for later messages, but not yet for those that the backend sent before
-- it knew: meanwhile no DMA is judged. Bit 1 unmaps all mappings: libvfio-user's.
local function unmap(m, session, v)
    local leaving = { number = m.context.number, silent = not m.request, removed = {} }
    if session.maps and has_bit(v.flags, 0x2) then
        leaving.removed, session.maps = session.maps, {}
    else
        leaving.removed[1] = remove_map(session, exact(v.address))
    end
    if #session.leaving >= MAPS_FOLLOWED then
        session.maps, session.leaving = nil, {}
    end
    table.insert(session.leaving, leaving)
    if m.request then
        m.request.unmap = leaving
    end
end

-- The backend is known to have an unmapping without a reply once it answers a later request.
local function let_leave(session, request)
    local left = {}
    for _, leaving in ipairs(session.leaving) do
        if leaving ~= request.unmap and not (leaving.silent and leaving.number < request.number)
        then
            left[#left + 1] = leaving
        end
    end
    session.leaving = left
end

-- A mapping or an unmapping that was refused has changed nothing.
local function undo(session, request)
    if request.map then
        remove_map(session, request.map.first)
    end
    for _, map in ipairs(session.maps and request.unmap and request.unmap.removed or {}) do
        insert_map(session, map)
    end
end

-- Returns the finding's name for a faulty access, or nil.
local function judge_access(maps, address, count, mask)
    local place = map_at(maps, address)
    local past = address + count
    local allowed = true
    while address < past do
        local map = maps[place]
        if not map or map.first > address or map.past <= address then
            return "dma_outside"
        end
        allowed = allowed and has_bit(map.flags, mask)
        address, place = map.past, place + 1
    end
    return not allowed and "dma_flags" or nil
end

local function judge_dma(m, session, v)
    if not session.maps or #session.leaving > 0 then
        return
    end
    local address, count = exact(v.address), exact(v.count)
    local mask = m.command == DMA_READ and 0x1 or 0x2
    local wrong = "dma_outside"
    if address and count then
        wrong = judge_access(session.maps, address, count, mask)
    end
    if wrong then
        m:find(wrong, tell_range(v.address, v.count))
    end
end

-- ---- effects of a message on later ones ----

-- The limits that a party sends in VERSION bind the party that receives them.
local function follow_version(m, session)
    local context, members = m.context, m.members or {}
    local bound = 1 - context.sender
    local leg = bound == CLIENT and 0x1 or 0x2
    if has_bit(context.legs, leg) and not context.undelivered and m.values then
        session.limits[bound] = {
            fds = members["capabilities.max_msg_fds"] or 1,
            transfer = members["capabilities.max_data_xfer_size"] or 0x100000,
        }
    end
end

local function judge_limits(m, session, v)
    local limits = session.limits[m.context.sender]
    if not limits or m.command == VERSION then
        return
    end
    if m.context.n_fds > limits.fds then
        m:find("too_many_fds", ("%d; the receiver takes %d"):format(m.context.n_fds, limits.fds))
    end
    local moves = m.command >= REGION_READ and m.command <= DMA_WRITE and not m.reply
    local count = moves and v and v.count
    if count and rounded(count) > limits.transfer then
        m:find("data_over_max", decimal(count) .. " bytes; the receiver takes " ..
               decimal(limits.transfer))
    end
end

local function follow_request(m, session, v)
    if m.request and v then
        m.request.argsz, m.request.count = v.argsz, v.count
    end
    if not v then
        if m.command == DMA_MAP or m.command == DMA_UNMAP then
            session.maps = nil
        end
    elseif m.command == DMA_MAP then
        local map = add_map(session, v)
        if m.request then
            m.request.map = map
        end
    elseif m.command == DMA_UNMAP then
        unmap(m, session, v)
    elseif m.command == DMA_READ or m.command == DMA_WRITE then
        judge_dma(m, session, v)
    end
end

local function follow_reply(m, session, v)
    local request = m.request
    if not request then
        return
    end
    if m.context.sender == BACKEND and #session.leaving > 0 then
        let_leave(session, request)
    end
    if m.error_bit then
        undo(session, request)
        return
    end
    local command = COMMANDS[m.command]
    if command and command.room and request.argsz and m.whole - HEADER > request.argsz then
        m:find("reply_over_argsz", m.whole - HEADER .. " bytes; argsz is " .. request.argsz)
    end
    if m.command == REGION_READ and v and request.count and v.count > request.count then
        m:find("reply_count", ("%d bytes were asked for"):format(request.count))
    end
end

-- Returns true if no message is missing up to this one. A session begins with VERSION; after a
-- restart of the broker, its number may be that of an older session.
local function keep_count(m)
    local context = m.context
    local first = context.number == 1 and m.command == VERSION and m.type == COMMAND
    if first then
        sessions[context.session] = nil
    end
    local session = session_of(context.session)
    if first then
        session.whole, session.maps = true, {}
    elseif context.number ~= session.next_number or context.lost > 0 then
        session.whole, session.maps = false, nil
    end
    session.next_number = context.number + 1
    return session
end

-- ---- a message's parts ----

local function judge_header(m)
    local command, context = COMMANDS[m.command], m.context
    if m.type > REPLY then
        m:find("unknown_type", "Type " .. m.type)
    elseif m.error_bit and m.reply then
        m:find("error_reply", "Error reply: " .. name_of(ERRNO, m.errno, "error"))
    end
    if m.flags >= 0x40 then
        m:find("reserved_flags", "Reserved bits in the header: " .. hex(m.flags))
    end
    if m.size ~= m.whole then
        m:find("header_size", ("The header has %d, the message %d bytes"):format(m.size, m.whole))
    end
    if not command and m.type == COMMAND then
        m:find("unknown_command", "Command " .. m.command)
    elseif command and context and m.type <= REPLY and m.reply == (command.by == context.sender) and
        (m.reply or not m.error_bit) then
        m:find("wrong_direction")
    end
    if context and context.n_fds > 0 and command and
        (command.fds ~= m.type or m.reply and m.error_bit) then
        m:find("fds_where_none")
    end
end

local function show_header(m)
    local tree = m.tree
    m.id, m.command, m.size = m:uint(0, 2), m:uint(2, 2), m:uint(4, 4)
    m.flags, m.errno = m:uint(8, 4), m:uint(12, 4)
    m.type = m.flags % 0x10
    m.reply = m.type == REPLY
    m.no_reply, m.error_bit = has_bit(m.flags, 0x10), has_bit(m.flags, 0x20)
    m:add(tree, F.id, 0, 2)
    m:add(tree, F.command, 2, 2)
    m:add(tree, F.size, 4, 4)
    local flags = m:add(tree, F.flags, 8, 4)
    m:add(flags, F.type, 8, 4)
    m:add(flags, F.no_reply, 8, 4)
    m:add(flags, F.error_bit, 8, 4)
    m:add(tree, F.error, 12, 4)
end

local function show_links(m)
    local frame = m.pinfo.number
    if request_in[frame] then
        if m.tree ~= NOTHING then
            m.tree:add(F.request_in, request_in[frame]):set_generated()
            m.tree:add(F.time, seconds_of(response_time[frame])):set_generated()
        end
    elseif response_in[frame] then
        if m.tree ~= NOTHING then
            m.tree:add(F.response_in, response_in[frame]):set_generated()
        end
    elseif m.pinfo.visited and m.type == COMMAND and not m.no_reply then
        m.unanswered = true
    end
end

local function show_payload(m)
    local command, length = COMMANDS[m.command], m.whole - HEADER
    if not command or m.type > REPLY or m.refusal then
        if m.refusal and length > 0 then
            m:find("error_payload")
        end
        show_data(m, m.tree, F.data, HEADER)
        return
    end
    local part = m.reply and command.reply or command.request
    local structure = part.structure
    if m.command == DMA_WRITE and m.reply and length >= S.dma.size then
        structure = S.dma
    end
    local fixed = structure and structure.size or 0
    if length < fixed then
        m:find("payload_short", ("%d bytes of %d"):format(length, fixed))
    elseif length > fixed and not part.open then
        m:find("payload_long", ("%d bytes; it has %d"):format(length, fixed))
    end
    local branch = m.tree
    if structure then
        m.values, branch = show(m, m.tree, structure, HEADER)
    end
    if part.rest and m.values then
        part.rest(m, branch, m.values, HEADER + fixed)
    end
    if not part.open and length > fixed then
        show_data(m, m.tree, F.data, HEADER + fixed)
    end
    m.told = part.tell and m.values and part.tell(m, m.values)
end

local function set_columns(m)
    local cols, context = m.pinfo.cols, m.context
    local words = { name_of(COMMAND_NAME, m.command, "command") }
    if m.refusal then
        words[2] = m.errno == 0 and "error" or name_of(ERRNO, m.errno, "error")
    elseif m.reply then
        words[2] = "ok"
    end
    if m.told and m.told ~= "" then
        words[#words + 1] = m.told
    end
    if m.no_reply then
        words[#words + 1] = "no-reply"
    end
    if context and context.n_fds > 0 then
        words[#words + 1] = "fds=" .. context.n_fds
    end
    if context and context.broker then
        words[#words + 1] = "(by the broker)"
    end
    local text = table.concat(words, " "):gsub("%s+", " "):gsub(" $", "")
    cols.info:set(text)
    m.tree:append_text(", " .. text)
end

-- ---- the dissectors ----

local context_of_this -- passed from the capture's dissector to the message's, for one call

-- Records the findings when the frame is first seen, and shows them.
local function show_findings(m)
    local frame = m.pinfo.number
    if not m.pinfo.visited then
        findings[frame] = #m.found > 0 and m.found or nil
    end
    if not findings[frame] and not m.unanswered then
        return
    end
    local root = m:root()
    for _, found in ipairs(findings[frame] or {}) do
        if found[2] then
            root:add_proto_expert_info(E[found[1]], found[2])
        else
            root:add_proto_expert_info(E[found[1]])
        end
    end
    if m.unanswered then
        root:add_proto_expert_info(E.unanswered)
    end
end

local function judge_first(m)
    local session = keep_count(m)
    if m.reply then
        answer(m, session)
    elseif m.type == COMMAND then
        if m.error_bit and link(m, session) then
            m:find("error_without_reply")
            return session
        elseif m.error_bit then
            m:find("error_in_command")
        end
        remember(m, session)
    end
    return session
end

local function follow(m, session)
    judge_limits(m, session, m.values)
    if m.command == VERSION then
        follow_version(m, session)
    end
    if m.refusal or m.reply then
        follow_reply(m, session, m.values)
    elseif m.type == COMMAND then
        follow_request(m, session, m.values)
    end
end

local function new_message(tvb, pinfo, tree, proto, name, whole)
    local m = setmetatable({ tvb = tvb, pinfo = pinfo, top = tree, proto = proto, found = {},
                             whole = whole, kept = math.min(tvb:len(), whole), big = false,
                             tree = NOTHING }, Message)
    m.bytes = m.kept > 0 and tvb:raw(0, m.kept) or ""
    if tree:referenced(dissector_of(name)) then
        m.tree = m:root()
    end
    return m
end

function vfio.dissector(tvb, pinfo, tree)
    local context = context_of_this
    local whole = context and context.size or tvb:reported_len()
    local m = new_message(tvb, pinfo, tree, vfio, "vfio_user", whole)
    if m.kept < HEADER then
        m.tree:append_text(", header not whole")
        pinfo.cols.info:set("Header not whole")
        return tvb:len()
    end
    m.context, m.big = context, context ~= nil and context.big
    show_header(m)
    judge_header(m)
    local session = context and not pinfo.visited and judge_first(m)
    m.refusal = m.error_bit and (m.reply or request_in[pinfo.number] ~= nil)
    show_links(m)
    show_payload(m)
    if session then
        follow(m, session)
    end
    show_findings(m)
    set_columns(m)
    return tvb:len()
end

local function show_fds(m, count)
    for i = 0, count - 1 do
        local at = CAPTURE_FIXED + i * CAPTURE_FD
        if not m:has(at, CAPTURE_FD) then
            return
        end
        local branch = m:add(m.tree, C.fd, at, CAPTURE_FD)
        local fd = show_columns(m, branch, FD_COLUMNS, at, CAPTURE_FD)
        branch:append_text((" %d: %s %s"):format(i, name_of(FD_KIND, fd.kind, "kind"),
                                                  name_of(FD_ACCESS, fd.access, "access")))
    end
end

-- The parts of the capture header that the message's dissector needs.
local function context_of(header)
    local flags = header.flags
    return {
        big = has_bit(flags, 0x1), broker = has_bit(flags, 0x2), twin = has_bit(flags, 0x4),
        undelivered = has_bit(flags, 0x8), legs = header.legs % 4, sender = header.sender % 2,
        n_fds = header.fds, session = rounded(header.session), size = header.size,
        lost = header.lost, number = rounded(header.number),
    }
end

local function set_parties(pinfo, context)
    local socket = context.twin and " (twin)" or ""
    local from, to = SENDER[context.sender], SENDER[1 - context.sender]
    if context.broker then
        from = "broker"
    elseif context.legs == 0x1 and context.sender == CLIENT or
        context.legs == 0x2 and context.sender == BACKEND then
        to = "broker"
    end
    pinfo.cols.src, pinfo.cols.dst = from .. socket, to .. socket
end

local function capture_expert(m, name, text)
    m:root():add_proto_expert_info(CAPTURE_E[name], text or CAPTURE_TEXT[name])
end

-- Shows the part behind the capture header.
local function hand_on(m, context, length)
    if length < m.kept then
        context_of_this = context
        dissector_of("vfio_user"):call(m.tvb(length):tvb(), m.pinfo, m.top)
        context_of_this = nil
    elseif m.kept < length then
        capture_expert(m, "cut")
    end
end

function capture.dissector(tvb, pinfo, tree)
    local m = new_message(tvb, pinfo, tree, capture, "vfio_user_capture", tvb:len())
    pinfo.cols.protocol = PROTOCOL
    pinfo.cols.info:set("Capture header not whole")
    if m.kept < CAPTURE_FIXED then
        capture_expert(m, "cut")
        return tvb:len()
    end
    local header = show_columns(m, m.tree, CAPTURE_COLUMNS, 0, CAPTURE_FIXED)
    local context = context_of(header)
    set_parties(pinfo, context)
    m.tree:append_text((", session %.0f, message %.0f, from the %s"):format(
        context.session, context.number, SENDER[context.sender]))
    if header.version ~= CAPTURE_VERSION or header.sender > BACKEND or
        header.length ~= CAPTURE_FIXED + header.fds * CAPTURE_FD then
        capture_expert(m, "header")
        pinfo.cols.info:set("Capture header of another version")
        return tvb:len()
    end
    m.tree:set_len(math.min(header.length, m.kept))
    show_fds(m, header.fds)
    if context.lost > 0 then
        capture_expert(m, "lost", context.lost .. " messages before this one were lost")
    end
    if context.undelivered then
        capture_expert(m, "not_delivered")
    end
    hand_on(m, context, header.length)
    return tvb:len()
end

vfio.fields, vfio.experts = vfio_fields, values_of(E)
capture.fields, capture.experts = capture_fields, values_of(CAPTURE_E)
