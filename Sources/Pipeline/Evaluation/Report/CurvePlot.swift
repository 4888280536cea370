import Foundation

/// A square plot of curves over 0 ... 1 as inline SVG.
struct CurvePlot {
    struct Curve {
        /// Joins the curve with its entry in the legend.
        var id: String
        var title: String
        var color: String
        var isDashed: Bool
        var isVisible: Bool
        var points: [ScoreCurves.Point]
    }

    var title: String
    var horizontal: String
    var vertical: String
    /// Whether chance is drawn, from corner to corner.
    var hasDiagonal = false
    var curves: [Curve]

    private static let side = 420.0
    private static let margin = (left: 52.0, top: 34.0, right: 14.0, bottom: 46.0)

    var svg: String {
        let (side, margin) = (Self.side, Self.margin)
        let (width, height) = (side + margin.left + margin.right, side + margin.top + margin.bottom)
        var parts = [
            "<svg class=\"plot\" viewBox=\"0 0 \(Self.text(width)) \(Self.text(height))\" role=\"img\" aria-label=\"\(html(title))\">",
            "<text x=\"\(Self.text(margin.left))\" y=\"20\" class=\"plot-title\">\(html(title))</text>",
        ]
        for step in 0...5 {
            let value = Double(step) / 5
            let (x, y) = (Self.text(Self.x(value)), Self.text(Self.y(value)))
            parts.append(
                "<path class=\"grid\" d=\"M\(x) \(Self.text(Self.y(0)))V\(Self.text(Self.y(1)))M\(Self.text(Self.x(0))) \(y)H\(Self.text(Self.x(1)))\"/>"
            )
            let label = String(format: "%.1f", value)
            parts.append(
                "<text class=\"tick\" x=\"\(x)\" y=\"\(Self.text(Self.y(0) + 17))\" text-anchor=\"middle\">\(label)</text>"
            )
            parts.append(
                "<text class=\"tick\" x=\"\(Self.text(Self.x(0) - 8))\" y=\"\(Self.text(Self.y(value) + 4))\" text-anchor=\"end\">\(label)</text>"
            )
        }
        parts.append(
            "<text class=\"axis\" x=\"\(Self.text(Self.x(0.5)))\" y=\"\(Self.text(height - 8))\" text-anchor=\"middle\">\(html(horizontal))</text>"
        )
        parts.append(
            "<text class=\"axis\" transform=\"translate(14 \(Self.text(Self.y(0.5)))) rotate(-90)\" text-anchor=\"middle\">\(html(vertical))</text>"
        )
        if hasDiagonal {
            parts.append(
                "<path class=\"chance\" d=\"M\(Self.text(Self.x(0))) \(Self.text(Self.y(0)))L\(Self.text(Self.x(1))) \(Self.text(Self.y(1)))\"/>"
            )
        }
        for curve in curves where !curve.points.isEmpty {
            let line = curve.points.enumerated().map { index, point in
                (index == 0 ? "M" : "L") + Self.text(Self.x(point.x)) + " " + Self.text(Self.y(point.y))
            }.joined()
            parts.append(
                "<path class=\"curve\" data-curve=\"\(html(curve.id))\" stroke=\"\(curve.color)\""
                    + (curve.isDashed ? " stroke-dasharray=\"6 4\"" : "") + (curve.isVisible ? "" : " hidden")
                    + " d=\"\(line)\"><title>\(html(curve.title))</title></path>")
        }
        return parts.joined(separator: "\n") + "\n</svg>"
    }

    private static func x(_ value: Double) -> Double { margin.left + value * side }
    private static func y(_ value: Double) -> Double { margin.top + (1 - value) * side }
    private static func text(_ value: Double) -> String { String(format: "%g", (value * 10).rounded() / 10) }
}

/// Text as it may stand in HTML, between tags and in quoted attributes.
func html(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": escaped += "&amp;"
        case "<": escaped += "&lt;"
        case ">": escaped += "&gt;"
        case "\"": escaped += "&quot;"
        case "'": escaped += "&#39;"
        // Controls may not stand in HTML at all.
        case _ where scalar.value < 32 && !"\t\n\r".unicodeScalars.contains(scalar): escaped += "\u{fffd}"
        default: escaped.unicodeScalars.append(scalar)
        }
    }
    return escaped
}
