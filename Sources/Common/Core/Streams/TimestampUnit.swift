/// What a number in a timestamp column counts since 1970-01-01 00:00 UTC.
package enum TimestampUnit: String, Choice {
    case days
    case seconds = "s"
    case milliseconds = "ms"
    case microseconds = "us"
    case nanoseconds = "ns"

    /// In words, for a person.
    package var name: String {
        switch self {
        case .days: "days"
        case .seconds: "seconds"
        case .milliseconds: "milliseconds"
        case .microseconds: "microseconds"
        case .nanoseconds: "nanoseconds"
        }
    }
}
