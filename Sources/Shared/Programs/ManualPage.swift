/// A manual page: what it says, and its text in the mdoc language of `man`.
public struct ManualPage: Sendable {
    /// What stands on the line below the name.
    public struct Synopsis: Sendable {
        let flag: String
        let value: String?

        public init(flag: String, value: String?) {
            self.flag = flag
            self.value = value
        }
    }

    /// A row of a list: a flag, a key, a file, and what it is.
    public struct Item: Sendable {
        /// Names of the same thing, as a reader types them.
        let names: [String]
        /// A word that stands for a value.
        let value: String?
        let text: String

        public init(_ names: [String], value: String? = nil, _ text: String) {
            self.names = names
            self.value = value
            self.text = text
        }
    }

    public enum Block: Sendable {
        case paragraph(String)
        case items([Item])
        /// Lines that stay as they are.
        case example(String)
        /// The title of a part of the section.
        case heading(String)
    }

    public struct Section: Sendable {
        /// In capital letters.
        public let title: String
        public var blocks: [Block]

        public init(_ title: String, _ blocks: [Block]) {
            self.title = title
            self.blocks = blocks
        }
    }

    /// The day on which the pages were last read through; a page must not change with the day of a build.
    private static let date = "November 25, 2026"

    private let name: String
    private let section: Int
    private let summary: String
    private let synopsis: [Synopsis]
    private let sections: [Section]

    /// - Parameters:
    ///   - section: of the manual, 1 to 9.
    ///   - synopsis: what may follow the name on a command line; empty for what is no command.
    public init(name: String, section: Int, summary: String, synopsis: [Synopsis] = [], sections: [Section]) {
        self.name = name
        self.section = section
        self.summary = summary
        self.synopsis = synopsis
        self.sections = sections
    }

    /// The page, with a line feed at its end.
    public var mdoc: String {
        var lines = [
            ".Dd \(Self.date)", ".Dt \(self.name.uppercased()) \(self.section)", ".Os polybot",
            // Names of variables and files must not be parted.
            ".nh", ".Sh NAME", ".Nm \(self.name)", ".Nd \(Self.argument(self.summary, isWord: false))",
        ]
        if !self.synopsis.isEmpty { lines += [".Sh SYNOPSIS", ".Nm"] }
        for item in self.synopsis {
            let value = item.value.map { " Ar " + Self.argument($0) } ?? ""
            lines.append(item.flag.hasPrefix("-") ? ".Op \(Self.name(item.flag))\(value)" : ".Ar \(item.flag)")
        }
        for section in self.sections {
            lines.append(".Sh \(section.title)")
            for (index, block) in section.blocks.enumerated() {
                // Between two paragraphs alone: the other blocks bring their own space.
                if index > 0, case .paragraph = block, !section.blocks[index - 1].isHeading { lines.append(".Pp") }
                lines += Self.lines(of: block)
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(of block: Block) -> [String] {
        switch block {
        case .heading(let title): return [".Ss " + Self.argument(title, isWord: false)]
        case .paragraph(let text): return Self.sentences(text)
        case .example(let text): return [".Bd -literal -offset indent"] + Self.plainLines(text) + [".Ed"]
        case .items(let items):
            var lines = [".Bl -tag -width Ds"]
            for item in items {
                let names = item.names.map { Self.name($0) }.joined(separator: " , ")
                let value = item.value.map { " Ar " + Self.argument($0) } ?? ""
                lines.append(".It " + names + value)
                lines += Self.sentences(item.text)
            }
            return lines + [".El"]
        }
    }

    /// `man` wants each sentence on a line of its own.
    private static func sentences(_ text: String) -> [String] {
        var split = ""
        for character in text {
            let isNew = character.isUppercase && split.hasSuffix(". ")
            if isNew { split.replaceSubrange(split.index(before: split.endIndex)..., with: "\n") }
            split.append(character)
        }
        return Self.plainLines(split)
    }

    private static func plainLines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { Self.plain(String($0)) }
    }

    private static func name(_ name: String) -> String {
        name.hasPrefix("-") ? "Fl " + Self.argument(String(name.dropFirst())) : "Ic " + Self.argument(name)
    }

    /// A text line: nothing in it is a command, and a minus sign stays one, so that it can be copied.
    private static func plain(_ text: String) -> String {
        let escaped = Self.escaped(text)
        return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
    }

    /// What follows a command on its line. A short word could be a command itself.
    private static func argument(_ text: String, isWord: Bool = true) -> String {
        let escaped = Self.escaped(text).split(separator: "\"", omittingEmptySubsequences: false).joined(
            separator: "\\(dq")
        guard isWord else { return escaped }
        let word = escaped.split(separator: " ", omittingEmptySubsequences: false).joined(separator: "\\ ")
        return word.count <= 3 ? "\\&" + word : word
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\e"
            case "-": escaped += "\\-"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}

extension ManualPage.Block {
    fileprivate var isHeading: Bool { if case .heading = self { true } else { false } }
}
