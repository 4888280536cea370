extension Model {
    /// Everything that is wrong with the model's structure, whatever its operators are.
    public func problems() -> [Problem] { [] }
}
