import BenchmarkSupport
import Foundation

/// Draws a report: bars where its contestants stand beside each other, lines where they stand along an axis. Each is a median;
/// thin lines go from the lowest run to the highest.
struct Plot {
    private static let width = 860
    private static let left = 230.0
    private static let right = 90.0
    private static let lineHeight = 18.0

    let report: Report

    static func drawAll(from results: URL, to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let files = try FileManager.default.contentsOfDirectory(at: results, includingPropertiesForKeys: nil)
        for file in files.filter({ $0.pathExtension == "json" }).sorted(by: { $0.path < $1.path }) {
            let report = try JSONDecoder().decode(Report.self, from: Data(contentsOf: file))
            try Plot(report: report).document.write(
                to: folder.appending(path: "\(report.scenario).svg"), atomically: true, encoding: .utf8)
            say("docs/plots/\(report.scenario).svg")
        }
    }

    var document: String {
        var picture = SVG(width: Self.width, height: 0)
        picture.text(report.title, 16, 28, size: 17, weight: "bold")
        picture.text(
            "\(report.unit), medians of \(report.series.map(\.runs.count).max() ?? 0) interleaved runs", 16, 48)
        let shown = report.series.filter { !$0.runs.isEmpty }
        var bottom = shown.contains { $0.x != nil } ? lines(shown, &picture) : bars(shown, &picture)
        bottom += 10
        for ratio in report.ratios where !ratio.values.isEmpty {
            bottom += Self.lineHeight
            let goals = [ratio.atLeast.map { "at least \($0)" }, ratio.atMost.map { "at most \($0)" }].compactMap { $0 }
            let goal = goals.isEmpty ? "" : " (meant: \(goals.joined(separator: ", ")))"
            picture.text("\(ratio.name): \(String(format: "%.2f", ratio.median))\(goal)", 16, bottom)
        }
        for line in [report.machine, report.versions, "\(report.date), \(report.command)"] {
            bottom += Self.lineHeight
            picture.text(line, 16, bottom, size: 11)
        }
        picture.height = Int(bottom) + 16
        return picture.document
    }

    private func range(_ series: Report.Series) -> (low: Double, high: Double) {
        let values = series.runs.map(\.value)
        return (values.min()!, values.max()!)
    }

    private func bars(_ series: [Report.Series], _ picture: inout SVG) -> Double {
        let most = max(series.map { range($0).high }.max() ?? 1, 1e-9)
        let scale = (Double(Self.width) - Self.left - Self.right) / most
        var y = 66.0
        // Others beside ours are grey.
        func isOurs(_ name: String) -> Bool { name.hasPrefix("Millrace") }
        let areAllOurs = !series.contains { isOurs($0.name) }
        for one in series {
            picture.text(one.name, Self.left - 10, y + 14, anchor: "end")
            picture.bar(
                Self.left, y, width: one.median * scale, height: 18,
                color: areAllOurs || isOurs(one.name) ? SVG.ours : SVG.others)
            let (low, high) = range(one)
            picture.line([(Self.left + low * scale, y + 9), (Self.left + high * scale, y + 9)], color: SVG.ink)
            picture.text(SVG.short(one.median), Self.left + high * scale + 8, y + 14)
            y += 26
        }
        return y
    }

    private func lines(_ series: [Report.Series], _ picture: inout SVG) -> Double {
        let (top, height, left) = (80.0, 260.0, 80.0)
        let places = Array(Set(series.compactMap(\.x))).sorted()
        let most = max(series.map { range($0).high }.max() ?? 1, 1e-9)
        // Places stand side by side whatever they are: most axes grow by doubling.
        func x(_ place: Double) -> Double {
            left + 40 + Double(places.firstIndex(of: place)!) * (Double(Self.width) - left - 80)
                / Double(max(1, places.count - 1))
        }
        func y(_ value: Double) -> Double { top + height * (1 - value / most) }
        for part in 0...4 {
            let value = most * Double(part) / 4
            picture.line([(left, y(value)), (Double(Self.width) - 20, y(value))], color: SVG.faint)
            picture.text(SVG.short(value), left - 8, y(value) + 4, anchor: "end")
        }
        for place in places { picture.text(SVG.short(place), x(place), top + height + 20, anchor: "middle") }
        picture.text(report.axis ?? "", Double(Self.width) / 2, top + height + 40, anchor: "middle")
        let found = series.filter { $0.x != nil }.sorted { $0.x! < $1.x! }
        picture.line(found.map { (x($0.x!), y($0.median)) }, color: SVG.ours, width: 2)
        for one in found {
            let (low, high) = range(one)
            picture.line([(x(one.x!), y(low)), (x(one.x!), y(high))], color: SVG.ink)
            picture.dot(x(one.x!), y(one.median), color: SVG.ours)
            picture.text(SVG.short(one.median), x(one.x!), y(high) - 8, anchor: "middle")
        }
        return top + height + 46
    }
}
