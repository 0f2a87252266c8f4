import ArgumentParser
import CacheNode

/// A count of MiB: `-m 1024`.
struct Mebibytes: ExpressibleByArgument, Equatable {
    let bytes: Int

    init?(argument: String) {
        guard let count = Int(argument), count >= 0 else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: 1 << 20)
        guard !overflow else { return nil }
        self.bytes = bytes
    }
}

/// A count of bytes, KiB or MiB: `-I 4m`, `-I 512k`, `-I 1048576`.
struct ByteSize: ExpressibleByArgument, Equatable {
    let bytes: Int

    init?(argument: String) {
        let unit: Int
        switch argument.last {
        case "k", "K": unit = 1 << 10
        case "m", "M": unit = 1 << 20
        default: unit = 1
        }
        guard let count = Int(unit == 1 ? argument[...] : argument.dropLast()), count >= 0 else {
            return nil
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        self.bytes = bytes
    }
}

/// A file mode in octal: `-a 770`.
struct OctalMode: ExpressibleByArgument, Equatable {
    let value: Int

    init?(argument: String) {
        guard let value = Int(argument, radix: 8), value >= 0 else { return nil }
        self.value = value
    }
}

/// Addresses by commas: `-l 127.0.0.1,[::1]:11212,localhost:0`.
struct ListenList: ExpressibleByArgument, Equatable {
    let addresses: [ListenAddress]

    init?(argument: String) {
        var addresses: [ListenAddress] = []
        for part in argument.split(whereSeparator: { $0 == "," || $0 == " " }) {
            guard let address = Self.address(part) else { return nil }
            addresses.append(address)
        }
        guard !addresses.isEmpty else { return nil }
        self.addresses = addresses
    }

    /// One address.
    ///
    /// Two colons and no bracket: a bare IPv6 address, which can have no port.
    private static func address(_ text: Substring) -> ListenAddress? {
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            guard !host.isEmpty, rest.isEmpty || rest.first == ":" else { return nil }
            return named(host, port: rest.isEmpty ? nil : rest.dropFirst())
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return ListenAddress(host: String(text)) }
        return named(String(parts[0]), port: parts[1])
    }

    private static func named(_ host: String, port: Substring?) -> ListenAddress? {
        guard !host.isEmpty else { return nil }
        guard let port else { return ListenAddress(host: host) }
        guard let number = Int(port), (0...65535).contains(number) else { return nil }
        return ListenAddress(host: host, port: number)
    }
}

/// memcached's `-o` list: only the idle time-out means something here.
struct ExtendedOptions: ExpressibleByArgument, Equatable {
    let idleTimeoutSeconds: Int?
    let ignored: [String]

    init?(argument: String) {
        var seconds: Int?
        var ignored: [String] = []
        for option in argument.split(separator: ",") {
            guard option.hasPrefix("idle_timeout") else {
                ignored.append(String(option))
                continue
            }
            guard option.hasPrefix("idle_timeout="),
                let number = Int(option.dropFirst("idle_timeout=".count)), number >= 0
            else { return nil }
            seconds = number
        }
        idleTimeoutSeconds = seconds
        self.ignored = ignored
    }
}
