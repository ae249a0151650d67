extension String {
    /// In one line, and with nothing in it that a terminal would obey: control characters as their pictures (␀, ␛), others
    /// that don't show, or that turn the direction of text, as `<U+202E>`. What is not such a character stays as it is.
    package var withVisibleControls: String {
        guard unicodeScalars.contains(where: { Self.isHidden($0) }) else { return self }
        var shown = ""
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0...0x1F: shown.unicodeScalars.append(Unicode.Scalar(0x2400 + scalar.value)!)
            case 0x7F: shown += "␡"
            case _ where Self.isHidden(scalar):
                let digits = String(scalar.value, radix: 16, uppercase: true)
                shown += "<U+\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)>"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x2069, 0xFEFF: true
        default: false
        }
    }
}
