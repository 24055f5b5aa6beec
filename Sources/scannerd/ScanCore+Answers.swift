import Shared

/// What answers mean.
extension ScanCore {
    /// A member that is not found so often in a row is gone: once may be a cache's mistake.
    private static let missingCountMax = 2
    /// Until the whole listing is tried again. Rounds go on meanwhile.
    private static let retryWait = Duration.seconds(60)

    mutating func take(_ answer: ScanAnswer, to request: ScanRequest, now: Instant, time: Timestamp) -> [Action] {
        self.asked.remove(request.subject)
        if case .value = answer { self.health[request.service, default: ServiceHealth()].answer() }
        var actions: [Action] = []
        switch request.subject {
        case .page(let isWhole, let cursor):
            if self.pass?.isWhole == isWhole && self.pass?.cursor == cursor {
                actions = self.takePage(answer, now: now, time: time)
            }
        case .window(let window, let name): actions = self.takeWindow(answer, window, name, time: time)
        case .members(let conditions): actions = self.takeMembers(answer, conditions, time: time)
        case .market(let slug, let condition): actions = self.takeMarket(answer, slug, condition, time: time)
        case .terms(let condition): actions = self.takeTerms(answer, condition)
        case .event(let slug): actions = self.takeEvent(answer, slug, time: time)
        }
        return actions + self.conclude(now: now, time: time)
    }

    // MARK: Pages

    private mutating func takePage(_ answer: ScanAnswer, now: Instant, time: Timestamp) -> [Action] {
        guard var pass = self.pass else { return [] }
        pass.isAsked = false
        // It is worked on where it lies.
        self.pass = nil
        switch answer {
        case .value(let page):
            let cursor: String?
            do throws(Listing.Problem) {
                cursor = try pass.listing.take(page)
            } catch {
                pass.repeatCount += 1
                guard error == .repeatedCursor, pass.repeatCount < Self.repeatCountMax else {
                    return self.abandon(pass, "the venue's listing holds \(error)", now: now, time: time)
                }
                self.pass = pass
                return []
            }
            pass.pageCount += 1
            pass.repeatCount = 0
            // Without numbers the newest are read as far as `newestPageCountMax`.
            let isEnough = !pass.isWhole && self.knownID.map { pass.listing.oldestID <= $0 } ?? false
            guard let cursor, !isEnough, pass.isWhole || pass.pageCount < Self.newestPageCountMax else {
                return self.finish(pass, now: now, time: time)
            }
            pass.cursor = cursor
            self.pass = pass
            return []
        case .missing: return self.abandon(pass, "the venue's listing is not there", now: now, time: time)
        case .failed(let reason): return self.abandon(pass, reason, now: now, time: time)
        }
    }

    private mutating func finish(_ pass: Pass, now: Instant, time: Timestamp) -> [Action] {
        self.knownID = pass.listing.knownID
        self.lookAgain(at: pass.listing.gone, time: time)
        var actions = self.publish(
            self.universe.update(
                pass.listing.candidates, gone: pass.listing.gone, isWhole: pass.isWhole, now: time))
        guard pass.isWhole else {
            for slug in pass.listing.unready where self.hydrating.count < Self.hydratingCountMax {
                self.hydrating[slug] = self.hydrating[slug] ?? 0
            }
            return actions
        }
        self.wholePassCount += 1
        self.isWholeOwed = false
        if self.health[.gamma]?.recover() == true { actions.insert(.recovered(.gamma), at: 0) }
        self.lastWhole = pass.listing.withoutCandidates
        self.listedTime = time
        self.wholePassEndedAt = now
        self.wholeDue = now + self.settings.fullInterval
        for event in self.groupEvents { self.askGroup(event) }
        return actions
    }

    /// What was read of it counts, what was not is unknown.
    private mutating func abandon(_ pass: Pass, _ reason: String, now: Instant, time: Timestamp) -> [Action] {
        self.lookAgain(at: pass.listing.gone, time: time)
        var actions = self.publish(
            self.universe.update(pass.listing.candidates, gone: pass.listing.gone, isWhole: false, now: time))
        self.failedPassCount += 1
        // Until there is a universe nobody has anything to do.
        if pass.isWhole {
            self.isWholeOwed = true
            self.wholeDue = now + (self.isReady ? min(Self.retryWait, self.settings.fullInterval) : .seconds(1))
        }
        actions += self.troubled(reason)
        return actions
    }

    /// A venue that is away for an hour is told once, not with each request.
    private mutating func troubled(_ reason: String, _ service: ScanRequest.Service = .gamma) -> [Action] {
        let isNews = self.health[service, default: ServiceHealth()].fail(reason)
        return isNews ? [.troubled(service, reason)] : []
    }

    // MARK: Single markets

