// What the kernel knows about processes and the machine, read from /proc.
import Glibc

/// The text of a small file such as those in /proc; nil where it cannot be read.
func readSmallFile(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    let count = read(descriptor, &bytes, bytes.count)
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
}

/// Processor time of processes on this machine.
enum ProcessorTime {
    /// What all threads of process `identifier` used since they began, in nanoseconds; nil when
    /// there is no such process, or it is somebody else's.
    static func nanoseconds(ofProcess identifier: Int32) -> Int64? {
        let folder = "/proc/\(identifier)/task"
        guard let directory = opendir(folder) else { return nil }
        defer { closedir(directory) }
        var sum: Int64?
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard !name.hasPrefix("."),
                let text = readSmallFile("\(folder)/\(name)/schedstat"),
                let word = text.split(separator: " ").first, let value = Int64(word)
            else { continue }
            sum = (sum ?? 0) + value
        }
        return sum
    }
}

extension MachineDescription {
    /// The machine this runs on.
    public static func current() -> MachineDescription {
        var machine = MachineDescription()
        machine.processor =
            value("model name", in: readSmallFile("/proc/cpuinfo") ?? "") ?? "unknown"
        machine.processors = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let memory = value("MemTotal", in: readSmallFile("/proc/meminfo") ?? "") ?? ""
        machine.memoryBytes = (UInt64(memory.prefix { $0.isNumber }) ?? 0) << 10
        let release = readSmallFile("/proc/sys/kernel/osrelease") ?? "unknown"
        machine.kernel = "Linux " + release.prefix { $0 != "\n" }
        return machine
    }

    /// The value behind `name` and a colon in the lines of a /proc file.
    private static func value(_ name: String, in text: String) -> String? {
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            return String(line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" })
        }
        return nil
    }
}
