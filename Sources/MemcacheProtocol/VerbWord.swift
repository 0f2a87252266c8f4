// The short verbs as numbers, so that a first word is recognised by comparing registers.

/// First words of up to eight bytes, packed as ``LineReader/packed(_:)`` packs them.
enum VerbWord {
    static let get: UInt64 = 0x74_6567
    static let gets: UInt64 = 0x7374_6567
    static let gat: UInt64 = 0x74_6167
    static let gats: UInt64 = 0x7374_6167
    static let bget: UInt64 = 0x7465_6762
    static let set: UInt64 = 0x74_6573
    static let add: UInt64 = 0x64_6461
    static let replace: UInt64 = 0x65_6361_6C70_6572
    static let append: UInt64 = 0x646E_6570_7061
    static let prepend: UInt64 = 0x64_6E65_7065_7270
    static let cas: UInt64 = 0x73_6163
    static let incr: UInt64 = 0x7263_6E69
    static let decr: UInt64 = 0x7263_6564
    static let touch: UInt64 = 0x68_6375_6F74
    static let delete: UInt64 = 0x6574_656C_6564
    static let metaGet: UInt64 = 0x676D
    static let metaSet: UInt64 = 0x736D
    static let metaDelete: UInt64 = 0x646D
    static let metaArithmetic: UInt64 = 0x616D
    static let metaNoop: UInt64 = 0x6E6D
    static let metaDebug: UInt64 = 0x656D
    static let version: UInt64 = 0x6E_6F69_7372_6576
    static let stats: UInt64 = 0x73_7461_7473
    static let quit: UInt64 = 0x7469_7571
    static let shutdown: UInt64 = 0x6E77_6F64_7475_6873
    static let lru: UInt64 = 0x75_726C
    static let slabs: UInt64 = 0x73_6261_6C73
    static let extstore: UInt64 = 0x6572_6F74_7374_7865
    static let watch: UInt64 = 0x68_6374_6177
    static let config: UInt64 = 0x6769_666E_6F63
    static let kiln: UInt64 = 0x6E6C_696B
    static let noreply: UInt64 = 0x79_6C70_6572_6F6E
}
