import Foundation

extension Model {
    public init(contentsOf url: URL) throws {
        self.init()
    }
}
