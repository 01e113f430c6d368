import { expect, test } from 'bun:test'
import { killedBackfill } from '../torture/backfill.ts'

const MOST_MS = 60_000

test(
  'webhooks, polling, two backfills and two kills: each message of 100 responses reaches Segment once by its ID',
  async () => {
    const report = await killedBackfill({ responses: 100, kills: 2, seed: 1 })
    expect(report).toMatchObject({
      kills: 2,
      lost: [],
      twice: [],
      incomplete: [],
      outOfOrder: 0,
      states: ['done', 'done'],
    })
    expect(report.polled).toBeGreaterThan(0)
  },
  MOST_MS,
)
