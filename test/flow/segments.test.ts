import { expect, test } from 'bun:test'
import type { ShownMember, ShownSegment } from '../../src/console/segments.ts'
import type { ShownDelivery } from '../../src/console/shown-delivery.ts'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, keptLog, type Loop, startLoop, until } from '../support/loop.ts'
import { ADMIN_TOKEN, ask, command } from '../support/operator.ts'
import { definition } from '../support/segments.ts'

const MANUAL = '3f1c2d4e-aaaa-4f6b-9d0a-5b1f1f0a0009'
const PROMOTERS = definition('promoters', 'int(answers.nps) >= 9', {
  refinerSegment: MANUAL,
  trait: 'is_promoter',
  enteredEvent: 'Became Promoter',
  leftEvent: 'No Longer Promoter',
})
const PROS = definition('pros', 'traits.plan == "pro"')

const answers = (loop: Loop, userId: string, nps: string, day: string, tenant = 'acme') =>
  loop.post(
    `/v1/refiner/${tenant}`,
    withResponse(
      {
        uuid: `response-of-${userId}`,
        data: { nps },
        completed_at: `2026-01-${day}T00:00:00Z`,
        last_data_reception_at: `2026-01-${day}T00:00:00Z`,
      },
      { remote_id: userId, uuid: `contact-${userId}`, email: `${userId}@example.com`, account: null },
    ),
    bearer(`${tenant}-webhook-secret`),
  )
const identify = (loop: Loop, userId: string, traits: object, tenant = 'acme') =>
  loop.post('/v1/segment', { type: 'identify', userId, traits }, basic(`${tenant}-destination-key`))

const health = (loop: Loop, tenant = 'acme') => loop.daemon.health().tenants[tenant]!
const membersBecome = (loop: Loop, name: string, members: number) =>
  until(() => health(loop).segments[name]?.members === members && health(loop).pending === 0)
/** Waits for what is told: the count of what waits may be a moment old. */
const toldOf = (loop: Loop, calls: number, messages: number) =>
  until(() => synced(loop).length === calls && toldSegment(loop).length === messages)
const synced = (loop: Loop) =>
  loop.refiner.calls
    .filter(({ path }) => path === '/v1/sync-segment')
    .map(({ method, body }) => [method, body['id'], body['segment_uuid']])
interface Told {
  readonly type: string
  readonly userId: string
  readonly event?: string
  readonly traits?: Readonly<Record<string, unknown>>
}

const toldSegment = (loop: Loop) =>
  loop.segment.messages.flatMap(({ message }) => {
    const { type, userId, event, traits } = message as Partial<Told>
    const what = event?.includes('Promoter') ? event : traits?.['is_promoter']
    return what === undefined ? [] : [[type, userId, what]]
  })

test('who enters a segment is put into that of Refiner and told to Segment, and taken out again', async () => {
  await using loop = await startLoop({ tenants: { acme: { segments: [PROMOTERS] }, globex: {} } })
  await answers(loop, 'ada', '10', '01')
  await answers(loop, 'ben', '3', '01')
  await answers(loop, 'ada', '10', '01', 'globex')
  await membersBecome(loop, 'promoters', 1)
  await toldOf(loop, 1, 2)
  expect(synced(loop)).toEqual([['POST', 'ada', MANUAL]])
  expect(toldSegment(loop)).toEqual([
    ['identify', 'ada', true],
    ['track', 'ada', 'Became Promoter'],
  ])
  await answers(loop, 'ada', '6', '02')
  await membersBecome(loop, 'promoters', 0)
  await toldOf(loop, 2, 4)
  expect(synced(loop)[1]).toEqual(['DELETE', 'ada', MANUAL])
  expect(toldSegment(loop).slice(2)).toEqual([
    ['identify', 'ada', false],
    ['track', 'ada', 'No Longer Promoter'],
  ])
  const told = loop.segment.messages
    .map(({ message }) => message)
    .find(({ event }) => event === 'Became Promoter')
  expect(told).toMatchObject({
    properties: { segment: 'promoters' },
    context: { integration: { name: 'refiner-sync' } },
    integrations: { Refiner: false },
  })
  // Segment sends it on to all its destinations, ours among them.
  expect((await loop.post('/v1/segment', told, basic('acme-destination-key'))).status).toBe(200)
  await until(() => health(loop).pending === 0)
  expect(loop.refiner.calls.some(({ body }) => body['event'] === 'Became Promoter')).toBe(false)
})

