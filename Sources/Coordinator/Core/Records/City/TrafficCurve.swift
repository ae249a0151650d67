private import Glibc

/// How busy a city is over the hours of a day and the days of a week.
enum TrafficCurve {
    /// The share of its capacity that a road of full demand is asked for: about 0.05 at night, above 1 when everybody
    /// wants to get to work.
    /// - Parameter second: of local time, since 1970.
    static func level(at second: Int64, _ direction: TrafficDirection) -> Double {
        let day = Int((Double(second) / 86_400).rounded(.down))
        let hour = Double(second - Int64(day) * 86_400) / 3600
        // 1970-01-01 was a Thursday.
        let weekday = (day % 7 + 7 + 4) % 7
        let night = 0.05
        guard weekday != 0, weekday != 6 else {
            let width = weekday == 6 ? 4.2 : 3.6
            return night + 0.46 * bell(hour, 14.5, width) + 0.13 * bell(hour, 22.5, 1.5)
        }
        let (morning, evening) =
            switch direction {
            case .inbound: (0.90, 0.52)
            case .outbound: (0.42, 0.88)
            case .across: (0.68, 0.72)
            }
        // On Fridays people leave earlier.
        let leaving = weekday == 5 ? 15.8 : 17.1
        return night + morning * bell(hour, 7.9, 1.05) + 0.45 * bell(hour, 13, 2.9)
            + evening * bell(hour, leaving, 1.75)
    }

    /// 1 at its middle, less to both sides.
    private static func bell(_ hour: Double, _ middle: Double, _ width: Double) -> Double {
        let distance = (hour - middle) / width
        return exp(-distance * distance / 2)
    }
}
