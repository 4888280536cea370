/// The opcodes of pickle protocols 2 to 5 that are understood.
///
/// Source: Python's `pickletools` module.
enum PickleOpcode: UInt8 {
    case mark = 0x28  // (
    case stop = 0x2e  // .
    case pop = 0x30  // 0
    case popMark = 0x31  // 1
    case duplicate = 0x32  // 2
    case binFloat = 0x47  // G
    case binInt = 0x4a  // J
    case binInt1 = 0x4b  // K
    case binInt2 = 0x4d  // M
    case none = 0x4e  // N
    case binPersistentID = 0x51  // Q
    case reduce = 0x52  // R
    case binString = 0x54  // T
    case shortBinString = 0x55  // U
    case binUnicode = 0x58  // X
    case append = 0x61  // a
    case build = 0x62  // b
    case global = 0x63  // c
    case dictionary = 0x64  // d
    case emptyDictionary = 0x7d  // }
    case appends = 0x65  // e
    case binGet = 0x68  // h
    case longBinGet = 0x6a  // j
    case list = 0x6c  // l
    case emptyList = 0x5d  // ]
    case binPut = 0x71  // q
    case longBinPut = 0x72  // r
    case setItem = 0x73  // s
    case tuple = 0x74  // t
    case emptyTuple = 0x29  // )
    case setItems = 0x75  // u
    case proto = 0x80
    case tuple1 = 0x85
    case tuple2 = 0x86
    case tuple3 = 0x87
    case newTrue = 0x88
    case newFalse = 0x89
    case long1 = 0x8a
    case long4 = 0x8b
    case binBytes = 0x42  // B
    case shortBinBytes = 0x43  // C
    case shortBinUnicode = 0x8c
    case binUnicode8 = 0x8d
    case binBytes8 = 0x8e
    case stackGlobal = 0x93
    case memoize = 0x94
    case frame = 0x95
    case byteArray8 = 0x96

    /// The names of the opcodes that are refused, for messages.
    static func refusedName(_ code: UInt8) -> String {
        let names: [UInt8: String] = [
            0x46: "FLOAT", 0x49: "INT", 0x4c: "LONG", 0x50: "PERSID", 0x53: "STRING", 0x56: "UNICODE", 0x67: "GET",
            0x69: "INST", 0x6f: "OBJ", 0x70: "PUT", 0x81: "NEWOBJ", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4",
            0x8f: "EMPTY_SET", 0x90: "ADDITEMS", 0x91: "FROZENSET", 0x92: "NEWOBJ_EX", 0x97: "NEXT_BUFFER",
            0x98: "READONLY_BUFFER",
        ]
        return names[code] ?? "0x" + String(code, radix: 16)
    }
}
