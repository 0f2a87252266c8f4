import LoadGenerator
import Testing

@testable import Console

@Suite struct BenchHTMLTests {
    /// The names of the elements of `page` that are open at its end, and what was wrong before.
    private func check(_ page: String) -> [String] {
        var problems: [String] = []
        var open: [Substring] = []
        let body = page.dropFirst("<!DOCTYPE html>\n".count)
        for piece in body.split(separator: "<", omittingEmptySubsequences: true).dropFirst(0) {
            guard let end = piece.firstIndex(of: ">") else {
                problems.append("a tag does not end: \(piece.prefix(40))")
                continue
            }
            let tag = piece[..<end]
            let name = tag.prefix { $0 != " " && $0 != "/" }
            if tag.hasPrefix("/") {
                if open.popLast() != tag.dropFirst() { problems.append("\(tag) closes another") }
            } else if !tag.hasSuffix("/") {
                open.append(name)
            }
            let quotes = tag.filter { $0 == "\"" }.count
            if quotes % 2 == 1 { problems.append("quotes do not match: \(tag)") }
            if piece[end...].dropFirst().contains(">") { problems.append("a bare >: \(piece)") }
        }
        return problems + open.map(String.init)
    }

    @Test(arguments: SampleReports.Kind.allCases)
    func everyElementIsClosed(_ kind: SampleReports.Kind) {
        #expect(check(BenchHTML(kind.report).text) == [])
    }

    @Test func theCheckSeesWhatIsWrong() {
        #expect(check("<!DOCTYPE html>\n<p><b></p></b>") != [])
        #expect(check("<!DOCTYPE html>\n<p>") == ["p"])
    }

    @Test func thereAreThreePlots() {
        let page = BenchHTML(SampleReports.hotspot()).text
        #expect(page.split(separator: "<svg ").count == 4)
        for title in ["Latency by percentile", "Rate over time", "Share per server"] {
            #expect(page.contains("aria-label=\"\(title)\""))
        }
        #expect(page.contains("prefers-color-scheme: dark"))
    }

    /// Nothing is loaded from elsewhere, so the page can be mailed and kept.
    @Test func thePageStandsAlone() {
        let page = BenchHTML(SampleReports.openLoop()).text
        for part in ["http:", "https:", "<script", "src=", "@import", "url("] {
            #expect(!page.contains(part), "\(part)")
        }
    }

    @Test func whatComesFromOutsideIsEscaped() {
        var report = SampleReports.closedLoop()
        report.runs[0].servers[0].name = "<script>alert(1)</script>"
        report.runs[0].verdict.reasons = ["\"><img src=x>"]
        let page = BenchHTML(report).text
        #expect(!page.contains("<script") && !page.contains("<img"))
        #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(page.contains("Test CPU &lt;8&gt;"))
        #expect(check(page) == [])
    }

    @Test func linesStayInsideTheirPlot() {
        for report in [SampleReports.closedLoop(), SampleReports.openLoop()] {
            let page = BenchHTML(report).text
            for part in page.split(separator: " d=\"").dropFirst() {
                let path = part.prefix { $0 != "\"" }
                for point in path.split(whereSeparator: { $0 == "M" || $0 == "L" }) {
                    let numbers = point.split(separator: " ").compactMap { Double($0) }
                    #expect(numbers.count == 2)
                    #expect((72...728).contains(numbers.first ?? 0))
                    #expect((28...292).contains(numbers.last ?? 0))
                }
            }
        }
    }

    @Test func scalesAreMarkedAtRoundValues() {
        let rate = PlotScale.linear(upTo: 151_000) { decimal($0, places: 0) }
        #expect(rate.ticks.map(\.label) == ["0", "50000", "100000", "150000", "200000"])
        #expect(rate.place(0) == 0)
        #expect(rate.place(200_000) == 1)
        let latency = PlotScale.latency(30_000...4_000_000)
        #expect(latency.ticks.map(\.label) == ["10 us", "100 us", "1 ms", "10 ms"])
        #expect(abs(latency.place(100_000) - 1.0 / 3) < 1e-9)
        let percentile = PlotScale.percentile(upToCount: 50_000)
        #expect(
            percentile.ticks.map(\.label) == [
                "0 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %",
            ])
        #expect(percentile.place(1) == 0)
        #expect(abs(percentile.place(100) - 0.4) < 1e-9)
        let empty = PlotScale.linear(upTo: 0) { _ in "" }
        #expect(empty.place(0) == 0)
    }
}
