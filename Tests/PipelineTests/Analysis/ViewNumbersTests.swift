import Testing

@testable import Pipeline

@Suite struct ViewNumbersTests {
    @Test func namesThatEndInNumbersGiveThem() {
        #expect(ViewNumbers(logits: [["logit_2", "logit_3", "logit_4"]]).numbers == [[2, 3, 4]])
        #expect(ViewNumbers(logits: [["view10"], ["a4", "b4"]]).numbers == [[10], [4, 4]])
    }

    @Test func othersAreCounted() {
        #expect(ViewNumbers(logits: [["logit"], ["low", "high_2"]]).numbers == [[1], [2, 3]])
        #expect(ViewNumbers(logits: [[nil], ["logit_7"]]).numbers == [[1], [2]])
        // More digits than a number holds.
        #expect(ViewNumbers(logits: [["logit99999999999999999999"]]).numbers == [[1]])
    }

    @Test func choosing() throws {
        let numbers = ViewNumbers(logits: [["logit_2"], ["logit_3", "logit_4"]])
        #expect(try numbers.places(of: [4, 2]) == [[0], [1]])
        #expect(try numbers.places(of: [3, 3]) == [[], [0]])
        let error = #expect(throws: ViewSelectionError.self) { try numbers.places(of: [2, 1]) }
        #expect(error == ViewSelectionError(unknown: 1, known: [2, 3, 4]))
    }
}
