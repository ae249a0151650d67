import Common
import CoordinatorCore
import Foundation

/// Records for a fleet: made up, or from a file.
extension Command {
    static let produce = Command(
        name: "produce", form: "[STREAM]", summary: "Writes records into a stream's topic",
        example: "produce --rate 1000"
    ) { arguments, settings in
        if let path = try arguments.option("--write-roads") {
            try arguments.finish()
            do {
                try Data(CityMap.shared.geoJSON).write(to: URL(filePath: path))
            } catch {
                throw StartError("\(path): \(error.localizedDescription)", .unavailable)
            }
        }
        return .success
    }
}
