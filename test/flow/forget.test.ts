import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { ShownReceipt } from '../../src/console/privacy.ts'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, keptLog, type Loop, startLoop, until } from '../support/loop.ts'
import { ADMIN_TOKEN, ask, command } from '../support/operator.ts'
import { definition } from '../support/segments.ts'

const webhook = (loop: Loop, body: unknown, tenant = 'acme') =>
  loop.post(`/v1/refiner/${tenant}`, body, bearer(`${tenant}-webhook-secret`))
const segment = (loop: Loop, message: object, tenant = 'acme') =>
  loop.post('/v1/segment', message, basic(`${tenant}-destination-key`))
const settled = (loop: Loop) =>
  until(() => Object.values(loop.daemon.health().tenants).every((one) => one.pending === 0))

const EVERYBODY = definition('everybody', 'true', { trait: 'is_anybody', refinerSegment: 'manual-segment' })

const receiptOf = async (loop: Loop, id: number) =>
  (await ask<ShownReceipt>(loop, `/api/receipts/${id}`)).body
const swept = async (loop: Loop, id: number) => {
  await until(async () => (await receiptOf(loop, id)).overwritten_at !== null)
  return receiptOf(loop, id)
}
async function forget(loop: Loop, ...args: string[]): Promise<ShownReceipt> {
  const { code, stdout, stderr } = await command(loop, ['forget', '--json', ...args])
  expect(`${code} ${stderr}`).toBe('0 ')
  return JSON.parse(stdout) as ShownReceipt
}

/** The files of the database, as bytes, and whatever of these texts is in them. */
function leftIn(loop: Loop, texts: readonly string[]): string[] {
  const { path } = loop.configuration.database
  return [path, `${path}-wal`].flatMap((file) => {
    const bytes = readFileSync(file)
    return texts.filter((text) => bytes.includes(text)).map((text) => `${text} in ${file.slice(-3)}`)
  })
}

const ADA = [
  'ada-lovelace-17',
  'ada17@example.com',
  'contact-ada-17',
  'analytical',
  'steam-engine',
  'Turin-17',
]

async function adaArrives(loop: Loop): Promise<void> {
  await webhook(
    loop,
    withResponse(
      { uuid: 'response-ada-0', data: { said: 'steam-engine' } },
      { uuid: 'contact-ada-17', remote_id: null, email: null, account: null },
    ),
  )
  await settled(loop)
  await segment(loop, {
    type: 'identify',
    userId: 'ada-lovelace-17',
    traits: { email: 'Ada17@example.com', city: 'Turin-17' },
  })
  await segment(loop, { type: 'track', userId: 'ada-lovelace-17', event: 'Signed Up' })
  await segment(loop, { type: 'group', userId: 'ada-lovelace-17', groupId: 'account-of-ada-lovelace-17' })
  await webhook(loop, ada())
  await settled(loop)
}

const ada = () =>
  withResponse(
    { uuid: 'response-ada-1', data: { said: 'analytical' } },
    { uuid: 'contact-ada-17', remote_id: 'ada-lovelace-17', email: 'ada17@example.com', account: null },
  )

