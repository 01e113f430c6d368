import { describe, expect, test } from 'bun:test'
import type { LeasedDelivery, Outcome } from '../../src/contracts/delivery.ts'
import { LaneConduct } from '../../src/dispatch/lane-conduct.ts'
import { handClock } from '../support/hand-clock.ts'

const settings = { timeoutMs: 10_000, minBackoffMs: 1000, maxBackoffMs: 3_600_000, giveUpAfterMs: 86_400_000 }
const delivered: Outcome = { kind: 'delivered' }
const refused: Outcome = { kind: 'unauthorized', reason: 'answered 403' }
const throttled: Outcome = { kind: 'throttled', reason: 'answered 429', retryAfterMs: 5000 }

function setUp() {
  const clock = handClock()
  const conduct = new LaneConduct(settings, clock, () => 0)
  const delivery = (id: number): LeasedDelivery => ({
    id,
    call: 'track',
    messageId: `m-${id}`,
    payload: '{}',
    attempts: 0,
    firstAttemptAt: null,
  })
  return {
    conduct,
    judge: (id: number, outcome: Outcome) => conduct.judge([delivery(id)], [outcome])[0]!,
    pass: (ms: number) => clock.pass(ms),
  }
}

describe('a lane', () => {
  test('that is told to wait does, then lets one batch go ahead, and goes on in full when that is taken', () => {
    const { conduct, judge, pass } = setUp()
    judge(1, throttled)
    expect(conduct.status.state).toBe('throttled')
    expect(conduct.mostUnderWay(4)).toBe(0)
    pass(4999)
    expect(conduct.mostUnderWay(4)).toBe(0)
    pass(1)
    expect(conduct.mostUnderWay(4)).toBe(1)
    judge(1, delivered)
    expect(conduct.mostUnderWay(4)).toBe(4)
    expect(conduct.status.state).toBe('ok')
  })

  test('counts what was refused together as one pause', () => {
    const { conduct, judge } = setUp()
    for (const id of [1, 2, 3]) judge(id, refused)
    expect(conduct.pauseLeftMs()).toBe(30_000)
  })

  test('whose key is refused pauses and burns nothing', () => {
    const { conduct, judge } = setUp()
    expect(judge(1, refused)).toEqual(refused)
    expect(conduct.status).toMatchObject({ state: 'unauthorized', lastError: { message: 'answered 403' } })
  })

  test('is not held up by a delivery that is refused while others are taken: that one backs off alone', () => {
    const { conduct, judge, pass } = setUp()
    judge(1, refused)
    pass(30_000)
    judge(2, delivered)
    expect(judge(1, refused)).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('others were taken'),
    })
    expect(conduct.pauseLeftMs()).toBe(0)
    expect(conduct.mostUnderWay(4)).toBe(4)
  })
})
