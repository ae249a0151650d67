internal import Common

/// Takes comma-separated values apart (RFC 4180), a record at a time, from bytes that come in pieces.
///
/// Lines may end in LF, CRLF or CR; a byte order mark at the start is dropped; empty lines are no records. A quote
/// inside a field that doesn't begin with one is an ordinary character.
struct CSVParser: ~Copyable {
    enum Result: Equatable {
        /// A record is complete: `fieldCount` fields.
        case record
        /// All bytes were taken, and the record goes on.
        case more
        /// What was wrong; the parser goes on with the next line.
        case bad(String)
    }

    private enum State {
        case fieldStart, unquoted, quoted
        /// Behind a quote in a quoted field: its end, or the first of two that are one.
        case quote
        /// To the end of the line.
        case skipping
    }

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let byteLimit: Int
    private var state = State.fieldStart
    private var text = ByteWriter(capacity: 4096)
    private var ends: [Int] = []
    private var isQuoted: [Bool] = []
    private var isFieldQuoted = false
    private var markLeft = Self.byteOrderMark.count
    /// The last byte was CR: an LF that follows ends the same line.
    private var isBehindReturn = false
    private var isComplete = false
    private var currentLine: Int64 = 1
    /// Where the record begins, from 1.
    private(set) var line: Int64 = 1

    init(byteLimit: Int) {
        self.byteLimit = byteLimit
    }

    var fieldCount: Int { ends.count }

    /// A field of the record that is complete, without its quotes.
    func field(_ index: Int) -> (bytes: UnsafeRawBufferPointer, isQuoted: Bool) {
        (text.bytes((index == 0 ? 0 : ends[index - 1])..<ends[index]), isQuoted[index])
    }

    /// Takes bytes up to the end of a record. Returns how many, and what came of it.
    mutating func parse(_ bytes: UnsafeRawBufferPointer) -> (taken: Int, Result) {
        if isComplete { begin() }
        var place = 0
        while place < bytes.count {
            let run = ordinaryRun(bytes, from: place)
            if run > 0 {
                isBehindReturn = false
                let result = append(UnsafeRawBufferPointer(rebasing: bytes[place..<(place + run)]))
                place += run
                if let result { return (place, result) }
                continue
            }
            let byte = bytes[place]
            place += 1
            if isMark(byte) { continue }
            if let result = take(byte) { return (place, result) }
        }
        return (bytes.count, .more)
    }

    /// How many bytes from a place on are just text.
    private func ordinaryRun(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard state == .unquoted || state == .quoted else { return 0 }
        let isQuoted = state == .quoted
        var place = start
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return place - start
            case UInt8(ascii: "\""): if isQuoted { return place - start }
            case UInt8(ascii: ","): if !isQuoted { return place - start }
            default: break
            }
            place += 1
        }
        return place - start
    }

    /// Whether it is a part of the byte order mark.
    private mutating func isMark(_ byte: UInt8) -> Bool {
        guard markLeft > 0 else { return false }
        guard byte == Self.byteOrderMark[Self.byteOrderMark.count - markLeft] else {
            markLeft = 0
            return false
        }
        markLeft -= 1
        return true
    }

    /// The bytes have ended: whether there is a last record without the end of its line; nil when there is none.
    mutating func finish() -> Result? {
        if isComplete { begin() }
        switch state {
        case .quoted:
            state = .skipping
            return .bad("a quote is never closed")
        case .skipping: return nil
        case .fieldStart, .unquoted, .quote:
            guard !ends.isEmpty || text.count > 0 || isFieldQuoted else { return nil }
            endField()
            isComplete = true
            return .record
        }
    }

    private mutating func begin() {
        isComplete = false
        text.truncate()
        ends.removeAll(keepingCapacity: true)
        isQuoted.removeAll(keepingCapacity: true)
        isFieldQuoted = false
        state = .fieldStart
        line = currentLine
    }

    private mutating func take(_ byte: UInt8) -> Result? {
        let isSecond = isBehindReturn && byte == UInt8(ascii: "\n")
        isBehindReturn = byte == UInt8(ascii: "\r")
        if isSecond, state != .quoted { return nil }
        let endsLine = byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
        if endsLine, !isSecond { currentLine += 1 }
        switch (state, byte) {
        case (.skipping, _):
            if endsLine { begin() }
            return nil
        case (.fieldStart, UInt8(ascii: "\"")):
            isFieldQuoted = true
            state = .quoted
        case (.fieldStart, UInt8(ascii: ",")), (.unquoted, UInt8(ascii: ",")), (.quote, UInt8(ascii: ",")): endField()
        case (.fieldStart, _) where endsLine, (.unquoted, _) where endsLine, (.quote, _) where endsLine:
            return endRecord()
        case (.fieldStart, _), (.unquoted, _):
            state = .unquoted
            return append(byte)
        case (.quoted, UInt8(ascii: "\"")): state = .quote
        case (.quoted, _): return append(byte)
        case (.quote, UInt8(ascii: "\"")):
            state = .quoted
            return append(byte)
        case (.quote, _): return fail("text behind a closing quote")
        }
        return nil
    }

    private mutating func append(_ byte: UInt8) -> Result? {
        withUnsafeBytes(of: byte) { append($0) }
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) -> Result? {
        guard text.count + bytes.count <= byteLimit else { return fail("is longer than \(byteLimit) bytes") }
        text.append(bytes)
        return nil
    }

    private mutating func endField() {
        ends.append(text.count)
        isQuoted.append(isFieldQuoted)
        isFieldQuoted = false
        state = .fieldStart
    }

    private mutating func endRecord() -> Result? {
        let isEmpty = ends.isEmpty && text.count == 0 && !isFieldQuoted
        guard !isEmpty else {
            begin()
            return nil
        }
        endField()
        isComplete = true
        return .record
    }

    private mutating func fail(_ reason: String) -> Result {
        state = .skipping
        return .bad(reason)
    }
}
