import Shared

/// The venue's clock beside ours.
enum VenueClock {
    /// The venue tells whole seconds, rounded down: so far behind it may seem without being so.
    static let resolution = Duration.seconds(1)

    /// How far apart the two are at least.
    ///
    /// - Parameter offset: the time that the venue told, less ours when it was asked.
    static func skew(_ offset: Duration) -> Duration {
        max(.zero, max(.zero - offset - Self.resolution, offset))
    }
}
