// Random operations on a store and on a dictionary; see StoreModel.swift.
import Testing

@testable import Storage

struct StoreModelTests {
    static let plans = [
        ModelPlan(
            name: "ample", operations: 250_000, keys: 3000, limitBytes: 64 << 20, isAmple: true),
        ModelPlan(
            name: "ample with runs", operations: 60_000, keys: 300, limitBytes: 256 << 20,
            largeLimit: 400_000, isAmple: true, checkEvery: 5000),
        ModelPlan(
            name: "scarce", operations: 250_000, keys: 6000, limitBytes: 1 << 20, clockShare: 5),
        ModelPlan(
            name: "scarce with runs", operations: 100_000, keys: 3000, limitBytes: 2 << 20,
            largeLimit: 600_000, checkEvery: 5000),
        ModelPlan(
            name: "tiny", operations: 100_000, keys: 2000, limitBytes: 256 << 10,
            largeLimit: 40_000, checkEvery: 5000),
        ModelPlan(
            name: "no eviction", operations: 100_000, keys: 6000, limitBytes: 1 << 20,
            evicts: false, checkEvery: 5000),
        ModelPlan(
            name: "flushes", operations: 100_000, keys: 8000, limitBytes: 512 << 10, clockShare: 5,
            flushShare: 1, checkEvery: 5000),
        ModelPlan(
            name: "mostly ending", operations: 100_000, keys: 3000, limitBytes: 1 << 20,
            clockShare: 100, expiryShare: 90, checkEvery: 5000),
        ModelPlan(
            name: "large values", operations: 50_000, keys: 500, limitBytes: 4 << 20,
            valueLimit: 50_000, largeLimit: 1_000_000, checkEvery: 5000),
    ]

    @Test("a store agrees with a dictionary", arguments: plans)
    func storeAgreesWithModel(plan: ModelPlan) {
        var run = ModelRun(plan, seed: 7)
        run.run()
        if !plan.isAmple && plan.evicts { #expect(run.vanished > 0, "nothing was evicted") }
    }
}
