private import CZeroMQ
private import Glibc

/// Keys as text: 32 bytes in 40 characters, none of them a space, a quote or a backslash.
/// https://rfc.zeromq.org/spec/32/
enum Z85 {
    static let keyByteCount = 32
    static let keyCharacterCount = 40

    private static let alphabet = Set(
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#".utf8)

    /// What is wrong is told by counts and places, never by the text: it may be a secret.
    static func checkKey(_ text: String, named name: String) throws(ZeroMQError) {
        func malformed(_ message: String) -> ZeroMQError {
            ZeroMQError(operation: name, code: EINVAL, message: message)
        }
        guard text.utf8.count == keyCharacterCount else {
            throw malformed("a key has \(keyCharacterCount) characters (Z85), this text has \(text.utf8.count)")
        }
        for (index, character) in text.utf8.enumerated() where !alphabet.contains(character) {
            throw malformed("character \(index + 1) is not one that a key can have (Z85)")
        }
        // Five characters can stand for more than the 32 bits that they encode.
        var bytes = [UInt8](repeating: 0, count: keyByteCount)
        guard zmq_z85_decode(&bytes, text) != nil else { throw malformed("these characters encode no key (Z85)") }
    }

    /// Nil unless it is 32 bytes.
    static func encodeKey(_ bytes: [UInt8]) -> String? {
        guard bytes.count == keyByteCount else { return nil }
        var text = [CChar](repeating: 0, count: keyCharacterCount + 1)
        guard zmq_z85_encode(&text, bytes, bytes.count) != nil else { return nil }
        return string(text)
    }

    /// The text that libzmq put before a NUL.
    static func string(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
