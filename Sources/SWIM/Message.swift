// What members say to one another.

public import Primitives

extension SWIMInstance {
    /// A message from one member to another.
    ///
    /// Push-pulls go over a stream, all others in one datagram.
    public struct Message: Equatable, Sendable {
        /// Who sends it.
        public var sender: NodeID
        /// Which process of that name.
        public var life: UInt64
        /// The cluster it belongs to; 0 for one that does not know yet.
        public var cluster: UInt64
        /// How busy the sender is.
        public var load: UInt32
        /// What it is about.
        public var body: Body
        /// News that rides along; in a push-pull all that the sender knows, itself first.
        public var updates: [Update]

        /// Puts a message together.
        public init(
            sender: NodeID, life: UInt64, cluster: UInt64 = 0, load: UInt32 = 0, body: Body,
            updates: [Update] = []
        ) {
            self.sender = sender
            self.life = life
            self.cluster = cluster
            self.load = load
            self.body = body
            self.updates = updates
        }
    }

    /// What a message is about.
    public enum Body: Equatable, Sendable {
        /// Are you there? Only `target` answers: the address may be another node's by now.
        case ping(sequence: UInt64, target: NodeID)
        /// I am, or the one you asked me to ping is.
        case ack(sequence: UInt64)
        /// I am, but the one you asked me to ping has not answered (Lifeguard, section IV-A).
        case nack(sequence: UInt64)
        /// Ping `target` for me.
        case pingRequest(sequence: UInt64, target: NodeID, address: Address)
        /// Nothing but news.
        case gossip
        /// All I know; tell me what you know.
        case pushPullRequest
        /// All I know, because you asked.
        case pushPullResponse
        /// Your name is mine: I am the process that had it first.
        case nameTaken
    }
}

extension SWIMInstance.Body {
    /// Whether it is too large for a datagram and goes over a stream.
    public var needsStream: Bool {
        switch self {
        case .pushPullRequest, .pushPullResponse: true
        default: false
        }
    }
}
