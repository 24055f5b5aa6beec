/// A program as its user meets it, and the texts that an installation needs of it.
public struct Program: Sendable {
    /// The texts that a program writes of itself, for `make install`.
    public enum Text: String, CaseIterable, Sendable { case man, bash, zsh, fish }

    /// "feedd".
    public let name: String
    /// Of the manual: 1 for commands, 8 for daemons.
    public let section: Int
    /// What it does, to follow "feedd - ": without a full stop.
    public let summary: String
    public let flags: [ProgramFlag]
    /// What the manual page says beyond the flags. One that is titled "DESCRIPTION" stands before them.
    public let sections: [ManualPage.Section]
    /// What `--help` says below the flags.
    public let closing: String

    public init(
        name: String, section: Int, summary: String, flags: [ProgramFlag], sections: [ManualPage.Section],
        closing: String
    ) {
        self.name = name
        self.section = section
        self.summary = summary
        self.flags = flags
        self.sections = sections
        self.closing = closing
    }

    /// The flags that people are told of.
    var shown: [ProgramFlag] { self.flags.filter { !$0.isHidden } }

    /// Columns of `--help`.
    private static let width = 110

    /// What `--help` prints, without a line feed at its end.
    public var help: String {
        var usage = ["Usage: \(self.name)"]
        let indent = String(repeating: " ", count: usage[0].count)
        for flag in self.shown {
            let word = " [\(flag.usage)]"
            if usage.last!.count + word.count > Self.width { usage.append(indent) }
            usage[usage.count - 1] += word
        }
        let column = (self.shown.map(\.usage.count).max() ?? 0) + 2
        let rows = self.shown.map { flag in
            "  " + flag.usage + String(repeating: " ", count: column - flag.usage.count) + flag.summary
        }
        return (usage + ["", self.name + " " + self.summary + ".", ""] + rows + ["", self.closing])
            .joined(separator: "\n")
    }

    /// A text for an installation, with a line feed at its end.
    public func text(_ text: Text) -> String {
        switch text {
        case .man: self.manual.mdoc
        case .bash: self.bashCompletion
        case .zsh: self.zshCompletion
        case .fish: self.fishCompletion
        }
    }

    private var manual: ManualPage {
        var sections = self.sections
        let items = self.shown.map { flag in
            ManualPage.Item(
                [flag.short, flag.name].compactMap { $0 }, value: flag.value,
                flag.summary.prefix(1).uppercased() + flag.summary.dropFirst() + ".")
        }
        if let description = sections.firstIndex(where: { $0.title == "DESCRIPTION" }) {
            sections[description].blocks.append(.items(items))
        } else {
            sections.insert(.init("DESCRIPTION", [.items(items)]), at: 0)
        }
        let synopsis = self.shown.map { ManualPage.Synopsis(flag: $0.name, value: $0.value) }
        return ManualPage(
            name: self.name, section: self.section, summary: self.summary, synopsis: synopsis, sections: sections)
    }
}
