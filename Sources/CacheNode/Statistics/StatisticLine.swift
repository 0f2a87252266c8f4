// How a statistic is written: `STAT <name> <value>`, as memcached's clients parse it.
internal import Primitives

extension ByteWriter {
    /// Appends `STAT <name> <value>` with a whole number.
    mutating func appendStatistic(_ name: StaticString, _ value: UInt64) {
        append("STAT ")
        append(name)
        append(UInt8(ascii: " "))
        append(decimal: value)
        append("\r\n")
    }

    /// The same for a number that is never negative; one that is, for a moment, shows as 0.
    mutating func appendStatistic(_ name: StaticString, _ value: Int) {
        appendStatistic(name, UInt64(max(0, value)))
    }

    /// Appends `STAT <name> <value>` with a word.
    mutating func appendStatistic(_ name: StaticString, text: String) {
        append("STAT ")
        append(name)
        append(UInt8(ascii: " "))
        append(text: text)
        append("\r\n")
    }

    /// Appends `STAT <name> yes` or `no`.
    mutating func appendStatistic(_ name: StaticString, flag: Bool) {
        appendStatistic(name, text: flag ? "yes" : "no")
    }

    /// Appends seconds with six decimals, as memcached shows processor time.
    mutating func appendStatistic(_ name: StaticString, seconds: Int, microseconds: Int) {
        append("STAT ")
        append(name)
        append(UInt8(ascii: " "))
        append(decimal: UInt64(max(0, seconds)))
        append(UInt8(ascii: "."))
        var divisor = 100_000
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(microseconds / divisor % 10))
            divisor /= 10
        }
        append("\r\n")
    }

    /// Appends `STAT <class>:<name> <value>` or, with a group, `STAT <group>:<class>:<name>
    /// <value>`.
    mutating func appendClassStatistic(
        _ name: StaticString, _ value: UInt64, group: StaticString = ""
    ) {
        append("STAT ")
        append(group)
        append(decimal: UInt64(ItemClass.only))
        append(UInt8(ascii: ":"))
        append(name)
        append(UInt8(ascii: " "))
        append(decimal: value)
        append("\r\n")
    }
}

/// memcached sorts items into slab classes by their size; here all are in one.
enum ItemClass {
    /// The class of every item, in every reply that names one.
    static let only = 1
    /// memcached's classes are numbered below this: others are refused.
    static let limit = 64
}
