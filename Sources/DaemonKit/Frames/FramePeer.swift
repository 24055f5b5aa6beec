public import Shared

/// One connected subscriber of a `FrameServer`. Confined to the server's loop.
public final class FramePeer {
    /// Which markets' frames a subscriber wants.
    public enum Interest {
        case none
        case all
        case only(Set<Int64>)
    }

    public let id: Int
    public let credentials: PeerCredentials
    /// What it said of itself; `nil` until its `hello`.
    public internal(set) var hello: Hello?
    /// Set by the owner when it subscribes.
    public var interest = Interest.none
    /// Whether it asked for anything at all: frames of no market go to these.
    public var isSubscribed = false

    enum State {
        /// Frames flow. Next: `ending` on an error of its or ours, `ended` on hang-up.
        case open
        /// An `error` frame is on its way; what arrives is thrown away. Next: `ended` on hang-up or after `lingerMax`.
        case ending
        case ended
    }

    let descriptor: Int32
    var state = State.open
    var decoder: FrameDecoder
    /// Since when a part of a frame has been waiting for the rest.
    var partialSince: Instant?
    var queue = OutputQueue()
    var receivedSequence: Int64 = 0
    let connectedAt: Instant
    var lastHeard: Instant
    /// Sends what is queued; made once, so that asking for it allocates nothing.
    var flush: () -> Void = {}
    /// Bytes of `queue.ready` that were told of at trace; all of them whole frames.
    var tracedCount = 0
    var isFlushPending = false
    var isWaitingForRoom = false
    var pingID: Int64 = 0

    init(id: Int, descriptor: Int32, credentials: PeerCredentials, now: Instant) {
        self.id = id
        self.descriptor = descriptor
        self.credentials = credentials
        self.decoder = Self.decoder(for: credentials)
        self.connectedAt = now
        self.lastHeard = now
    }

    private static func decoder(for credentials: PeerCredentials) -> FrameDecoder {
        FrameDecoder(
            byteCountMax: credentials.isMereReader ? FramePlaces.readerFrameByteCountMax : FrameDecoder.byteCountMax)
    }

    /// Throws away what it has sent.
    func forgetReceived() { self.decoder = Self.decoder(for: self.credentials) }

    /// Takes note of what is left in the decoder after a read.
    ///
    /// - Parameter hasAdvanced: whether a frame was whole: then what is left is another's.
    func notePartialFrame(hasAdvanced: Bool, now: Instant) {
        if self.decoder.pendingByteCount == 0 {
            self.partialSince = nil
        } else if hasAdvanced || self.partialSince == nil {
            self.partialSince = now
        }
    }

    /// Adds market `n` to an interest in some.
    public func gain(_ n: Int64) {
        guard case .only(var numbers) = self.interest else { return }
        self.interest = .none
        numbers.insert(n)
        self.interest = .only(numbers)
    }

    /// Takes market `n`, which is no more, out of an interest in some.
    public func lose(_ n: Int64) {
        guard case .only(var numbers) = self.interest else { return }
        self.interest = .none
        numbers.remove(n)
        self.interest = .only(numbers)
    }

    /// Whether it wants the frames of market `n`.
    public func wants(_ n: Int64) -> Bool {
        switch self.interest {
        case .none: false
        case .all: true
        case .only(let numbers): numbers.contains(n)
        }
    }
}
