/// What a configuration is made of, before it is put together.
public struct ConfigurationSources: Sendable {
    /// The file's name and text; `nil` when there is none.
    public var file: (name: String, text: String)?
    /// The `.env` file's name and values; `nil` when there is none or it does not count.
    public var dotEnv: (name: String, values: [String: String])?
    /// The process's environment.
    public var environment: [String: String]
    /// Values given on the command line: the key's path, the flag that set it, its text.
    public var commandLine: [(path: String, flag: String, text: String)]

    public init(
        file: (name: String, text: String)? = nil, dotEnv: (name: String, values: [String: String])? = nil,
        environment: [String: String] = [:], commandLine: [(path: String, flag: String, text: String)] = []
    ) {
        self.file = file
        self.dotEnv = dotEnv
        self.environment = environment
        self.commandLine = commandLine
    }
}

extension Configuration {
    /// Puts the sources together: command line over environment over `.env` over file over defaults.
    ///
    /// - Throws: every problem of every source, not only the first.
    public init(resolving sources: ConfigurationSources) throws(ConfigurationError) {
        var resolution = Resolution()
        if let file = sources.file { resolution.apply(fileNamed: file.name, text: file.text) }
        if let dotEnv = sources.dotEnv { resolution.apply(dotEnv.values, source: dotEnv.name) }
        resolution.apply(sources.environment, source: "environment")
        for (path, flag, text) in sources.commandLine {
            resolution.set(path, to: .untyped(text), source: "command line", shownAs: flag)
        }
        if resolution.isDryRun { resolution.configuration.trading.mode = .paper }
        guard resolution.problems.isEmpty else { throw ConfigurationError(problems: resolution.problems) }
        self = resolution.configuration
        self.file = sources.file?.name
        self.notes = resolution.notes
    }
}

/// A configuration on its way.
private struct Resolution {
    var configuration = Configuration()
    var problems: [ConfigurationError.Problem] = []
    var notes: [String] = []
    /// Whether any source says DRY_RUN=true.
    var isDryRun = false

    /// Variables of our own that are no keys.
    private static let reservedNames: Set<String> = ["POLYBOT_CONFIG", "POLYBOT_LIFELINE_FD"]
    /// How many letters a variable may be away from a key's name and still be taken for a mistake.
    private static let misspeltMax = 3

    private static let paths = ConfigurationKey.all.map(\.path)
    private static let keys = Dictionary(uniqueKeysWithValues: ConfigurationKey.all.map { ($0.path, $0) })
    private static let sections = Set(ConfigurationKey.all.map(\.section)).union(["strategies"])

    mutating func set(
        _ path: String, to input: ConfigurationInput, source: String, line: Int? = nil, shownAs name: String
    ) {
        guard let key = Self.keys[path] else { preconditionFailure("\(path) is not in the table of keys") }
        if let value = key.kind.value(of: input) {
            key.write(&self.configuration, value)
        } else {
            let found = ConfigurationText.shown(input, isSecret: key.isSecret)
            self.problems.append(
                .init(source: source, line: line, key: name, "found \(found), allowed is \(key.kind.allowed)"))
        }
    }

    // MARK: The file

    mutating func apply(fileNamed name: String, text: String) {
        let document: ConfigurationDocument
        do {
            document = try ConfigurationDocument(text, name: name)
        } catch {
            self.problems += error.problems
            return
        }
        var unknownSections: Set<String> = []
        for entry in document.entries {
            if Self.keys[entry.path] != nil {
                self.set(entry.path, to: entry.input, source: name, line: entry.line, shownAs: entry.path)
            } else if Self.sections.contains(entry.path) {
                // An empty section says nothing, and that is allowed.
                if entry.input == .table { continue }
                self.problems.append(
                    .init(
                        source: name, line: entry.line, key: entry.path,
                        "is a section: write [\(entry.path)] and its keys below"))
            } else {
                self.refuse(unknown: entry, in: name, &unknownSections)
            }
        }
    }

