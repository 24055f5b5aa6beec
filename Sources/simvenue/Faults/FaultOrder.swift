import Shared

/// A fault with its parameters, read and within their bounds: `{"do":"silence","seconds":20}`.
struct FaultOrder: Hashable, Sendable {
    let name: String
    /// In the table's order; defaults are among them.
    private let values: [(name: String, value: FaultParameter.Value)]

    /// - Parameter further: members that somebody else reads.
    init(parsing body: [UInt8], further: Set<String> = []) throws(FaultProblem) {
        guard let value = try? JSONValue(parsing: body), let members = value.object, let name = value["do"]?.string
        else {
            throw FaultProblem(#"a fault is one JSON object, {"do":"…"} with its parameters"#)
        }
        guard let row = FaultTable.row(name) else {
            let known = FaultTable.rows.map(\.name).joined(separator: ", ")
            throw FaultProblem("unknown fault '\(name.prefix(64))'; known: \(known)")
        }
        let known = row.parameters.map(\.name)
        if let stranger = members.keys.sorted().first(where: {
            $0 != "do" && !further.contains($0) && !known.contains($0)
        }) {
            let list = known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))"
            throw FaultProblem("\(name) has no parameter '\(stranger.prefix(64))'; \(list)")
        }
        var values: [(name: String, value: FaultParameter.Value)] = []
        for parameter in row.parameters {
            if let given = value[parameter.name] {
                values.append((parameter.name, try parameter.read(given, of: name)))
            } else if let fallback = parameter.fallback {
                values.append((parameter.name, fallback))
            } else if parameter.isRequired {
                throw FaultProblem("\(name) needs \(parameter.name): \(parameter.bounds.text)")
            }
        }
        self.name = name
        self.values = values
    }

    var fault: Fault {
        guard let row = FaultTable.row(self.name) else { preconditionFailure("an order of an unknown fault") }
        return row.make(self)
    }

    private func value(_ name: String) -> FaultParameter.Value? { self.values.first { $0.name == name }?.value }
    func whole(_ name: String) -> Int64? { if case .whole(let number)? = self.value(name) { number } else { nil } }
    func text(_ name: String) -> String? { if case .text(let text)? = self.value(name) { text } else { nil } }
    func flag(_ name: String) -> Bool { self.value(name) == .flag(true) }

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.key("do")
            $0.string(self.name)
            for (name, value) in self.values {
                $0.key(dynamic: name)
                value.write(to: &$0)
            }
        }
    }

    static func == (a: FaultOrder, b: FaultOrder) -> Bool {
        a.name == b.name && a.values.elementsEqual(b.values) { $0 == $1 }
    }

    func hash(into hasher: inout Hasher) { hasher.combine(self.name) }
}
