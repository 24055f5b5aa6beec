import DaemonKit
import Shared

// What the configuration's section [feed] becomes in the machines that obey it.

extension MarketFeed.Settings {
    init(_ feed: Configuration.Feed) {
        self.init(
            reconnectDelay: feed.reconnectDelay, attemptsMax: feed.reconnectAttemptsMax, silenceMax: feed.silenceMax,
            pingInterval: feed.pingInterval)
    }
}

extension HostHealth {
    init(_ feed: Configuration.Feed) {
        self.init(
            failureCountMax: feed.breakerErrors, openDuration: feed.breakerTimeout, latencyMax: feed.breakerLatency)
    }
}
