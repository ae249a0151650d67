import Common
import CoordinatorCore
import Foundation

/// What concerns the database: its tables, the proof, resets.
extension Command {
    static let initDatabase = Command(
        name: "init-db", form: "[--print] [--allow-add-columns]", summary: "Makes the tables, or prints their DDL",
        example: "init-db --print"
    ) { arguments, settings in
        let prints = arguments.flag("--print")
        try arguments.finish()
        if prints {
            print(Database.ddl(try settings.written()))
        } else {
            try Database.prepare(try settings.configuration())
        }
        return .success
    }

    static let check = Command(
        name: "check", form: "[--sample]",
        summary: "Says whether a fleet could start; --sample also what the newest records would become",
        example: "check --sample"
    ) { arguments, settings in
        let samples = arguments.flag("--sample")
        try arguments.finish()
        let configuration = try settings.configuration()
        let check = StartCheck(configuration)
        for line in check.lines { print(line) }
        if samples { for line in try SampleCheck.lines(configuration) { print(line) } }
        if let problem = check.problem { throw problem }
        return .success
    }

    static let verify = Command(
        name: "verify", form: "[--deep] [--json]",
        summary: "Proves from the ledger that each record was stored, rejected or skipped, once",
        example: "verify --deep"
    ) { arguments, settings in
        let isDeep = arguments.flag("--deep")
        let isJSON = arguments.flag("--json")
        try arguments.finish()
        var verification = try Verification(try settings.configuration())
        let findings = try verification.run(deep: isDeep)
        if isJSON { try printJSON(findings) } else { for finding in findings { print(finding.line) } }
        return findings.allSatisfy(\.breaks.isEmpty) ? .success : .found
    }

    static let reset = Command(
        name: "reset",
        form: "STREAM --to earliest|latest|current|TIME|OFFSET [--replace | --again] [--dry-run] [--json]",
        summary: "Lets a stream go on from elsewhere; --dry-run only says what that means",
        example: "reset traffic_data --to 2026-11-23T08:00:00Z --dry-run"
    ) { arguments, settings in
        guard let text = try arguments.option("--to") else { throw arguments.usage("--to is missing") }
        let isDry = arguments.flag("--dry-run")
        let isJSON = arguments.flag("--json")
        let replaces = arguments.flag("--replace")
        let again = arguments.flag("--again")
        guard !(replaces && again) else { throw arguments.usage("--replace and --again exclude each other") }
        let stream = try arguments.next("a stream")
        try arguments.finish()
        let destination: Reset.Destination
        switch text {
        case "earliest": destination = .earliest
        case "latest": destination = .latest
        case "current": destination = .current
        default:
            if let offset = Int64(text), offset >= 0 {
                destination = .offset(offset)
            } else if let time = Reset.Destination(time: text) {
                destination = time
            } else {
                throw arguments.usage(
                    "--to is '\(text)'; it must be earliest, latest, current, a time like 2026-11-23T08:00:00Z, or an offset"
                )
            }
        }
        var reset = try Reset(try settings.configuration(), stream: stream)
        let steps =
            isDry
            ? try reset.plan(destination)
            : try reset.perform(
                destination, replay: replaces ? .replace : again ? .again : .refused, by: Settings.user)
        if isJSON { try printJSON(steps) } else { for step in steps { print(step.line) } }
        if !isDry { _ = try? settings.client().ask(.rediscover, timeout: .seconds(2)) }
        return .success
    }

    static let rename = Command(
        name: "rename", form: "OLD NEW",
        summary: "Gives a stream another name, which the configuration has already; no fleet may run",
        example: "rename stock stocks"
    ) { arguments, settings in
        let old = try arguments.next("the stream's name in the database")
        let new = try arguments.next("its name in the configuration")
        try arguments.finish()
        var rename = try Rename(try settings.configuration(.postgres), to: new)
        print("stream \(new): \(try rename.perform(from: old, by: Settings.user)) sources")
        return .success
    }

    static let retain = Command(
        name: "retain", form: "",
        summary: "Deletes what the streams' retention says now; a fleet that runs does it each minute",
        example: "retain"
    ) { arguments, settings in
        try arguments.finish()
        let done = try Database.retain(try settings.configuration(.postgres))
        print(
            "\(done.rows) rows, \(done.tombstones) tombstones and \(done.changes) changes deleted, \(done.folded) ledger entries folded"
        )
        return .success
    }
}
