import { expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { completedSurvey, withResponse } from '../fixtures/refiner-webhook.ts'
import { bearer, deadline, startLoop, until } from '../support/loop.ts'

const webhook = bearer('acme-webhook-secret')

test('a completed survey arrives at Segment as identify, group and track, in that order, with the write key', async () => {
  await using loop = await startLoop()
  expect((await loop.post('/v1/refiner/acme', completedSurvey(), webhook)).status).toBe(200)
  await loop.segment.until((messages) => messages.length === 3, deadline())
  expect(loop.segment.delivered.map(({ message, writeKey }) => [message.type, writeKey])).toEqual([
    ['identify', 'acme-write-key'],
    ['group', 'acme-write-key'],
    ['track', 'acme-write-key'],
  ])
  expect(loop.refiner.calls).toEqual([])
})

test('the same interaction in another form is sent once; an updated response is sent again', async () => {
  await using loop = await startLoop()
  await loop.post('/v1/refiner/acme', completedSurvey(), webhook)
  await loop.post(
    '/v1/refiner/acme',
    completedSurvey({ last_seen_at: '2022-11-01T00:00:00.000000Z' }),
    webhook,
  )
  const updated = withResponse({ data: { nps: '3' }, last_data_reception_at: '2022-10-15T00:00:00.000000Z' })
  await loop.post('/v1/refiner/acme', updated, webhook)
  await loop.segment.until(
    (messages) => messages.some(({ message }) => isTrackWith(message, '3')),
    deadline(),
  )
  expect(loop.segment.messages).toHaveLength(6)
  expect(loop.segment.delivered).toHaveLength(6)
})

test('users, accounts and responses are kept, with the latest answers', async () => {
  await using loop = await startLoop()
  await loop.post('/v1/refiner/acme', completedSurvey(), webhook)
  const older = withResponse({ data: { nps: '1' }, last_data_reception_at: '2022-10-13T00:00:00.000000Z' })
  await loop.post('/v1/refiner/acme', older, webhook)
  await loop.segment.until((messages) => messages.length === 6, deadline())
  using db = new Database(loop.configuration.database.path, { readonly: true })
  expect(db.query('select user_id, email, traits from users').all()).toEqual([
    { user_id: 'user-1042', email: 'ada@example.com', traits: '{"plan":"pro","form_views_count":"2"}' },
  ])
  expect(db.query('select account_id from memberships').all()).toEqual([{ account_id: 'account-7' }])
  expect(db.query('select user_id, survey_name, answers from responses').all()).toEqual([
    {
      user_id: 'user-1042',
      survey_name: 'Customer Churn Survey',
      answers: '{"why_did_you_cancel":"Pricing","nps":"9"}',
    },
  ])
})

test('what is skipped is recorded with its reason, and sent nowhere', async () => {
  await using loop = await startLoop()
  await loop.post('/v1/refiner/acme', completedSurvey({ remote_id: null }), webhook)
  using db = new Database(loop.configuration.database.path, { readonly: true })
  const rows = () => db.query('select state, reason from outbox').all()
  await until(() => rows().length > 0)
  expect(rows()).toEqual([
    { state: 'skipped', reason: 'the contact has no user ID (to_segment.anonymous: skip)' },
  ])
  expect(loop.segment.requests).toBe(0)
  await until(() => loop.daemon.health().tenants['acme']!.destinations.segment.skipped.last_day === 1)
  expect(loop.daemon.health()).toMatchObject({
    status: 'ok',
    tenants: {
      acme: {
        destinations: {
          segment: {
            skipped: { last: { reason: 'the contact has no user ID (to_segment.anonymous: skip)' } },
          },
        },
      },
    },
  })
})

test('a message that Segment refuses is dead with what Segment said, and those beside it arrive', async () => {
  await using loop = await startLoop({
    segment: ({ text }) => {
      return text.includes('user-bad') ? Response.json({ message: 'malformed' }, { status: 400 }) : null
    },
  })
  for (const user of ['user-1', 'user-bad', 'user-2']) {
    const body = withResponse({ uuid: user }, { remote_id: user, account: null })
    await loop.post('/v1/refiner/acme', body, webhook)
  }
  await loop.segment.until((messages) => messages.length === 4, deadline())
  await until(() => loop.daemon.health().tenants['acme']!.dead === 2)
  using db = new Database(loop.configuration.database.path, { readonly: true })
  expect(db.query(`select user_key, call, reason, answer from outbox where state = 'dead'`).all()).toEqual(
    ['identify', 'track'].map((call) => ({
      user_key: 'user-bad',
      call,
      reason: expect.stringMatching(/answered 400$/),
      answer: '{"message":"malformed"}',
    })),
  )
})

function isTrackWith(message: Readonly<Record<string, unknown>>, nps: string): boolean {
  return message['type'] === 'track' && (message['properties'] as Record<string, unknown>)['nps'] === nps
}
