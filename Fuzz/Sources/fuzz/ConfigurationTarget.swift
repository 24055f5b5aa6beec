@testable import DaemonKit

/// A configuration is within its bounds or refused, and a refusal never shows what could be a key.
enum ConfigurationTarget {
    /// The first byte says where the rest stands.
    static func run(_ input: UnsafeBufferPointer<UInt8>) {
        guard let place = input.first, let text = String(validating: input.dropFirst(), as: UTF8.self) else { return }
        var sources = ConfigurationSources()
        do throws(ConfigurationError) {
            switch place % 3 {
            case 0: sources.file = ("polybot.toml", text)
            case 1: sources.dotEnv = (".env", try DotEnv.parse(text, name: ".env"))
            default: sources.environment = Self.variables(text)
            }
            self.checkValues(of: try Configuration(resolving: sources))
        } catch {
            check(!error.problems.isEmpty, "refused without a reason")
            for problem in error.problems { self.checkText(problem.description) }
        }
    }

    /// As the process would get them: anything but a zero byte and a line end, which parts them here.
    private static func variables(_ text: String) -> [String: String] {
        var variables: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            variables[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        return variables
    }

    private static func checkValues(of configuration: Configuration) {
        for note in configuration.notes { self.checkText(note) }
        for key in ConfigurationKey.all {
            let value = key.read(configuration)
            let again: ConfigurationValue? =
                switch value {
                case .bool(let flag): key.kind.value(of: .bool(flag))
                case .integer(let number): key.kind.value(of: .integer(number))
                case .decimal(let micros): key.kind.value(of: .untyped(Self.decimal(micros)))
                case .text(let text): key.kind.value(of: .string(text))
                case .list(let texts): key.kind.value(of: .array(texts.map { .string($0) }))
                }
            check(again == value, "\(key.path) holds \(value), which is not allowed")
        }
    }

    private static func decimal(_ micros: Int64) -> String {
        let fraction = "\(micros % 1_000_000)"
        return "\(micros / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }

    private static func checkText(_ text: String) {
        check(!ConfigurationText.looksSecret(text), "what could be a key was shown")
        check(
            text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F },
            "a control character was shown: \(text.debugDescription)")
    }
}
