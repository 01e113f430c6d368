import { expect, test } from 'bun:test'
import { PROGRAM } from '../support/process.ts'
import { torture } from '../torture/torture.ts'

/** Twenty starts of a program take their time where others are busy. */
const MOST_MS = 90_000

test(
  'killed 20 times at work, at its start, in a replay, in a reload and in retention, it loses, invents and swaps nothing',
  async () => {
    const report = await torture({
      program: PROGRAM,
      seed: 1,
      scenario: 'brief',
      cycles: 20,
      durationMs: Infinity,
      mostItems: 20,
      onCycle() {},
    })
    expect(report).toMatchObject({
      cycles: 20,
      lost: [],
      invented: [],
      outOfOrder: [],
      otherMessageId: [],
      wrongTenant: [],
      wrongTraits: [],
      crashes: [],
      complaints: [],
      passed: true,
    })
    expect(report.acknowledged.webhook).toBeGreaterThan(0)
    expect(report.acknowledged.message).toBeGreaterThan(0)
    expect(report.merged).toBeGreaterThan(0)
    expect(report.retention.removed).toBeGreaterThan(0)
  },
  MOST_MS,
)
