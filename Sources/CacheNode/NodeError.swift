public import ControlPlane
import Glibc
public import Raft

/// Why a node did not start or could not go on.
///
/// Each text says what, which limit, and what to do.
public enum NodeError: Error, Equatable, Sendable {
    /// A setting is outside what this build allows.
    case outOfRange(setting: String, value: Int, allowed: ClosedRange<Int>)
    /// One item could take more than its share of the memory.
    case itemLimitAboveMemory(itemBytes: Int, memoryBytes: Int)
    /// Neither an address nor a unix socket is left to serve on.
    case nothingToListenOn
    /// A listen address is not a name or address this machine can resolve.
    case unknownAddress(address: String, reason: String)
    /// The kernel refused to open the address; `code` is its errno.
    case cannotListen(address: String, code: Int32)
    /// `-u` names nobody.
    case unknownUser(String)
    /// The change to the user of `-u` was refused; `code` is the errno.
    case cannotBecomeUser(String, code: Int32)
    /// The pid file or the ports file cannot be written; `code` is the errno.
    case cannotWrite(path: String, code: Int32)
    /// The machine allows fewer open files than the connection limit needs.
    case tooFewDescriptors(needed: Int, allowed: Int)
    /// The memory asked for cannot be reserved.
    case cannotReserveMemory(bytes: Int)
    /// A file of the consensus log is not what was written to it.
    case damagedLog(path: String, RaftError)
    /// The consensus log lacks a file without which the rest must not be used.
    case missingLogFile(path: String)
    /// Reading, writing or syncing the consensus log failed; `code` is the errno.
    case logFileFailed(call: String, path: String, code: Int32)
    /// The cluster's key cannot be read from its file.
    case badKeyFile(path: String, reason: String)
    /// Others cannot be told this host.
    case cannotAdvertise(String)
    /// `--bootstrap-expect` without addresses to find the others by.
    case expectsWithoutJoin(count: Int)
    /// Other nodes would reach this one over a network, and it has no cluster key.
    case needsClusterKey(address: String)
    /// The port of other nodes is above 65535.
    case peerPortOutOfRange(port: Int)
    /// A node that serves a unix socket cannot be reached by other nodes' clients.
    case clusterNeedsTCP
    /// Another process uses the data directory.
    case dataDirectoryInUse(path: String)
    /// The data directory belongs to a node of another name.
    case foreignDataDirectory(path: String, name: String, wanted: String)
    /// The file that says who the node is says something else.
    case damagedIdentity(path: String)
    /// The control plane cannot start from what it was given.
    case controlPlane(ControlPlaneError)
    /// Another process has this node's name.
    case nameTaken(name: String, address: String)
    /// Another system call failed that a node cannot do without; `code` is the errno.
    case system(call: String, code: Int32)

    /// The process's exit code: 78 where the configuration is at fault, else 75 (try again later).
    public var exitCode: Int32 {
        switch self {
        case .system, .cannotReserveMemory, .logFileFailed, .dataDirectoryInUse: 75
        default: 78
        }
    }
}

extension NodeError: CustomStringConvertible {
    /// What happened, the limit that was met, and what to do about it.
    public var description: String {
        switch self {
        case .outOfRange(let setting, let value, let allowed):
            "\(setting) is \(value); it must be from \(allowed.lowerBound) through"
                + " \(allowed.upperBound): choose a value in that range"
        case .itemLimitAboveMemory(let item, let memory):
            "-I allows items of \(item) bytes, but an item may take at most half of the memory"
                + " limit of \(memory) bytes: raise -m or lower -I"
        case .nothingToListenOn:
            "no address to listen on is left: give -l ADDRESS or -s PATH"
        case .unknownAddress(let address, let reason):
            "cannot use the listen address \(address) (\(reason)): give -l an address of this"
                + " machine"
        case .cannotListen(let address, let code):
            "cannot listen on \(address) (\(Self.text(code))): choose another port with -p or"
                + " another address with -l, or stop the program that holds it"
        case .unknownUser(let name):
            "there is no user \(name) on this machine: give -u the name of an existing user"
        case .cannotBecomeUser(let name, let code):
            "cannot become user \(name) (\(Self.text(code))): start as root, or leave out -u"
        case .cannotWrite(let path, let code):
            "cannot write \(path) (\(Self.text(code))): choose a path this user may write"
        case .tooFewDescriptors(let needed, let allowed):
            "the connection limit needs \(needed) open files, this process may have \(allowed):"
                + " raise `ulimit -n` or lower -c"
        case .cannotReserveMemory(let bytes):
            "the system refused \(bytes) bytes of address space: lower -m, or raise `ulimit -v`"
        case .damagedLog(let path, let error):
            "\(path): \(error)"
        case .missingLogFile(let path):
            "\(path) is missing beside other files of the same log, so what this node promised is"
                + " not known: restore it, or \(RaftError.remedy)"
        case .logFileFailed(let call, let path, let code):
            "\(call) of \(path) failed (\(Self.text(code))), so what is on disk is not known and"
                + " the node stops: check the disk and who may write there, then start it again"
        case .badKeyFile(let path, let reason):
            "--cluster-key-file \(path): \(reason)"
        case .cannotAdvertise(let host):
            "other nodes and clients cannot be told \"\(host)\": give --advertise the name or"
                + " address by which they reach this machine"
        case .expectsWithoutJoin(let count):
            "--bootstrap-expect \(count) waits for nodes it has no way to find: give --join their"
                + " addresses"
        case .needsClusterKey(let address):
            "other nodes reach this one at \(address), over a network, and whoever else can would"
                + " belong to the cluster: give --cluster-key-file, or a loopback address"
        case .peerPortOutOfRange(let port):
            "other nodes would connect to port \(port), the client port + 10000; the highest is"
                + " 65535: give --peer-listen HOST:PORT, or a lower -p"
        case .clusterNeedsTCP:
            "a node of a cluster serves TCP, as the others' clients must reach it: leave out -s"
        case .dataDirectoryInUse(let path):
            "--data-dir \(path) is in use by another process: stop it, or give another directory"
        case .foreignDataDirectory(let path, let name, let wanted):
            "--data-dir \(path) belongs to the node \(name), not to \(wanted): give the directory"
                + " of this node, or --node-name \(name)"
        case .damagedIdentity(let path):
            "\(path) is damaged, so this node does not know who it was: \(RaftError.remedy)"
        case .controlPlane(let error): "the node cannot take part in a cluster: \(error)"
        case .nameTaken(let name, let address):
            "the node at \(address) is called \(name), too, and was there first: give this one"
                + " another --node-name"
        case .system(let call, let code):
            "\(call) failed (\(Self.text(code))): the system is out of a resource the node needs;"
                + " free it and start again"
        }
    }

    static func text(_ code: Int32) -> String {
        strerror(code).map { String(cString: $0) } ?? "errno \(code)"
    }
}
