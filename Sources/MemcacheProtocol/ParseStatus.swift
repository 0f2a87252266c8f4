// The three ways a parse ends.

/// What became of the bytes at the start of a buffer.
public enum ParseStatus: Equatable, Sendable {
    /// One command line was read.
    case complete
    /// The line end has not arrived; parse again from the same place when there are more bytes.
    case needMore
    /// The line is wrong. ``Command/lineCount`` holds its length unless the error closes the
    /// connection; ``Command/verb``, ``Command/key``, ``Command/valueCount`` and
    /// ``Command/noreply`` hold what was read.
    case failed(ProtocolError)
}
