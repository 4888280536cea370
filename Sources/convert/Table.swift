import Foundation

/// Columns of text, the first ones aligned to the right.
struct Table {
    private var rows: [[String]]
    private let numbers: Int

    init(_ header: [String], numbers: Int) {
        rows = [header]
        self.numbers = numbers
    }

    mutating func add(_ row: [String]) { rows.append(row) }

    var text: String {
        let widths = (0..<rows[0].count).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column < numbers ? padding + cell : column == row.count - 1 ? cell : cell + padding
            }
            return cells.joined(separator: "  ") + "\n"
        }.joined()
    }
}

func fixed(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
}

/// In units of 2^20 bytes.
func megabytes(_ bytes: Int) -> String { fixed(Double(bytes) / 1_048_576, 1) + " MB" }

/// With a thin grouping of thousands: 25557032 as `25 557 032`.
func grouped(_ count: Int) -> String {
    var text = ""
    for (index, digit) in String(count).enumerated() {
        if index > 0, (String(count).count - index) % 3 == 0 { text += " " }
        text.append(digit)
    }
    return text
}
