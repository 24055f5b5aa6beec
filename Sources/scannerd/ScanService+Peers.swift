import DaemonKit
import Logging
import Shared

/// Who listens to the scanner, and to whom it listens.
extension ScanService {
    /// How long `stratd` takes at most to tell all its orders and positions.
    private static let retellingMax = Duration.seconds(5)

    // MARK: Subscribers

    func sendUniverse(to peer: FramePeer) {
        for body in UniverseBody.split(self.core.universe.sorted, age: self.age) {
            self.server.send(body, to: peer, as: .opening)
        }
        for (_, group) in self.core.groups.sorted(by: { $0.key < $1.key }) {
            self.server.send(EventGroupBody(group), to: peer, as: .opening)
        }
    }

    func take(_ envelope: Envelope, from peer: FramePeer) {
        do throws(FrameError) {
            switch FrameType(rawValue: envelope.type) {
            case .subscribe:
                let subscription = try envelope.decode(Subscribe.self)
                if let id = subscription.id { self.server.send(ResultBody(id: id, .ok(nil)), to: peer) }
                peer.isSubscribed = true
                // Before the first pass nobody knows; an empty universe would make every follower drop its markets.
                if self.core.isReady { self.sendUniverse(to: peer) }
                self.server.send(self.status, to: peer, as: .status)
            case .scanNow:
                let command = try Command(envelope)
                guard peer.credentials.isOperator else {
                    self.answer(command.id, peer, .failed(code: .notAllowed, message: "scan_now is for operators"))
                    return
                }
                self.core.hurry(now: .now())
                self.pump()
                self.answer(command.id, peer, .ok(nil))
            default: self.logger.debug("Frame skipped", metadata: ["type": "\(envelope.type)", "peer": "\(peer.id)"])
            }
        } catch {
            self.server.end(peer, .badRequest, "\(envelope.type): \(error)")
        }
    }

    private func answer(_ id: Int64?, _ peer: FramePeer, _ outcome: ResultBody.Outcome) {
        if let id { self.server.send(ResultBody(id: id, outcome), to: peer) }
    }

    // MARK: Others

    /// What `feedd` hears of new and resolved markets, and which markets `stratd` holds.
    func followOthers() {
        self.feed.onConnected = { _ in self.feed.send(Subscribe(id: 1, markets: .only([]))) }
        self.feed.onFrame = { envelope in
            guard envelope.type == FrameType.marketHint.rawValue else { return }
            do throws(FrameError) {
                let hint = try envelope.decode(MarketHint.self)
                if self.core.hint(slug: hint.slug, condition: hint.market, now: .now()) { self.pump() }
            } catch {
                self.skip(envelope, error)
            }
        }
        self.strategies.onConnected = { _ in
            self.pins.beginAnew()
            self.strategies.send(Subscribe(id: 1, markets: .all))
            self.loop.after(Self.retellingMax) {
                guard self.strategies.isConnected else { return }
                self.pins.endAnew()
                self.pin()
            }
        }
        self.strategies.onFrame = { envelope in
            do throws(FrameError) {
                switch FrameType(rawValue: envelope.type) {
                case .order: self.pins.take(try envelope.decode(OrderBody.self))
                case .position: self.pins.take(try envelope.decode(PositionBody.self))
                default: return
                }
                self.pin()
            } catch {
                self.skip(envelope, error)
            }
        }
        self.feed.start()
        self.strategies.start()
    }

    private func skip(_ envelope: Envelope, _ error: FrameError) {
        self.logger.error(
            "Cannot read a frame of another daemon",
            metadata: ["type": "\(envelope.type)", "reason": "\(error)"])
    }

    private func pin() {
        let markets = self.pins.markets
        guard markets != self.core.universe.pinned, !self.isStopped else { return }
        self.perform(self.core.pin(markets, time: .now()))
        self.saveSoon()
        self.pump()
    }

    // MARK: Status

    /// Of the listing, microseconds; -1 before it was ever read.
    private var age: Int64 { self.core.listedTime.map { (Timestamp.now() - $0).nanoseconds / 1_000 } ?? -1 }

    private var status: ScanStatus {
        ScanStatus(
            markets: Int64(self.core.universe.markets.count), listed: self.core.lastWhole?.listedCount ?? 0,
            refused: self.core.lastWhole?.refused ?? [:], age: self.age, error: self.core.error)
    }

    func publishStatus() {
        self.server.publish(self.status, as: .status)
        self.server.publish(
            Metrics(values: [
                "passes": self.core.wholePassCount, "passes_failed": self.core.failedPassCount,
                "rounds": self.core.roundCount, "pinned": Int64(self.core.universe.pinned.count),
                "subscribers": Int64(self.server.peers.count),
            ]), as: .status)
        let problem = self.core.error.map { ", last reading failed: \($0)" } ?? ""
        self.context.notifier.status(
            "\(self.core.universe.markets.count) markets of \(self.core.lastWhole?.listedCount ?? 0)\(problem)")
    }
}
