// What shells read to complete a program's command line. Each is a table again: flags, and what follows them.
extension Program {
    private var names: [String] { self.shown.flatMap { [$0.name, $0.short].compactMap { $0 } } }

    var bashCompletion: String {
        var cases = ""
        for flag in self.shown where flag.value != nil {
            let words =
                switch flag.completion {
                case .nothing: ""
                case .file: "compgen -f -- \"$word\""
                case .directory: "compgen -d -- \"$word\""
                case .words(let words): "compgen -W '\(words.joined(separator: " "))' -- \"$word\""
                }
            let isPath = flag.completion == .file || flag.completion == .directory
            cases += "        \(flag.name))"
            if !words.isEmpty { cases += " mapfile -t COMPREPLY < <(\(words))" }
            cases += isPath ? "; compopt -o filenames 2>/dev/null ;;\n" : " ;;\n"
        }
        return """
            # bash completion for \(self.name)
            _\(self.name)() {
                local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
                # bash makes three words of --flag=value.
                if [ "$word" = = ]; then
                    word=
                elif [ "$before" = = ]; then
                    before=${COMP_WORDS[COMP_CWORD - 2]}
                fi
                COMPREPLY=()
                case $before in
            \(cases)        *) mapfile -t COMPREPLY < <(compgen -W '\(self.names.joined(separator: " "))' -- "$word") ;;
                esac
            }
            complete -F _\(self.name) \(self.name)

            """
    }

    var zshCompletion: String {
        var lines = ["#compdef \(self.name)", "_arguments \\"]
        for flag in self.shown {
            let summary = Self.quoted(Self.escaped(flag.summary, "[]:\\"))
            for name in [flag.name, flag.short].compactMap({ $0 }) {
                guard let value = flag.value else {
                    lines.append("    '\(name)[\(summary)]' \\")
                    continue
                }
                let action =
                    switch flag.completion {
                    case .nothing: " "
                    case .file: "_files"
                    case .directory: "_files -/"
                    case .words(let words): "(\(words.joined(separator: " ")))"
                    }
                lines.append("    '\(name)=[\(summary)]:\(value):\(action)' \\")
            }
        }
        return lines.joined(separator: "\n").dropLast(2) + "\n"
    }

    var fishCompletion: String {
        var lines = ["# fish completion for \(self.name)", "complete -c \(self.name) -f"]
        for flag in self.shown {
            var line = "complete -c \(self.name) -l \(flag.name.dropFirst(2))"
            if let short = flag.short { line += " -s \(short.dropFirst())" }
            if flag.value != nil {
                switch flag.completion {
                case .nothing: line += " -x"
                case .file: line += " -r -F"
                case .directory: line += " -x -a '(__fish_complete_directories)'"
                case .words(let words): line += " -x -a '\(words.joined(separator: " "))'"
                }
            }
            lines.append(line + " -d '\(Self.escaped(flag.summary, "\\'"))'")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A backslash before each of `signs`.
    private static func escaped(_ text: String, _ signs: String) -> String {
        text.reduce(into: "") { $0 += signs.contains($1) ? "\\\($1)" : "\($1)" }
    }

    /// Between single quotes in a shell of Bourne's kind.
    private static func quoted(_ text: String) -> String {
        text.reduce(into: "") { $0 += $1 == "'" ? "'\\''" : "\($1)" }
    }
}
