import Common
import Feed
import Foundation
import TestSupport
import Testing

@testable import WSEdgeCore

@Suite("Filters of rows")
struct FilterTests {
    static let stream = StreamDefinition(
        name: "s", topics: [], mode: .append, key: ["id"],
        columns: [
            Column("id", .text), Column("label", .text), Column("longitude", .double), Column("latitude", .double),
            Column("cars", .integer), Column("big", .bigint, jsonString: true), Column("at", .timestamp),
            Column("on", .boolean),
        ])

    private func filter(_ json: String) throws -> RowFilter {
        try JSONDecoder().decode(FilterRequest.self, from: Data(json.utf8)).filter(Self.stream)
    }

    private static let row = Array(
        #"""
        {"id":"a\"}b","label":"he,avy","longitude":13.5,"latitude":-52,"cars":7,"big":"9223372036854775807","at":"2026-03-01T00:00:00.000000Z","on":true}
        """#.utf8)

    @Test(
        "A row is let through when all conditions hold",
        arguments: [
            (#"{}"#, true), (#"{"where":{"label":"he,avy"}}"#, true), (#"{"where":{"label":["x","he,avy"]}}"#, true),
            (#"{"where":{"label":["x",null]}}"#, false), (#"{"where":{"id":"a\"}b","on":true}}"#, true),
            (#"{"where":{"on":false}}"#, false), (#"{"where":{"cars":7}}"#, true),
            (#"{"where":{"cars":{"gte":7}}}"#, true),
            (#"{"where":{"cars":{"gt":7}}}"#, false), (#"{"where":{"cars":{"gt":6,"lt":8}}}"#, true),
            (#"{"where":{"longitude":{"lte":13.5}}}"#, true), (#"{"where":{"longitude":{"lt":13.5}}}"#, false),
            (#"{"where":{"big":{"gt":9223372036854775806}}}"#, true), (#"{"where":{"big":9223372036854775807}}"#, true),
            (#"{"where":{"at":{"gte":"2026-03-01T00:00:00Z","lt":"2026-03-01T01:00:00+00:00"}}}"#, true),
            (#"{"where":{"at":{"gt":"2026-03-01T00:00:00Z"}}}"#, false),
            (#"{"bbox":[13,-53,14,-51]}"#, true), (#"{"bbox":[170,-60,14,0]}"#, true),
            (#"{"bbox":[14,-60,170,0]}"#, false),
            (#"{"bbox":[13.5,-52,13.5,-52]}"#, true), (#"{"bbox":[13,-53,14,-51],"where":{"cars":8}}"#, false),
        ])
    func conditions(json: String, isThrough: Bool) throws {
        #expect(RowChooser(try filter(json), Self.stream).matches(Self.row) == isThrough)
    }

    @Test(
        "What can't be meant is refused in words",
        arguments: [
            (#"{"where":{"labl":"x"}}"#, "s has no column 'labl'; did you mean: label"),
            (#"{"where":{"cars":"many"}}"#, "'where.cars' takes values of the type integer"),
            (#"{"where":{"label":{"gt":"a"}}}"#, "only numbers and times"),
            (#"{"where":{"cars":{"above":1}}}"#, "takes gte, gt, lte and lt"),
            (#"{"where":{"cars":{}}}"#, "needs one bound"),
            (#"{"where":{"cars":{"gt":1,"gte":1}}}"#, "needs one bound"),
            (#"{"where":{"cars":[]}}"#, "lists 1 to 1000"),
            (#"{"where":{"cars":{"gt":null}}}"#, "can't be null"), (#"{"bbox":[1,2,3]}"#, "[west, south, east, north]"),
            (#"{"bbox":[-181,0,0,1]}"#, "[west, south, east, north]"),
            (#"{"bbox":[0,2,0,1]}"#, "[west, south, east, north]"),
        ])
    func refused(json: String, words: String) throws {
        do {
            _ = try filter(json)
            Issue.record("it was taken: \(json)")
        } catch let error as RequestError {
            #expect(error.code == "bad_request" && error.message.contains(words), "\(error)")
        }
    }

    @Test("Null and NaN lie within no bounds, and null is chosen by null")
    func nothing() throws {
        let null = Array(
            #"{"id":"a","label":null,"longitude":"NaN","latitude":null,"cars":null,"big":null,"at":null,"on":null}"#
                .utf8)
        for json in [
            #"{"where":{"cars":{"lt":9}}}"#, #"{"where":{"longitude":{"gt":-1000}}}"#, #"{"bbox":[-180,-90,180,90]}"#,
        ] {
            #expect(!RowChooser(try filter(json), Self.stream).matches(null))
        }
        #expect(RowChooser(try filter(#"{"where":{"label":null}}"#), Self.stream).matches(null))
        #expect(RowChooser(try filter(#"{"where":{"label":["x",null]}}"#), Self.stream).matches(null))
    }

    @Test("A text in a condition for Postgres stays a text, whatever it holds")
    func literals() throws {
        let sql = try filter(#"{"where":{"label":"x'); DROP TABLE s; --","cars":{"gt":1}}}"#).sql(Self.stream.columns)
        #expect(sql == #"(t."label" IN ('x''); DROP TABLE s; --'::text)) AND t."cars" > '1'::integer"#)
        // To Swift the quote behind this sign is no character of its own.
        let hidden = try filter(#"{"where":{"label":"\u0600'); DROP TABLE s; --"}}"#).sql(Self.stream.columns)
        #expect(Array(hidden.utf8).filter { $0 == UInt8(ascii: "'") }.count == 4, "\(hidden)")
    }

    @Test("An index finds whom each filter alone would let a row through to", arguments: 0..<4)
    func index(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var index = FilterIndex<Int>(Self.stream)
        var filters: [Int: RowFilter] = [:]
        let pair = RowFilter.Pair(longitude: 2, latitude: 3)
        for id in 0..<300 {
            var filter = RowFilter()
            if Bool.random(using: &random) {
                let width = pow(10, Double.random(in: -3...2.2, using: &random))
                let west = Double.random(in: -180...180, using: &random)
                let south = Double.random(in: -90...max(-90, 90 - width), using: &random)
                let east = west + width > 180 ? west + width - 360 : west + width
                filter.boxes = [
                    .init(BoundingBox(west: west, south: south, east: east, north: min(90, south + width))!, pair)
                ]
            }
            if Bool.random(using: &random) {
                filter.choices = [
                    .init(column: 1, values: [Array("\"\(Int.random(in: 0..<4, using: &random))\"".utf8)])
                ]
            }
            if filter.isEmpty || Int.random(in: 0..<4, using: &random) == 0 {
                let bound = RowFilter.Bound(.integer(Int64.random(in: 0..<10, using: &random)), isInclusive: true)
                filter.intervals = [.init(column: 4, lower: bound, upper: nil)]
            }
            filters[id] = filter
            index.insert(id, filter)
        }
        for id in filters.keys.sorted() where Int.random(in: 0..<5, using: &random) == 0 {
            index.remove(id)
            filters[id] = nil
        }
        for _ in 0..<50 {
            let (longitude, latitude) = (
                Double.random(in: -180...180, using: &random), Double.random(in: -90...90, using: &random)
            )
            let row = Array(
                """
                {"id":"k","label":"\(Int.random(in: 0..<4, using: &random))","longitude":\(longitude),\
                "latitude":\(latitude),"cars":\(Int.random(in: 0..<10, using: &random)),"big":null,"at":null,"on":null}
                """.utf8)
            let expected = Set(filters.filter { RowChooser($0.value, Self.stream).matches(row) }.keys)
            #expect(index.matches(row) == expected)
        }
    }
}
