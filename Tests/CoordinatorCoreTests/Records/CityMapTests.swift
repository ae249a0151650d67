import CoordinatorCore
import Foundation
import Testing

@Suite("The invented city")
struct CityMapTests {
    private static let committed = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources/WSEdge/Site/roads.geojson")

    private struct Collection: Decodable {
        struct Feature: Decodable {
            let properties: [String: String]
            let geometry: Geometry
        }
        struct Geometry: Decodable {
            let type: String
            let coordinates: [[Double]]
        }
        let features: [Feature]
    }

    @Test(
        "The roads that the dashboard draws are those of the simulation; otherwise: coordinator produce --write-roads")
    func committedFile() throws {
        #expect(try Data(contentsOf: Self.committed) == Data(CityMap.shared.geoJSON))
        #expect(CityMap.shared.geoJSON.count < 150_000)
    }

    @Test("Every kind of road is there, under a name of its own, near the city's middle")
    func features() throws {
        let features = try JSONDecoder().decode(Collection.self, from: Data(CityMap.shared.geoJSON)).features
        #expect(
            Set(features.compactMap { $0.properties["kind"] })
                == ["river", "canal", "street", "main", "ring", "motorway", "bridge"])
        #expect(Set(features.compactMap { $0.properties["name"] }).count == features.count)
        for feature in features {
            #expect(feature.geometry.type == "LineString" && feature.geometry.coordinates.count > 1)
            for place in feature.geometry.coordinates {
                #expect((13.2...13.6).contains(place[0]) && (52.4...52.6).contains(place[1]), "\(feature)")
            }
        }
    }
}
