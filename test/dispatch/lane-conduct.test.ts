import { describe, expect, test } from 'bun:test'
import type { LeasedDelivery, Outcome } from '../../src/contracts/delivery.ts'
import { LaneConduct } from '../../src/dispatch/lane-conduct.ts'
import { handClock } from '../support/hand-clock.ts'

const NO_ANSWER = { status: null, answer: null } as const

const settings = { timeoutMs: 10_000, minBackoffMs: 1000, maxBackoffMs: 3_600_000, giveUpAfterMs: 86_400_000 }
const delivered: Outcome = { kind: 'delivered' }
const refused: Outcome = { kind: 'unauthorized', reason: 'answered 403', ...NO_ANSWER }
const throttled: Outcome = { kind: 'throttled', reason: 'answered 429', retryAfterMs: 5000, ...NO_ANSWER }

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
    judge: (id: number, outcome: Outcome, sentAt = clock.elapsed()) =>
      conduct.judge([delivery(id)], [outcome], sentAt)[0]!,
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

  test('is not held up by several of them either, whatever the order', () => {
    const { judge, pass } = setUp()
    let pauses = 0
    for (let round = 0; round < 20; round++) {
      for (const bad of [100, 200]) {
        judge(round, delivered)
        if (judge(bad, refused).kind === 'unauthorized') {
          pauses += 1
          pass(30_000)
        }
      }
    }
    expect(pauses).toBe(2)
  })

  test('pauses again when it is the key after all', () => {
    const { judge, pass } = setUp()
    judge(1, refused)
    pass(30_000)
    judge(2, delivered)
    expect(judge(1, refused).kind).toBe('retry')
    for (const id of [3, 4, 5]) {
      judge(id, refused)
      pass(30_000)
    }
    expect(judge(1, refused).kind).toBe('unauthorized')
  })

  test('does not take an answer to what was sent before its key was refused for a sign that the key is good', () => {
    const { conduct, judge, pass } = setUp()
    pass(100)
    judge(2, refused)
    judge(3, refused)
    judge(1, delivered, 50)
    expect(conduct.status.state).toBe('unauthorized')
    pass(30_000)
    expect(conduct.mostUnderWay(4)).toBe(1)
    expect(judge(2, refused)).toEqual(refused)
  })

  test('waits as long as the longest that it is asked to', () => {
    const { conduct, judge } = setUp()
    judge(1, { ...throttled, retryAfterMs: 1000 })
    judge(2, { ...throttled, retryAfterMs: 60_000 })
    judge(3, { ...throttled, retryAfterMs: 2000 })
    expect(conduct.pauseLeftMs()).toBe(60_000)
  })

  test('pauses for a destination that is down and says until when, and counts the attempt', () => {
    const { conduct, judge } = setUp()
    expect(judge(1, { kind: 'retry', reason: 'answered 503', retryAfterMs: 9000, ...NO_ANSWER }).kind).toBe(
      'retry',
    )
    expect(conduct.pauseLeftMs()).toBe(9000)
  })

  test('does not believe a destination that asks for days: an hour is the most', () => {
    const { conduct, judge } = setUp()
    judge(1, { ...throttled, retryAfterMs: 30 * 86_400_000 })
    expect(conduct.pauseLeftMs()).toBe(3_600_000)
  })

  test('whose destination is down is left alone but for probes, and goes on in full when one is taken', () => {
    const { conduct, judge, pass } = setUp()
    const down: Outcome = {
      kind: 'retry',
      reason: 'answered 500',
      retryAfterMs: null,
      status: 500,
      answer: '',
    }
    for (const id of [1, 2, 3, 4, 5]) judge(id, down)
    expect(conduct.status).toMatchObject({ state: 'open', lastError: { message: 'answered 500' } })
    expect(conduct.mostUnderWay(4)).toBe(0)
    pass(conduct.pauseLeftMs())
    expect(conduct.status.state).toBe('half_open')
    expect([conduct.mostUnderWay(4), conduct.mostMessages(100)]).toEqual([1, 1])
    judge(6, delivered)
    expect(conduct.status.state).toBe('ok')
    expect([conduct.mostUnderWay(4), conduct.mostMessages(100)]).toEqual([4, 100])
    expect(conduct.recovered).toBe(true)
  })

  test('whose destination is back and asks for fewer requests is throttled, not down', () => {
    const { conduct, judge, pass } = setUp()
    const down: Outcome = { kind: 'retry', reason: 'no connection', retryAfterMs: null, ...NO_ANSWER }
    for (const id of [1, 2, 3, 4, 5]) judge(id, down)
    pass(conduct.pauseLeftMs())
    judge(6, { ...throttled, status: 429 })
    expect(conduct.status.state).toBe('throttled')
    expect(conduct.pauseLeftMs()).toBe(5000)
  })

  test('is not down because some deliveries are refused by their key while others are taken', () => {
    const { conduct, judge } = setUp()
    const own: Outcome = {
      kind: 'retry',
      reason: 'answered 403',
      retryAfterMs: null,
      status: 403,
      answer: '',
    }
    for (const id of [1, 2, 3, 4, 5, 6]) judge(id, own)
    expect(conduct.status.state).toBe('retrying')
  })
})
