/// A neg-risk event of which a market is watched, with all its outcomes, watched or not.
public struct EventGroupBody: FrameBody, Hashable {
    public static let type = FrameType.eventGroup
    public let group: EventGroup

    public init(_ group: EventGroup) { self.group = group }

    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        var members: [EventGroup.Member] = []
        for value in try fields.array("outcomes") {
            let member = try Fields(value)
            members.append(
                EventGroup.Member(
                    market: member["market"] == nil ? nil : try member.condition("market"),
                    title: try member.string("title"), state: try member.word("state"),
                    isOther: try member.bool("other")))
        }
        // What follows from the others, as its publisher reckons it.
        _ = try fields.bool("complete")
        self.init(
            EventGroup(
                event: try fields.string("event"), group: try fields.string("group"),
                isAugmented: try fields.bool("augmented"), members: members))
    }

    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.string("event", self.group.event)
            $0.string("group", self.group.group)
            $0.bool("augmented", self.group.isAugmented)
            $0.bool("complete", self.group.isComplete)
            $0.key("outcomes")
            $0.array {
                for member in self.group.members {
                    $0.object {
                        if let market = member.market { $0.string("market", market.description) }
                        $0.string("title", member.title)
                        $0.string("state", member.state.rawValue)
                        $0.bool("other", member.isOther)
                    }
                }
            }
        }
    }
}
