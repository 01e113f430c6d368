import { describe, expect, test } from 'bun:test'
import { judge, retryAfter } from '../../src/clients/judge-answer.ts'

const NOW = Date.parse('2024-05-01T00:00:00Z')

function outcome(status: number, body = '', headers: Record<string, string> = {}) {
  return judge({ answered: true, status, headers: new Headers(headers), body }, 'api.example.com', NOW)
}

describe('an answer', () => {
  test.each([
    [200, '', 'delivered'],
    [200, 'ok', 'delivered'],
    [200, '{"success":true}', 'delivered'],
    [202, '{"errors":[]', 'delivered'],
    [204, '', 'delivered'],
    [200, '{"contact_uuid":"x","errors":[],"error":null}', 'delivered'],
    [200, '{"errors":{"email":"no"}}', 'retry'],
    [200, '{"success":false}', 'retry'],
    [200, '{"error":"no"}', 'retry'],
    [200, '{"status":"error"}', 'retry'],
    [301, '', 'retry'],
    [308, '', 'retry'],
    [404, '', 'retry'],
    [405, '', 'retry'],
    [408, '', 'retry'],
    [425, '', 'retry'],
    [500, '', 'retry'],
    [503, '', 'retry'],
    [599, '', 'retry'],
    [429, '', 'throttled'],
    [401, '', 'unauthorized'],
    [403, '', 'unauthorized'],
    [400, '', 'rejected'],
    [413, '', 'rejected'],
    [422, '', 'rejected'],
  ])('of %i with the body %j is %s', (status, body, kind) => {
    expect(outcome(status, body).kind).toBe(kind as ReturnType<typeof outcome>['kind'])
  })

  test('that never came is tried again, for the reason given', () => {
    expect(judge({ answered: false, reason: 'no connection' }, 'h', NOW)).toEqual({
      kind: 'retry',
      reason: 'no connection',
      retryAfterMs: null,
      status: null,
      answer: null,
    })
  })

  test('is quoted with the dead delivery, cut short, and not in the reason', () => {
    const refused = outcome(400, `ada@example.com ${'x'.repeat(1000)}`)
    expect(refused).toMatchObject({ kind: 'rejected', reason: 'api.example.com answered 400' })
    expect(refused.kind === 'rejected' && refused.answer).toHaveLength(500)
  })
})

describe('Retry-After', () => {
  test.each([
    [{ 'retry-after': '3' }, 3000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': 'Wed, 01 May 2024 00:00:07 GMT' }, 7000],
    [{ 'retry-after': 'Tue, 30 Apr 2024 00:00:00 GMT' }, 0],
    [{ 'x-ratelimit-reset': '9' }, 9000],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '-5' }, null],
    [{ 'retry-after': '2024-13-45' }, null],
    // The destination's clock is a day ahead of ours, then a day behind.
    [{ 'retry-after': 'Thu, 02 May 2024 00:00:07 GMT', date: 'Thu, 02 May 2024 00:00:00 GMT' }, 7000],
    [{ 'retry-after': 'Tue, 30 Apr 2024 00:00:07 GMT', date: 'Tue, 30 Apr 2024 00:00:00 GMT' }, 7000],
    [{ 'retry-after': 'Wed, 01 May 2024 00:00:07 GMT', date: 'whenever' }, 7000],
    [{ 'retry-after': '' }, null],
    [{}, null],
  ])('%j is %p ms', (headers, ms) => {
    expect(retryAfter(new Headers(headers as Record<string, string>), NOW)).toBe(ms)
  })
})
