// A client's request to the control plane on its way from a loop and back.
internal import ControlPlane
internal import Primitives
internal import Synchronization

/// Something that only the control thread can answer, and its answer once it is there.
final class ControlRequest: Sendable {
    /// What is asked.
    enum Question: Sendable {
        /// `flush_all`.
        case flush
        /// `kiln <verb> [words]`; whether the asker may change something.
        case verb([String], mayChange: Bool)
        /// `stats cluster`.
        case statistics
    }

    let question: Question
    /// The loop that is rung when the answer is there; nil where nobody waits.
    let loop: Int?
    private let answer = Mutex<[UInt8]?>(nil)

    init(_ question: Question, loop: Int?) {
        self.question = question
        self.loop = loop
    }

    /// Leaves the whole reply, as the client is sent it.
    func complete(_ text: String) {
        answer.withLock { $0 = Array(text.utf8) }
    }

    /// The reply; nil where it has not come yet.
    func take() -> [UInt8]? {
        answer.withLock { $0.take() }
    }
}

/// Waits for the control thread's answer; the connection's further commands wait, too.
struct ControlStream: ReplyStream {
    let request: ControlRequest
    /// Whether the client wants no answer.
    var isSilent = false

    mutating func produce(
        _ shared: NodeShared, at now: ClockReading, into reply: inout ByteWriter
    ) -> StreamStep {
        guard let text = request.take() else { return .waiting }
        if !isSilent { reply.append(text.span.bytes) }
        return .ended
    }
}
