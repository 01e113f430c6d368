import { expect, test } from 'bun:test'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { startFileLoop } from '../support/file-loop.ts'
import { handClock } from '../support/hand-clock.ts'
import { bearer, postTo, until } from '../support/loop.ts'

test('the daemon removes what is past its retention, from a reload on by the new one', async () => {
  const clock = handClock()
  await using loop = await startFileLoop({ tenants: { acme: {} } }, { clock })
  const passUntil = (holds: () => boolean) =>
    until(() => {
      clock.pass(100)
      return holds()
    })
  const send = async () => {
    const response = await postTo(
      loop.daemon.url,
      '/v1/refiner/acme',
      completedSurvey(),
      bearer('acme-webhook-secret'),
    )
    expect(response.status).toBe(200)
  }
  const removed = () => loop.log.filter((line) => line.includes('removed what is past its retention'))
  await send()
  await passUntil(() => loop.daemon.health().tenants['acme']!.pending === 0)
  expect(loop.segment.delivered).toHaveLength(3)
  clock.pass(60_000)
  await send()
  clock.pass(60_000)
  expect(removed()).toEqual([])
  expect(loop.segment.delivered).toHaveLength(3)

  loop.write({ tenants: { acme: {} }, more: 'retention: { delivered: 1s }' })
  await loop.daemon.reload()
  await passUntil(() => removed().length === 1)
  expect(JSON.parse(removed()[0]!)).toMatchObject({ items: 1, deliveries: 3 })
})
