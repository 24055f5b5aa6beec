import DaemonKit
import Glibc
import Shared

/// A connection to a daemon's socket that shows frames as they come: nothing is interpreted, so that it also tells the
/// truth about a daemon that is wrong.
struct TapConnection {
    /// Silence after which the daemon is gone; it pings each second.
    static let silenceMax = Duration.seconds(5)

    enum Ending: Equatable {
        case timeOver
        /// The caller has seen enough.
        case enough
        /// The daemon is gone, or spoke no frames.
        case lost(String)
    }

    private let descriptor: Int32
    private var decoder = FrameDecoder()
    private var sequence: Int64 = 0
    /// What the daemon said of itself.
    private(set) var hello: Hello?

    /// - Throws: code 69 when nobody answers.
    init(path: String) throws(DaemonExit) {
        guard let descriptor = BlockingSocket.connect(path) else {
            let code = errno
            let advice =
                code == EACCES
                ? SocketDirectory.permission(in: String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)))
                : "start the daemon, or name another socket"
            throw DaemonExit(
                .unreachable, "Nobody answers on \(path) (\(String(cString: strerror(code)))): \(advice).")
        }
        self.descriptor = descriptor
    }

    func close() { Glibc.close(self.descriptor) }

    /// Says hello and asks for frames, then hands each to `each` until it returns false or `deadline` passes.
    ///
    /// - Parameter each: gets the envelope and the frame's own text, valid during the call only.
    mutating func follow(
        _ subscription: Subscribe, until deadline: Instant?, endsWithReader: Bool = false,
        _ each: (Envelope, UnsafeBufferPointer<UInt8>) -> Bool
    ) -> Ending {
        self.follow(
            [EncodedFrame(subscription, sentTime: .now())], until: deadline, endsWithReader: endsWithReader, each)
    }

    /// As `follow`, with any requests in the place of a subscription.
    ///
    /// - Parameter endsWithReader: whether all is said when nobody reads standard output any more. It is not where a
    ///   command was given: what becomes of that counts, whoever reads it.
    mutating func follow(
        _ requests: [EncodedFrame], until deadline: Instant?, endsWithReader: Bool = false,
        _ each: (Envelope, UnsafeBufferPointer<UInt8>) -> Bool
    ) -> Ending {
        guard self.send(.ours as Hello), requests.allSatisfy({ self.send($0) }) else {
            return .lost("the daemon closed the connection")
        }
        var lastHeard = Instant.now()
        while true {
            let now = Instant.now()
            let silentAt = lastHeard + Self.silenceMax
            if let deadline, now >= deadline { return .timeOver }
            if now >= silentAt { return .lost("nothing was heard for \(Self.silenceMax.components.seconds) s") }
            let next = deadline.map { min($0, silentAt) } ?? silentAt
            // Asked of standard output: only whether who read there is gone, as no frame may come for long. A negative
            // descriptor is passed over.
            var waiting = [
                pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: endsWithReader ? 1 : -1, events: 0, revents: 0),
            ]
            guard poll(&waiting, 2, Int32((next - now).milliseconds + 1)) > 0 else { continue }
            if waiting[1].revents != 0 { return .enough }
            let descriptor = self.descriptor
            let count = self.decoder.receive { recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard count > 0 else {
                if count < 0 && errno == EINTR { continue }
                return .lost("the daemon closed the connection")
            }
            lastHeard = .now()
            if let ending = self.takeFrames(each) { return ending }
            // Frames may come without a pause: the deadline counts all the same.
        }
    }

    private mutating func takeFrames(_ each: (Envelope, UnsafeBufferPointer<UInt8>) -> Bool) -> Ending? {
        do throws(FrameError) {
            while true {
                var ping: Int64?
                var hello: Hello?
                let goesOn = try self.decoder.next { (frame) throws(FrameError) in
                    let envelope = try Envelope(reading: frame)
                    switch FrameType(rawValue: envelope.type) {
                    case .ping: ping = try envelope.decode(Ping.self).id
                    case .hello: hello = try envelope.decode(Hello.self)
                    default: break
                    }
                    return each(envelope, frame)
                }
                if let hello { self.hello = hello }
                if let ping, !self.send(Pong(id: ping)) { return .lost("the daemon closed the connection") }
                switch goesOn {
                case nil: return nil
                case false?: return .enough
                case true?: continue
                }
            }
        } catch {
            return .lost("it sent \(error)")
        }
    }

    private mutating func send<Body: FrameBody>(_ body: Body) -> Bool {
        self.send(EncodedFrame(body, sentTime: .now()))
    }

    private mutating func send(_ frame: EncodedFrame) -> Bool {
        self.sequence += 1
        var bytes: [UInt8] = []
        frame.write(sequence: self.sequence, to: &bytes)
        return StandardStreams.write(bytes, to: self.descriptor)
    }
}
