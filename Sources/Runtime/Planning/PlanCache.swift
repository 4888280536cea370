/// The plans used last.
struct PlanCache {
    private var plans: [(key: Plan.Key, plan: Plan)] = []

    subscript(key: Plan.Key) -> Plan? {
        mutating get {
            guard let index = plans.firstIndex(where: { $0.key == key }) else { return nil }
            let found = plans.remove(at: index)
            plans.append(found)
            return found.plan
        }
    }

    mutating func insert(_ plan: Plan, for key: Plan.Key) {
        plans.append((key, plan))
        if plans.count > 8 { plans.removeFirst() }
    }
}