test('while Refiner is down nothing of it is lost, and it goes out once and in order', async () => {
  let isDown = true
  await using loop = await startLoop({
    tenants: { acme: { segments: [PROMOTERS] } },
    adminToken: ADMIN_TOKEN,
    refiner: () => (isDown ? new Response('down', { status: 503 }) : null),
  })
  await answers(loop, 'ada', '9', '01')
  await until(() => health(loop).segments['promoters']!.members === 1)
  await answers(loop, 'ada', '2', '02')
  await until(() => health(loop).segments['promoters']!.members === 0)
  await loop.restart()
  await answers(loop, 'ada', '10', '03')
  await until(() => health(loop).segments['promoters']!.members === 1)
  isDown = false
  await toldOf(loop, 3, 6)
  expect(synced(loop)).toEqual([
    ['POST', 'ada', MANUAL],
    ['DELETE', 'ada', MANUAL],
    ['POST', 'ada', MANUAL],
  ])
  expect(toldSegment(loop).map(([, , what]) => what)).toEqual([
    true,
    'Became Promoter',
    false,
    'No Longer Promoter',
    true,
    'Became Promoter',
  ])
})

test('what Refiner refuses is a dead letter that can be sent again', async () => {
  let isThere = false
  await using loop = await startLoop({
    tenants: { acme: { segments: [PROMOTERS] } },
    adminToken: ADMIN_TOKEN,
    refiner: ({ path }) =>
      path === '/v1/sync-segment' && !isThere
        ? Response.json({ message: 'unknown segment' }, { status: 404 })
        : null,
  })
  await answers(loop, 'ada', '9', '01')
  await until(() => health(loop).dead === 1)
  const { body } = await ask<ShownDelivery[]>(loop, '/api/deliveries?state=dead')
  expect(body).toMatchObject([{ call: 'sync-segment', destination: 'refiner' }])
  isThere = true
  // Made anew of what is kept, or sent as it was: it is the same call.
  const replay = ['deliveries', 'replay', '--state', 'dead', '--user', 'ada', '--remap']
  expect((await command(loop, replay)).code).toBe(0)
  await until(() => health(loop).dead === 0 && synced(loop).length > 0)
  expect(synced(loop)).toEqual([['POST', 'ada', MANUAL]])
})

test('who was forgotten is in no segment, and changes of a segment do not bring them back', async () => {
  await using loop = await startLoop({
    tenants: { acme: { segments: [PROMOTERS] } },
    adminToken: ADMIN_TOKEN,
  })
  await answers(loop, 'ada', '10', '01')
  await answers(loop, 'ben', '10', '01')
  await membersBecome(loop, 'promoters', 2)
  expect((await command(loop, ['forget', '--user', 'ada'])).code).toBe(0)
  await answers(loop, 'ada', '10', '02')
  await membersBecome(loop, 'promoters', 1)
  const other = { ...PROMOTERS, condition: 'int(answers.nps) >= 8', refinerSegment: 'another' }
  await loop.reload({ tenants: { acme: { segments: [other] } } })
  await until(() => synced(loop).length === 3 && health(loop).pending === 0)
  expect(synced(loop)[2]).toEqual(['POST', 'ben', 'another'])
})

