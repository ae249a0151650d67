import Foundation

/// A picture that is text (W3C, Scalable Vector Graphics 1.1).
struct SVG {
    static let ink = "#1f2933"
    static let faint = "#d5dbe1"
    static let ours = "#1b6ca8"
    static let others = "#8d99a3"

    private var elements: [String] = []
    let width: Int
    var height: Int

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    mutating func text(
        _ text: String, _ x: Double, _ y: Double, size: Int = 13, anchor: String = "start", weight: String = "normal"
    ) {
        let escaped = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        elements.append(
            "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" font-size=\"\(size)\" text-anchor=\"\(anchor)\" "
                + "font-weight=\"\(weight)\" fill=\"\(Self.ink)\">\(escaped)</text>")
    }

    mutating func bar(_ x: Double, _ y: Double, width: Double, height: Double, color: String) {
        elements.append(
            "<rect x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(width))\" "
                + "height=\"\(Self.number(height))\" fill=\"\(color)\"/>")
    }

    mutating func line(_ points: [(Double, Double)], color: String, width: Double = 1) {
        let list = points.map { "\(Self.number($0.0)),\(Self.number($0.1))" }.joined(separator: " ")
        elements.append("<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"\(width)\"/>")
    }

    mutating func dot(_ x: Double, _ y: Double, color: String) {
        elements.append("<circle cx=\"\(Self.number(x))\" cy=\"\(Self.number(y))\" r=\"3.5\" fill=\"\(color)\"/>")
    }

    var document: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" height="\(height)"
             font-family="system-ui, sans-serif"><rect width="100%" height="100%" fill="#ffffff"/>
        \(elements.joined(separator: "\n"))
        </svg>

        """
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

    /// 470,000 as `470k`.
    static func short(_ value: Double) -> String {
        switch abs(value) {
        case 1_000_000...: String(format: "%.2fM", value / 1_000_000)
        case 10_000...: String(format: "%.0fk", value / 1000)
        case 1000...: String(format: "%.1fk", value / 1000)
        case 100...: String(format: "%.0f", value)
        case 0: "0"
        default: String(format: "%.2g", value)
        }
    }
}
