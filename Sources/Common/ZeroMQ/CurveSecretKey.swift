/// A CURVE secret key. Shows itself to nobody who doesn't ask for `text`: not to a description, a dump or a mirror.
package struct CurveSecretKey: Equatable, Sendable {
    /// Z85: 40 characters. For the file it is kept in, and for nothing that is logged.
    package let text: String

    /// Throws when the text is no key, saying what is wrong with it without repeating it.
    package init(_ text: String) throws(ZeroMQError) {
        try Z85.checkKey(text, named: "CURVE secret key")
        self.text = text
    }
}

extension CurveSecretKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "(hidden)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
