/// Lines over two axes as an SVG element; its colours come from the page's style sheet.
struct LinePlot {
    /// One line.
    struct Series {
        /// Its name in the legend.
        var name: String
        /// Its points, by rising x.
        var points: [(x: Double, y: Double)]
        /// Whether it is dashed: what belongs to the line of the same colour.
        var isDashed = false
        /// Which colour, from 0.
        var colour: Int
    }

    /// What a screen reader says, and the element's title.
    var title: String
    var horizontal: PlotScale
    var vertical: PlotScale
    var horizontalName: String
    var verticalName: String
    var series: [Series]

    private static let width = 760.0
    private static let height = 340.0
    private static let left = 72.0
    private static let right = 32.0
    private static let top = 28.0
    private static let bottom = 48.0
    /// Colours of the style sheet; a plot with more lines uses them again.
    static let colourCount = 6

    /// The element.
    var svg: String {
        var text = "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\""
        text += " aria-label=\"\(htmlEscaped(title))\"><title>\(htmlEscaped(title))</title>\n"
        text += axes
        for line in series { text += path(line) }
        return text + "</svg>\n"
    }

    /// The lines' names, as a list beside the plot.
    var legend: String {
        var text = "<ul class=\"legend\">"
        for line in series {
            let dashed = line.isDashed ? " dashed" : ""
            text += "<li><span class=\"key\(dashed) c\(line.colour % Self.colourCount)\"></span>"
            text += "\(htmlEscaped(line.name))</li>"
        }
        return text + "</ul>\n"
    }

    private func x(_ value: Double) -> Double {
        Self.left + horizontal.place(value) * (Self.width - Self.left - Self.right)
    }

    private func y(_ value: Double) -> Double {
        Self.height - Self.bottom - vertical.place(value) * (Self.height - Self.top - Self.bottom)
    }

    private var axes: String {
        let (floor, end) = (Self.height - Self.bottom, Self.width - Self.right)
        var text = ""
        for tick in vertical.ticks {
            let level = coordinate(y(tick.value))
            text += "<line class=\"grid\" x1=\"\(coordinate(Self.left))\" x2=\"\(coordinate(end))\""
            text += " y1=\"\(level)\" y2=\"\(level)\"/>"
            text += "<text x=\"\(coordinate(Self.left - 8))\" y=\"\(level)\" dy=\"0.32em\""
            text += " text-anchor=\"end\">\(htmlEscaped(tick.label))</text>\n"
        }
        for tick in horizontal.ticks {
            let place = coordinate(x(tick.value))
            text += "<line class=\"grid\" x1=\"\(place)\" x2=\"\(place)\""
            text += " y1=\"\(coordinate(Self.top))\" y2=\"\(coordinate(floor))\"/>"
            text += "<text x=\"\(place)\" y=\"\(coordinate(floor + 18))\""
            text += " text-anchor=\"middle\">\(htmlEscaped(tick.label))</text>\n"
        }
        let middle = coordinate((Self.left + end) / 2)
        text += "<text class=\"name\" x=\"\(middle)\" y=\"\(coordinate(Self.height - 8))\""
        text += " text-anchor=\"middle\">\(htmlEscaped(horizontalName))</text>"
        text += "<text class=\"name\" x=\"4\" y=\"14\">\(htmlEscaped(verticalName))</text>\n"
        return text
    }

    private func path(_ line: Series) -> String {
        guard !line.points.isEmpty else { return "" }
        let dashed = line.isDashed ? " dashed" : ""
        var commands = ""
        for (index, point) in line.points.enumerated() {
            commands += index == 0 ? "M" : "L"
            commands += "\(coordinate(x(point.x))) \(coordinate(y(point.y)))"
        }
        return "<path class=\"line\(dashed) c\(line.colour % Self.colourCount)\""
            + " d=\"\(commands)\"><title>\(htmlEscaped(line.name))</title></path>\n"
    }
}

/// Horizontal bars with a name and a value each, as an SVG element.
struct BarPlot {
    /// One bar.
    struct Bar {
        var name: String
        /// Its length, 0 through 1.
        var share: Double
        /// What is written behind it.
        var text: String
    }

    /// What a screen reader says, and the element's title.
    var title: String
    var bars: [Bar]
    /// A line across all bars where they would end if all were alike; nil for a single bar.
    var mark: Double?

    private static let rowHeight = 28.0
    private static let left = 220.0
    private static let barWidth = 290.0
    private static let width = 760.0

    /// The element.
    var svg: String {
        let longest = max(bars.map(\.share).max() ?? 0, mark ?? 0, 1e-9)
        let height = Double(bars.count) * Self.rowHeight + 8
        var text = "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(height))\" role=\"img\""
        text += " aria-label=\"\(htmlEscaped(title))\"><title>\(htmlEscaped(title))</title>\n"
        for (index, bar) in bars.enumerated() {
            let top = Double(index) * Self.rowHeight + 4
            let length = bar.share / longest * Self.barWidth
            let middle = coordinate(top + Self.rowHeight / 2)
            text += "<text x=\"\(coordinate(Self.left - 8))\" y=\"\(middle)\" dy=\"0.32em\""
            text += " text-anchor=\"end\">\(htmlEscaped(bar.name))</text>"
            text += "<rect class=\"bar\" x=\"\(coordinate(Self.left))\""
            text += " y=\"\(coordinate(top + 4))\" width=\"\(coordinate(length))\""
            text += " height=\"\(coordinate(Self.rowHeight - 8))\"/>"
            text += "<text x=\"\(coordinate(Self.left + length + 8))\" y=\"\(middle)\""
            text += " dy=\"0.32em\">\(htmlEscaped(bar.text))</text>\n"
        }
        if let mark {
            let place = coordinate(Self.left + mark / longest * Self.barWidth)
            text += "<line class=\"mark\" x1=\"\(place)\" x2=\"\(place)\" y1=\"0\""
            text += " y2=\"\(coordinate(height))\"/>\n"
        }
        return text + "</svg>\n"
    }
}

/// A place on a plot, to a tenth of its unit.
private func coordinate(_ value: Double) -> String {
    decimal(value, places: 1)
}

/// `text` as it may stand in an element or a quoted attribute.
func htmlEscaped(_ text: String) -> String {
    var result = ""
    for scalar in printable(text).unicodeScalars {
        switch scalar {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