    private mutating func refuse(
        unknown entry: ConfigurationDocument.Entry, in file: String, _ reported: inout Set<String>
    ) {
        let top = entry.path.prefix { $0 != "." }
        let nearest = ConfigurationText.nearest(to: entry.path, among: Self.paths)
        if entry.path.contains(".") && !Self.sections.contains(String(top)) && nearest == nil {
            // One line for a section that does not exist, not one for each of its keys.
            guard reported.insert(String(top)).inserted else { return }
            let known = Self.sections.filter { $0 != "strategies" }.sorted()
            let section = ConfigurationText.nearest(to: String(top), among: known)
            let advice = section.map { "the nearest is [\($0)]" } ?? "sections are " + known.joined(separator: ", ")
            self.problems.append(
                .init(
                    source: file, line: entry.line, key: ConfigurationText.cut(String(top)),
                    "is not a section of polybot.toml; \(advice)"))
            return
        }
        let message = "is not a key of polybot.toml" + self.advice(nearest, entry.path)
        self.problems.append(
            .init(source: file, line: entry.line, key: ConfigurationText.cut(entry.path), message))
    }

    private func advice(_ nearest: String?, _ path: String) -> String {
        if let nearest { return "; the nearest is \(nearest)" }
        let section = Self.sections.filter { path.hasPrefix($0 + ".") }.max { $0.count < $1.count }
        let names = ConfigurationKey.all.filter { $0.section == section }.map(\.name)
        return names.isEmpty ? "" : "; [\(section ?? "")] has " + names.joined(separator: ", ")
    }

    // MARK: The environment and .env

    /// Takes what `variables` say. The predecessor's names first, so that a key's own name wins.
    mutating func apply(_ variables: [String: String], source: String) {
        for key in ConfigurationKey.all {
            for name in key.predecessors {
                guard let text = variables[name]?.trimmed, !text.isEmpty else { continue }
                if variables[key.environmentName] != nil {
                    self.notes.append("\(source): \(name) has no effect because \(key.environmentName) is set")
                } else {
                    self.set(key.path, to: .untyped(text), source: source, shownAs: name)
                }
            }
            if let text = variables[key.environmentName] {
                self.set(key.path, to: .untyped(text.trimmed), source: source, shownAs: key.environmentName)
            }
        }
        self.applyDryRun(variables["DRY_RUN"], source: source)
        self.noteUnknownStrategies(variables, source: source)
        self.refuseUnknown(variables, source: source)
    }

    /// What turns a strategy on that this version does not have must not pass unheard; turning it off is done already.
    private mutating func noteUnknownStrategies(_ variables: [String: String], source: String) {
        let known = Set(ConfigurationKey.all.flatMap(\.predecessors))
        for name in variables.keys.sorted() where name.hasPrefix("STRATEGY_") && name.hasSuffix("_ENABLED") {
            guard !known.contains(name), let text = variables[name]?.trimmed, !text.isEmpty else { continue }
            let shown = ConfigurationText.cut(name)
            switch ConfigurationKind.bool(text) {
            case true: self.notes.append("\(source): \(shown) has no effect: this version has no such strategy")
            case false: continue
            case nil:
                let found = ConfigurationText.cut(text)
                self.problems.append(.init(source: source, key: shown, "found \"\(found)\", allowed is true or false"))
            }
        }
    }

    private mutating func applyDryRun(_ text: String?, source: String) {
        guard let text = text?.trimmed, !text.isEmpty else { return }
        switch ConfigurationKind.bool(text) {
        case true: self.isDryRun = true
        case false:
            self.notes.append("\(source): DRY_RUN=false enables nothing by itself; trading.mode = \"live\" would")
        case nil:
            let found = ConfigurationText.cut(text)
            self.problems.append(.init(source: source, key: "DRY_RUN", "found \"\(found)\", allowed is true or false"))
        }
    }

    /// A variable that was meant for us and is no key would be silently without effect: refuse it.
    private mutating func refuseUnknown(_ variables: [String: String], source: String) {
        let known = ConfigurationKey.all.map(\.environmentName)
        let prefixes = Self.sections.map { "POLYBOT_" + $0.replacingDots.uppercased() + "_" }
        for name in variables.keys.sorted() where name.hasPrefix("POLYBOT_") {
            if known.contains(name) || Self.reservedNames.contains(name) { continue }
            let nearest = known.min { ConfigurationText.distance(name, $0) < ConfigurationText.distance(name, $1) }!
            let isNear = ConfigurationText.distance(name, nearest) <= Self.misspeltMax
            guard isNear || prefixes.contains(where: { name.hasPrefix($0) }) else { continue }
            let message = "stands for no key of polybot.toml; the nearest is \(nearest)"
            self.problems.append(.init(source: source, key: ConfigurationText.cut(name), message))
        }
    }
}

extension String {
    fileprivate var replacingDots: String { String(self.map { $0 == "." ? "_" : $0 }) }
}
