import Common
import Testing

@Suite("Text for terminals")
struct VisibleControlsTests {
    @Test("Control characters are seen and not obeyed; everything else stays as it is")
    func controls() {
        #expect("a\u{0}b\u{1B}[31m\r\n\t\u{7F}".withVisibleControls == "a␀b␛[31m␍␊␉␡")
        #expect("\u{85}x\u{202E}y\u{FEFF}".withVisibleControls == "<U+0085>x<U+202E>y<U+FEFF>")
        for text in ["", "täglich 😀 \\n \"q\" ␀", #"{"n":1}"#] { #expect(text.withVisibleControls == text) }
    }
}
