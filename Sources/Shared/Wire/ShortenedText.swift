extension String {
    /// This text as far as it fits into `byteCount` bytes of UTF-8, with an ellipsis when something is left out.
    ///
    /// Texts of others are bounded before they go into frames and logs.
    public func shortened(toByteCount byteCount: Int) -> String {
        guard self.utf8.count > byteCount else { return self }
        let ellipsis = "…"
        var end = self.utf8.index(self.startIndex, offsetBy: max(0, byteCount - ellipsis.utf8.count))
        // Never inside a character.
        while end.samePosition(in: self.unicodeScalars) == nil { end = self.utf8.index(before: end) }
        return self[..<end] + ellipsis
    }
}