test('segments are listed, shown and exported, for people and for programs', async () => {
  const { log, lines } = keptLog()
  await using loop = await startLoop({
    tenants: { acme: { segments: [PROS, PROMOTERS] }, globex: { segments: [PROS] } },
    adminToken: ADMIN_TOKEN,
    log,
  })
  for (const id of ['ada', 'ben', 'a "b", c', '=1+1'])
    await identify(loop, id, { plan: 'pro', email: `${id[0]}@example.com` })
  await membersBecome(loop, 'pros', 4)
  const isComplete = ({ complete }: { readonly complete: boolean }) => complete
  await until(() =>
    Object.values(loop.daemon.health().tenants).every((one) => Object.values(one.segments).every(isComplete)),
  )
  const { body } = await ask<ShownSegment[]>(loop, '/api/segments')
  expect(body.map(({ tenant, name, members, complete }) => [tenant, name, members, complete])).toEqual([
    ['acme', 'pros', 4, true],
    ['acme', 'promoters', 0, true],
    ['globex', 'pros', 0, true],
  ])
  const page = await ask<{ listed: ShownMember[] }>(loop, '/api/segments/pros?tenant=acme&limit=3')
  expect(page.body.listed.map(({ user_id }) => user_id)).toEqual(['=1+1', 'a "b", c', 'ada'])
  expect(page.headers.get('x-next-after')).toBe('ada')
  expect((await ask(loop, '/api/segments/pros')).body).toEqual({
    message: 'several tenants have a segment of that name: name the tenant',
  })
  expect((await ask(loop, '/api/segments/nobody?tenant=acme')).status).toBe(404)
  expect((await ask(loop, '/api/segments/pros?tenant=acme&limit=0')).status).toBe(400)
  expect((await fetch(`${loop.daemon.url}/api/segments`)).status).toBe(401)

  const listed = await command(loop, ['segments', 'list', '--tenant', 'acme'])
  expect(listed.stdout).toBe('acme  pros  4 users\nacme  promoters  0 users')
  const shown = await command(loop, ['segments', 'show', 'pros', '--tenant', 'acme', '--limit', '1'])
  expect(shown.stdout).toContain('when: traits.plan == "pro"')
  expect(shown.stderr).toBe('there are more: go on with --after =1+1')
  const csv = await command(loop, ['segments', 'export', 'pros', '--tenant', 'acme'])
  expect(csv.stdout.split('\n').map((line) => line.replace(/,[^,]*$/, ''))).toEqual([
    'user_id,email',
    '=1+1,=@example.com',
    '"a ""b"", c",a@example.com',
    'ada,a@example.com',
    'ben,b@example.com',
  ])
  const jsonl = await command(loop, ['segments', 'export', 'pros', '--tenant', 'acme', '--format', 'jsonl'])
  expect(jsonl.stdout.split('\n').map((line) => (JSON.parse(line) as ShownMember).user_id)).toEqual([
    '=1+1',
    'a "b", c',
    'ada',
    'ben',
  ])
  const trial = await command(loop, [
    'segments',
    'try',
    'int(traits.plan) > 1 || user.id == "ada"',
    '--tenant',
    'acme',
  ])
  expect(trial.stdout).toBe(
    'acme: it holds for 1 of 4 users\n  ada\n  ! it fails for 3: `int(traits.plan)`: int conversion error',
  )
  const wrong = await command(loop, ['segments', 'try', 'trait.plan == "pro"', '--tenant', 'acme'])
  expect(wrong).toMatchObject({
    code: 1,
    stderr: 'the condition, at character 1: unknown variable `trait`; did you mean `traits`?',
  })
  const unknown = await command(loop, ['segments', 'list', '--tenant', 'nope'])
  expect(unknown).toMatchObject({ code: 1, stderr: 'there is no tenant nope; there is acme, globex' })
  expect((await command(loop, ['users', 'show', 'ada'])).stdout).toContain('segments:\n  pros, since 20')
  expect(JSON.stringify(loop.daemon.health()) + lines.join('\n')).not.toContain('example.com')
})