test('after forget nothing is left of a person, whatever comes of them again, and others are untouched', async () => {
  const { log, lines } = keptLog()
  await using loop = await startLoop({
    tenants: { acme: { toRefiner: { delete: true }, segments: [EVERYBODY] }, globex: {} },
    adminToken: ADMIN_TOKEN,
    log,
  })
  await adaArrives(loop)
  // Enough others for pages to be split, before and after.
  const others = (from: number) =>
    Array.from({ length: 120 }, (_, n) => ({
      type: 'identify',
      messageId: `other-${from + n}`,
      userId: `user-${((from + n) * 7919) % 100_003}`,
      traits: { email: `user-${from + n}@example.com`, note: 'x'.repeat(300) },
    }))
  await loop.post('/v1/segment', { batch: others(0) }, basic('acme-destination-key'))
  await until(() => loop.daemon.health().tenants['acme']!.segments['everybody']!.members === 121)
  await settled(loop)
  await segment(loop, { type: 'identify', userId: 'ada-lovelace-17', traits: { city: 'Turin-17-west' } })
  await segment(loop, { type: 'identify', userId: 'ada-lovelace-17', traits: { city: 'Rome' } })
  await loop.post('/v1/segment', { batch: others(120) }, basic('acme-destination-key'))
  await settled(loop)

  const { receipt, removed, refiner } = await forget(loop, '--tenant', 'acme', '--email', 'ada17@example.com')
  expect(removed).toMatchObject({
    users: 1,
    responses: 2,
    items: 8,
    segment_members: 1,
    accounts: 1,
    memberships: 1,
  })
  expect(refiner.state).toBe('waits')
  await until(async () => (await receiptOf(loop, receipt)).refiner.state === 'deleted')
  expect(loop.refiner.calls.slice(-2).map(({ path, body }) => [path, body])).toEqual([
    ['/v1/contact', { id: 'ada-lovelace-17' }],
    ['/v1/contact', { uuid: 'contact-ada-17' }],
  ])
  await swept(loop, receipt)
  expect(leftIn(loop, ADA)).toEqual([])

  const sent = loop.segment.requests
  expect((await webhook(loop, ada())).status).toBe(200)
  await segment(loop, { type: 'identify', userId: 'ada-lovelace-17', traits: { city: 'Turin-17' } })
  await settled(loop)
  expect(loop.segment.requests).toBe(sent)
  expect((await ask(loop, '/api/users/ada-lovelace-17?tenant=acme')).status).toBe(404)
  await loop.restart()
  expect(leftIn(loop, ADA)).toEqual([])
  expect(await receiptOf(loop, receipt)).toMatchObject({ what: 'forget', complete: true })
  const told = [
    ...lines,
    JSON.stringify(loop.daemon.health()),
    await (await fetch(`${loop.daemon.url}/metrics`)).text(),
    (await command(loop, ['receipts', 'list'])).stdout,
    (await command(loop, ['export', '--tenant', 'acme', '--uuid', 'contact-ada-17'])).stdout.replace(
      /^.*"uuid".*$/gm,
      '',
    ),
  ].join('\n')
  for (const text of ADA.filter((text) => text !== 'contact-ada-17')) expect(told).not.toContain(text)
})

test("Segment's delete forgets, once what is on its way to Refiner has arrived, and of this tenant alone", async () => {
  let isHeld = true
  await using loop = await startLoop({
    tenants: { acme: { toRefiner: { delete: true } }, globex: {} },
    adminToken: ADMIN_TOKEN,
    refiner: async ({ body }) => {
      if (JSON.stringify(body ?? '').includes('late')) await until(() => !isHeld)
      return null
    },
  })
  for (const tenant of ['acme', 'globex']) {
    await segment(loop, { type: 'identify', userId: 'eve', traits: { name: 'Eve' } }, tenant)
  }
  await settled(loop)
  await segment(loop, { type: 'identify', userId: 'eve', traits: { name: 'late' } })
  await until(() => loop.refiner.requests === 3)
  await segment(loop, { type: 'delete', userId: 'eve' })
  isHeld = false
  const listed = async () => (await ask<ShownReceipt[]>(loop, '/api/receipts')).body
  await until(async () => (await listed())[0]?.refiner.state === 'deleted')
  const paths = loop.refiner.calls
    .filter(({ apiKey }) => apiKey === 'acme-refiner-key')
    .map(({ path }) => path)
  expect(paths).toEqual(['/v1/identify-user', '/v1/identify-user', '/v1/contact'])
  expect(await listed()).toMatchObject([{ tenant: 'acme', what: 'forget', by: 'segment' }])
  expect((await ask(loop, '/api/users/eve?tenant=globex')).status).toBe(200)
  expect((await ask(loop, '/api/users/eve?tenant=acme')).status).toBe(404)
})

test('a deletion that Refiner refuses is told in the receipt, which is all that stays of it', async () => {
  await using loop = await startLoop({
    tenants: { acme: { toRefiner: { delete: true } } },
    adminToken: ADMIN_TOKEN,
    refiner: ({ method }) =>
      method === 'DELETE' ? new Response('{"id":"mallory-7"}', { status: 422 }) : null,
  })
  await segment(loop, { type: 'identify', userId: 'mallory-7' })
  await settled(loop)
  const { receipt } = await forget(loop, '--user', 'mallory-7')
  await until(async () => (await receiptOf(loop, receipt)).refiner.state === 'failed')
  expect((await swept(loop, receipt)).refiner.status).toBe(422)
  expect(leftIn(loop, ['mallory-7'])).toEqual([])
})

