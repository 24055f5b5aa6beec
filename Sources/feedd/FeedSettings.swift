import DaemonKit
import Shared

// What the configuration's section [feed] becomes in the machines that obey it.

extension MarketFeed.Settings {
    init(_ feed: Configuration.Feed) {
        self.init(
            reconnectDelay: feed.reconnectDelay, attemptsMax: feed.reconnectAttemptsMax, silenceMax: feed.silenceMax,
            // A line must have been asked before its silence is believed.
            pingInterval: min(feed.pingInterval, feed.silenceMax * 2 / 3))
    }
}

extension HostHealth {
    init(_ feed: Configuration.Feed) {
        self.init(
            failureCountMax: feed.breakerErrors, openDuration: feed.breakerTimeout, latencyMax: feed.breakerLatency)
    }
}
