/// The form in which a histogram is kept in a file: entry by entry the step from the level before, the number of
/// manipulated and of authentic pixels, each in groups of three bits, lowest first, with a fourth bit that says whether
/// another group follows. Most levels of a photo's map occur a few times, so an entry takes one to two bytes.
extension ScoreHistogram {
    /// What bytes are that no histogram was packed into.
    struct Malformed: Error {}

    var packed: [UInt8] {
        var groups = GroupWriter()
        groups.write(UInt64(entries.count))
        var next = 0
        for entry in entries {
            groups.write(UInt64(Int(entry.level) - next))
            next = Int(entry.level) + 1
            groups.write(UInt64(entry.positives))
            groups.write(UInt64(entry.negatives))
        }
        return groups.bytes
    }

    /// - Throws: `Malformed`.
    init(packed bytes: some RandomAccessCollection<UInt8>) throws {
        var groups = GroupReader(bytes)
        let count = try groups.read(limit: UInt64(LevelMap.maximum) + 1)
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        var next = 0
        for _ in 0..<count {
            let level = next + (try groups.read(limit: UInt64(LevelMap.maximum)))
            guard level <= LevelMap.maximum else { throw Malformed() }
            next = level + 1
            entries.append(
                Entry(
                    level: UInt16(level), positives: try groups.read(limit: 1 << 40),
                    negatives: try groups.read(limit: 1 << 40)))
        }
        self.init(entries: entries)
    }
}

private struct GroupWriter {
    private(set) var bytes: [UInt8] = []
    private var isHalfFull = false

    mutating func write(_ number: UInt64) {
        var rest = number
        repeat {
            let group = UInt8(rest & 7) | (rest > 7 ? 8 : 0)
            rest >>= 3
            if isHalfFull { bytes[bytes.count - 1] |= group << 4 } else { bytes.append(group) }
            isHalfFull.toggle()
        } while rest > 0
    }
}

private struct GroupReader<Bytes: RandomAccessCollection<UInt8>> {
    private let bytes: Bytes
    private var index: Bytes.Index
    private var isHalfRead = false

    init(_ bytes: Bytes) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    mutating func read(limit: UInt64) throws -> Int {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 60, by: 3) {
            guard index < bytes.endIndex else { throw ScoreHistogram.Malformed() }
            let group = UInt64(isHalfRead ? bytes[index] >> 4 : bytes[index] & 15)
            if isHalfRead { bytes.formIndex(after: &index) }
            isHalfRead.toggle()
            number |= (group & 7) << shift
            guard group & 8 != 0 else {
                guard number <= limit else { throw ScoreHistogram.Malformed() }
                return Int(number)
            }
        }
        throw ScoreHistogram.Malformed()
    }
}
