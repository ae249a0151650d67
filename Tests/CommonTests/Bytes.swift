import Common

func withBytes<Value>(_ text: String, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
    var text = text
    return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
}

func written(_ write: (inout ByteWriter) -> Void) -> String {
    var writer = ByteWriter(capacity: 1)
    write(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
}