    /// A member that goes because the venue is not ready for it may be ready in a moment, and then only its own page shows
    /// it at once.
    private mutating func lookAgain(at gone: [ConditionID: Refusal], time: Timestamp) {
        let slugs = gone.compactMap { condition, refusal -> String? in
            guard refusal == .notAccepting || refusal == .noTokens, !self.universe.pinned.contains(condition),
                let market = self.universe.markets[condition], market.endTime > time
            else { return nil }
            return market.slug
        }
        for slug in slugs.sorted() where self.hydrating.count < Self.hydratingCountMax {
            self.hydrating[slug] = self.hydrating[slug] ?? 0
        }
    }

    private mutating func judge(_ values: [JSONValue], time: Timestamp) -> Listing {
        var listing = Listing(for: self.universe, now: time)
        for value in values { listing.judge(value) }
        return listing
    }

    private mutating func takeWindow(
        _ answer: ScanAnswer, _ window: RollingSeries.Window, _ name: Int, time: Timestamp
    ) -> [Action] {
        if case .value(let value) = answer {
            let listing = self.judge([value], time: time)
            if let candidate = listing.candidates.first, window.isShown(by: candidate.market) {
                return self.publish(self.universe.update([candidate], isWhole: false, now: time))
            }
            if listing.candidates.isEmpty { return [] }
        }
        if case .failed(let reason) = answer { return self.troubled(reason) }
        if name + 1 < window.slugs.count { self.queue.append(.window(window, name: name + 1)) }
        return []
    }

    private mutating func takeMembers(
        _ answer: ScanAnswer, _ conditions: [ConditionID], time: Timestamp
    ) -> [Action] {
        guard case .value(let page) = answer, let values = page["markets"]?.array else {
            if case .failed(let reason) = answer { return self.troubled(reason) }
            return []
        }
        // What the venue does not filter by it ignores: only what was asked for counts.
        let wanted = Set(conditions)
        var shown: Set<ConditionID> = []
        let asked = values.filter { value in
            guard let condition = value["conditionId"]?.string.flatMap({ ConditionID($0) }), wanted.contains(condition)
            else { return false }
            return shown.insert(condition).inserted
        }
        for condition in shown { self.missing[condition] = nil }
        // Lists show what is open; why one is not there its own page says.
        for condition in conditions where !shown.contains(condition) {
            guard let market = self.universe.markets[condition] else { continue }
            self.queue.append(.market(slug: market.slug, condition: condition))
        }
        let listing = self.judge(asked, time: time)
        self.lookAgain(at: listing.gone, time: time)
        return self.publish(
            self.universe.update(listing.candidates, gone: listing.gone, isWhole: false, now: time))
    }

    private mutating func takeMarket(
        _ answer: ScanAnswer, _ slug: String, _ condition: ConditionID?, time: Timestamp
    ) -> [Action] {
        let looks = self.hydrating.removeValue(forKey: slug)
        switch answer {
        case .value(let value) where condition == nil || value["conditionId"]?.string == condition?.description:
            if let condition { self.missing[condition] = nil }
            let listing = self.judge([value], time: time)
            let isUnready = !listing.unready.isEmpty && condition == nil
            if isUnready, looks ?? 0 < Self.hydratingLookMax, self.hydrating.count < Self.hydratingCountMax {
                self.hydrating[slug] = (looks ?? 0) + 1
            }
            self.lookAgain(at: listing.gone, time: time)
            return self.publish(
                self.universe.update(listing.candidates, gone: listing.gone, isWhole: false, now: time))
        case .value, .missing:
            guard let condition else {
                if let looks, looks < Self.hydratingLookMax { self.hydrating[slug] = looks + 1 }
                return []
            }
            let count = (self.missing[condition] ?? 0) + 1
            guard count >= Self.missingCountMax else {
                self.missing[condition] = count
                return []
            }
            self.missing[condition] = nil
            return self.publish(
                self.universe.update([], gone: [condition: .unlisted], isWhole: false, now: time))
        case .failed(let reason):
            if let looks { self.hydrating[slug] = looks }
            return self.troubled(reason)
        }
    }

    private mutating func takeTerms(_ answer: ScanAnswer, _ condition: ConditionID) -> [Action] {
        switch answer {
        case .value(let value):
            self.termAnswers.append((condition, try? ClobTerms(value)))
            return []
        case .missing:
            self.termAnswers.append((condition, nil))
            return []
        case .failed(let reason):
            self.termAnswers.append((condition, nil))
            return self.troubled(reason, .clob)
        }
    }

    private mutating func takeEvent(_ answer: ScanAnswer, _ slug: String, time: Timestamp) -> [Action] {
        if case .failed(let reason) = answer { return self.troubled(reason) }
        guard case .value(let value) = answer, let group = EventGroup(value, now: time), group.event == slug,
            self.universe.markets.values.contains(where: { $0.event == slug }), self.groups[slug] != group
        else { return [] }
        self.groups[slug] = group
        return self.isReady ? [.publishGroup(group)] : []
    }
}
