private import CLibpq
package import Common

/// Where a database is, in one text: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=require`, or `host=… user=…`
/// (Postgres documentation, 34.1.1). libpq reads it; it may hold a password, so no error repeats any of it.
package enum ConnectionString {
    private static let url = "DATABASE_URL"

    /// libpq's parameter of each variable that it reads. Not that of the client's encoding: it is ours.
    package static let variables: [String: String] = {
        var variables: [String: String] = [:]
        for option in options where option.keyword != "client_encoding" {
            if let variable = option.variable { variables[variable] = option.keyword }
        }
        return variables
    }()

    /// Every variable that says where Postgres is and who logs in, with the files that hold one.
    package static var variableNames: [String] {
        let names = variables.keys + [url]
        return names + names.map { $0 + "_FILE" }
    }

    /// What `DATABASE_URL` and the PG… variables say. As with psql, what a connection string says comes before the
    /// variables beside it.
    package static func parameters(in environment: [String: String]) throws(StartError) -> [String: String] {
        var parameters = try ConnectionVariables.values(variables, in: environment)
        parameters = try expand(parameters, name: "PGDATABASE")
        guard let text = try ConnectionVariables.value(url, in: environment) else { return parameters }
        return parameters.merging(try parse(text, name: url)) { $1 }
    }

    /// Puts the parts of a connection string that stands for a database's name in its place.
    /// - Parameter name: where it stands, for an error.
    package static func expand(
        _ parameters: [String: String], name: String
    ) throws(StartError) -> [String: String] {
        guard let text = parameters["dbname"], isOne(text) else { return parameters }
        var rest = parameters
        rest["dbname"] = nil
        return rest.merging(try parse(text, name: name)) { $1 }
    }

    /// The rule of libpq's `expand_dbname`.
    private static func isOne(_ text: String) -> Bool {
        text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") || text.contains("=")
    }

    private static func parse(_ text: String, name: String) throws(StartError) -> [String: String] {
        guard isOne(text), let list = PQconninfoParse(text, nil) else {
            throw StartError(
                "\(name) is not a connection string that libpq takes; it must be like "
                    + "postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=require, with % and two digits for special "
                    + "characters", .configuration)
        }
        defer { PQconninfoFree(list) }
        return Dictionary(
            Self.read(list).compactMap { option in option.value.map { (option.keyword, $0) } }, uniquingKeysWith: { $1 }
        )
    }

    /// One sentence a parameter that this libpq doesn't know, or that is ours.
    package static func problems(_ parameters: [String: String]) -> [String] {
        let known = Set(options.map(\.keyword))
        return parameters.keys.sorted().compactMap { name in
            if name == "client_encoding" { return "postgres parameter '\(name)' can't be set: it is UTF8" }
            return known.contains(name) ? nil : "postgres parameter '\(name)': libpq knows none of that name"
        }
    }

    private struct Option: Sendable {
        var keyword: String
        var variable: String?
        var value: String?
    }

    /// All that this libpq knows.
    private static let options: [Option] = {
        guard let list = PQconndefaults() else { preconditionFailure("out of memory") }
        defer { PQconninfoFree(list) }
        return read(list)
    }()

    private static func read(_ list: UnsafeMutablePointer<PQconninfoOption>) -> [Option] {
        var options: [Option] = []
        var next = list
        while let keyword = next.pointee.keyword {
            options.append(
                Option(
                    keyword: String(cString: keyword), variable: next.pointee.envvar.map { String(cString: $0) },
                    value: next.pointee.val.map { String(cString: $0) }))
            next += 1
        }
        return options
    }
}
