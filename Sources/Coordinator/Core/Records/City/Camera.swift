internal import Common

/// What counts vehicles at a place of the city, and stays there.
struct Camera {
    let id: UUIDValue
    /// Its place among all cameras, the same for every seed.
    let number: UInt64
    /// Of the road's stretch: incidents concern all who see it.
    let road: UInt64
    let kind: RoadKind
    let direction: TrafficDirection
    let lanes: Int
    /// Road and kilometre, or a crossing: for people.
    let location: String
    let point: PlanePoint
    /// What it is: camera, radar, or a loop in the road.
    let type: String

    /// Vehicles a minute when traffic just flows.
    var capacity: Double { Double(lanes) * kind.lanePerMinute }
}
