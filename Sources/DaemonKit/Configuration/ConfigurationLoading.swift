import CLinux
import Glibc

extension Configuration {
    /// Where a configuration is looked for when none is named.
    public static let defaultPaths = ["./polybot.toml", "/etc/polybot/polybot.toml"]

    /// Finds and reads the files, and puts everything together.
    ///
    /// - Parameters:
    ///   - path: what `--config` says; wins over `$POLYBOT_CONFIG`.
    ///   - environment: see `ProcessEnvironment`.
    ///   - readsDotEnv: false under systemd, where a file beside the configuration must not change a service.
    ///   - commandLine: values given by flags.
    ///   - defaultPaths: where to look when no file is named; the first that exists counts.
    /// - Throws: every problem, a named file that is missing or cannot be read included.
    public static func load(
        path: String?, environment: [String: String], readsDotEnv: Bool,
        commandLine: [(path: String, flag: String, text: String)] = [], defaultPaths: [String] = Self.defaultPaths
    ) throws(ConfigurationError) -> Configuration {
        var sources = ConfigurationSources(environment: environment, commandLine: commandLine)
        let named = path ?? environment["POLYBOT_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        if let named {
            guard let text = try Self.read(named, byteCountMax: ConfigurationDocument.byteCountMax) else {
                let by = path == nil ? "$POLYBOT_CONFIG" : "--config"
                throw ConfigurationError(problems: [.init(source: named, "does not exist, but \(by) names it")])
            }
            sources.file = (named, text)
        } else {
            for candidate in defaultPaths where sources.file == nil {
                let text = try Self.read(candidate, byteCountMax: ConfigurationDocument.byteCountMax)
                sources.file = text.map { (candidate, $0) }
            }
        }
        if readsDotEnv {
            let dotEnv = Self.dotEnvPath(beside: sources.file?.name)
            if let text = try Self.read(dotEnv, byteCountMax: DotEnv.byteCountMax) {
                sources.dotEnv = (dotEnv, try DotEnv.parse(text, name: dotEnv))
            }
        }
        return try Configuration(resolving: sources)
    }

    private static func dotEnvPath(beside file: String?) -> String {
        (file?.lastIndex(of: "/").map { String(file![...$0]) } ?? "./") + ".env"
    }

    /// The `.env` file that stands beside this configuration, whether it is there or not.
    public var dotEnvPath: String { Self.dotEnvPath(beside: self.file) }

    /// What the `.env` file says for a name that is no key: a secret, which a configuration never holds. Read anew.
    public func dotEnvValue(of name: String) -> String? {
        guard let text = try? Self.read(self.dotEnvPath, byteCountMax: DotEnv.byteCountMax) else { return nil }
        return (try? DotEnv.parse(text, name: self.dotEnvPath, keepsSecrets: true))?[name]
    }

    /// The whole of a file; `nil` when it does not exist.
    private static func read(_ path: String, byteCountMax: Int) throws(ConfigurationError) -> String? {
        func refuse(_ message: String) -> ConfigurationError {
            ConfigurationError(problems: [.init(source: path, message)])
        }
        // Not blocking: a pipe of that name must not hold a daemon up.
        let descriptor = clinux_open(path, O_RDONLY | O_NONBLOCK, 0)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw refuse("cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw refuse("is not a regular file")
        }
        guard status.st_size <= byteCountMax else { throw refuse("is over \(byteCountMax) bytes long") }
        var bytes = [UInt8](repeating: 0, count: byteCountMax + 1)
        defer { bytes.withUnsafeMutableBytes { explicit_bzero($0.baseAddress!, $0.count) } }
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + count, $0.count - count) }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw refuse("cannot be read: \(String(cString: strerror(errno)))") }
            if got == 0 { break }
            count += got
        }
        guard count <= byteCountMax else { throw refuse("is over \(byteCountMax) bytes long") }
        guard let text = String(validating: bytes[..<count], as: UTF8.self) else { throw refuse("is not UTF-8 text") }
        return text
    }
}
