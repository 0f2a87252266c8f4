// How numbers of benchmarks are spelled for people: three digits that matter, and a unit.

/// `value` with `places` decimals; `-` when it is not a finite number.
func decimal(_ value: Double, places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded()
    guard scaled < 9e18 else { return "-" }
    let digits = String(UInt64(scaled))
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard places > 0 else { return sign + digits }
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    return "\(sign)\(padded.dropLast(places)).\(padded.suffix(places))"
}

/// `value` with three significant digits, or all digits before the point if there are more.
func threeDigits(_ value: Double) -> String {
    switch value.magnitude {
    case ..<9.995: decimal(value, places: 2)
    case ..<99.95: decimal(value, places: 1)
    default: decimal(value, places: 0)
    }
}

/// A duration in the unit that suits it: `8.12 us`, `412 us`, `12.3 ms`, `1.50 s`.
func duration(nanoseconds: Double) -> String {
    switch nanoseconds {
    case ..<999.5: "\(decimal(nanoseconds, places: 0)) ns"
    case ..<999.5e3: "\(threeDigits(nanoseconds / 1e3)) us"
    case ..<999.5e6: "\(threeDigits(nanoseconds / 1e6)) ms"
    default: "\(threeDigits(nanoseconds / 1e9)) s"
    }
}

/// A latency in the unit that suits it.
func duration(_ nanoseconds: UInt64) -> String {
    duration(nanoseconds: Double(nanoseconds))
}

/// A share of 1 in percent with one decimal; `-` when there is none.
func percentage(_ share: Double?) -> String {
    share.map { "\(decimal($0 * 100, places: 1)) %" } ?? "-"
}

/// A rate a second: `123456/s`; rates below a hundred keep three digits.
func rateText(_ rate: Double) -> String {
    "\(threeDigits(rate))/s"
}

/// Bytes in the unit that suits them: `7.76 GiB`.
func byteText(_ bytes: UInt64) -> String {
    var value = Double(bytes)
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var unit = 0
    while value >= 1_000, unit + 1 < units.count {
        value /= 1_024
        unit += 1
    }
    return unit == 0 ? "\(bytes) B" : "\(threeDigits(value)) \(units[unit])"
}

/// `count` and a noun in the number it needs.
func counted(_ count: Int, _ noun: String) -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
}

/// Seconds since 1970 as a UTC date and time (Hinnant, "chrono-compatible low-level date
/// algorithms", civil_from_days).
func utcText(_ unixSeconds: Int64) -> String {
    let secondOfDay = ((unixSeconds % 86_400) + 86_400) % 86_400
    let shifted = (unixSeconds - secondOfDay) / 86_400 + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
        (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let date = "\(year)-\(twoDigits(month))-\(twoDigits(day))"
    let hour = secondOfDay / 3_600
    let time =
        "\(twoDigits(hour)):\(twoDigits(secondOfDay / 60 % 60)):\(twoDigits(secondOfDay % 60))"
    return "\(date) \(time) UTC"
}

private func twoDigits(_ value: Int64) -> String {
    value < 10 ? "0\(value)" : "\(value)"
}