test('who was forgotten is not taken again by mistake', async () => {
  await using loop = await startLoop({ adminToken: ADMIN_TOKEN })
  await segment(loop, { type: 'identify', userId: 'eve' })
  await settled(loop)
  await forget(loop, '--user', 'eve')
  // Suppressing somebody who was forgotten does not make less of it.
  expect((await command(loop, ['suppress', '--user', 'eve'])).code).toBe(0)
  const refused = await command(loop, ['unsuppress', '--user', 'eve'])
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--forgotten')])
  await segment(loop, { type: 'identify', userId: 'eve', messageId: 'still' })
  await settled(loop)
  expect((await ask(loop, '/api/users/eve')).status).toBe(404)
  expect((await command(loop, ['unsuppress', '--user', 'eve', '--forgotten'])).code).toBe(0)
  await segment(loop, { type: 'identify', userId: 'eve', messageId: 'again' })
  await settled(loop)
  expect((await ask(loop, '/api/users/eve')).status).toBe(200)
})

test('nothing of who is suppressed is replayed, as it was or mapped anew', async () => {
  let isRefusing = true
  await using loop = await startLoop({
    adminToken: ADMIN_TOKEN,
    refiner: () => (isRefusing ? Response.json({ message: 'no' }, { status: 400 }) : null),
  })
  for (const userId of ['bob', 'eve']) await segment(loop, { type: 'track', userId, event: 'Left' })
  await until(() => loop.daemon.health().tenants['acme']!.dead === 2)
  isRefusing = false
  expect((await command(loop, ['suppress', '--user', 'bob'])).code).toBe(0)
  const { body } = await ask<{ id: number; user: string }[]>(loop, '/api/deliveries?state=dead&user=bob')
  const one = await command(loop, ['deliveries', 'replay', String(body[0]!.id)])
  expect([one.code, one.stdout + one.stderr]).toEqual([1, expect.stringContaining('is suppressed')])
  for (const how of [['--remap'], []]) {
    expect((await command(loop, ['deliveries', 'replay', '--state', 'dead', ...how])).code).toBe(0)
  }
  await until(() => loop.daemon.health().tenants['acme']!.dead === 1)
  await settled(loop)
  expect(loop.refiner.calls.map((call) => call.body['id'])).toEqual(['eve'])
})

test('who is suppressed keeps what is kept, and gets nothing more until that is lifted', async () => {
  await using loop = await startLoop({ adminToken: ADMIN_TOKEN })
  const identify = async (plan: string) => {
    await segment(loop, { type: 'identify', userId: 'bob', traits: { plan } })
    await settled(loop)
    return (await ask<{ traits: object }>(loop, '/api/users/bob')).body.traits
  }
  expect(await identify('free')).toEqual({ plan: 'free' })
  expect((await command(loop, ['suppress', '--user', 'bob'])).stdout).toContain('suppressed')
  expect(await identify('pro')).toEqual({ plan: 'free' })
  expect((await command(loop, ['unsuppress', '--user', 'bob'])).code).toBe(0)
  expect(await identify('team')).toEqual({ plan: 'team' })
  expect((await command(loop, ['unsuppress', '--user', 'bob'])).stderr).toContain('nobody')
  expect((await command(loop, ['receipts', 'list', '--json'])).stdout).not.toContain('bob')
})

test('an email of two users is not forgotten, since nobody can tell whose it is', async () => {
  await using loop = await startLoop({ adminToken: ADMIN_TOKEN })
  for (const userId of ['o-1', 'o-2']) {
    await segment(loop, { type: 'identify', userId, traits: { email: 'office@example.com' } })
  }
  await settled(loop)
  const { code, stderr } = await command(loop, ['forget', '--email', 'office@example.com'])
  expect([code, stderr]).toEqual([1, expect.stringContaining('o-1, o-2')])
  const { removed } = await forget(loop, '--user', 'o-1')
  expect(removed).toMatchObject({ users: 1, identities: 1 })
  expect((await ask(loop, '/api/conflicts')).body).toEqual([])
})
