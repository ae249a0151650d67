import Common
import Testing

@Suite("Near names")
struct NearNamesTests {
    private static let names = ["traffic_data", "stocks", "stock_levels", "events", "cars"]

    @Test(
        "A name that is mistyped, cut off or written in capitals is near, the nearest first; any other is near nobody",
        arguments: [
            ("evens", ["events"]), ("Traffic-Data", ["traffic_data"]), ("stock", ["stocks", "stock_levels"]),
            ("cats", ["cars"]), ("invoices", []), ("", []), ("x", []), (String(repeating: "s", count: 100_000), []),
        ] as [(String, [String])])
    func near(name: String, expected: [String]) {
        #expect(NearNames.of(name, among: Self.names) == expected)
    }
}
