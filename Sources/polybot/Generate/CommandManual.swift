import Shared

/// The manual page of a command with subcommands, from what ArgumentParser tells of them as JSON.
enum CommandManual {
    /// - Parameter help: what `_dumpHelp()` returns.
    static func text(of help: String) -> String {
        guard let help = try? JSONValue(parsing: Array(help.utf8)), let root = help["command"] else {
            preconditionFailure("ArgumentParser's description of the commands is no JSON")
        }
        let name = root["commandName"]?.string ?? ""
        let commands = (root["subcommands"]?.array ?? []).filter {
            Self.isShown($0) && $0["commandName"]?.string != "help"
        }
        var blocks: [ManualPage.Block] = []
        for command in commands {
            blocks.append(.heading("\(name) \(command["commandName"]?.string ?? "")"))
            blocks += Self.blocks(of: command)
        }
        let page = ManualPage(
            name: name, section: 1, summary: Self.inSentence(root["abstract"]?.string ?? ""),
            synopsis: [.init(flag: "command", value: nil), .init(flag: "options", value: nil)],
            sections: [
                .init("DESCRIPTION", Self.paragraphs(root["discussion"]?.string ?? "")),
                .init("COMMANDS", blocks),
                .init(
                    "SEE ALSO", [.paragraph("simvenue(1), polybot.toml(5), feedd(8), scannerd(8), stratd(8)")]),
            ])
        return page.mdoc
    }

    private static func blocks(of command: JSONValue) -> [ManualPage.Block] {
        var blocks: [ManualPage.Block] = [.paragraph(command["abstract"]?.string ?? "")]
        let arguments = (command["arguments"]?.array ?? []).filter(Self.isShown)
        let items = arguments.map(Self.item).filter { !$0.isHelp }.map(\.item)
        if !items.isEmpty { blocks.append(.items(items)) }
        return blocks + Self.paragraphs(command["discussion"]?.string ?? "")
    }

    private static func item(_ argument: JSONValue) -> (item: ManualPage.Item, isHelp: Bool) {
        let value = argument["valueName"]?.string ?? ""
        let names = (argument["names"]?.array ?? []).compactMap { name -> String? in
            guard let text = name["name"]?.string else { return nil }
            return name["kind"]?.string == "long" ? "--\(text)" : "-\(text)"
        }
        var text = argument["abstract"]?.string ?? ""
        if let standard = argument["defaultValue"]?.string { text += "\nThe default is \(standard)." }
        let isOption = argument["kind"]?.string == "option"
        let item =
            names.isEmpty
            ? ManualPage.Item([value], text) : ManualPage.Item(names, value: isOption ? value.uppercased() : nil, text)
        return (item, names.contains("--help") || names.contains("--version"))
    }

    /// Empty lines part paragraphs; what is set in columns for `--help` stays as it is.
    private static func paragraphs(_ text: String) -> [ManualPage.Block] {
        var blocks: [ManualPage.Block] = []
        var lines: [Substring] = []
        func end() {
            guard !lines.isEmpty else { return }
            let text = lines.joined(separator: "\n")
            blocks.append(text.contains("   ") ? .example(text) : .paragraph(text))
            lines = []
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty {
                end()
            } else {
                lines.append(line)
            }
        }
        end()
        return blocks
    }

    private static func isShown(_ part: JSONValue) -> Bool { part["shouldDisplay"]?.bool ?? true }

    /// "Runs it." as it follows a name and a dash.
    private static func inSentence(_ text: String) -> String {
        let text = text.hasSuffix(".") ? text.dropLast() : text[...]
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}
