import Shared

/// Where a page begins: the venue's cursor is a number in base64. Source: reference, 2.1.
enum PageCursor {
    /// Objects of one page.
    static let pageCountMax = 100

    /// Where the page begins, of so many objects: at one of the cursors that are handed out. `nil` for anything else.
    private static func offset(_ cursor: String?, of count: Int) -> Int? {
        guard let cursor, !cursor.isEmpty else { return 0 }
        guard cursor != ListCursor.end else { return count }
        return stride(from: 0, through: count, by: Self.pageCountMax).first { ListCursor.offset($0).text == cursor }
    }

    /// A page of `objects` as the request's cursor wants it.
    static func answer<Object>(
        _ request: PageRequest, _ objects: [Object], _ write: (Object, inout JSONWriter) -> Void
    ) -> Answer {
        guard let start = Self.offset(request.value("next_cursor"), of: objects.count) else {
            return .error(400, "invalid next_cursor")
        }
        let end = min(start + Self.pageCountMax, objects.count)
        return .json {
            $0.object {
                $0.key("limit")
                $0.integer(Self.pageCountMax)
                $0.key("count")
                $0.integer(end - start)
                $0.key("next_cursor")
                $0.string(end < objects.count ? ListCursor.offset(end).text : ListCursor.end)
                $0.key("data")
                $0.array { for object in objects[start..<end] { write(object, &$0) } }
            }
        }
    }
}
