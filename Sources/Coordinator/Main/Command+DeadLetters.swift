import Common
import CoordinatorCore
import Foundation

/// `dlq`: dead letters.
extension Command {
    static let deadLetters = Command(
        name: "dlq",
        form:
            "list|show|replay|purge [ID…] [--stream S] [--reason CODE] [--since TIME] [--until TIME] [--limit N] [--all] [--json]",
        summary: "Lists dead letters, shows them whole, has them replayed, or throws their content away",
        example: "dlq replay --stream traffic_data --reason out_of_range"
    ) { arguments, settings in
        var filter = DeadLetters.Filter()
        filter.stream = try arguments.option("--stream")
        filter.reason = try arguments.option("--reason")
        filter.since = try arguments.option("--since")
        filter.until = try arguments.option("--until")
        let limit: Int = try arguments.number("--limit") ?? 50
        let isJSON = arguments.flag("--json")
        let all = arguments.flag("--all")
        let action = try arguments.next("list, show, replay or purge")
        while let word = try arguments.nextIfAny() {
            guard let id = Int64(word) else { throw arguments.usage("'\(word)' is no dead letter's number") }
            filter.ids.append(id)
        }
        let isNarrow =
            !filter.ids.isEmpty || filter.stream != nil || filter.reason != nil || filter.since != nil
            || filter.until != nil
        var letters = try DeadLetters(try settings.configuration(.postgres))
        switch action {
        case "list", "show":
            let found = try letters.list(filter, limit: limit, content: action == "show")
            if isJSON { try printJSON(found) } else { for letter in found { print(letter.text) } }
        case "replay":
            guard isNarrow || all else { throw arguments.usage("say which, or --all") }
            let count = try letters.requestReplay(filter, by: Settings.user)
            print("\(count) dead letters will be replayed by the fleet")
            _ = try? settings.client().ask(.rediscover, timeout: .seconds(2))
        case "purge":
            guard isNarrow || all else { throw arguments.usage("say which, or --all") }
            print("the content of \(try letters.purge(filter, by: Settings.user)) dead letters is gone")
        default: throw arguments.usage("'\(action)' is not list, show, replay or purge")
        }
        return .success
    }
}
