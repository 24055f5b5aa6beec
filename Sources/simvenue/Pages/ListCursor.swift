import Shared
import Signing

/// Where a page of the order book service's lists begins: base64 of a number or of "id:…". Source: reference, 2.1.
enum ListCursor: Hashable {
    /// So many markets from the beginning.
    case offset(Int)
    /// Behind the market of that id, which may be gone. What the service gives out itself.
    case after(id: Int)

    /// "MA==": the number 0.
    static let first = ListCursor.offset(0)
    /// What stands for the next cursor on the last page: the number -1.
    static let end = "LTE="
    /// Longest text that is believed to be one.
    private static let characterCountMax = 64

    /// What is wrong with a cursor; answered with status 400.
    struct Problem: Error {
        let sentence: String
        var answer: Answer { .error(400, self.sentence) }
    }

    /// Reads the request's `next_cursor`; without one, or with an empty one, the first page is meant.
    init(_ request: PageRequest) throws(Problem) {
        guard let text = request.value("next_cursor"), !text.isEmpty else {
            self = .first
            return
        }
        guard text.utf8.count <= Self.characterCountMax,
            let decoded = Base64URL.decode(text).flatMap({ String(validating: $0, as: UTF8.self) })
        else { throw Problem(sentence: "invalid next_cursor") }
        if decoded.hasPrefix("id:"), let id = Int(decoded.dropFirst(3)) {
            self = .after(id: id)
        } else if let offset = Int(decoded) {
            // The end is no place to begin at.
            guard offset >= 0 else { throw Problem(sentence: "next item should be greater than or equal to 0") }
            self = .offset(offset)
        } else {
            throw Problem(sentence: "invalid next_cursor")
        }
    }

    var text: String {
        let plain =
            switch self {
            case .offset(let offset): String(offset)
            case .after(let id): "id:\(id)"
            }
        return Array(plain.utf8).withUnsafeBytes { Base64URL.encode($0) }
    }
}
