import { expect, test } from 'bun:test'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, type Loop, startLoop, until } from '../support/loop.ts'

test('a tenant for which too much waits is answered 503, alone and that way only, until less waits', async () => {
  let isDown = true
  const acmes = basic('acme-write-key')['authorization']
  await using loop = await startLoop({
    tenants: { acme: {}, globex: {} },
    maxPending: 20,
    segment: ({ headers }) =>
      isDown && headers.get('authorization') === acmes ? new Response('', { status: 500 }) : null,
  })
  const kept = new Set<string>()
  await until(async () => {
    const answer = await postSurvey(loop, 'acme', kept)
    if (answer.status === 503) expect(answer.headers.get('retry-after')).toBe('5')
    return answer.status === 503
  })
  expect((await postSurvey(loop, 'globex', new Set())).status).toBe(200)
  expect(loop.daemon.health().problems.join()).toContain(
    'acme: so much waits for Segment that what Refiner sends is answered 503',
  )
  const other = { type: 'identify', userId: 'u', messageId: 'the-other-way' }
  expect((await loop.post('/v1/segment', other, basic('acme-destination-key'))).status).toBe(200)

  isDown = false
  await until(async () => (await postSurvey(loop, 'acme', kept)).status === 200)
  await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
  const arrived = new Set(loop.segment.messages.map(({ message }) => message['userId']))
  for (const user of kept) expect(arrived).toContain(user)
})

let count = 0

/** Posts a survey of a new user, who is among `kept` when it is taken. */
async function postSurvey(loop: Loop, tenant: string, kept: Set<string>): Promise<Response> {
  count += 1
  const user = `user-${count}`
  const body = withResponse({ uuid: `response-${count}` }, { remote_id: user })
  const answer = await loop.post(`/v1/refiner/${tenant}`, body, bearer(`${tenant}-webhook-secret`))
  if (answer.status === 200) kept.add(user)
  return answer
}
