// What the kernel knows about processes and the machine, read from /proc.
import Glibc

/// The text of a file such as those in /proc, its first MiB; nil where it cannot be read.
func readSmallFile(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    // The kernel gives some of these files a page at a time.
    while bytes.count < 1 << 20 {
        let count = read(descriptor, &chunk, chunk.count)
        guard count >= 0 else { return nil }
        if count == 0 { break }
        bytes += chunk[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// The names in a folder, those that begin with a dot left out; none where it cannot be read.
func names(inFolder path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if !name.hasPrefix(".") { names.append(name) }
    }
    return names
}

/// Processor time of the threads of a process on this machine, at one moment.
struct ProcessorTime: Equatable {
    /// By thread: what it used since it began, in nanoseconds.
    private var threads: [Int32: Int64] = [:]

    /// Of all threads of `processes`; nil when there are none, or they are somebody else's.
    init?(ofProcesses processes: [Int32]) {
        for process in processes {
            let folder = "/proc/\(process)/task"
            for name in names(inFolder: folder) {
                guard let thread = Int32(name),
                    let text = readSmallFile("\(folder)/\(name)/schedstat"),
                    let word = text.split(separator: " ").first, let value = Int64(word)
                else { continue }
                threads[thread] = value
            }
        }
        if threads.isEmpty { return nil }
    }

    /// For tests: threads and their times.
    init(_ threads: [Int32: Int64]) {
        self.threads = threads
    }

    /// What was used since `start`, in seconds: by all threads, and by the busiest of them.
    ///
    /// A thread that ended meanwhile is left out, one that began counts whole.
    func used(since start: ProcessorTime) -> (all: Double, busiest: Double) {
        var (sum, busiest) = (Int64(0), Int64(0))
        for (thread, time) in threads {
            let used = max(time - (start.threads[thread] ?? 0), 0)
            sum += used
            busiest = max(busiest, used)
        }
        return (Double(sum) / 1e9, Double(busiest) / 1e9)
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
