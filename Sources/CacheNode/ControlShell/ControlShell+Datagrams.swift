// Gossip: one sealed message to a datagram.
internal import ControlPlane
internal import Glibc
internal import Placement
internal import Primitives
internal import SWIM

extension ControlShell {
    /// Datagrams taken at a time: links and clients come in between.
    private static let datagramsPerTurn = 256
    /// The longest datagram that is looked at.
    private static let datagramBytes = 2_048

    func receiveDatagrams(_ descriptor: Int32) {
        var buffer = [UInt8](repeating: 0, count: Self.datagramBytes)
        for _ in 0..<Self.datagramsPerTurn {
            var sender = SocketAddress()
            let count = buffer.withUnsafeMutableBytes { bytes in
                sender.withMutablePointer { address, length in
                    recvfrom(descriptor, bytes.baseAddress, bytes.count, 0, address, length)
                }
            }
            guard count >= 0 else {
                if errno == EINTR { continue }
                return
            }
            // Who has another key, or none, gets no answer at all.
            guard let text = cluster.key.open(buffer[..<count]),
                let message = try? Message(protobuf: text), case .swim = message.body
            else { continue }
            step(.received(message, from: SWIMInstance.Address(sender.text)))
        }
    }

    func sendDatagram(_ message: Message, to address: SWIMInstance.Address) {
        guard let place = NodeAddress(text: address.text),
            let target = cluster.resolver.address(of: place.host, port: place.port),
            let descriptor = datagram(for: target)
        else { return }
        let bytes = cluster.key.seal(message.protobuf)
        _ = target.withPointer { sendto(descriptor, bytes, bytes.count, 0, $0, $1) }
    }

    /// A socket of the target's family.
    private func datagram(for target: SocketAddress) -> Int32? {
        datagrams.first { descriptor in
            var own = SocketAddress()
            return own.withMutablePointer { getsockname(descriptor, $0, $1) } == 0
                && own.family == target.family
        }
    }
}
