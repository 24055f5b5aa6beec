import Glibc

/// A system call that failed, with what the kernel said.
public struct SystemError: Error, CustomStringConvertible, Equatable {
    public let call: String
    public let code: Int32

    /// Takes `errno`: make it first thing after the call.
    public init(_ call: String) {
        let code = errno
        self.init(call, code: code)
    }

    public init(_ call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    public var description: String { "\(self.call): \(String(cString: strerror(self.code)))" }
}
